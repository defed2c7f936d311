//! What is said of each name: the name itself and its lines. `builder` writes records, and a
//! snapshot reads the few that its table points to. A record that is cut off or wrong is none.
//!
//! A record is the length of the name, how many lines there are, the name, and what each line says.
//! Where the style of a line says that its text is in the record, all have their texts behind that.

use super::styles::Styles;
use super::table::Place;
use crate::verdict::rule::Rules;

/// The longest name that can be kept. Hosts are shorter, and so are networks.
pub(super) const LONGEST: usize = 255;

/// Bytes before the name: how long it is, and how many lines there are.
const HEAD: usize = 2;

/// What a line says: the place of its style, and its number.
const SAID: usize = 5;

/// What most records have room in.
const TYPICAL: usize = 32;

/// Bytes that a processor fetches together.
const CACHE_LINE: usize = 64;

/// Bytes before the texts: how long they are together.
const TEXTS: usize = 2;

/// Beside the number of lines: there are texts.
const HAS_TEXTS: u8 = 0x80;

/// The most bytes of all texts, each with its length before it. No name has more kinds of rules
/// than fit, if none of their texts is very long.
const LONGEST_TEXTS: usize = 2048;

/// The records of all names.
pub(super) enum Bytes {
    InMemory(Box<[u8]>),
    #[cfg(unix)]
    Mapped(super::map::Mapped),
}

/// What one line says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said<'r> {
    /// The place of its style.
    pub(super) style: u8,
    pub(super) line: u32,
    /// The entry, where its style does not tell.
    pub(super) text: &'r [u8],
}

/// A name and what its lines say, each something else, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r> {
    pub(super) name: &'r [u8],
    said: &'r [u8],
    /// Each with its length before it.
    texts: &'r [u8],
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
        let (said, rest) = rest.split_at_checked(usize::from(lines & !HAS_TEXTS) * SAID)?;
        let (texts, rest) = if lines & HAS_TEXTS == 0 {
            (&[][..], rest)
        } else {
            let (length, rest) = rest.split_first_chunk::<TEXTS>()?;
            rest.split_at_checked(u16::from_le_bytes(*length).into())?
        };
        Some((Self { name, said, texts }, rest))
    }

    /// The one of a place.
    pub(super) fn at(records: &'r [u8], place: Place) -> Option<Self> {
        let mut rest = records.get(usize::try_from(place.start).ok()?..)?;
        touch(&rest[..rest.len().min((place.before + 1) * TYPICAL)]);
        for _ in 0..place.before {
            (_, rest) = Self::read(rest)?;
        }
        Some(Self::read(rest)?.0)
    }

    /// What its lines say.
    pub(super) fn said(self) -> impl Iterator<Item = Said<'r>> {
        let (said, _) = self.said.as_chunks::<SAID>();
        let mut texts = self.texts;
        said.iter().map(move |[style, line @ ..]| Said {
            style: *style,
            line: u32::from_le_bytes(*line),
            text: next_text(&mut texts),
        })
    }

    /// What all of them say.
    pub(super) fn rules(self, styles: &Styles) -> Rules {
        let (said, _) = self.said.as_chunks::<SAID>();
        let rules = said.iter().map(|[style, ..]| styles.rules(*style));
        rules.fold(Rules::default(), Rules::with)
    }
}

/// Has the processor fetch all cache lines of these bytes at once. Reading records one behind the
/// other would wait for each line.
#[inline]
fn touch(bytes: &[u8]) {
    for byte in bytes.iter().step_by(CACHE_LINE) {
        std::hint::black_box(*byte);
    }
}

/// The text at the beginning of others; an empty one where there is none.
fn next_text<'r>(texts: &mut &'r [u8]) -> &'r [u8] {
    let text = texts
        .split_first()
        .and_then(|(length, rest)| rest.split_at_checked((*length).into()));
    let (text, behind) = text.unwrap_or_default();
    *texts = behind;
    text
}

/// How long the record of a name of so many bytes is that one line speaks of, with its text.
pub(super) fn length(name: usize, text: usize) -> usize {
    let texts = if text == 0 { 0 } else { TEXTS + 1 + text };
    HEAD + name + SAID + texts
}

/// Appends the record of a name, of which fewer than 128 lines say something else.
pub(super) fn append<'s>(
    record: &mut Vec<u8>,
    name: &[u8],
    all: impl ExactSizeIterator<Item = Said<'s>> + Clone,
) {
    debug_assert!(name.len() <= LONGEST && all.len() < HAS_TEXTS.into());
    let has_texts = all.clone().any(|said| !said.text.is_empty());
    let lines = all.len() as u8 | if has_texts { HAS_TEXTS } else { 0 };
    record.extend([name.len() as u8, lines]);
    record.extend_from_slice(name);
    for said in all.clone() {
        record.push(said.style);
        record.extend(said.line.to_le_bytes());
    }
    if has_texts {
        append_texts(record, all.map(|said| said.text));
    }
}

fn append_texts<'s>(record: &mut Vec<u8>, texts: impl Iterator<Item = &'s [u8]>) {
    let start = record.len();
    record.extend([0; TEXTS]);
    for text in texts {
        let has_room = record.len() - start + text.len() < LONGEST_TEXTS;
        let text = if has_room { text } else { &[] };
        record.push(text.len() as u8);
        record.extend_from_slice(text);
    }
    let length = (record.len() - start - TEXTS) as u16;
    record[start..start + TEXTS].copy_from_slice(&length.to_le_bytes());
}
