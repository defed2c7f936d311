//! Well-known public lists by a word. This file is the table of them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::FeedFormat;
use crate::config::value::{FromText, Word, Words};

/// A well-known public list. Those who keep it decide what is on it and under which licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Preset {
    /// Hosts of advertising.
    Ads,
    /// Hosts that follow people around.
    Tracking,
    /// Hosts that pose as others.
    Phishing,
    /// Hosts that spread malware at this time.
    Malware,
    /// Hosts with pornography.
    Adult,
}

impl Words for Preset {
    const EXPECTED: &'static str =
        r#"a preset: "ads", "tracking", "phishing", "malware" or "adult""#;
}

/// What is known of a preset's list.
struct Row {
    preset: Preset,
    url: &'static str,
    format: FeedFormat,
    /// As SPDX calls it.
    licence: &'static str,
    refresh: Duration,
}

/// For lists that are made anew once a day or a few times.
const HALF_A_DAY: Duration = Duration::from_hours(12);

const PRESETS: [Row; 5] = [
    // AdGuard's filter for name servers.
    Row {
        preset: Preset::Ads,
        url: "https://adguardteam.github.io/HostlistsRegistry/assets/filter_1.txt",
        format: FeedFormat::Adblock,
        licence: "GPL-3.0",
        refresh: HALF_A_DAY,
    },
    // The Block List Project.
    Row {
        preset: Preset::Tracking,
        url: "https://raw.githubusercontent.com/blocklistproject/Lists/master/alt-version/tracking-nl.txt",
        format: FeedFormat::Domains,
        licence: "MIT",
        refresh: HALF_A_DAY,
    },
    Row {
        preset: Preset::Phishing,
        url: "https://raw.githubusercontent.com/blocklistproject/Lists/master/alt-version/phishing-nl.txt",
        format: FeedFormat::Domains,
        licence: "MIT",
        refresh: HALF_A_DAY,
    },
    // URLhaus of abuse.ch, which is made anew every five minutes.
    Row {
        preset: Preset::Malware,
        url: "https://urlhaus.abuse.ch/downloads/hostfile/",
        format: FeedFormat::Hosts,
        licence: "CC0-1.0",
        refresh: Duration::from_mins(15),
    },
    // Steven Black's collection, of which this is one part.
    Row {
        preset: Preset::Adult,
        url: "https://raw.githubusercontent.com/StevenBlack/hosts/master/alternates/porn-only/hosts",
        format: FeedFormat::Hosts,
        licence: "MIT",
        refresh: HALF_A_DAY,
    },
];

impl Preset {
    fn row(self) -> &'static Row {
        let row = PRESETS.iter().find(|row| row.preset == self);
        row.expect("the tests look for each")
    }

    /// What a word calls; none if it is no preset.
    pub(in crate::config) fn of(word: &str) -> Option<Self> {
        Word::<Self>::parse(word)
    }

    /// The one whose list is at a URL.
    pub(crate) fn at(url: &Url) -> Option<Self> {
        let row = PRESETS.iter().find(|row| row.url == url.as_str());
        row.map(|row| row.preset)
    }

    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        PRESETS.iter().map(|row| row.preset)
    }

    /// Where the list is.
    pub fn url(self) -> Url {
        let url = self.row().url.parse();
        url.expect("the tests read each")
    }

    /// How the list is read.
    pub fn format(self) -> FeedFormat {
        self.row().format
    }

    /// Under which licence the list is published, as SPDX calls it.
    pub fn licence(self) -> &'static str {
        self.row().licence
    }

    /// Time between two fetches, unless the feed says another.
    pub fn refresh(self) -> Duration {
        self.row().refresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_is_a_list_from_a_server_that_proves_who_it_is() {
        for preset in [
            Preset::Ads,
            Preset::Tracking,
            Preset::Phishing,
            Preset::Malware,
            Preset::Adult,
        ] {
            assert_eq!(preset.url().scheme(), "https", "{preset:?}");
            assert_ne!(preset.format(), FeedFormat::Auto, "{preset:?}");
            assert!(!preset.licence().is_empty(), "{preset:?}");
            assert_eq!(Preset::at(&preset.url()), Some(preset));
            let word = Word::write(&preset);
            assert_eq!(word.as_str().and_then(Preset::of), Some(preset));
        }
    }

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../../../../README.md");
        for row in &PRESETS {
            let word = Word::write(&row.preset);
            let word = word.as_str().unwrap();
            let line = format!("| `{word}` | <{}> | {} |\n", row.url, row.licence);
            assert!(readme.contains(&line), "{line}");
        }
    }
}
