//! The lists that serve, all of them at one moment: what a lookup begins with. `feeds` replaces one
//! when it has arrived. Where it came from is not known here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use super::snapshot::{Key, Query, Sieve, Snapshot};

/// The lists that serve. A lookup sees all of them as they were at one moment.
#[derive(Debug)]
pub(super) struct Serving {
    current: ArcSwap<Lists>,
    /// Held while a list is replaced.
    replacing: Mutex<()>,
    /// How many lists were replaced.
    generation: AtomicU64,
}

/// All lists.
#[derive(Debug)]
pub(super) struct Lists {
    /// That of all lists, so that a host is hashed once. A list from disk may have another one
    /// until a new list is fetched.
    key: Key,
    sieve: Sieve,
    /// Whether a list is not in the sieve, because of its key.
    has_others: bool,
    lists: Box<[Arc<Snapshot>]>,
}

impl Serving {
    pub(super) fn new(key: Key, lists: Vec<Snapshot>) -> Arc<Self> {
        let lists = lists.into_iter().map(Arc::new).collect();
        Arc::new(Self {
            current: ArcSwap::from_pointee(Lists::new(key, lists)),
            replacing: Mutex::default(),
            generation: AtomicU64::new(0),
        })
    }

    pub(super) fn load(&self) -> Guard<Arc<Lists>> {
        self.current.load()
    }

    /// That of all lists that are still to come.
    pub(super) fn key(&self) -> Key {
        self.load().key
    }

    /// Replaces the list in a place, and the sieve of all lists with it.
    pub(super) fn replace(&self, place: usize, list: Snapshot) {
        let replacing = self.replacing.lock();
        let _one_at_a_time = replacing.unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load_full();
        let mut lists = current.lists.clone();
        list.take_hits_over(&lists[place]);
        lists[place] = Arc::new(list);
        self.current.store(Arc::new(Lists::new(current.key, lists)));
        // At once: what was found before is not to be used any more.
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Changes whenever a list does.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl Lists {
    fn new(key: Key, lists: Box<[Arc<Snapshot>]>) -> Self {
        let all = lists.iter().map(|list| &**list);
        Self {
            key,
            sieve: Sieve::new(key, all.clone()),
            has_others: all.filter_map(Snapshot::key).any(|other| other != key),
            lists,
        }
    }

    /// What the lists are asked about a canonical host; none if it is on none of them.
    pub(super) fn query<'h>(&self, host: &'h str) -> Option<Query<'h>> {
        let mut query = Query::new(host, self.key);
        (self.sieve.holds(&mut query) || self.has_others).then_some(query)
    }

    /// The list in a place, for longer.
    #[cfg(feature = "bench")]
    pub(super) fn shared(&self, place: usize) -> Arc<Snapshot> {
        self.lists[place].clone()
    }

    /// The list in a place.
    pub(super) fn at(&self, place: usize) -> &Snapshot {
        &self.lists[place]
    }
}
