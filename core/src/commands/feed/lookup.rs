//! `feed lookup`: each entry of each feed that speaks of a host.

use std::fmt;

use serde::Serialize;

use super::FeedCommandError;
use crate::config::{Config, FeedKind};
use crate::error::Escaped;
use crate::feeds::{Entry, Feeds};
use crate::target::canonical_host;
use crate::verdict::MatchKind;

/// What the feeds say of some hosts. By serde it is an object with `hosts` and `notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedLookup {
    /// In the order in which they were named.
    pub hosts: Vec<HostEntries>,
    /// What may be different in a running proxy.
    pub notes: Vec<String>,
}

/// What the feeds say of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostEntries {
    /// In its canonical form.
    pub host: String,
    /// What a filter is told that asks for all feeds; none if no entry speaks of the host.
    pub says: Option<Says>,
    /// All entries that speak of it.
    pub entries: Vec<FeedEntry>,
}

/// An entry that speaks of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedEntry {
    /// The name of the feed.
    pub feed: String,
    /// What it means that this feed lists a host.
    pub kind: FeedKind,
    /// Where the list comes from, without what may be secret.
    pub source: String,
    /// The line in the list, or the place in a list without lines, from 1.
    pub line: u32,
    /// The host, domain or network that the entry is about.
    pub name: String,
    /// The entry as the list has it, without its end if it is very long.
    pub rule: String,
    /// What it says of the host.
    pub says: Says,
    /// Whether it is the one that counts.
    pub counts: bool,
}

/// What an entry says of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Says {
    /// The host is on the list.
    Listed,
    /// The host is not on the list, whatever other entries say; for an entry of an allow feed, the
    /// host is on no list.
    Excepted,
}

/// Looks hosts up in the copies of all feeds on disk, as filters do.
///
/// # Errors
///
/// If one of them is not a host.
pub fn look_up_hosts(config: &Config, hosts: &[String]) -> Result<FeedLookup, FeedCommandError> {
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    let hosts = hosts.iter().map(|host| {
        let not_a_host = |source| FeedCommandError::Host {
            host: host.clone(),
            source,
        };
        let host = canonical_host(host).map_err(not_a_host)?;
        let entries = feeds.entries_about(&host).into_iter();
        let entries: Vec<_> = entries.map(FeedEntry::from).collect();
        let counting = entries.iter().find(|entry| entry.counts);
        Ok(HostEntries {
            host: host.into_owned(),
            says: counting.map(|entry| entry.says),
            entries,
        })
    });
    Ok(FeedLookup {
        hosts: hosts.collect::<Result<_, _>>()?,
        notes: feeds.notes().collect(),
    })
}

impl From<Entry> for FeedEntry {
    fn from(entry: Entry) -> Self {
        let says = match (entry.kind, entry.says) {
            (FeedKind::Block, MatchKind::Listed) => Says::Listed,
            (FeedKind::Block, MatchKind::Excepted) | (FeedKind::Allow, MatchKind::Listed) => {
                Says::Excepted
            }
            (FeedKind::Allow, MatchKind::Excepted) => Says::Listed,
        };
        Self {
            feed: entry.feed.to_string(),
            kind: entry.kind,
            source: entry.source.to_string(),
            line: entry.line,
            name: entry.name,
            rule: entry.rule,
            says,
            counts: entry.counts,
        }
    }
}

impl Says {
    fn word(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Excepted => "excepted",
        }
    }
}

impl fmt::Display for FeedLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for host in &self.hosts {
            write!(f, "{host}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {}", Escaped(note)))
    }
}

impl fmt::Display for HostEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = self.says.map_or("on no list", Says::word);
        writeln!(f, "{}: {says}", self.host)?;
        self.entries
            .iter()
            .try_for_each(|entry| writeln!(f, "  {entry}"))
    }
}

impl fmt::Display for FeedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} by {} from {}, line {}: {}",
            self.says.word(),
            self.feed,
            Escaped(&self.source),
            self.line,
            Escaped(&self.rule)
        )?;
        if self.counts {
            write!(f, "  (counts)")?;
        }
        Ok(())
    }
}
