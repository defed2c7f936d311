//! How often the entries of a list have decided: whether each name ever has, and the number for the
//! most frequent entries. Exchanges count, and `feeds` asks and has a new list take over what the
//! one before has counted.

mod saved;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(any(test, fuzzing))]
pub(crate) use self::saved::seal_hits;
pub(crate) use self::saved::{HitsRefused, key_of};
use super::records::Record;
use super::{Found, Snapshot};
use crate::verdict::CountHits;

/// Entries that have a number.
const COUNTED: usize = 10_240;

/// Numbers among which an entry looks for its own.
const BUCKET: usize = 8;

/// Bits below the place of a name that say which of its entries it is.
const ENTRY_BITS: u32 = 4;

/// The hits of one list, which workers count without waiting for each other. A list of which
/// nothing has matched takes no memory for it.
///
/// The numbers are exact until some thousand entries have matched. From then on an entry without a
/// number may take over the smallest of its bucket, so that its own is too high by that at most.
#[derive(Default)]
pub(super) struct Hits {
    /// Places that names can have.
    places: usize,
    /// A bit for each place.
    matched: OnceLock<Box<[AtomicU64]>>,
    /// An entry in the high half and its number in the low one.
    counts: OnceLock<Box<[AtomicU64]>>,
    /// How often any entry has decided, those of earlier lists included.
    total: AtomicU64,
    /// What that was when it was last kept in a file.
    saved: AtomicU64,
    /// When counting began, in seconds since 1970; 0 for a list without names.
    since: AtomicU64,
}

/// An entry of a list: the place of its name, and which of the entries of that name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryId(u32);

impl EntryId {
    /// None for what cannot be told apart: a name behind the first 268 million, or its 17th entry.
    pub(super) fn new(place: usize, entry: usize) -> Option<Self> {
        let (place, entry) = (u32::try_from(place).ok()?, u32::try_from(entry).ok()?);
        let fits = place < 1 << (u32::BITS - ENTRY_BITS) && entry < 1 << ENTRY_BITS;
        fits.then_some(Self((place << ENTRY_BITS) | entry))
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    fn place(self) -> usize {
        (self.0 >> ENTRY_BITS) as usize
    }

    fn entry(self) -> usize {
        (self.0 & ((1 << ENTRY_BITS) - 1)) as usize
    }
}

impl Hits {
    /// For a list whose names have so many places.
    pub(super) fn new(places: usize) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            places,
            since: AtomicU64::new(since_1970.unwrap_or_default().as_secs()),
            ..Self::default()
        }
    }

    /// The words that have a bit for each place.
    fn words(&self) -> usize {
        self.places.div_ceil(64)
    }

    /// A name in this place has matched.
    fn mark(&self, place: usize) {
        let matched = self.matched.get_or_init(|| zeros(self.words()));
        let bit = 1 << (place % 64);
        if let Some(word) = matched.get(place / 64)
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// The places of the names that have matched.
    fn matched(&self) -> impl Iterator<Item = usize> {
        let words = self.matched.get().into_iter().flatten().enumerate();
        words.flat_map(|(at, word)| places(at, word.load(Ordering::Relaxed)))
    }

    /// The entries that have a number, the most frequent first.
    fn counts(&self) -> Vec<(EntryId, u32)> {
        let counts = self.counts.get().into_iter().flatten();
        let mut counts: Vec<_> = counts
            .map(|count| parts(count.load(Ordering::Relaxed)))
            .filter(|(_, number)| *number > 0)
            .collect();
        counts.sort_unstable_by_key(|(entry, number)| (u32::MAX - number, *entry));
        counts
    }

    fn bucket(&self, entry: EntryId) -> &[AtomicU64] {
        let counts = self.counts.get_or_init(|| zeros(COUNTED));
        let mixed = u64::from(entry.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let bucket = mixed as usize % (COUNTED / BUCKET);
        &counts[bucket * BUCKET..][..BUCKET]
    }

    /// Takes the number of an entry from a list before, if there is room for it.
    fn carry(&self, entry: EntryId, number: u32) {
        let free = |count: &&AtomicU64| count.load(Ordering::Relaxed) == 0;
        if let Some(free) = self.bucket(entry).iter().find(free) {
            // An exchange may count at the same time, and then this is less by what it was.
            replace(free, 0, entry, number);
        }
    }
}

impl CountHits for Hits {
    fn count(&self, entry: u32) {
        let entry = EntryId(entry);
        self.mark(entry.place());
        let bucket = self.bucket(entry);
        // Where another worker was faster, the next try sees what it has done.
        while !count_in(bucket, entry) {}
        self.total.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hits")
    }
}

/// Counts an entry once, unless something else has counted meanwhile.
fn count_in(bucket: &[AtomicU64], entry: EntryId) -> bool {
    let mut least: Option<(&AtomicU64, u64)> = None;
    for count in bucket {
        let before = count.load(Ordering::Relaxed);
        let (other, number) = parts(before);
        if other == entry && number > 0 {
            return replace(count, before, entry, number.saturating_add(1));
        }
        if least.is_none_or(|(_, least)| number < parts(least).1) {
            least = Some((count, before));
        }
    }
    least.is_none_or(|(count, before)| {
        replace(count, before, entry, parts(before).1.saturating_add(1))
    })
}

fn replace(count: &AtomicU64, before: u64, entry: EntryId, number: u32) -> bool {
    let after = (u64::from(entry.0) << 32) | u64::from(number);
    let done = count.compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed);
    done.is_ok()
}

fn parts(count: u64) -> (EntryId, u32) {
    (EntryId((count >> 32) as u32), count as u32)
}

/// The places whose bits are set in the word at `at`.
fn places(at: usize, word: u64) -> impl Iterator<Item = usize> {
    let bits = (0..64).filter(move |bit| (word >> bit) & 1 != 0);
    bits.map(move |bit| at.saturating_mul(64).saturating_add(bit))
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl Snapshot {
    /// Takes over what was counted of the entries of another list that this one has, too.
    pub(crate) fn take_hits_over(&self, before: &Self) {
        for place in before.hits.matched() {
            let record = before.record_in(place);
            if let Some((place, _)) = record.and_then(|record| self.named(record.name)) {
                self.hits.mark(place);
            }
        }
        for (entry, number) in before.hits.counts() {
            let same = before
                .entry(entry)
                .and_then(|found| self.same_entry(&found));
            if let Some(entry) = same {
                self.hits.carry(entry, number);
            }
        }
        let (now, before) = (&self.hits, &before.hits);
        let total = before.total.load(Ordering::Relaxed);
        now.total.fetch_add(total, Ordering::Relaxed);
        // A list without names has counted nothing.
        let since = before.since.load(Ordering::Relaxed);
        if since > 0 {
            now.since.fetch_min(since, Ordering::Relaxed);
        }
    }

    /// How often any entry has decided, those included that only earlier lists had.
    pub(crate) fn all_hits(&self) -> u64 {
        self.hits.total.load(Ordering::Relaxed)
    }

    /// When counting began, in seconds since 1970.
    pub(crate) fn counted_since(&self) -> u64 {
        self.hits.since.load(Ordering::Relaxed)
    }

    /// How many names have matched.
    pub(crate) fn matched(&self) -> usize {
        self.hits.matched().count()
    }

    /// The entries that have decided most often and how often each has, the most frequent first.
    pub(crate) fn most_frequent(&self, most: usize) -> Vec<(Found<'_>, u32)> {
        let counts = self.hits.counts().into_iter().take(most);
        counts
            .filter_map(|(entry, number)| Some((self.entry(entry)?, number)))
            .collect()
    }

    fn record_in(&self, place: usize) -> Option<Record<'_>> {
        Record::at(self.records.get(), self.table.place(place)?)
    }

    /// The place of a name that it has, and its record.
    fn named(&self, name: &[u8]) -> Option<(usize, Record<'_>)> {
        let (hash, _) = self.key?.hash(name);
        self.record(hash, name)
    }

    fn entry(&self, entry: EntryId) -> Option<Found<'_>> {
        let record = self.record_in(entry.place())?;
        let said = record.said().nth(entry.entry())?;
        let (_, kind) = self.styles.rules(said.style).first()?;
        Some(self.told(kind, record.name, said, Some(entry)))
    }

    /// The entry that says the same of the same name in the same words.
    fn same_entry(&self, other: &Found<'_>) -> Option<EntryId> {
        let (place, record) = self.named(other.name)?;
        let is_same = |found: Found<'_>| {
            (found.kind, found.written, found.text) == (other.kind, other.written, other.text)
        };
        let mut ids = (0..).map_while(|at| EntryId::new(place, at));
        let mut known = record.said().map_while(|_| ids.next());
        known.find(|id| self.entry(*id).is_some_and(is_same))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(place: usize) -> EntryId {
        EntryId::new(place, 0).unwrap()
    }

    #[test]
    fn hits_are_counted_by_several_threads_at_once() {
        let hits = Hits::new(1_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..10_000 {
                        hits.count(id(round % 10).number());
                    }
                });
            }
        });
        assert_eq!(
            hits.matched().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        let counts = hits.counts();
        assert_eq!(counts.iter().map(|(_, number)| number).sum::<u32>(), 40_000);
        assert!(
            counts.iter().all(|(_, number)| *number == 4_000),
            "{counts:?}"
        );
    }

    #[test]
    fn the_most_frequent_keep_their_numbers_however_many_others_match() {
        let hits = Hits::new(200_000);
        for _ in 0..1_000 {
            (0..100).for_each(|place| hits.count(id(place).number()));
        }
        (100..200_000).for_each(|place| hits.count(id(place).number()));
        assert_eq!(hits.matched().count(), 200_000);
        let counts = hits.counts();
        assert_eq!(counts.len(), COUNTED);
        let mut top: Vec<_> = counts[..100]
            .iter()
            .map(|(entry, _)| entry.place())
            .collect();
        top.sort_unstable();
        assert_eq!(top, (0..100).collect::<Vec<_>>());
        assert!(counts[..100].iter().all(|(_, number)| *number == 1_000));
    }

    #[test]
    fn a_place_that_is_not_there_is_no_matter() {
        let hits = Hits::new(1);
        hits.count(u32::MAX);
        assert_eq!(hits.matched().count(), 0);
        assert_eq!(EntryId::new(1 << 28, 0), None);
        assert_eq!(EntryId::new(0, 16), None);
    }
}
