//! Where one list comes from and how it is read: what the settings of a feed say, for each of its
//! lists.

use std::fmt::Write;
use std::time::Duration;

use sha2::{Digest, Sha256};
use url::Url;

use super::bounds::Bounds;
use super::format::Format;
use crate::config::{Feed, Preset};

/// Bytes of the hash of a URL that tell the copies of a feed's lists apart.
const COPY_HASH: usize = 8;

/// Where one list comes from, how it is read, and when.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) url: Url,
    /// Under which licence the list is published, where that is known.
    pub(crate) licence: Option<&'static str>,
    /// What the files of its copy on disk are called.
    pub(crate) copy: String,
    pub(crate) format: Format,
    /// A larger body is refused, in bytes.
    pub(crate) max_size: u64,
    /// How many names it may have.
    pub(crate) bounds: Bounds,
    /// Time between two fetches.
    pub(crate) refresh: Duration,
    /// What its server is told and what is checked of the list, among the rest.
    pub(crate) settings: Feed,
}

impl Origin {
    /// The origins of a feed of this name. The copy of a list that is the only one has the name of
    /// its feed. That of another has its URL in its name, so that it stays with it in whatever
    /// order they stand.
    pub(crate) fn all(name: &str, feed: &Feed) -> Vec<Self> {
        let is_alone = feed.sources().count() == 1;
        let origin = |url: Url| Self {
            copy: if is_alone {
                name.to_owned()
            } else {
                format!("{name}.{}", hash(&url))
            },
            licence: Preset::at(&url).map(Preset::licence),
            url,
            format: Format::from(feed),
            max_size: feed.max_size,
            bounds: Bounds::from(feed),
            refresh: feed.refresh,
            settings: feed.clone(),
        };
        feed.sources().map(origin).collect()
    }

    /// Whether this is the list that another origin has, read alike and checked alike.
    pub(super) fn has_list_of(&self, other: &Self) -> bool {
        let (one, two) = (&self.settings, &other.settings);
        (&self.url, &self.format) == (&other.url, &other.format)
            && (&one.checksum, &one.minisign) == (&two.checksum, &two.minisign)
            && one.post == two.post
    }

    /// Whether the list of another origin, which is the same, is fetched and kept alike.
    pub(super) fn is_fetched_as(&self, other: &Self) -> bool {
        let (one, two) = (&self.settings, &other.settings);
        (&self.copy, self.max_size) == (&other.copy, other.max_size)
            && (self.bounds, self.refresh) == (other.bounds, other.refresh)
            && (one.timeout, &one.headers) == (two.timeout, &two.headers)
    }
}

fn hash(url: &Url) -> String {
    let digest = Sha256::digest(url.as_str());
    let mut text = String::new();
    for byte in &digest[..COPY_HASH] {
        // Text takes what is written.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FeedFormat};

    fn licence(feed: &Feed) -> Option<&'static str> {
        Origin::all("list", feed)[0].licence
    }

    #[test]
    fn the_licence_of_a_preset_is_known_by_its_url_too() {
        let malware = Config::default().feeds["malware"].clone();
        assert_eq!(malware.preset, None);
        assert_eq!(licence(&malware), Some("CC0-1.0"));
        let ads = Feed::from_preset(Preset::Ads);
        assert_eq!(licence(&ads), Some("GPL-3.0"));
        let url = "https://lists.example/hosts".parse().unwrap();
        assert_eq!(licence(&Feed::new(url, FeedFormat::Hosts)), None);
    }
}
