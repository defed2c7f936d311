//! The lines of a body, of which a piece is in memory at a time. `format` goes through them. It
//! knows nothing of what they say.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr_iter, memrchr};

/// How much is read at a time. A line that is longer is in memory as a whole.
const PIECE: usize = 64 << 10;

/// Goes through the lines of a body.
pub(super) struct Lines<R> {
    input: R,
    /// What was read, and how much of it was handed out.
    piece: Vec<u8>,
    used: usize,
    /// The number of the line that comes next, from 1.
    number: usize,
    /// Bytes that are read at a time.
    size: usize,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self::in_pieces(input, PIECE)
    }

    fn in_pieces(input: R, size: usize) -> Self {
        Self {
            input,
            piece: Vec::with_capacity(2 * size),
            used: 0,
            number: 1,
            size,
        }
    }

    /// Some lines with their numbers, from where the last ones have ended; none behind the end.
    pub(super) fn next(
        &mut self,
    ) -> io::Result<Option<impl Iterator<Item = (Cow<'_, str>, usize)>>> {
        self.piece.drain(..self.used);
        self.used = loop {
            let known = self.piece.len();
            let mut more = self.input.by_ref().take(self.size as u64);
            if more.read_to_end(&mut self.piece)? == 0 {
                break known;
            }
            if let Some(end) = memrchr(b'\n', &self.piece[known..]) {
                break known + end + 1;
            }
        };
        let whole = &self.piece[..self.used];
        if whole.is_empty() {
            return Ok(None);
        }
        let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
        let first = self.number;
        self.number += memchr_iter(b'\n', whole).count() + 1;
        Ok(Some(texts(whole).zip(first..)))
    }
}

/// The lines of a piece. Bytes that are not UTF-8 cannot be in a name, and may be in a comment.
fn texts(piece: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    // Looking at all at once takes a fraction of the time.
    let text = str::from_utf8(piece).ok();
    let ends = memchr_iter(b'\n', piece).chain([piece.len()]);
    let mut start = 0;
    let lines = ends.map(move |end| std::mem::replace(&mut start, end + 1)..end);
    lines.map(move |line| match text {
        Some(text) => Cow::Borrowed(&text[line]),
        None => String::from_utf8_lossy(&piece[line]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_the_same_in_pieces_of_any_size(
            body in "[a-z\u{e9}\r\n]{0,40}",
            damage: bool,
            size in 1_usize..50,
        ) {
            let mut body = body.into_bytes();
            if damage {
                body.push(0xff);
            }
            let mut found = Vec::new();
            let mut lines = Lines::in_pieces(&*body, size);
            while let Some(some) = lines.next().unwrap() {
                found.extend(some.map(|(line, number)| (line.into_owned(), number)));
            }
            let text = String::from_utf8_lossy(&body);
            let mut expected: Vec<_> = text.split('\n').map(str::to_owned).zip(1..).collect();
            // Nothing is behind the end of the last line.
            expected.pop_if(|(line, _)| line.is_empty());
            prop_assert_eq!(found, expected);
        }
    }
}
