//! How a list gets to serve: it is fetched, read, checked and kept on disk, or taken from the copy
//! that another process has fetched. `schedule` says when, and commands do. A list whose source is
//! retired meanwhile gets nowhere.

use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt;

use super::bounds::OutOfBounds;
use super::cache::{Arrival, Cache, Unusable};
use super::entries::Listed;
use super::fetch::body::Body;
use super::fetch::{Fetched, Version, fetch};
use super::lists::Serving;
use super::snapshot::{Refused, Snapshot};
use super::source::Source;
use super::{FeedError, Feeds, Outcome, blocking, read_list};
use crate::error::{ErrorChain, panic_message};

impl Feeds {
    /// Fetches a list now. A new one serves from the next lookup on; on any error the old one keeps
    /// serving.
    pub(super) async fn refresh(&self, source: &Arc<Source>) -> Result<Outcome, FeedError> {
        // A panic is an error of this list and of no other.
        let outcome = AssertUnwindSafe(self.update(source)).catch_unwind();
        let outcome = outcome
            .await
            .unwrap_or_else(|panic| Err(FeedError::Panicked(panic_message(&*panic))));
        if let Err(FeedError::OutOfBounds(error)) = outcome {
            source.hold_if_shrunk(error);
        }
        source.state().error = outcome
            .as_ref()
            .err()
            .map(|error| ErrorChain(error).to_string());
        outcome
    }

    /// Has the copy on disk serve, which another process has fetched. Says whether it does: one
    /// that is not good is left to the next fetch.
    pub(super) async fn take_up(&self, source: &Arc<Source>) -> bool {
        let (cache, lists, of) = (self.cache.clone(), self.lists.clone(), source.clone());
        let is_first = source.is_awaited();
        let replace = move || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
            let Some(wanted) = &of.origin else {
                return Ok(None);
            };
            let saved = match cache.load(wanted) {
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
            let serving = lists.names_of_own(&of);
            // The process may have found no list to compare it with. A fetch of our own confirms
            // it.
            if let Err(error) = wanted.bounds.check_change(names, serving, None) {
                of.hold_if_shrunk(error);
                return Err(error.into());
            }
            let Some(_writes) = of.writes() else {
                return Ok(None);
            };
            let is_used = lists.publish(&of, list, saved.version, saved.fetched_at, &cache);
            Ok(is_used.then_some(names))
        };
        // A panic is an error of this copy and of no list.
        let taken = AssertUnwindSafe(blocking(replace)).catch_unwind().await;
        let taken =
            taken.unwrap_or_else(|panic| Err(FeedError::Panicked(panic_message(&*panic)).into()));
        match taken {
            Ok(Some(names)) => {
                source.log_taken_up(names);
                source.state().error = None;
                self.tell_of_first(is_first);
                true
            }
            Ok(None) => false,
            Err(error) => {
                source.log_not_taken_up(&*error);
                false
            }
        }
    }

    /// Requests may have waited for a list that is the first of its source.
    fn tell_of_first(&self, is_first: bool) {
        if is_first {
            self.arrived.notify_one();
        }
    }

    async fn update(&self, source: &Arc<Source>) -> Result<Outcome, FeedError> {
        let Some(origin) = &source.origin else {
            return Ok(Outcome::Unchanged);
        };
        let known = source.state().version.clone();
        let (body, version) = match fetch(origin, &known, &self.fetcher, &self.cache.room()).await?
        {
            Fetched::Body { body, version } => (body, version),
            Fetched::Unchanged(version) => {
                self.confirm(source, version).await;
                return Ok(Outcome::Unchanged);
            }
        };
        let arrival = Arrival {
            cache: self.cache.clone(),
            feed: source.feed.clone(),
            origin: origin.clone(),
            version,
            fetched_at: SystemTime::now(),
        };
        let (lists, of, is_first) = (self.lists.clone(), source.clone(), source.is_awaited());
        let outcome = blocking(move || lists.take(&of, arrival, body)).await?;
        self.tell_of_first(is_first);
        Ok(outcome)
    }
}

impl Feeds {
    /// The source has said that the list which serves is current. Its copy says so from now on, so
    /// that a restart asks only for what is newer. Where the copy has vanished, the next fetch is
    /// of the whole list, and writes it again.
    async fn confirm(&self, source: &Arc<Source>, version: Version) {
        let (cache, of, now) = (self.cache.clone(), source.clone(), SystemTime::now());
        source.published(version.clone(), now);
        let confirm = move || {
            let Some((origin, _writes)) = of.origin.as_ref().zip(of.writes()) else {
                return;
            };
            match cache.confirm(origin, &version, now) {
                Ok(true) => {}
                Ok(false) => of.published(Version::default(), now),
                Err(error) => of.log_not_confirmed(&error),
            }
        };
        blocking(confirm).await;
    }
}

impl Serving {
    /// Reads a body and has the list serve, if it is a good one.
    pub(super) fn take(
        &self,
        source: &Arc<Source>,
        arrival: Arrival,
        mut body: Body,
    ) -> Result<Outcome, FeedError> {
        let bytes = usize::try_from(body.len()).unwrap_or(usize::MAX);
        let Listed { draft, left_out } = read_list(&arrival.origin.format, &mut body, self.key())?;
        let names = draft.len();
        let serving = self.names_of_own(source);
        let held = source.state().held;
        arrival.origin.bounds.check_change(names, serving, held)?;
        let _writes = source.writes().ok_or(FeedError::Retired)?;
        let (version, fetched_at) = (arrival.version.clone(), arrival.fetched_at);
        let cache = arrival.cache.clone();
        let kept = arrival.keep(draft, body);
        // A copy that could not be kept is tried again with the next fetch, of all of the list.
        let version = Some(version).filter(|_| kept.error.is_none());
        let version = version.unwrap_or_default();
        self.publish(source, kept.list, version, fetched_at, &cache);
        Ok(Outcome::Updated {
            names,
            left_out,
            bytes,
            unkept: kept.error,
        })
    }

    /// How many names the list of a source has that serves. One that stands in for its first list
    /// says nothing about it.
    fn names_of_own(&self, source: &Arc<Source>) -> usize {
        let lists = self.load();
        let own = lists.of_source(source).filter(|list| list.before.is_none());
        own.map_or(0, |list| list.snapshot.len())
    }

    /// Has a list serve from the next lookup on, unless its source is retired. What was counted of
    /// the one before is counted of it, on disk, too.
    fn publish(
        &self,
        source: &Arc<Source>,
        list: Snapshot,
        version: Version,
        fetched_at: SystemTime,
        cache: &Cache,
    ) -> bool {
        let is_used = self.replace(source, list);
        if is_used {
            source.published(version, fetched_at);
            if let Some(list) = self.load_full().of_source(source) {
                cache.save_hits(list);
            }
        }
        is_used
    }
}

impl Source {
    /// Remembers how many names a list had that may be half of one.
    fn hold_if_shrunk(&self, error: OutOfBounds) {
        if let OutOfBounds::Shrunk { names, .. } = error {
            self.state().held = Some(names);
        }
    }
}
