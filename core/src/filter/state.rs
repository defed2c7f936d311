//! What filters remember: a key-value store for each, with counters and keys that expire. `load`
//! opens a store by the filter's name, and `host` answers calls of guests from it. All workers
//! share it.
//!
//! A call holds the lock for a few hundred nanoseconds and never across an await. A filter may call
//! in a loop, so no call walks over the entries. A call that needs much room drops as many expired
//! entries as that takes.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_contract::limits::{KEY_BYTES, entry_bytes};

use crate::filter::clock::Clock;

/// Expired entries that each write clears away although there is room. They are more than a write
/// can add, so that expired entries never pile up.
const CLEARED_PER_WRITE: usize = 2;

/// The stores of all filters, by the filters' names. They outlive the filters, so that a reload
/// loses nothing.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    by_filter: Mutex<HashMap<Arc<str>, Arc<Mutex<Entries>>>>,
    clock: Clock,
}

/// One filter's store. Clones share the entries.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    entries: Arc<Mutex<Entries>>,
    /// For all entries together, in bytes.
    cap: usize,
    clock: Clock,
    /// What the store says to all that would change it; to those that read it, too, where it is
    /// [`StateError::Unavailable`].
    fails: Option<StateError>,
}

/// Why a call failed. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateError {
    /// There is no room, even without the expired entries.
    Full,
    /// The key is longer than a key may be, or the value larger than the whole store.
    TooLarge,
    /// The value is not an integer, or the sum does not fit into 64 bits.
    NotANumber,
    /// The store cannot be reached. This one always can, and filters are tried with one that
    /// cannot.
    Unavailable,
}

impl Stores {
    /// Stores whose entries expire by `clock`.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            ..Self::default()
        }
    }

    /// The store of the filter `name`, with what earlier versions of the filter left there. It
    /// takes nothing new that would make it larger than `cap` bytes.
    pub(crate) fn open(&self, name: &Arc<str>, cap: usize) -> Store {
        let mut stores = lock(&self.by_filter);
        Store {
            entries: stores.entry(name.clone()).or_default().clone(),
            cap,
            clock: self.clock.clone(),
            fails: None,
        }
    }

    /// Drops a filter's store. Requests that are still being judged by that filter keep theirs
    /// until they are done.
    pub(crate) fn forget(&self, name: &str) {
        lock(&self.by_filter).remove(name);
    }
}

impl Store {
    /// A store without entries that does not take any, and says this.
    #[cfg(feature = "cli")]
    pub(crate) fn failing(error: StateError) -> Self {
        Self {
            entries: Arc::default(),
            cap: 0,
            clock: Clock::System,
            fails: Some(error),
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        check_key(key)?;
        self.check_reading()?;
        Ok(self.now().get(key).map(<[u8]>::to_vec))
    }

    /// Removes a key, if it exists.
    pub(crate) fn remove(&self, key: &str) -> Result<(), StateError> {
        check_key(key)?;
        self.check_reading()?;
        lock(&self.entries).remove(key);
        Ok(())
    }

    /// Stores a value, in place of any before.
    pub(crate) fn set(
        &self,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<(), StateError> {
        check_key(key)?;
        self.check_writing()?;
        self.now().set(key, value, ttl)
    }

    /// Adds to an integer and returns the sum. A key that does not exist counts from 0, and only
    /// then does `ttl` matter.
    pub(crate) fn increment(
        &self,
        key: &str,
        by: i64,
        ttl: Option<Duration>,
    ) -> Result<i64, StateError> {
        check_key(key)?;
        self.check_writing()?;
        self.now().increment(key, by, ttl)
    }

    /// Replaces a value if it is the `expected` one, and says whether it was. None stands for a key
    /// that does not exist.
    pub(crate) fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl: Option<Duration>,
    ) -> Result<bool, StateError> {
        check_key(key)?;
        self.check_writing()?;
        self.now().compare_and_set(key, expected, new, ttl)
    }

    /// The most that all entries together may take, in bytes.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    fn check_reading(&self) -> Result<(), StateError> {
        let fails = self.fails.filter(|error| *error == StateError::Unavailable);
        fails.map_or(Ok(()), Err)
    }

    fn check_writing(&self) -> Result<(), StateError> {
        self.fails.map_or(Ok(()), Err)
    }

    fn now(&self) -> Moment<'_> {
        self.at(self.clock.instant())
    }

    fn at(&self, now: Instant) -> Moment<'_> {
        Moment {
            entries: lock(&self.entries),
            cap: self.cap,
            now,
        }
    }
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Arc<str>, Entry>,
    /// The keys that expire, soonest first.
    by_expiry: BTreeSet<(Instant, Arc<str>)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Box<[u8]>,
    expires: Option<Instant>,
}

/// A locked store at one moment. Entries that have expired by `now` are not seen.
struct Moment<'a> {
    entries: MutexGuard<'a, Entries>,
    cap: usize,
    now: Instant,
}

impl Moment<'_> {
    fn get(&self, key: &str) -> Option<&[u8]> {
        self.entry(key).map(|entry| &*entry.value)
    }

    fn set(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), StateError> {
        self.put(key, value, self.expiry(ttl))
    }

    fn increment(&mut self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, StateError> {
        let (before, expires) = match self.entry(key) {
            Some(entry) => (integer(&entry.value)?, entry.expires),
            None => (0, self.expiry(ttl)),
        };
        let sum = before.checked_add(by).ok_or(StateError::NotANumber)?;
        self.put(key, sum.to_string().as_bytes(), expires)?;
        Ok(sum)
    }

    fn compare_and_set(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl: Option<Duration>,
    ) -> Result<bool, StateError> {
        if self.get(key) != expected {
            return Ok(false);
        }
        match new {
            Some(value) => self.set(key, value, ttl)?,
            None => drop(self.entries.remove(key)),
        }
        Ok(true)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        let entry = self.entries.by_key.get(key)?;
        let expired = entry.expires.is_some_and(|at| at <= self.now);
        (!expired).then_some(entry)
    }

    /// When a key expires; none if that is further away than the clock can tell.
    fn expiry(&self, ttl: Option<Duration>) -> Option<Instant> {
        self.now.checked_add(ttl?)
    }

    fn put(&mut self, key: &str, value: &[u8], expires: Option<Instant>) -> Result<(), StateError> {
        self.clear(CLEARED_PER_WRITE);
        let before = self
            .entry(key)
            .map_or(0, |entry| entry_bytes(key, &entry.value));
        let size = entry_bytes(key, value);
        if size > self.cap.max(before) {
            return Err(StateError::TooLarge);
        }
        self.make_room(size.saturating_sub(before))?;
        let value = value.into();
        self.entries.insert(key, Entry { value, expires });
        Ok(())
    }

    fn make_room(&mut self, more: usize) -> Result<(), StateError> {
        while more > self.cap.saturating_sub(self.entries.bytes) {
            if self.clear(1) == 0 {
                return Err(StateError::Full);
            }
        }
        Ok(())
    }

    /// Drops at most `most` entries that have expired, and says how many it has dropped.
    fn clear(&mut self, most: usize) -> usize {
        for cleared in 0..most {
            match self.entries.by_expiry.first() {
                Some((at, key)) if *at <= self.now => {
                    let key = key.clone();
                    self.entries.remove(&key);
                }
                _ => return cleared,
            }
        }
        most
    }
}

impl Entries {
    fn insert(&mut self, key: &str, entry: Entry) {
        // A counter begins once and changes often: it keeps its places in the two maps.
        if let Some(known) = self.by_key.get_mut(key)
            && known.expires == entry.expires
        {
            self.bytes -= entry_bytes(key, &known.value);
            self.bytes += entry_bytes(key, &entry.value);
            *known = entry;
            return;
        }
        let key = self.remove(key).unwrap_or_else(|| key.into());
        self.bytes += entry_bytes(&key, &entry.value);
        if let Some(at) = entry.expires {
            self.by_expiry.insert((at, key.clone()));
        }
        self.by_key.insert(key, entry);
    }

    fn remove(&mut self, key: &str) -> Option<Arc<str>> {
        let (key, entry) = self.by_key.remove_entry(key)?;
        self.bytes -= entry_bytes(&key, &entry.value);
        let Some(at) = entry.expires else {
            return Some(key);
        };
        let expiry = (at, key);
        self.by_expiry.remove(&expiry);
        Some(expiry.1)
    }
}

/// Reads an integer, which is kept as filters read it: as decimal text.
fn integer(value: &[u8]) -> Result<i64, StateError> {
    let text = str::from_utf8(value).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or(StateError::NotANumber)
}

/// A longer key is a mistake: keys are names of hosts and the like.
fn check_key(key: &str) -> Result<(), StateError> {
    if key.len() > KEY_BYTES {
        return Err(StateError::TooLarge);
    }
    Ok(())
}

/// A panic while the lock was held does not leave entries half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
