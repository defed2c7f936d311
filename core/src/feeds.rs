//! The lists of hosts that filters look names up in: fetched, kept on disk, shared. `proxy` opens
//! them and keeps [`Feeds::run`] going, and `filter` looks names up. What a match means is for
//! filters to say.

#[cfg(feature = "bench")]
pub mod bench;
mod bounds;
mod cache;
mod change;
pub(crate) mod entries;
pub(crate) mod fetch;
pub(crate) mod format;
mod hits;
pub(crate) mod inline;
#[cfg(feature = "cli")]
mod inspect;
mod lists;
mod origin;
mod schedule;
pub(crate) mod snapshot;
mod source;
mod start;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;

use self::bounds::OutOfBounds;
use self::cache::Cache;
pub(crate) use self::entries::LeftOut;
use self::entries::{Listed, Rejected};
#[cfg(feature = "cli")]
pub(crate) use self::fetch::UNKEPT_HINT;
use self::fetch::body::Body;
pub(crate) use self::fetch::{FetchError, Fetcher, download, shown};
use self::format::{Format, read};
#[cfg(feature = "cli")]
pub(crate) use self::hits::{ListHits, RuleHits};
#[cfg(feature = "cli")]
pub(crate) use self::inspect::{Entry, Facts, Refreshed};
use self::lists::Serving;
pub(crate) use self::lists::{Lists, Now};
use self::snapshot::Key;
#[cfg(feature = "bench")]
use self::snapshot::Snapshot;
pub(crate) use self::source::FeedStatus;
use self::source::{BUILT_IN, Feed, List, Source, Telling};
use self::start::set_of;
use crate::config::{self, UntilFirst};

/// All feeds. Lists are replaced as they are fetched, and feeds as their settings change.
#[derive(Debug)]
pub(crate) struct Feeds {
    lists: Arc<Serving>,
    cache: Cache,
    fetcher: Fetcher,
    /// Notified when a list has arrived for the first time, and when feeds have changed.
    arrived: Notify,
    /// Notified when there are other lists to keep fresh.
    rescheduled: Notify,
}

/// A feed that requests may wait for.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) feed: Arc<str>,
    /// What happens to requests meanwhile.
    pub(crate) until_first: UntilFirst,
    /// Which of its lists have not arrived; none for a feed with one list.
    pub(crate) missing: Option<Vec<Arc<str>>>,
}

/// What a refresh found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A new list is serving.
    Updated {
        /// How many names it has.
        names: usize,
        /// What it has besides.
        left_out: LeftOut,
        /// The size of its body.
        bytes: usize,
        /// Why there is no copy of it on disk.
        unkept: Option<String>,
    },
    /// The list that is serving is current.
    Unchanged,
}

/// Why a list was not refreshed. The list that was serving keeps serving.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error("it cannot be fetched")]
    Fetch(#[from] FetchError),
    #[error("what was fetched is not a list in this format")]
    Rejected(#[from] Rejected),
    #[error("what was fetched is not used")]
    OutOfBounds(#[from] OutOfBounds),
    #[error("the feed was changed or removed meanwhile")]
    Retired,
    #[error("reading it panicked, which is the proxy's fault; please report it: {0}")]
    Panicked(String),
}

impl FeedError {
    /// How long the list's server wants to be left alone, if it has said so.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Fetch(FetchError::Status { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }

    /// Whether the next fetch may confirm what is not used now.
    fn is_held(&self) -> bool {
        matches!(self, Self::OutOfBounds(OutOfBounds::Shrunk { .. }))
    }

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.hint(),
            Self::Rejected(_) => "check the feed's format, and open its url in a browser",
            Self::OutOfBounds(error) => error.hint(),
            Self::Retired => "there is nothing to do",
            Self::Panicked(_) => "the other feeds are not affected",
        }
    }
}

impl Feeds {
    /// Changes whenever a list does, or the set of feeds.
    pub(crate) fn generation(&self) -> u64 {
        self.lists.generation()
    }

    /// The feeds and lists that serve.
    pub(crate) fn now(&self) -> Now {
        self.lists.load()
    }

    /// The configured feeds with the last good copies found under `cache_dir`, and the one that is
    /// compiled in. What is wrong with a copy is logged.
    pub(crate) fn open(feeds: &BTreeMap<String, config::Feed>, cache_dir: &Path) -> Arc<Self> {
        Self::with_fetcher(feeds, cache_dir, Fetcher::default())
    }

    /// The same feeds, whose matches tell canonical entries: what they have found can be written
    /// down for [`Self::from_lists`], and is found again in the same words.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "for a command"))]
    pub(crate) fn open_canonical(
        feeds: &BTreeMap<String, config::Feed>,
        cache_dir: &Path,
    ) -> Arc<Self> {
        Self::opened(feeds, cache_dir, Fetcher::default(), Telling::Canonical)
    }

    /// Feeds that never change, each a list of canonical hosts and networks, behind `@@` if they
    /// are exceptions.
    pub(crate) fn from_lists<'a>(
        lists: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
    ) -> Arc<Self> {
        let key = Key::random();
        let feeds = lists.into_iter().map(|(name, hosts)| {
            let name = name.as_str().into();
            let source = Source::fixed(&name, BUILT_IN);
            Feed {
                name,
                settings: None,
                lists: vec![List::new(source, inline::snapshot(hosts, key))],
            }
        });
        let lists = Serving::new(key, set_of(feeds), Telling::AsWritten);
        Self::serving(lists, Cache::new(Path::new("")), Fetcher::default())
    }

    fn serving(lists: Arc<Serving>, cache: Cache, fetcher: Fetcher) -> Arc<Self> {
        Arc::new(Self {
            lists,
            cache,
            fetcher,
            arrived: Notify::new(),
            rescheduled: Notify::new(),
        })
    }

    /// As [`Lists::find`] of what serves now.
    #[cfg(any(test, feature = "bench"))]
    pub(crate) fn find<'f>(
        &self,
        feeds: impl IntoIterator<Item = &'f str>,
        host: &str,
    ) -> Option<crate::verdict::Match> {
        self.now().find(feeds, host)
    }

    /// The first list of a feed.
    #[cfg(feature = "bench")]
    pub(crate) fn snapshot(&self, name: &str) -> Option<Arc<Snapshot>> {
        let lists = self.now();
        Some(lists.feeds.get(name)?.lists.first()?.snapshot.clone())
    }

    /// A note for each list without data.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let empty = self.status().into_iter().filter(|list| list.names == 0);
        empty.filter_map(|list| {
            let name = &list.name;
            let what = match list.source? {
                source if list.has_others => format!("the list {source} of the feed {name}"),
                _ => format!("the feed {name}"),
            };
            Some(format!(
                "{what} has no data on disk: nothing on it is found"
            ))
        })
    }

    /// The feeds of which a list has not arrived yet, and what happens to requests until all have.
    pub(crate) fn awaited(&self) -> Vec<Awaited> {
        let awaited = |feed: &Arc<Feed>| {
            let lists = feed.lists.iter().filter(|list| list.source.is_awaited());
            let missing: Vec<_> = lists.map(|list| list.source.shown.clone()).collect();
            (!missing.is_empty()).then(|| Awaited {
                feed: feed.name.clone(),
                until_first: feed
                    .settings
                    .as_ref()
                    .map_or(UntilFirst::Pass, |feed| feed.until_first),
                missing: Some(missing).filter(|_| feed.lists.len() > 1),
            })
        };
        self.now().feeds.values().filter_map(awaited).collect()
    }

    /// Says of each of these what it means for requests.
    pub(crate) fn log_awaited(&self) {
        for awaited in self.awaited() {
            let consequence = match awaited.until_first {
                UntilFirst::Pass => "what is on it passes until it has arrived",
                UntilFirst::Block => "requests are refused with 503 until it has arrived",
            };
            tracing::warn!(
                feed = &*awaited.feed,
                consequence,
                "a feed has never arrived"
            );
        }
    }

    /// Waits until a feed has its first list, or the set of feeds has changed. What came since the
    /// last call counts.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// How each list is doing, in the order of the feeds' names. A feed that is disabled has none,
    /// and stands for itself.
    pub(crate) fn status(&self) -> Vec<FeedStatus> {
        let of_feed = |feed: &Arc<Feed>| -> Vec<FeedStatus> {
            let of_list = |list: &List| FeedStatus {
                has_others: feed.lists.len() > 1,
                ..list.status()
            };
            if feed.is_disabled() {
                return vec![FeedStatus::disabled(&feed.name)];
            }
            feed.lists.iter().map(of_list).collect()
        };
        self.now().feeds.values().flat_map(of_feed).collect()
    }

    /// Fetches all lists now. What becomes of each stands in its status.
    pub(crate) async fn refresh_all(&self) {
        let all = self.fetched();
        join_all(all.iter().map(|source| self.refresh(source))).await;
    }

    /// The sources of the lists that are fetched.
    fn fetched(&self) -> Vec<Arc<Source>> {
        let now = self.now();
        let lists = now.feeds.values().flat_map(|feed| &feed.lists);
        let fetched = lists.filter(|list| list.source.origin.is_some());
        fetched.map(|list| list.source.clone()).collect()
    }

    /// How many names the list of a source has that serves.
    fn names_of(&self, source: &Arc<Source>) -> usize {
        let now = self.now();
        now.of_source(source).map_or(0, |list| list.snapshot.len())
    }
}

fn read_list(format: &Format, body: &mut Body, key: Key) -> Result<Listed, Rejected> {
    #[cfg(test)]
    assert!(
        body.start(100)? != tests::PANICS.as_bytes(),
        "a test asked for it"
    );
    read(format, body, key)
}

/// Runs what reads files or takes milliseconds off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Only a runtime that is shutting down cancels it, and that drops the caller too.
            Err(_) => std::future::pending().await,
        },
    }
}
