//! The lists of hosts that filters look names up in: fetched, kept on disk, shared. `proxy` opens
//! them and keeps [`Feeds::run`] going, and `filter` looks names up. What a match means is for
//! filters to say.

#[cfg(feature = "bench")]
pub mod bench;
mod cache;
pub(crate) mod entries;
mod fetch;
pub(crate) mod format;
mod inline;
mod lists;
pub(crate) mod rule;
mod schedule;
pub(crate) mod snapshot;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::sync::Notify;

use self::cache::{Arrival, Cache};
use self::entries::{LeftOut, Listed, Rejected};
pub(crate) use self::fetch::{FetchError, Fetcher, download, shown};
use self::fetch::{Fetched, Validators, fetch};
use self::format::{Format, read};
use self::lists::Serving;
use self::snapshot::{Found, Key, Snapshot};
use crate::config::{self, UntilFirst};
use crate::error::{Causes, panic_message};
use crate::target::canonical_host;
use crate::verdict::{Match, MatchKind};

/// All feeds. The set is fixed; their lists are replaced as they are fetched.
#[derive(Debug)]
pub(crate) struct Feeds {
    feeds: BTreeMap<Arc<str>, Feed>,
    lists: Arc<Serving>,
    cache: Cache,
    fetcher: Fetcher,
    /// Notified when a feed has its first list.
    arrived: Notify,
}

/// One list and what is known about it.
#[derive(Debug)]
struct Feed {
    name: Arc<str>,
    /// None for the list that is compiled in, and for one that is disabled and lists nothing.
    source: Option<config::Feed>,
    /// The source as people may see it.
    shown: Arc<str>,
    /// The place of its list among those that serve.
    place: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The validators of the body that the snapshot was made from.
    validators: Validators,
    /// When the source last said what the snapshot says.
    fetched_at: Option<SystemTime>,
    /// Why the last refresh failed.
    error: Option<String>,
}

/// A feed as `check` and `explain` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedStatus {
    pub(crate) name: Arc<str>,
    /// Whether the operator has taken it out.
    pub(crate) is_disabled: bool,
    /// How many names are listed; 0 when the feed has no data yet.
    pub(crate) names: usize,
    /// Since the source last said what is listed; none for a feed without data, and for the one
    /// that is compiled in.
    pub(crate) age: Option<Duration>,
    /// Why the last refresh failed, if it did.
    pub(crate) last_error: Option<String>,
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
    },
    /// The list that is serving is current.
    Unchanged,
}

/// There is no feed of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no feed `{0}`")]
pub(crate) struct UnknownFeed(pub(crate) String);

/// Why a feed was not refreshed. The list that was serving keeps serving.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Unknown(#[from] UnknownFeed),
    #[error("it cannot be fetched")]
    Fetch(#[from] FetchError),
    #[error("what was fetched is not a list in this format")]
    Rejected(#[from] Rejected),
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

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "see [feeds] in the configuration",
            Self::Fetch(error) => error.hint(),
            Self::Rejected(_) => "check the feed's format, and open its url in a browser",
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

    /// Feeds that never change, each a list of canonical hosts and networks, behind `@@` if they
    /// are exceptions.
    pub(crate) fn from_lists<'a>(
        lists: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
    ) -> Arc<Self> {
        let key = Key::random();
        let feeds = lists.into_iter().map(|(name, hosts)| {
            let feed = Feed::new(name, None);
            (feed, inline::snapshot(hosts, key))
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

    /// The entry of the first of `feeds` that lists `host`, or else of the first that excepts it.
    /// Of one feed, the entry that decides by the rules of its format counts. A feed without data
    /// has no entries, and text that is not a host is never covered.
    pub(crate) fn find<'f>(
        &self,
        feeds: impl IntoIterator<Item = &'f str>,
        host: &str,
    ) -> Option<Match> {
        let host = canonical_host(host).ok()?;
        let lists = self.lists.load();
        let query = lists.query(&host)?;
        let mut excepted = None;
        for feed in feeds.into_iter().filter_map(|feed| self.feeds.get(feed)) {
            let Some(found) = lists.at(feed.place).find_by(&query) else {
                continue;
            };
            match found.kind {
                MatchKind::Listed => return Some(feed.matched(found)),
                MatchKind::Excepted => excepted = excepted.or(Some((feed, found))),
            }
        }
        excepted.map(|(feed, found)| feed.matched(found))
    }

    /// The list of a feed.
    #[cfg(feature = "bench")]
    pub(crate) fn snapshot(&self, name: &str) -> Option<Arc<Snapshot>> {
        let feed = self.feeds.get(name)?;
        Some(self.lists.load().shared(feed.place))
    }

    /// A note for each feed without data.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let status = self.status().into_iter();
        let empty = status.filter(|feed| feed.names == 0 && !feed.is_disabled);
        empty.map(|feed| {
            format!(
                "the feed {} has no data on disk: nothing on it is found",
                feed.name
            )
        })
    }

    /// The feeds that have no list yet, and what happens to requests until they have.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = (&Arc<str>, UntilFirst)> {
        self.feeds.values().filter_map(|feed| {
            let source = feed.source.as_ref()?;
            let is_awaited = feed.state().fetched_at.is_none();
            is_awaited.then_some((&feed.name, source.until_first))
        })
    }

    /// Waits until a feed has its first list. One that came since the last call counts.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// How each feed is doing, in the order of their names.
    pub(crate) fn status(&self) -> Vec<FeedStatus> {
        let lists = self.lists.load();
        let feeds = self.feeds.values();
        feeds
            .map(|feed| feed.status(lists.at(feed.place)))
            .collect()
    }

    /// Fetches a feed now. A new list serves from the next lookup on; on any error the old one
    /// keeps serving.
    pub(crate) async fn refresh(&self, name: &str) -> Result<Outcome, FeedError> {
        let feed = self.feed(name)?;
        let Some(source) = &feed.source else {
            return Ok(Outcome::Unchanged);
        };
        // A panic is an error of this feed and of no other.
        let outcome = AssertUnwindSafe(self.update(feed, source)).catch_unwind();
        let outcome = outcome
            .await
            .unwrap_or_else(|panic| Err(FeedError::Panicked(panic_message(&*panic))));
        feed.state().error = match &outcome {
            Ok(_) => None,
            Err(error) => Some(Causes(error).to_string()),
        };
        outcome
    }

    async fn update(&self, feed: &Feed, source: &config::Feed) -> Result<Outcome, FeedError> {
        let known = feed.state().validators.clone();
        let (body, validators) = match fetch(source, &known, &self.fetcher).await? {
            Fetched::Body { body, validators } => (body, validators),
            Fetched::NotModified => {
                feed.state().fetched_at = Some(SystemTime::now());
                return Ok(Outcome::Unchanged);
            }
        };
        let fetched_at = SystemTime::now();
        let bytes = body.len();
        let arrival = Arrival {
            cache: self.cache.clone(),
            name: feed.name.clone(),
            source: source.clone(),
            validators: validators.clone(),
            fetched_at,
        };
        let (lists, place) = (self.lists.clone(), feed.place);
        let read = blocking(move || {
            let format = Format::from(&arrival.source);
            let Listed { draft, left_out } = read_list(&format, &body, lists.key())?;
            let names = draft.len();
            lists.replace(place, arrival.keep(draft, body));
            Ok::<_, Rejected>((names, left_out))
        });
        let (names, left_out) = read.await?;
        let is_first = feed.state().fetched_at.is_none();
        feed.published(validators, fetched_at);
        if is_first {
            self.arrived.notify_one();
        }
        Ok(Outcome::Updated {
            names,
            left_out,
            bytes,
        })
    }

    fn feed(&self, name: &str) -> Result<&Feed, UnknownFeed> {
        self.feeds
            .get(name)
            .ok_or_else(|| UnknownFeed(name.to_owned()))
    }
}

impl Feed {
    fn new(name: &str, source: Option<config::Feed>) -> Self {
        Self {
            name: name.into(),
            shown: source
                .as_ref()
                .map_or("built in".into(), |feed| shown(&feed.url)),
            source,
            place: 0,
            state: Mutex::default(),
        }
    }

    fn matched(&self, found: Found) -> Match {
        let rule = match found.kind {
            MatchKind::Listed => found.name,
            MatchKind::Excepted => format!("{}{}", inline::EXCEPTION, found.name),
        };
        Match {
            feed: Some(self.name.clone()),
            source: Some(self.shown.clone()),
            rule: rule.into(),
            line: Some(found.line),
            kind: found.kind,
        }
    }

    fn published(&self, validators: Validators, fetched_at: SystemTime) {
        let mut state = self.state();
        state.validators = validators;
        state.fetched_at = Some(fetched_at);
    }

    fn status(&self, list: &Snapshot) -> FeedStatus {
        let state = self.state();
        FeedStatus {
            name: self.name.clone(),
            // What is compiled in lists something.
            is_disabled: self.source.is_none() && list.len() == 0,
            names: list.len(),
            // After a clock was set back, a list counts as new.
            age: state
                .fetched_at
                .map(|time| time.elapsed().unwrap_or_default()),
            last_error: state.error.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_list(format: &Format, body: &[u8], key: Key) -> Result<Listed, Rejected> {
    #[cfg(test)]
    assert!(body != tests::PANICS.as_bytes(), "a test asked for it");
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
