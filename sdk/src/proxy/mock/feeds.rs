//! The lists of a test: domains, addresses and networks, and exceptions behind `@@`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use portcullis_contract::host::{ancestors, canonical_ascii};
use portcullis_contract::limits::{FEED_NAME_BYTES, HOST_BYTES};

use super::MOCK;
use crate::error::FeedError;
use crate::feed_match::{Kind, Match};

#[derive(Default)]
pub(super) struct Feeds {
    by_name: BTreeMap<String, Feed>,
    /// The last rule that was found in the running call.
    found: Option<String>,
}

#[derive(Default)]
struct Feed {
    is_granted: bool,
    entries: Vec<Entry>,
}

struct Entry {
    rule: String,
    subject: Subject,
    kind: Kind,
}

enum Subject {
    Domain(String),
    Network(IpNet),
}

pub(crate) fn set_feed(name: &str, rules: impl IntoIterator<Item = String>) {
    let feed = Feed {
        is_granted: true,
        entries: rules.into_iter().map(Entry::new).collect(),
    };
    MOCK.with_borrow_mut(|mock| mock.feeds.by_name.insert(name.into(), feed));
}

/// A feed that the filter may not look into.
pub(crate) fn deny_feed(name: &str) {
    MOCK.with_borrow_mut(|mock| mock.feeds.by_name.insert(name.into(), Feed::default()));
}

pub(crate) fn feed_names() -> Vec<String> {
    MOCK.with_borrow(|mock| {
        let feeds = mock.feeds.by_name.iter();
        let granted = feeds.filter(|(_, feed)| feed.is_granted);
        granted.map(|(name, _)| name.clone()).collect()
    })
}

pub(crate) fn find(host: &str) -> Option<Match> {
    let names = feed_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    find_in(&names, host).ok().flatten()
}

pub(crate) fn find_in(feeds: &[&str], host: &str) -> Result<Option<Match>, FeedError> {
    MOCK.with_borrow_mut(|mock| {
        let found = mock.feeds.find(feeds, host)?;
        if let Some(found) = &found {
            mock.feeds.found = Some(found.rule.clone());
        }
        Ok(found)
    })
}

/// The last rule that was found in the running call.
pub(crate) fn last_found() -> Option<String> {
    MOCK.with_borrow(|mock| mock.feeds.found.clone())
}

impl Feeds {
    pub(super) fn forget_found(&mut self) {
        self.found = None;
    }

    fn find(&self, names: &[&str], host: &str) -> Result<Option<Match>, FeedError> {
        let mut excepted = None;
        // Something that is not a host is not covered, as in the proxy, and what is longer than one
        // is not looked at.
        let is_short = host.len() <= HOST_BYTES;
        let host = is_short.then(|| canonical_ascii(host)).flatten();
        for &name in names {
            // No feed has a longer name.
            let shown = &name[..name.floor_char_boundary(FEED_NAME_BYTES)];
            let feed = self.by_name.get(name).filter(|_| shown == name);
            let feed = feed.ok_or_else(|| FeedError::Unknown(shown.to_owned()))?;
            if !feed.is_granted {
                return Err(FeedError::NotGranted(name.to_owned()));
            }
        }
        for name in names {
            let found = host
                .as_deref()
                .and_then(|host| self.by_name[*name].find(host));
            let Some(entry) = found else { continue };
            let found = Match {
                feed: (*name).to_owned(),
                source: "testing".to_owned(),
                rule: entry.rule.clone(),
                line: None,
                kind: entry.kind,
            };
            match entry.kind {
                Kind::Listed => return Ok(Some(found)),
                Kind::Excepted => excepted = excepted.or(Some(found)),
            }
        }
        Ok(excepted)
    }
}

impl Feed {
    /// The most specific exception, or else the most specific other entry, as in lists of the proxy
    /// that are not trees of names.
    fn find(&self, host: &str) -> Option<&Entry> {
        let is_exception = |entry: &Entry| entry.kind == Kind::Excepted;
        let covering = self.entries.iter().filter_map(|entry| {
            let specificity = match (&entry.subject, host.parse::<IpAddr>()) {
                (Subject::Network(network), Ok(address)) if network.contains(&address) => {
                    usize::from(network.prefix_len())
                }
                (Subject::Domain(domain), Err(_)) => ancestors(host)
                    .any(|name| name == domain)
                    .then_some(domain.len())?,
                _ => return None,
            };
            Some((is_exception(entry), specificity, entry))
        });
        let decisive =
            covering.max_by_key(|(exception, specificity, _)| (*exception, *specificity));
        decisive.map(|(_, _, entry)| entry)
    }
}

impl Entry {
    fn new(rule: String) -> Self {
        let entry = rule.to_ascii_lowercase();
        let (text, kind) = match entry.strip_prefix("@@") {
            Some(text) => (text, Kind::Excepted),
            None => (entry.as_str(), Kind::Listed),
        };
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let subject = match text.parse::<IpNet>().or_else(|_| address()) {
            Ok(network) => Subject::Network(network),
            Err(_) => Subject::Domain(text.to_owned()),
        };
        Self {
            subject,
            kind,
            rule,
        }
    }
}
