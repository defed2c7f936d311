//! What the feeds have when the proxy starts: the copies on disk, and the names that are compiled
//! in. What is wrong with a copy is logged. It runs before anything listens, and fetches nothing.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;
use tracing::{debug, info, warn};

use super::cache::{Cache, Saved};
use super::fetch::Fetcher;
use super::format::read;
use super::lists::Serving;
use super::snapshot::{Key, Refused, Snapshot};
use super::{Feed, FeedError, Feeds, read_list};
use crate::config::{self, FeedFormat, TEST_NAMES};
use crate::error::{Causes, panic_message};

impl Feeds {
    /// The same feeds, which `fetcher` fetches.
    pub(crate) fn with_fetcher(
        feeds: &BTreeMap<String, config::Feed>,
        cache_dir: &Path,
        fetcher: Fetcher,
    ) -> Arc<Self> {
        let cache = Cache::new(cache_dir);
        let found = feeds.iter().map(|(name, source)| {
            let feed = Feed::new(name, source.enabled.then(|| source.clone()));
            let saved = feed
                .source
                .as_ref()
                .and_then(|source| feed.saved(source, &cache));
            (feed, source, saved)
        });
        let found: Vec<_> = found.collect();
        let mut snapshots = found.iter().filter_map(|(_, _, saved)| saved.as_ref());
        let key = snapshots.find_map(|saved| saved.snapshot.as_ref().ok()?.key());
        let key = key.unwrap_or_else(Key::random);
        let configured = found.into_iter().map(|(feed, source, saved)| {
            let list = saved.and_then(|saved| feed.load(saved, source, &cache, key));
            (feed, list.unwrap_or_default())
        });
        let all: Vec<_> = configured.chain([Feed::test_names(key)]).collect();
        Self::serving(all, key, cache, fetcher)
    }

    pub(super) fn serving(
        feeds: impl IntoIterator<Item = (Feed, Snapshot)>,
        key: Key,
        cache: Cache,
        fetcher: Fetcher,
    ) -> Arc<Self> {
        let mut lists = Vec::new();
        let feeds = feeds.into_iter().map(|(mut feed, list)| {
            feed.place = lists.len();
            lists.push(list);
            (feed.name.clone(), feed)
        });
        let feeds = feeds.collect();
        Arc::new(Self {
            feeds,
            lists: Serving::new(key, lists),
            cache,
            fetcher,
            arrived: Notify::new(),
        })
    }
}

impl Feed {
    fn test_names(key: Key) -> (Self, Snapshot) {
        let format = FeedFormat::Domains.into();
        let list = read(&format, include_bytes!("test-names.txt"), key);
        let list = list.expect("the list that is compiled in is tested");
        (Self::new(TEST_NAMES, None), list.draft.into())
    }

    /// The copy on disk.
    fn saved(&self, source: &config::Feed, cache: &Cache) -> Option<Saved> {
        match cache.load(&self.name, source) {
            Ok(Some(saved)) => return Some(saved),
            Ok(None) => debug!(feed = &*self.name, "the feed has no copy on disk"),
            Err(error) => self.ignore_copy(&error),
        }
        None
    }

    /// The list of the copy on disk, if it is good.
    fn load(
        &self,
        saved: Saved,
        source: &config::Feed,
        cache: &Cache,
        key: Key,
    ) -> Option<Snapshot> {
        let read_body = |refused| {
            self.log_refused(&refused);
            let body = cache.body(&self.name, source)?;
            let list = catch_unwind(AssertUnwindSafe(|| {
                read_list(&source.into(), &body, key).map(|list| Snapshot::from(list.draft))
            }));
            list.map_err(|panic| FeedError::Panicked(panic_message(&*panic)))?
                .map_err(Box::from)
        };
        let list: Result<Snapshot, Box<dyn std::error::Error>> = saved.snapshot.or_else(read_body);
        match list {
            Ok(list) => {
                let names = list.len();
                let from = humantime::format_rfc3339_seconds(saved.fetched_at);
                info!(feed = &*self.name, names, %from, "feed loaded from its copy on disk");
                self.published(saved.validators, saved.fetched_at);
                Some(list)
            }
            Err(error) => {
                self.ignore_copy(&*error);
                None
            }
        }
    }

    fn log_refused(&self, refused: &Refused) {
        let feed = &*self.name;
        match refused {
            Refused::Read(error) if error.kind() == io::ErrorKind::NotFound => {}
            Refused::Other => debug!(
                feed,
                "the feed's copy was read by other settings or another program; it is read anew"
            ),
            _ => warn!(
                feed,
                error = %Causes(refused),
                "the feed's snapshot on disk is not used; the list is read from the copy beside it"
            ),
        }
    }

    fn ignore_copy(&self, error: &dyn std::error::Error) {
        warn!(
            feed = &*self.name,
            error = %Causes(error),
            "the feed's copy on disk is not used; the feed has no data until it is fetched"
        );
    }
}
