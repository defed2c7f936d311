//! The lists of hosts that filters look names up in: fetched, kept on disk, shared. `proxy` opens
//! them and keeps [`Feeds::run`] going, and `filter` looks names up. What a match means is for
//! filters to say.

#[cfg(feature = "bench")]
pub mod bench;
mod bounds;
mod cache;
pub(crate) mod entries;
mod fetch;
pub(crate) mod format;
mod hits;
pub(crate) mod inline;
#[cfg(feature = "cli")]
mod inspect;
mod lists;
mod origin;
pub(crate) mod rule;
mod schedule;
pub(crate) mod snapshot;
mod source;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::Notify;

use self::bounds::OutOfBounds;
#[cfg(feature = "cli")]
pub(crate) use self::cache::UNKEPT_HINT;
use self::cache::{Arrival, Cache, Unusable};
pub(crate) use self::entries::LeftOut;
use self::entries::{Listed, Rejected};
use self::fetch::body::Body;
pub(crate) use self::fetch::{FetchError, Fetcher, download, shown};
use self::fetch::{Fetched, Version, fetch};
use self::format::{Format, read};
#[cfg(feature = "cli")]
pub(crate) use self::inspect::{Entry, Facts, Refreshed};
use self::lists::Serving;
use self::origin::Origin;
#[cfg(feature = "bench")]
use self::snapshot::Snapshot;
use self::snapshot::{Found, Key, Refused};
pub(crate) use self::source::FeedStatus;
use self::source::{BUILT_IN, Feed, Source};
use self::start::Loaded;
use crate::config::{self, FeedKind, UntilFirst};
use crate::error::{Causes, panic_message};
use crate::target::canonical_host;
use crate::verdict::{Match, MatchKind};

/// All feeds. Their set is fixed; their lists are replaced as they are fetched.
#[derive(Debug)]
pub(crate) struct Feeds {
    feeds: BTreeMap<Arc<str>, Feed>,
    /// Whether one of them is an allow feed.
    has_allow: bool,
    lists: Arc<Serving>,
    cache: Cache,
    fetcher: Fetcher,
    /// Notified when a list has arrived for the first time.
    arrived: Notify,
    telling: Telling,
}

/// What a match tells of its entry.
#[derive(Clone, Copy, Debug)]
enum Telling {
    AsWritten,
    /// As the lists of [`Feeds::from_lists`] have it.
    Canonical,
}

/// A feed that requests may wait for.
#[derive(Debug)]
pub(crate) struct Awaited<'f> {
    pub(crate) feed: &'f str,
    /// What happens to requests meanwhile.
    pub(crate) until_first: UntilFirst,
    /// Which of its lists have not arrived; none for a feed with one list.
    pub(crate) missing: Option<Vec<&'f str>>,
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
            Self::Panicked(_) => "the other feeds are not affected",
        }
    }
}

impl Feeds {
    /// Changes whenever a list does.
    pub(crate) fn generation(&self) -> u64 {
        self.lists.generation()
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
        let mut opened = Self::open(feeds, cache_dir);
        let feeds = Arc::get_mut(&mut opened).expect("it is new");
        feeds.telling = Telling::Canonical;
        opened
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
            Loaded {
                name,
                settings: None,
                lists: vec![(source, inline::snapshot(hosts, key))],
            }
        });
        let cache = Cache::new(Path::new(""));
        Self::serving(feeds, key, cache, Fetcher::default())
    }

    /// The names of all feeds, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.feeds.keys()
    }

    /// Whether there is a feed of that name.
    pub(crate) fn has(&self, feed: &str) -> bool {
        self.feeds.contains_key(feed)
    }

    /// The entry of the first allow feed among `feeds` that lists `host`, which excepts it from all
    /// others; or else that of the first feed that lists it, or else of the first that excepts it.
    /// Each list of a feed counts by itself: of one, the entry that decides by the rules of its
    /// format, and of several, the entry for the nearest name. A feed without data has no entries,
    /// and text that is not a host is never covered.
    pub(crate) fn find<'f>(
        &self,
        feeds: impl IntoIterator<Item = &'f str>,
        host: &str,
    ) -> Option<Match> {
        let host = canonical_host(host).ok()?;
        let lists = self.lists.load();
        let query = lists.query(&host)?;
        let (mut listed, mut excepted) = (None, None);
        for feed in feeds.into_iter().filter_map(|feed| self.feeds.get(feed)) {
            let mut nearest: Option<(&Source, Found<'_>)> = None;
            for source in &feed.sources {
                let Some(found) = lists.at(source.place).find_by(&query) else {
                    continue;
                };
                match (feed.kind(), found.kind) {
                    (FeedKind::Allow, MatchKind::Listed) => {
                        return Some(source.allowed(found, self.telling));
                    }
                    // The host is not on the list of allowed ones.
                    (FeedKind::Allow, MatchKind::Excepted) => {}
                    (FeedKind::Block, MatchKind::Listed) => {
                        if nearest
                            .as_ref()
                            .is_none_or(|(_, best)| found.is_nearer(best))
                        {
                            nearest = Some((source, found));
                        }
                    }
                    (FeedKind::Block, MatchKind::Excepted) => {
                        excepted = excepted.or(Some((source, found)));
                    }
                }
            }
            listed = listed.or(nearest);
            if listed.is_some() && !self.has_allow {
                break;
            }
        }
        let (source, found) = listed.or(excepted)?;
        Some(source.matched(found, self.telling))
    }

    /// The first list of a feed.
    #[cfg(feature = "bench")]
    pub(crate) fn snapshot(&self, name: &str) -> Option<Arc<Snapshot>> {
        let source = self.feeds.get(name)?.sources.first()?;
        Some(self.lists.load().shared(source.place))
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
    pub(crate) fn awaited(&self) -> impl Iterator<Item = Awaited<'_>> {
        self.feeds.values().filter_map(|feed| {
            let awaited = feed.sources.iter().filter(|source| source.is_awaited());
            let missing: Vec<_> = awaited.map(|source| &*source.shown).collect();
            (!missing.is_empty()).then(|| Awaited {
                feed: &feed.name,
                until_first: feed
                    .settings
                    .as_ref()
                    .map_or(UntilFirst::Pass, |feed| feed.until_first),
                missing: Some(missing).filter(|_| feed.sources.len() > 1),
            })
        })
    }

    /// Waits until a feed has its first list. One that came since the last call counts.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// How each list is doing, in the order of the feeds' names. A feed that is disabled has none,
    /// and stands for itself.
    pub(crate) fn status(&self) -> Vec<FeedStatus> {
        let lists = self.lists.load();
        let of_feed = |feed: &Feed| -> Vec<FeedStatus> {
            let of_list = |source: &Source| FeedStatus {
                has_others: feed.sources.len() > 1,
                ..source.status(lists.at(source.place))
            };
            if feed.is_disabled() {
                return vec![FeedStatus::disabled(&feed.name)];
            }
            feed.sources.iter().map(of_list).collect()
        };
        self.feeds.values().flat_map(of_feed).collect()
    }

    /// Fetches all lists now. What becomes of each stands in its status.
    pub(crate) async fn refresh_all(&self) {
        let all = self.origins();
        join_all(all.map(|(source, origin)| self.refresh(source, origin))).await;
    }

    /// The lists that are fetched.
    fn origins(&self) -> impl Iterator<Item = (&Source, &Origin)> {
        let sources = self.feeds.values().flat_map(|feed| &feed.sources);
        sources.filter_map(|source| Some((source, source.origin.as_ref()?)))
    }

    /// Fetches a list now. A new one serves from the next lookup on; on any error the old one keeps
    /// serving.
    async fn refresh(&self, source: &Source, origin: &Origin) -> Result<Outcome, FeedError> {
        // A panic is an error of this list and of no other.
        let outcome = AssertUnwindSafe(self.update(source, origin)).catch_unwind();
        let outcome = outcome
            .await
            .unwrap_or_else(|panic| Err(FeedError::Panicked(panic_message(&*panic))));
        let mut state = source.state();
        if let Err(FeedError::OutOfBounds(OutOfBounds::Shrunk { names, .. })) = outcome {
            state.held = Some(names);
        }
        state.error = outcome
            .as_ref()
            .err()
            .map(|error| Causes(error).to_string());
        outcome
    }

    /// Has the copy on disk serve, which another process has fetched. Says whether it does: one
    /// that is not good is left to the next fetch.
    async fn take_up(&self, source: &Source, origin: &Origin) -> bool {
        let (cache, lists) = (self.cache.clone(), self.lists.clone());
        let (place, wanted) = (source.place, origin.clone());
        let replace = move || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
            let saved = match cache.load(&wanted) {
                Ok(Some(saved)) => saved,
                // It is gone, or that of a proxy with other settings.
                Ok(None) | Err(Unusable::OtherSource) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let list = match saved.snapshot {
                Ok(list) => list,
                // The same, or it is being written.
                Err(Refused::Other) => return Ok(None),
                Err(Refused::Read(error)) if error.kind() == ErrorKind::NotFound => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            let names = list.len();
            wanted.bounds.check(names)?;
            lists.replace(place, list);
            Ok(Some((saved.version, saved.fetched_at, names)))
        };
        // A panic is an error of this copy and of no list.
        let taken = AssertUnwindSafe(blocking(replace)).catch_unwind().await;
        let taken =
            taken.unwrap_or_else(|panic| Err(FeedError::Panicked(panic_message(&*panic)).into()));
        match taken {
            Ok(Some((version, fetched_at, names))) => {
                source.log_taken_up(names);
                self.publish(source, version, fetched_at);
                source.state().error = None;
                true
            }
            Ok(None) => false,
            Err(error) => {
                source.log_not_taken_up(&*error);
                false
            }
        }
    }

    /// A list serves, and requests may have waited for it.
    fn publish(&self, source: &Source, version: Version, fetched_at: SystemTime) {
        let is_first = source.state().fetched_at.is_none();
        source.published(version, fetched_at);
        if is_first {
            self.arrived.notify_one();
        }
    }

    async fn update(&self, source: &Source, origin: &Origin) -> Result<Outcome, FeedError> {
        let known = source.state().version.clone();
        let (mut body, version) =
            match fetch(origin, &known, &self.fetcher, &self.cache.room()).await? {
                Fetched::Body { body, version } => (body, version),
                Fetched::Unchanged(version) => {
                    source.published(version, SystemTime::now());
                    return Ok(Outcome::Unchanged);
                }
            };
        let fetched_at = SystemTime::now();
        let bytes = usize::try_from(body.len()).unwrap_or(usize::MAX);
        let arrival = Arrival {
            cache: self.cache.clone(),
            feed: source.feed.clone(),
            origin: origin.clone(),
            version: version.clone(),
            fetched_at,
        };
        let (lists, place) = (self.lists.clone(), source.place);
        let held = source.state().held;
        let read = blocking(move || {
            let format = &arrival.origin.format;
            let Listed { draft, left_out } = read_list(format, &mut body, lists.key())?;
            let names = draft.len();
            let serving = lists.load().at(place).len();
            let bounds = arrival.origin.bounds;
            bounds.check_change(names, serving, held)?;
            let kept = arrival.keep(draft, body);
            lists.replace(place, kept.list);
            Ok::<_, FeedError>((names, left_out, kept.error))
        });
        let (names, left_out, unkept) = read.await?;
        // A copy that could not be kept is tried again with the next fetch, of all of the list.
        let version = Some(version).filter(|_| unkept.is_none());
        self.publish(source, version.unwrap_or_default(), fetched_at);
        Ok(Outcome::Updated {
            names,
            left_out,
            bytes,
            unkept,
        })
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
