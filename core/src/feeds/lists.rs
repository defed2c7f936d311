//! The feeds and their lists as they serve, all of them at one moment: what a lookup begins with.
//! Each change of a list or of the set of feeds makes a new one, which `feeds` publishes. Where
//! lists come from is not known here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use super::snapshot::{Found, Key, Query, Sieve, Snapshot};
use super::source::{Feed, List, Source, Telling};
use crate::config::FeedKind;
use crate::target::canonical_host;
use crate::verdict::{Match, MatchKind};

/// What serves. A lookup sees all of it as it was at one moment.
#[derive(Debug)]
pub(super) struct Serving {
    current: ArcSwap<Lists>,
    /// Held while something is replaced.
    replacing: Mutex<()>,
    /// That of `current`, for those who want to know no more.
    generation: AtomicU64,
}

/// Feeds by name.
pub(super) type Set = BTreeMap<Arc<str>, Arc<Feed>>;

/// All feeds and all of their lists.
#[derive(Debug)]
pub(crate) struct Lists {
    /// That of all lists, so that a host is hashed once. A list from disk may have another one
    /// until a new list is fetched.
    key: Key,
    sieve: Sieve,
    /// Whether a list is not in the sieve, because of its key.
    has_others: bool,
    pub(super) feeds: Set,
    /// Whether one of them is an allow feed.
    has_allow: bool,
    telling: Telling,
    /// How many there were before.
    generation: u64,
    /// The generation in which a feed came or went last.
    edition: u64,
}

/// The feeds and lists that served when it was made. It is to be kept no longer than a lookup
/// takes, or the call of a filter.
pub(crate) type Now = Guard<Arc<Lists>>;

impl Serving {
    pub(super) fn new(key: Key, feeds: Set, telling: Telling) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(Lists::new(key, feeds, telling)),
            replacing: Mutex::default(),
            generation: AtomicU64::new(0),
        })
    }

    pub(super) fn load(&self) -> Now {
        self.current.load()
    }

    /// The same for longer.
    pub(super) fn load_full(&self) -> Arc<Lists> {
        self.current.load_full()
    }

    /// That of all lists that are still to come.
    pub(super) fn key(&self) -> Key {
        self.load().key
    }

    /// Replaces the list of a source, and the sieve of all lists with it. Says whether it does: one
    /// whose feed has been changed or removed meanwhile has no place any more.
    pub(super) fn replace(&self, source: &Arc<Source>, snapshot: Snapshot) -> bool {
        self.change(|feeds| {
            let Some(feed) = feeds.get_mut(&source.feed) else {
                return false;
            };
            let of_source = |list: &List| Arc::ptr_eq(&list.source, source);
            let Some(place) = feed.lists.iter().position(of_source) else {
                return false;
            };
            let list = &mut Arc::make_mut(feed).lists[place];
            snapshot.take_hits_over(&list.snapshot);
            list.snapshot = Arc::new(snapshot);
            list.before = None;
            true
        })
    }

    /// Publishes what `change` makes of the feeds, unless it says that nothing has changed.
    pub(super) fn change(&self, change: impl FnOnce(&mut Set) -> bool) -> bool {
        let replacing = self.replacing.lock();
        let _one_at_a_time = replacing.unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        let mut feeds = current.feeds.clone();
        if !change(&mut feeds) {
            return false;
        }
        let next = current.followed_by(feeds);
        let generation = next.generation;
        self.current.store(Arc::new(next));
        // At once: what was found before is not to be used any more.
        self.generation.store(generation, Ordering::Release);
        true
    }

    /// Changes whenever a list does, or the set of feeds.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl Lists {
    fn new(key: Key, feeds: Set, telling: Telling) -> Self {
        let all = feeds.values().flat_map(|feed| &feed.lists);
        let all = all.map(|list| &*list.snapshot);
        Self {
            key,
            sieve: Sieve::new(key, all.clone()),
            has_others: all.filter_map(Snapshot::key).any(|other| other != key),
            has_allow: feeds.values().any(|feed| feed.kind() == FeedKind::Allow),
            feeds,
            telling,
            generation: 0,
            edition: 0,
        }
    }

    fn followed_by(&self, feeds: Set) -> Self {
        let generation = self.generation + 1;
        let has_all = self.feeds.keys().eq(feeds.keys());
        Self {
            generation,
            edition: if has_all { self.edition } else { generation },
            ..Self::new(self.key, feeds, self.telling)
        }
    }

    /// Grows with every change.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Changes whenever a feed comes or goes.
    pub(crate) fn edition(&self) -> u64 {
        self.edition
    }

    /// The names of all feeds, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.feeds.keys()
    }

    /// How many feeds there are.
    pub(crate) fn len(&self) -> usize {
        self.feeds.len()
    }

    /// Whether there is a feed of that name.
    pub(crate) fn has(&self, feed: &str) -> bool {
        self.feeds.contains_key(feed)
    }

    /// What it means that a host is on a feed. One that is not there lists nothing.
    pub(crate) fn kind_of(&self, feed: &str) -> FeedKind {
        self.feeds
            .get(feed)
            .map_or(FeedKind::Block, |feed| feed.kind())
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
        let query = self.query(&host)?;
        let (mut listed, mut excepted) = (None, None);
        for feed in feeds.into_iter().filter_map(|feed| self.feeds.get(feed)) {
            let mut nearest: Option<(&Feed, &List, Found<'_>)> = None;
            for list in &feed.lists {
                let Some(found) = list.snapshot.find_by(&query) else {
                    continue;
                };
                match (feed.kind(), found.kind) {
                    (FeedKind::Allow, MatchKind::Listed) => {
                        return Some(feed.allowed(list, found, self.telling));
                    }
                    // The host is not on the list of allowed ones.
                    (FeedKind::Allow, MatchKind::Excepted) => {}
                    (FeedKind::Block, MatchKind::Listed) => {
                        if nearest
                            .as_ref()
                            .is_none_or(|(_, _, best)| found.is_nearer(best))
                        {
                            nearest = Some((feed, list, found));
                        }
                    }
                    (FeedKind::Block, MatchKind::Excepted) => {
                        excepted = excepted.or(Some((&**feed, list, found)));
                    }
                }
            }
            listed = listed.or(nearest);
            if listed.is_some() && !self.has_allow {
                break;
            }
        }
        let (feed, list, found) = listed.or(excepted)?;
        Some(feed.matched(list, found, self.telling))
    }

    /// What the lists are asked about a canonical host; none if it is on none of them.
    fn query<'h>(&self, host: &'h str) -> Option<Query<'h>> {
        let mut query = Query::new(host, self.key);
        (self.sieve.holds(&mut query) || self.has_others).then_some(query)
    }

    /// What a filter is told if this entry counts.
    #[cfg(feature = "cli")]
    pub(super) fn meant(&self, feed: &Feed, list: &List, found: Found<'_>) -> Match {
        match (feed.kind(), found.kind) {
            (FeedKind::Allow, MatchKind::Listed) => feed.allowed(list, found, self.telling),
            _ => feed.matched(list, found, self.telling),
        }
    }

    /// The list of a source, if it serves.
    pub(super) fn of_source(&self, source: &Arc<Source>) -> Option<&List> {
        let lists = &self.feeds.get(&source.feed)?.lists;
        lists.iter().find(|list| Arc::ptr_eq(&list.source, source))
    }
}
