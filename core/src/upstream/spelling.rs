//! How the names of fields are spelled. hyper reads and writes them in small letters, and some
//! peers know only their own spelling (RFC 9110, section 5.1, does not allow them to). Each side's
//! stream remembers the head that it has read and spells the head that hyper writes like the one
//! that the other side has read. hyper could keep the spelling of each name itself, in a second map
//! of fields, of which it would make two for each exchange.

#[cfg(test)]
mod tests;

use std::cell::{Ref, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use memchr::memchr;
use tokio::io::AsyncWrite;

use super::framing::end_of_head;

/// An idle connection keeps no more memory than this for its next head.
const KEPT_CAPACITY: usize = 512;

/// How many names are looked at for those of one head. The names of both heads come in nearly the
/// same order, so one or two are looked at for each, but a peer could see to another order. Names
/// that are not found stay in small letters.
const MOST_LOOKS: usize = 10_000;

/// Most heads have fewer fields.
const USUAL_FIELDS: usize = 24;

/// Bytes that are looked at together.
const WORD: usize = 8;

/// Most names and values are shorter than so many words, and what `memchr` does to be fast costs
/// more then.
const SHORT: usize = 6;

/// What was read of the heads of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Spellings {
    pub(crate) request: Spelling,
    pub(crate) response: Spelling,
    /// Of interim responses that are not written yet, in their order.
    interims: RefCell<VecDeque<Vec<u8>>>,
}

impl Spellings {
    /// An interim response was read.
    pub(crate) fn add_interim(&self, head: &[u8]) {
        self.interims.borrow_mut().push_back(head.to_vec());
    }

    /// Spells the interim response that is written next.
    pub(crate) fn spell_interim(&self, head: &mut [u8]) {
        if let Some(like) = self.interims.borrow_mut().pop_front() {
            let same = head.to_vec();
            spell(head, &same, &like);
        }
    }

    /// No interim response is written any more.
    pub(crate) fn forget_interims(&self) {
        self.interims.take();
    }
}

/// A head as it was read.
#[derive(Debug, Default)]
pub(crate) struct Spelling(RefCell<Vec<u8>>);

impl Spelling {
    pub(crate) fn forget(&self) {
        let mut head = self.0.borrow_mut();
        head.clear();
        head.shrink_to(KEPT_CAPACITY);
    }

    /// More of the head was read.
    pub(crate) fn add(&self, part: &[u8]) {
        self.0.borrow_mut().extend_from_slice(part);
    }

    /// What was read of it.
    pub(crate) fn head(&self) -> Ref<'_, Vec<u8>> {
        self.0.borrow()
    }
}

/// What is written in place of the beginning of what hyper writes.
#[derive(Debug, Default)]
pub(crate) struct SpelledHead {
    bytes: Vec<u8>,
    written: usize,
    /// How many bytes that hyper writes stand for nothing.
    left_out: usize,
}

impl SpelledHead {
    /// hyper writes a message next, of which `start` is the first piece.
    pub(crate) fn begin(&mut self, start: &[u8], like: &Spelling) {
        let like = like.head();
        let asterisk = asterisk_of_url(start);
        if !like.is_empty() || asterisk.is_some() {
            self.bytes.extend_from_slice(start);
            spell(&mut self.bytes, start, &like);
        }
        if let Some(at) = asterisk {
            self.bytes.remove(at);
            self.left_out = 1;
        }
    }

    /// Whether all of it is written.
    pub(crate) fn is_written(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes what hyper offers, which begins with what is not written yet.
    pub(crate) fn poll_write(
        &mut self,
        stream: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
        offered: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let head = &self.bytes[self.written..];
        let rest = |at: usize| offered.get(at).map_or(&[][..], |piece| piece);
        let pieces = [
            IoSlice::new(head),
            IoSlice::new(
                rest(0)
                    .get(head.len() + self.left_out..)
                    .unwrap_or_default(),
            ),
            IoSlice::new(rest(1)),
        ];
        let written = ready!(stream.poll_write_vectored(cx, &pieces))?;
        self.written += written.min(head.len());
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_CAPACITY);
            self.written = 0;
            return Poll::Ready(Ok(written + std::mem::take(&mut self.left_out)));
        }
        Poll::Ready(Ok(written))
    }
}

/// Where the asterisk is in `OPTIONS http://a.example* HTTP/1.1`, which stands there because there
/// is no URL without a path.
fn asterisk_of_url(head: &[u8]) -> Option<usize> {
    let target = head.strip_prefix(b"OPTIONS http://")?;
    let end = target.iter().position(|byte| b" /?".contains(byte))?;
    let is_asterisk = end > 0 && target[end] == b' ' && target[end - 1] == b'*';
    is_asterisk.then(|| head.len() - target.len() + end - 1)
}

/// Spells the names of the fields of `head` as they are spelled in `like`. `same` is the same head,
/// which can be read meanwhile.
fn spell(head: &mut [u8], same: &[u8], like: &[u8]) {
    // hyper's server may write the two at once.
    let is_two = same.starts_with(b"HTTP/1.1 100 ");
    let start = is_two.then(|| end_of_head(same, 0)).flatten().unwrap_or(0);
    let mut known = Known::of(like);
    for name in Names::of(same, start) {
        if let Some(spelled) = known.find(same, name) {
            head[name.at..name.at + name.length].copy_from_slice(spelled);
        }
    }
}

/// Where the name of a field is in a head.
#[derive(Clone, Copy)]
struct Name {
    at: usize,
    length: usize,
    /// Its first bytes in small letters. Names that differ most often differ in these.
    first: u64,
}

/// The names of the fields of a head that begins at `start`. It ends at a line without one.
struct Names<'h> {
    head: &'h [u8],
    /// Where the next line begins.
    at: usize,
}

impl<'h> Names<'h> {
    fn of(head: &'h [u8], start: usize) -> Self {
        let first = find(b'\n', head, start).map_or(head.len(), |end| end + 1);
        Self { head, at: first }
    }
}

impl Iterator for Names<'_> {
    type Item = Name;

    #[inline]
    fn next(&mut self) -> Option<Name> {
        let at = self.at;
        if matches!(self.head.get(at), None | Some(b'\r' | b'\n')) {
            return None;
        }
        let word = word_at(self.head, at);
        let colon = match place(equal(b':', word)) {
            WORD => find(b':', self.head, at + WORD)?,
            length => at + length,
        };
        let end = find(b'\n', self.head, at)?;
        // A line without a colon is the last one, too.
        if end < colon {
            return None;
        }
        self.at = end + 1;
        Some(Name {
            at,
            length: colon - at,
            first: in_small_letters(first(word, colon - at)),
        })
    }
}

impl Name {
    #[inline]
    fn bytes(self, head: &[u8]) -> &[u8] {
        &head[self.at..self.at + self.length]
    }
}

/// Bytes of a word, the others 0.
#[inline]
fn first(word: u64, bytes: usize) -> u64 {
    let unused = (WORD - bytes.min(WORD)) * 8;
    word & u64::MAX.checked_shr(unused as u32).unwrap_or(0)
}

/// Where the next byte that is `byte` is.
#[inline]
fn find(byte: u8, bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (words, _) = rest.as_chunks();
    let words = &words[..words.len().min(SHORT)];
    for (at, word) in words.iter().enumerate() {
        let equal = equal(byte, u64::from_le_bytes(*word));
        if equal != 0 {
            return Some(from + at * WORD + place(equal));
        }
    }
    let looked_at = words.len() * WORD;
    Some(from + looked_at + memchr(byte, &rest[looked_at..])?)
}

/// What is written from there on, as far as there are that many bytes.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes[at..].first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => word(&bytes[at..]),
    }
}

/// Whether two names of more than a word are the same but for the letters' size.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a_words, b_words) = (a.as_chunks::<WORD>().0, b.as_chunks::<WORD>().0);
    let small = |word: &[u8; WORD]| in_small_letters(u64::from_le_bytes(*word));
    let mut words = a_words.iter().zip(b_words);
    let ends = a.last_chunk().zip(b.last_chunk());
    a.len() == b.len()
        && words.all(|(a, b)| small(a) == small(b))
        && ends.is_some_and(|(a, b)| small(a) == small(b))
}

/// The names of a head, of which the next is probably the one that is looked for next.
struct Known<'a> {
    head: &'a [u8],
    names: Vec<Name>,
    next: usize,
    /// How many names may still be looked at.
    looks: usize,
}

impl<'a> Known<'a> {
    fn of(head: &'a [u8]) -> Self {
        let mut names = Vec::with_capacity(USUAL_FIELDS);
        names.extend(Names::of(head, 0));
        Self {
            head,
            names,
            next: 0,
            looks: MOST_LOOKS,
        }
    }

    /// The next name that is `wanted`, a name in `head`, in any spelling, or else the first.
    fn find(&mut self, head: &[u8], wanted: Name) -> Option<&'a [u8]> {
        let (mut at, mut left) = (self.next, self.names.len());
        while left > 0 {
            let Some(known) = self.names.get(at) else {
                at = 0;
                continue;
            };
            self.looks = self.looks.checked_sub(1)?;
            left -= 1;
            at += 1;
            if (known.first, known.length) == (wanted.first, wanted.length) {
                let spelled = known.bytes(self.head);
                if known.length <= WORD || is_same(spelled, wanted.bytes(head)) {
                    self.next = at;
                    return Some(spelled);
                }
            }
        }
        None
    }
}

/// As many bytes as a word has, or fewer.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; WORD];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The same byte everywhere in a word.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}

/// The bytes of a word that are `byte`, each as a bit that is set. Of the bits, only the lowest is
/// always right.
#[inline]
fn equal(byte: u8, word: u64) -> u64 {
    let differing = word ^ each(byte);
    differing.wrapping_sub(each(1)) & !differing & each(0x80)
}

/// The first byte of those.
#[inline]
fn place(equal: u64) -> usize {
    equal.trailing_zeros() as usize / 8
}

/// A word of ASCII letters and other bytes, its letters small.
#[inline]
fn in_small_letters(word: u64) -> u64 {
    let low = word & each(0x7f);
    let from_a = low + each(0x80 - b'A');
    let behind_z = low + each(0x7f - b'Z');
    let is_capital = (from_a ^ behind_z) & !word & each(0x80);
    word | (is_capital >> 2)
}
