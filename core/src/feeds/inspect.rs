//! What people can ask about the feeds: which lists there are, what they say of a host, and what a
//! fetch finds. `commands` asks. Traffic knows nothing of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::fetch::shown;
use super::hits::ListHits;
use super::source::{BUILT_IN, ENTRIES, Feed, List};
use super::{FeedError, Feeds, Outcome};
use crate::config::{FeedFormat, FeedKind};
use crate::verdict::MatchKind;

/// What is known of one list without asking its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) feed: Arc<str>,
    pub(crate) kind: FeedKind,
    /// None for entries that stand in the settings.
    pub(crate) format: Option<FeedFormat>,
    /// Where it comes from, as people may see it; none if a feed that is disabled does not say.
    pub(crate) source: Option<Arc<str>>,
    pub(crate) is_disabled: bool,
    pub(crate) names: usize,
    /// Since its copy was fetched.
    pub(crate) age: Option<Duration>,
    /// The size of its copy in bytes, as it was fetched.
    pub(crate) bytes: Option<u64>,
    /// Why the copy or the entries are not used.
    pub(crate) error: Option<String>,
    /// What its entries have decided, as a proxy has written it last.
    pub(crate) hits: Option<ListHits>,
    /// Why that is not known.
    pub(crate) hits_error: Option<String>,
}

/// An entry that speaks of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) feed: Arc<str>,
    pub(crate) kind: FeedKind,
    /// Where its list comes from, as people may see it.
    pub(crate) source: Arc<str>,
    /// What it says of the host, by itself.
    pub(crate) says: MatchKind,
    /// The host, domain or network that it names.
    pub(crate) name: String,
    /// The entry as the list has it.
    pub(crate) rule: String,
    /// Its line, or its place in a list without lines, from 1.
    pub(crate) line: u32,
    /// Whether this one decides for a filter that asks for all feeds.
    pub(crate) counts: bool,
}

/// What a fetch of one list has found.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) feed: Arc<str>,
    /// Where the list comes from, as people may see it.
    pub(crate) source: Arc<str>,
    pub(crate) outcome: Result<Outcome, FeedError>,
    /// How many names the list has now.
    pub(crate) names: usize,
}

impl Feeds {
    /// What is known of each list, in the order of the feeds' names, with `top` of the entries that
    /// have decided. A feed that is disabled is among them.
    pub(crate) fn facts(&self, top: usize) -> Vec<Facts> {
        let of_feed = |feed: &Arc<Feed>| -> Vec<Facts> {
            if feed.is_disabled() {
                return feed.disabled_facts();
            }
            let of_list = |list: &List| self.facts_of(feed, list, top);
            feed.lists.iter().map(of_list).collect()
        };
        self.now().feeds.values().flat_map(of_feed).collect()
    }

    fn facts_of(&self, feed: &Feed, list: &List, top: usize) -> Facts {
        let source = &list.source;
        let status = list.status();
        let format = match &source.origin {
            Some(origin) => Some(origin.format.format),
            None if *source.shown == *BUILT_IN => Some(FeedFormat::Domains),
            None => None,
        };
        let origin = source.origin.as_ref();
        let state = source.state().clone();
        Facts {
            feed: feed.name.clone(),
            kind: feed.kind(),
            format,
            source: status.source,
            is_disabled: false,
            names: status.names,
            age: status.age,
            bytes: origin.and_then(|origin| self.cache.size(origin)),
            error: status.last_error.or(state.copy_error),
            hits: list.hits(top),
            hits_error: state.hits_error,
        }
    }

    /// The name of each feed that should block hosts, and one for which its list has a rule.
    pub(crate) fn samples(&self) -> Vec<(Arc<str>, String)> {
        let now = self.now();
        let blocking = now.feeds.values();
        let blocking = blocking.filter(|feed| feed.kind() == FeedKind::Block);
        let samples = blocking.flat_map(|feed| {
            let of_list = |list: &List| {
                let mut names = list.snapshot.names();
                // Networks are on a list of names, too.
                names
                    .find(|name| !name.contains(['/', ':']))
                    .map(str::to_owned)
            };
            let names: Vec<_> = feed.lists.iter().filter_map(of_list).collect();
            names.into_iter().map(|name| (feed.name.clone(), name))
        });
        samples.collect()
    }

    /// Every entry that speaks of a canonical host, by the feeds' names in order, and in a list the
    /// most specific one last.
    pub(crate) fn entries_about(&self, host: &str) -> Vec<Entry> {
        let now = self.now();
        let mut counting = now.find(now.names().map(|name| &**name), host);
        let mut entries = Vec::new();
        for feed in now.feeds.values() {
            for list in &feed.lists {
                for found in list.snapshot.find_all(host) {
                    let meant = now.meant(feed, list, found);
                    // Of two that look the same the first counts.
                    let counts = counting.take_if(|counting| *counting == meant).is_some();
                    entries.push(Entry {
                        feed: feed.name.clone(),
                        kind: feed.kind(),
                        source: list.source.shown.clone(),
                        says: found.kind,
                        name: found.name(),
                        rule: found.rule(),
                        line: found.line,
                        counts,
                    });
                }
            }
        }
        entries
    }

    /// Fetches the lists of these feeds now, or of all, and keeps what arrives on disk.
    pub(crate) async fn refresh_named(&self, feeds: Option<&BTreeSet<&str>>) -> Vec<Refreshed> {
        let mut wanted = self.fetched();
        wanted.retain(|source| feeds.is_none_or(|feeds| feeds.contains(&*source.feed)));
        let all = wanted.iter().map(async |source| Refreshed {
            outcome: self.refresh(source).await,
            feed: source.feed.clone(),
            source: source.shown.clone(),
            names: self.names_of(source),
        });
        join_all(all).await
    }
}

impl Feed {
    fn disabled_facts(&self) -> Vec<Facts> {
        let settings = self.settings.as_deref();
        let facts = |source: Option<Arc<str>>, format| Facts {
            feed: self.name.clone(),
            kind: self.kind(),
            format,
            source,
            is_disabled: true,
            names: 0,
            age: None,
            bytes: None,
            error: None,
            hits: None,
            hits_error: None,
        };
        let mut all = Vec::new();
        if let Some(settings) = settings {
            let urls = settings.sources().map(|url| Some(shown(&url)));
            all.extend(urls.map(|url| facts(url, Some(settings.read_as()))));
            if !settings.entries.is_empty() {
                all.push(facts(Some(ENTRIES.into()), None));
            }
        }
        if all.is_empty() {
            all.push(facts(None, None));
        }
        all
    }
}
