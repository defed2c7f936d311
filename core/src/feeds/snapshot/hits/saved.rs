//! The hits of a list as a file, which `cache` keeps beside the list: what its counts are of, the
//! places that have matched, the entries that have a number. They are good for one snapshot, by its
//! key and its checksums. A file that was made up can say wrong numbers, and do no other harm.

use std::io;
use std::sync::atomic::Ordering;

use super::{COUNTED, EntryId, Hits, places};
use crate::feeds::snapshot::{Key, Snapshot};

/// What the file begins with.
const MAGIC: [u8; 16] = *b"portcullis hits\n";

/// Another version is another layout.
const VERSION: u32 = 1;

/// Bytes before the places: what the file is, the list that it is of, since when it was counted,
/// how often in all, and how many words of places and numbers of entries follow.
const HEADER: usize = 16 + 4 + LIST + 8 + 8 + 4 + 4;

/// Bytes of the key and the checksums of a list.
const LIST: usize = 16 + 8;

/// Bytes of the places of 64 names, and of their number.
const WORD: usize = 4 + 8;

/// Bytes of an entry with its number.
const COUNT: usize = 8;

/// Bytes of the checksum of all of it, which comes last.
const SUM: usize = 4;

/// Why the counts in a file are not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HitsRefused {
    #[error("cannot read them")]
    Read(#[from] io::Error),
    #[error("their file is not one of hits")]
    Foreign,
    #[error("they are in version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    #[error("they are those of another version of the list")]
    OtherList,
    #[error("their file is damaged: {0}")]
    Damaged(&'static str),
}

impl Snapshot {
    /// Has `write` keep what was counted, if it is more than was kept before.
    pub(crate) fn save_hits(&self, write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(key) = self.key else {
            return Ok(());
        };
        // What is counted meanwhile is more than this, so that it is kept the next time.
        let total = self.hits.total.load(Ordering::Relaxed);
        if self.hits.saved.load(Ordering::Relaxed) == total {
            return Ok(());
        }
        write(&self.hits.to_bytes(self.list_bytes(key), total))?;
        self.hits.saved.store(total, Ordering::Relaxed);
        Ok(())
    }

    /// Goes on counting from what a file says. After an error counts begin anew, and the next call
    /// of [`Self::save_hits`] replaces the file.
    pub(crate) fn restore_hits(&self, bytes: &[u8]) -> Result<(), HitsRefused> {
        let restored = self.try_to_restore(bytes);
        if restored.is_err() {
            self.hits.saved.store(u64::MAX, Ordering::Relaxed);
        }
        restored
    }

    /// No file of its hits is longer.
    pub(crate) fn longest_hits(&self) -> usize {
        HEADER + self.hits.words() * WORD + COUNTED * COUNT + SUM
    }

    /// What its hits are known by.
    fn list_bytes(&self, key: Key) -> [u8; LIST] {
        let mut bytes = [0; LIST];
        bytes[..16].copy_from_slice(&key.bytes());
        bytes[16..].copy_from_slice(&self.sums.to_bytes());
        bytes
    }

    fn try_to_restore(&self, bytes: &[u8]) -> Result<(), HitsRefused> {
        let file = Saved::read(bytes)?;
        if self.key.map(|key| self.list_bytes(key)) != Some(*file.list) {
            return Err(HitsRefused::OtherList);
        }
        let is_named = |place| self.table.place(place).is_some();
        if !file.places().all(is_named) {
            return Err(HitsRefused::Damaged("a name that is not there has matched"));
        }
        let is_there = |(entry, number): (EntryId, u32)| number > 0 && self.entry(entry).is_some();
        if file.counts.len() > COUNTED || !file.counts().all(is_there) {
            return Err(HitsRefused::Damaged("it counts what is not there"));
        }
        let hits = &self.hits;
        file.places().for_each(|place| hits.mark(place));
        file.counts()
            .for_each(|(entry, number)| hits.carry(entry, number));
        hits.total.store(file.total, Ordering::Relaxed);
        hits.saved.store(file.total, Ordering::Relaxed);
        hits.since.store(file.since, Ordering::Relaxed);
        Ok(())
    }
}

/// The key of the list that the hits in a file are of: a list in memory is the same one after a
/// restart if it has the same key.
pub(crate) fn key_of(bytes: &[u8]) -> Option<Key> {
    Key::from_bytes(*Saved::read(bytes).ok()?.list.first_chunk()?)
}

impl Hits {
    fn to_bytes(&self, list: [u8; LIST], total: u64) -> Vec<u8> {
        let words = self.matched.get().into_iter().flatten().zip(0_u32..);
        let words = words.map(|(word, at)| (at, word.load(Ordering::Relaxed)));
        let words: Vec<_> = words.filter(|(_, word)| *word != 0).collect();
        let counts = self.counts();
        let length = HEADER + words.len() * WORD + counts.len() * COUNT + SUM;
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(list);
        bytes.extend(self.since.load(Ordering::Relaxed).to_le_bytes());
        bytes.extend(total.to_le_bytes());
        // A place has 32 bits, so that neither number is larger.
        bytes.extend((words.len() as u32).to_le_bytes());
        bytes.extend((counts.len() as u32).to_le_bytes());
        for (at, word) in words {
            bytes.extend(at.to_le_bytes());
            bytes.extend(word.to_le_bytes());
        }
        for (entry, number) in counts {
            bytes.extend(entry.0.to_le_bytes());
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }
}

/// The parts of a file that is whole.
struct Saved<'f> {
    list: &'f [u8; LIST],
    /// Seconds since 1970.
    since: u64,
    total: u64,
    words: &'f [[u8; WORD]],
    counts: &'f [[u8; COUNT]],
}

impl<'f> Saved<'f> {
    fn read(bytes: &'f [u8]) -> Result<Self, HitsRefused> {
        let cut_off = HitsRefused::Damaged("it is longer or shorter than it says");
        let mut rest = bytes;
        if take::<16>(&mut rest) != Some(&MAGIC) {
            return Err(HitsRefused::Foreign);
        }
        let version = number(&mut rest).unwrap_or_default();
        if version != VERSION {
            return Err(HitsRefused::Version(version));
        }
        let Some((whole, sum)) = bytes.split_last_chunk::<SUM>() else {
            return Err(cut_off);
        };
        if crc32fast::hash(whole) != u32::from_le_bytes(*sum) {
            return Err(HitsRefused::Damaged("its checksum is wrong"));
        }
        let mut read = || {
            let list = take(&mut rest)?;
            let since = u64::from_le_bytes(*take(&mut rest)?);
            let total = u64::from_le_bytes(*take(&mut rest)?);
            let (words, counts) = (number(&mut rest)? as usize, number(&mut rest)? as usize);
            let (words, behind) = rest.split_at_checked(words.checked_mul(WORD)?)?;
            let (counts, behind) = behind.split_at_checked(counts.checked_mul(COUNT)?)?;
            (behind.len() == SUM).then_some(Self {
                list,
                since,
                total,
                words: words.as_chunks().0,
                counts: counts.as_chunks().0,
            })
        };
        read().ok_or(cut_off)
    }

    /// The places of names that have matched.
    fn places(&self) -> impl Iterator<Item = usize> {
        self.words.iter().flat_map(|bytes| {
            let mut rest = &bytes[..];
            let at = number(&mut rest).unwrap_or_default() as usize;
            let word = take(&mut rest).map_or(0, |word| u64::from_le_bytes(*word));
            places(at, word)
        })
    }

    fn counts(&self) -> impl Iterator<Item = (EntryId, u32)> {
        self.counts.iter().map(|bytes| {
            let mut rest = &bytes[..];
            let mut next = || number(&mut rest).unwrap_or_default();
            (EntryId(next()), next())
        })
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(|bytes| u32::from_le_bytes(*bytes))
}

/// The next bytes, if there are so many.
fn take<'f, const N: usize>(rest: &mut &'f [u8]) -> Option<&'f [u8; N]> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(bytes)
}

/// Makes the checksum right for whatever the rest of a file has become.
#[cfg(any(test, fuzzing))]
pub(crate) fn seal_hits(bytes: &mut [u8]) {
    if let Some((whole, sum)) = bytes.split_last_chunk_mut::<SUM>() {
        *sum = crc32fast::hash(whole).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::snapshot::Builder;
    use crate::verdict::rule::{Covers, Rule};

    fn list(names: usize, key: Key) -> Snapshot {
        let mut builder = Builder::new(key, false);
        for number in 0..names {
            let name = format!("n{number}.example");
            let rules = Rule::listed(Covers::Both).into();
            builder.add(&name, rules, number as u32 + 1, &name).unwrap();
        }
        builder.finish().into()
    }

    fn count(list: &Snapshot, name: usize, times: usize) {
        let host = format!("n{name}.example");
        (0..times).for_each(|_| list.find(&host).unwrap().hit().count());
    }

    fn saved(list: &Snapshot) -> Option<Vec<u8>> {
        let mut saved = None;
        let save = |bytes: &[u8]| {
            saved = Some(bytes.to_vec());
            Ok(())
        };
        list.save_hits(save).unwrap();
        saved
    }

    /// What is known of the hits of a list.
    fn known(list: &Snapshot) -> (u64, usize, u64, Vec<(String, u32)>) {
        let top = list.most_frequent(5).into_iter();
        let top = top.map(|(found, number)| (found.rule(), number)).collect();
        (list.all_hits(), list.matched(), list.counted_since(), top)
    }

    #[test]
    fn hits_go_on_in_the_same_list_of_another_process() {
        let key = Key::random();
        let before = list(5_000, key);
        assert_eq!(saved(&before), None, "there is nothing to keep");
        (0..3_000).for_each(|name| count(&before, name, 1));
        count(&before, 17, 41);
        count(&before, 18, 9);
        let bytes = saved(&before).unwrap();
        assert!(bytes.len() <= before.longest_hits());
        assert_eq!(saved(&before), None, "it was kept");

        let now = list(5_000, key);
        now.restore_hits(&bytes).unwrap();
        assert_eq!(known(&now), known(&before));
        assert_eq!((known(&now).0, known(&now).1), (3_050, 3_000));
        assert_eq!(known(&now).3[0], ("n17.example".to_owned(), 42));
        assert_eq!(saved(&now), None);
        count(&now, 17, 1);
        assert_eq!(known(&now).3[0], ("n17.example".to_owned(), 43));
        assert!(saved(&now).is_some());
        assert_eq!(key_of(&bytes), Some(key));
    }

    #[test]
    fn a_write_that_failed_is_made_again() {
        let list = list(10, Key::random());
        count(&list, 1, 1);
        let failed = list.save_hits(|_| Err(io::Error::other("full")));
        assert!(failed.is_err());
        assert!(saved(&list).is_some());
    }

    #[test]
    fn the_hits_of_another_list_and_a_damaged_file_are_refused_and_replaced() {
        let key = Key::random();
        let before = list(100, key);
        (0..50).for_each(|name| count(&before, name, 2));
        let bytes = saved(&before).unwrap();
        for other in [list(99, key), list(100, Key::random())] {
            let refused = other.restore_hits(&bytes);
            assert!(
                matches!(refused, Err(HitsRefused::OtherList)),
                "{refused:?}"
            );
            assert_eq!(known(&other).0, 0);
            // An empty file takes its place.
            let empty = saved(&other).unwrap();
            assert!(empty.len() < bytes.len());
        }
        let now = list(100, key);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(now.restore_hits(&damaged).is_err(), "{at}");
            assert!(now.restore_hits(&bytes[..at]).is_err(), "{at}");
        }
        let longer = [&bytes[..], &[0; 3]].concat();
        assert!(now.restore_hits(&longer).is_err());
        assert_eq!((now.all_hits(), now.matched()), (0, 0));
    }

    #[test]
    fn what_a_made_up_file_says_of_names_that_are_not_there_is_refused() {
        let list = list(100, Key::random());
        count(&list, 1, 1);
        let bytes = saved(&list).unwrap();
        let places = HEADER + 4;
        for (at, what) in [(places, 8), (places + WORD - 4, COUNT), (HEADER, 4)] {
            let mut other = bytes.clone();
            other[at..at + what].fill(0xff);
            seal_hits(&mut other);
            let refused = list.restore_hits(&other);
            assert!(matches!(refused, Err(HitsRefused::Damaged(_))), "{at}");
        }
    }
}
