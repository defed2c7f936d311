//! The settings of one list: where it comes from, how it is read, and when.

mod check;
mod preset;
mod words;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

pub use self::preset::Preset;
pub use self::words::{Column, FeedFormat, FeedKind, OnShrink, PublicSuffixes, UntilFirst};
use super::request::{
    Checksum, ChecksumText, Field, FieldText, Fields, MinisignKey, Secret, SecretText,
};
use super::value::{
    self, Automatic, Count, FeedEntry, FeedSize, FeedUrl, FromText, Optional, Parsed, Pointer,
    Refresh, Time, Word,
};

/// One list of domains.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Feed {
    /// Whether it is fetched and looked into. Filters may name one that is not: it lists nothing.
    #[serde(default = "Feed::default_enabled")]
    pub enabled: bool,
    /// What it means that a host is listed.
    #[serde(default, with = "Parsed::<Word<FeedKind>>")]
    pub kind: FeedKind,
    /// A well-known public list, in place of `url` and `urls`. It brings its format and the time
    /// between two fetches along.
    #[serde(default, with = "Parsed::<Optional<Word<Preset>>>")]
    pub preset: Option<Preset>,
    /// Where the list is: an http:, https: or file: URL.
    #[serde(default, with = "Parsed::<Optional<FeedUrl>>")]
    pub url: Option<Url>,
    /// The same for several lists, in place of `url`. Each is fetched, kept and looked into by
    /// itself.
    #[serde(
        default,
        deserialize_with = "value::each::<_, FeedUrl>",
        serialize_with = "value::write_each::<_, FeedUrl>"
    )]
    #[schemars(with = "Vec<Parsed<FeedUrl>>")]
    pub urls: Vec<Url>,
    /// Entries that stand here, in place of a list elsewhere or beside it, each as AdBlock or a
    /// list of domains has it. They are a list by themselves.
    #[serde(default, deserialize_with = "value::each::<_, FeedEntry>")]
    #[schemars(with = "Vec<Parsed<FeedEntry>>")]
    pub entries: Vec<String>,
    /// How the body is read.
    #[serde(with = "Parsed::<Word<FeedFormat>>", default)]
    pub format: FeedFormat,
    /// The column of CSV that has the names: its number, from 1, or what the first row calls it, or
    /// a comment above it.
    #[serde(default, with = "Parsed::<Optional<Column>>")]
    pub column: Option<Column>,
    /// Where JSON has the names: a JSON pointer (RFC 6901) from each row, or from the root to an
    /// array of them.
    #[serde(default, with = "Parsed::<Optional<Pointer>>")]
    pub field: Option<String>,
    /// Whether a name covers the names below it. By default that is as the format has it.
    #[serde(default)]
    pub subdomains: Option<bool>,
    /// What happens to rules for everything below a suffix of a registry, such as `||com^`. By
    /// default they are held on lists that are fetched, and applied where they stand in `entries`.
    #[serde(default, with = "Parsed::<Optional<Word<PublicSuffixes>, Automatic>>")]
    pub public_suffixes: Option<PublicSuffixes>,
    /// Time between two fetches.
    #[serde(with = "Parsed::<Refresh>", default = "Feed::default_refresh")]
    pub refresh: Duration,
    /// For all of a fetch, redirects included.
    #[serde(with = "Parsed::<Time>", default = "Feed::default_timeout")]
    pub timeout: Duration,
    /// Header fields of the request, such as `Auth-Key: env:ABUSE_CH_KEY`. They are sent to the
    /// url's server alone, to that of each of `urls`, and never shown. A value that is `env:NAME`
    /// stands in a variable, and one that is `file:PATH` in a file.
    #[serde(with = "Fields", default)]
    #[schemars(with = "Vec<Parsed<FieldText>>")]
    pub headers: Vec<Field>,
    /// What is posted to the url, as it stands or as `env:NAME` or `file:PATH`. Without it the list
    /// is got by GET.
    #[serde(with = "Parsed::<Optional<SecretText>>", default)]
    pub post: Option<Secret>,
    /// The SHA-256 of the list as it is published, or the url of a text that begins with it.
    /// Another list is refused.
    #[serde(with = "Parsed::<Optional<ChecksumText>>", default)]
    pub checksum: Option<Checksum>,
    /// The public key of minisign with which the list is signed. The signature is at the list's
    /// url with `.minisig` behind its path.
    #[serde(with = "Parsed::<Optional<MinisignKey>>", default)]
    pub minisign: Option<String>,
    /// A larger body is refused, in bytes, as it comes and as it is unpacked.
    #[serde(with = "Parsed::<FeedSize>", default = "Feed::default_max_size")]
    pub max_size: u64,
    /// A list with fewer names is refused.
    #[serde(default, with = "Parsed::<Optional<Count>>")]
    pub min_entries: Option<usize>,
    /// A list with more names is refused.
    #[serde(default, with = "Parsed::<Optional<Count>>")]
    pub max_entries: Option<usize>,
    /// What happens to a list that has lost more than half of its names.
    #[serde(default, with = "Parsed::<Word<OnShrink>>")]
    pub on_shrink: OnShrink,
    /// What happens to requests until the list has arrived for the first time.
    #[serde(with = "Parsed::<Word<UntilFirst>>", default)]
    pub until_first: UntilFirst,
}

impl Feed {
    /// The name of the feed that is there unless the operator disables it.
    pub(super) const DEFAULT: &str = "malware";

    /// Where that comes from, as a file says it.
    pub(super) fn default_source() -> [(&'static str, String); 2] {
        let format = Word::write(&Preset::Malware.format());
        [
            ("url", Preset::Malware.url().into()),
            ("format", format.as_str().unwrap_or_default().to_owned()),
        ]
    }

    /// A feed that is fetched and bounded as a file says that names nothing but these.
    pub fn new(url: Url, format: FeedFormat) -> Self {
        Self {
            enabled: Self::default_enabled(),
            kind: FeedKind::default(),
            preset: None,
            url: Some(url),
            urls: Vec::new(),
            entries: Vec::new(),
            format,
            column: None,
            field: None,
            subdomains: None,
            public_suffixes: None,
            refresh: Self::default_refresh(),
            timeout: Self::default_timeout(),
            headers: Vec::new(),
            post: None,
            checksum: None,
            minisign: None,
            max_size: Self::default_max_size(),
            min_entries: None,
            max_entries: None,
            on_shrink: OnShrink::default(),
            until_first: UntilFirst::default(),
        }
    }

    /// A well-known list, fetched as often as it is made anew.
    pub fn from_preset(preset: Preset) -> Self {
        Self {
            preset: Some(preset),
            url: None,
            refresh: preset.refresh(),
            ..Self::new(preset.url(), FeedFormat::Auto)
        }
    }

    /// Where its lists are.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Url> {
        let preset = self.preset.map(Preset::url);
        preset
            .into_iter()
            .chain(self.url.iter().chain(&self.urls).cloned())
    }

    /// How its lists are read.
    pub(crate) fn read_as(&self) -> FeedFormat {
        match (self.format, self.preset) {
            (FeedFormat::Auto, Some(preset)) => preset.format(),
            (format, _) => format,
        }
    }

    fn default_enabled() -> bool {
        true
    }

    /// URLhaus writes its list anew every five minutes and asks not to be asked more often; most
    /// hosts on it live for hours.
    fn default_refresh() -> Duration {
        Duration::from_mins(15)
    }

    /// Long lists take a while over a slow line.
    fn default_timeout() -> Duration {
        Duration::from_mins(5)
    }

    /// Far above the longest public lists.
    fn default_max_size() -> u64 {
        64 << 20
    }

    /// The default feed.
    pub(super) fn malware() -> Self {
        Self::new(Preset::Malware.url(), Preset::Malware.format())
    }
}
