//! The names that feeds have before they are fetched: copies on disk, entries of the settings, and
//! names that are compiled in. What is wrong with a copy is logged. It runs before the first
//! connection is accepted, and for feeds that `change` adds.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tracing::{debug, info, warn};

use super::cache::{Cache, Saved, Unusable};
use super::entries::{LeftOut, Listed, Reading};
use super::fetch::Fetcher;
use super::format::read;
use super::lists::{Serving, Set};
use super::origin::Origin;
use super::snapshot::{Key, Refused, Snapshot};
use super::source::{BUILT_IN, ENTRIES, Feed, List, Source, Telling, entries_copy};
use super::{FeedError, Feeds, inline, read_list};
use crate::config::{self, FeedFormat, FeedKind, TEST_NAMES, UntilFirst};
use crate::error::{ErrorChain, panic_message};

impl Feeds {
    /// The same feeds, which `fetcher` fetches.
    pub(crate) fn with_fetcher(
        feeds: &BTreeMap<String, config::Feed>,
        cache_dir: &Path,
        fetcher: Fetcher,
    ) -> Arc<Self> {
        Self::opened(feeds, cache_dir, fetcher, Telling::AsWritten)
    }

    pub(super) fn opened(
        feeds: &BTreeMap<String, config::Feed>,
        cache_dir: &Path,
        fetcher: Fetcher,
        telling: Telling,
    ) -> Arc<Self> {
        let cache = Cache::new(cache_dir);
        let found: Vec<_> = feeds
            .iter()
            .map(|(name, feed)| Found::of(name, feed, &cache))
            .collect();
        let key = key_of(&found, &cache).unwrap_or_else(Key::random);
        let configured = found.into_iter().map(|found| found.load(&cache, key));
        let all = configured.chain([test_names(&cache, key)]);
        Self::serving(Serving::new(key, set_of(all), telling), cache, fetcher)
    }
}

/// Feeds by their names.
pub(super) fn set_of(feeds: impl IntoIterator<Item = Feed>) -> Set {
    let feeds = feeds.into_iter();
    feeds
        .map(|feed| (feed.name.clone(), Arc::new(feed)))
        .collect()
}

/// The key of the lists on disk. Where there is none, it is that of lists in memory when they were
/// counted last.
fn key_of(found: &[Found], cache: &Cache) -> Option<Key> {
    let mut keys = found.iter().flat_map(Found::snapshots);
    let in_memory = || {
        let entries = found.iter().map(|found| entries_copy(&found.name));
        let mut names = entries.chain([TEST_NAMES.to_owned()]);
        names.find_map(|name| cache.key_of_hits(&name))
    };
    keys.find_map(Snapshot::key).or_else(in_memory)
}

/// The names that are compiled in.
fn test_names(cache: &Cache, key: Key) -> Feed {
    let format = FeedFormat::Domains.into();
    let list = read(&format, Cursor::new(include_bytes!("test-names.txt")), key);
    let list = list.expect("the list that is compiled in is tested");
    let name = TEST_NAMES.into();
    let source = Source::fixed(&name, BUILT_IN);
    let list = list.draft.into();
    cache.restore_hits(&source, &list);
    Feed {
        name,
        settings: None,
        lists: vec![List::new(source, list)],
    }
}

/// A feed with the copies of its lists on disk.
pub(super) struct Found {
    name: Arc<str>,
    settings: config::Feed,
    copies: Vec<(Source, Option<Saved>)>,
}

impl Found {
    /// A feed that is disabled has no lists.
    pub(super) fn of(name: &str, feed: &config::Feed, cache: &Cache) -> Self {
        let origins = if feed.enabled {
            Origin::all(name, feed)
        } else {
            Vec::new()
        };
        let name: Arc<str> = name.into();
        let copies = origins.into_iter().map(|origin| {
            let source = Source::from_origin(&name, origin);
            source.log_licence();
            let saved = source.saved(cache, Expected::Yes);
            (source, saved)
        });
        Self {
            copies: copies.collect(),
            settings: feed.clone(),
            name,
        }
    }

    fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        let saved = self.copies.iter().filter_map(|(_, saved)| saved.as_ref());
        saved.filter_map(|saved| saved.snapshot.as_ref().ok())
    }

    pub(super) fn load(self, cache: &Cache, key: Key) -> Feed {
        let copies = self.copies.into_iter().map(|(source, saved)| {
            let list = saved.and_then(|saved| source.load(saved, cache, key));
            if let Some(list) = &list {
                cache.restore_hits(&source, list);
            }
            List::new(source, list.unwrap_or_default())
        });
        let mut lists: Vec<_> = copies.collect();
        if let Some(entries) = entries(&self.name, &self.settings, key) {
            cache.restore_hits(&entries.source, &entries.snapshot);
            lists.push(entries);
        }
        Feed {
            name: self.name,
            settings: Some(Arc::new(self.settings)),
            lists,
        }
    }
}

/// The list that stands in the settings of a feed.
pub(super) fn entries(name: &Arc<str>, feed: &config::Feed, key: Key) -> Option<List> {
    (feed.enabled && !feed.entries.is_empty()).then(|| {
        let source = Source::fixed(name, ENTRIES);
        let list = source.read_entries(feed, key);
        List::new(source, list)
    })
}

/// Whether a copy on disk should be that of the configured list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Yes,
    /// The settings have just changed.
    No,
}

impl Source {
    /// Says where a list comes from whose licence is known.
    pub(super) fn log_licence(&self) {
        if let Some(licence) = self.origin.as_ref().and_then(|origin| origin.licence) {
            let (feed, source) = (&*self.feed, &*self.shown);
            info!(feed, source, licence, "the feed is a public list");
        }
    }

    /// The copy on disk.
    pub(super) fn saved(&self, cache: &Cache, expected: Expected) -> Option<Saved> {
        match cache.load(self.origin.as_ref()?) {
            Ok(Some(saved)) => return Some(saved),
            Err(Unusable::OtherSource) if expected == Expected::No => {}
            Ok(None) => debug!(
                feed = &*self.feed,
                source = &*self.shown,
                "the list has no copy on disk"
            ),
            Err(error) => self.ignore_copy(&error),
        }
        None
    }

    /// The list of the copy on disk, if it is good.
    pub(super) fn load(&self, saved: Saved, cache: &Cache, key: Key) -> Option<Snapshot> {
        let origin = self.origin.as_ref()?;
        let sha256 = saved.sha256;
        let read_body = |refused| {
            self.log_refused(&refused);
            let mut body = cache.body(origin)?;
            if let Some(sha256) = sha256
                && body.sha256()? != sha256
            {
                self.take_damaged(origin)?;
            }
            let list = catch_unwind(AssertUnwindSafe(|| {
                read_list(&origin.format, &mut body, key).map(|list| Snapshot::from(list.draft))
            }));
            list.map_err(|panic| FeedError::Panicked(panic_message(&*panic)))?
                .map_err(Box::from)
        };
        let list: Result<Snapshot, Box<dyn std::error::Error>> = saved.snapshot.or_else(read_body);
        let within_bounds = list.and_then(|list| {
            origin.bounds.check(list.len())?;
            Ok(list)
        });
        match within_bounds {
            Ok(list) => {
                let names = list.len();
                let from = humantime::format_rfc3339_seconds(saved.fetched_at);
                info!(feed = &*self.feed, source = &*self.shown, names, %from, "feed loaded from its copy on disk");
                self.published(saved.version, saved.fetched_at);
                Some(list)
            }
            Err(error) => {
                self.ignore_copy(&*error);
                None
            }
        }
    }

    /// Part of a list is better than nothing until all of it is fetched. That is not so of one that
    /// has to be as it was published, that lets hosts pass, or that requests wait for.
    fn take_damaged(&self, origin: &Origin) -> Result<(), Unusable> {
        let settings = &origin.settings;
        let is_checked = settings.checksum.is_some() || settings.minisign.is_some();
        if is_checked
            || settings.kind == FeedKind::Allow
            || settings.until_first == UntilFirst::Block
        {
            return Err(Unusable::Damaged);
        }
        let error = ErrorChain(&Unusable::Damaged).to_string();
        warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error,
            consequence = "what can be read of it serves until the list is fetched",
            hint = "see that the list can be fetched, and look at the disk if this goes on",
            "the feed's copy on disk is not whole"
        );
        self.state().copy_error = Some(error);
        Ok(())
    }

    /// The list that stands in the settings.
    fn read_entries(&self, feed: &config::Feed, key: Key) -> Snapshot {
        let reading = Reading::of_entries(feed);
        let Listed { draft, left_out } = match inline::read(&feed.entries, reading, key) {
            Ok(listed) => listed,
            Err(error) => {
                let error = ErrorChain(&error).to_string();
                warn!(feed = &*self.feed, error, "the feed's entries are not used");
                self.state().error = Some(error);
                return Snapshot::default();
            }
        };
        if left_out != LeftOut::default() {
            warn!(
                feed = &*self.feed,
                wrong = %left_out.wrong,
                other = %left_out.other,
                held = %left_out.held,
                "some of the feed's entries are not used"
            );
        }
        draft.into()
    }

    fn log_refused(&self, refused: &Refused) {
        let (feed, source) = (&*self.feed, &*self.shown);
        match refused {
            Refused::Read(error) if error.kind() == io::ErrorKind::NotFound => {}
            Refused::Other => debug!(
                feed,
                source,
                "the feed's copy was read by other settings or another program; it is read anew"
            ),
            _ => warn!(
                feed,
                source,
                error = %ErrorChain(refused),
                "the feed's snapshot on disk is not used; the list is read from the copy beside it"
            ),
        }
    }

    fn ignore_copy(&self, error: &dyn std::error::Error) {
        self.state().copy_error = Some(ErrorChain(error).to_string());
        warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error = %ErrorChain(error),
            "the feed's copy on disk is not used; the list has no data until it is fetched"
        );
    }
}
