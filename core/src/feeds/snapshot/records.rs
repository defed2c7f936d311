//! What is said of each name: the name itself and its lines. `builder` writes records, and a
//! snapshot reads the few that its table points to. A record that is cut off or wrong is none.

use super::super::rule::Rules;
use super::table::Place;

/// The longest name that can be kept. Hosts are shorter, and so are networks.
pub(super) const LONGEST: usize = 255;

/// Bytes before the name: how long it is, and how many lines there are.
const HEAD: usize = 2;

/// What a line says: its rules, and its number.
pub(super) const SAID: usize = 5;

/// The records of all names.
pub(super) enum Bytes {
    InMemory(Box<[u8]>),
    #[cfg(unix)]
    Mapped(super::map::Mapped),
}

/// What one line says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rules: Rules,
    pub(super) line: u32,
}

/// A name and what its lines say, each something else, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r> {
    pub(super) name: &'r [u8],
    said: &'r [u8],
}

impl Bytes {
    pub(super) fn get(&self) -> &[u8] {
        match self {
            Self::InMemory(bytes) => bytes,
            #[cfg(unix)]
            Self::Mapped(bytes) => bytes.get(),
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self::InMemory(Box::default())
    }
}

impl<'r> Record<'r> {
    /// The one at the beginning of `bytes`, and what is behind it.
    pub(super) fn read(bytes: &'r [u8]) -> Option<(Self, &'r [u8])> {
        let (&[length, lines], rest) = bytes.split_first_chunk::<HEAD>()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        let (said, rest) = rest.split_at_checked(usize::from(lines) * SAID)?;
        Some((Self { name, said }, rest))
    }

    /// The one of a place.
    pub(super) fn at(records: &'r [u8], place: Place) -> Option<Self> {
        let mut rest = records.get(usize::try_from(place.start).ok()?..)?;
        for _ in 0..place.before {
            (_, rest) = Self::read(rest)?;
        }
        Some(Self::read(rest)?.0)
    }

    /// What its lines say.
    pub(super) fn said(self) -> impl Iterator<Item = Said> {
        let (said, _) = self.said.as_chunks::<SAID>();
        said.iter().map(|[rules, line @ ..]| Said {
            rules: Rules::from_bits(*rules),
            line: u32::from_le_bytes(*line),
        })
    }

    /// What all of them say.
    pub(super) fn rules(self) -> Rules {
        let rules = self.said().map(|said| said.rules);
        rules.fold(Rules::default(), Rules::with)
    }
}

/// How long the record of a name of so many bytes is.
pub(super) fn length(name: usize, lines: usize) -> usize {
    HEAD + name + lines * SAID
}

/// Appends the record of a name. A name has at most 255 lines that say something else.
pub(super) fn append(record: &mut Vec<u8>, name: &[u8], said: impl ExactSizeIterator<Item = Said>) {
    debug_assert!(name.len() <= LONGEST);
    record.extend([name.len() as u8, said.len() as u8]);
    record.extend_from_slice(name);
    for said in said {
        record.push(said.rules.bits());
        record.extend(said.line.to_le_bytes());
    }
}
