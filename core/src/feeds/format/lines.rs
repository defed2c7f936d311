//! The lines of a body, of which a piece is in memory at a time. `format` goes through them. It
//! knows nothing of what they say.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr_iter, memrchr};

use crate::feeds::entries::TOO_LONG;

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// A line of a body.
pub(super) struct Line<'p> {
    /// Without its line end; the beginning of a line that is too long.
    pub(super) text: Cow<'p, str>,
    /// From 1.
    pub(super) number: usize,
    /// It has [`TOO_LONG`] bytes or more, and was not kept whole.
    pub(super) is_too_long: bool,
}

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

    /// Some lines, from where the last ones have ended; none behind the end.
    pub(super) fn next(&mut self) -> io::Result<Option<impl Iterator<Item = Line<'_>>>> {
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
            // All that was read is one line. One that is too long stays so, also without a carriage
            // return at its end.
            self.piece.truncate(TOO_LONG + 1);
        };
        let whole = &self.piece[..self.used];
        if whole.is_empty() {
            return Ok(None);
        }
        let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
        let first = self.number;
        self.number += memchr_iter(b'\n', whole).count() + 1;
        Ok(Some(split(whole, first)))
    }
}

/// The lines of a piece, of which the first has this number. Bytes that are not UTF-8 cannot be in
/// a name, and may be in a comment.
fn split(piece: &[u8], first: usize) -> impl Iterator<Item = Line<'_>> {
    // Looking at all at once takes a fraction of the time.
    let text = str::from_utf8(piece).ok();
    let ends = memchr_iter(b'\n', piece).chain([piece.len()]);
    let mut start = 0;
    let places = ends.map(move |end| std::mem::replace(&mut start, end + 1)..end);
    places.zip(first..).map(move |(place, number)| {
        let bytes = &piece[place.clone()];
        let is_too_long = bytes.strip_suffix(b"\r").unwrap_or(bytes).len() >= TOO_LONG;
        let text = match text {
            _ if is_too_long => String::from_utf8_lossy(&bytes[..TOO_LONG]),
            Some(text) => Cow::Borrowed(&text[place]),
            None => String::from_utf8_lossy(bytes),
        };
        Line {
            text,
            number,
            is_too_long,
        }
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
                found.extend(some.map(|line| (line.text.into_owned(), line.number)));
            }
            let text = String::from_utf8_lossy(&body);
            let mut expected: Vec<_> = text.split('\n').map(str::to_owned).zip(1..).collect();
            // Nothing is behind the end of the last line.
            expected.pop_if(|(line, _)| line.is_empty());
            prop_assert_eq!(found, expected);
        }
    }

    /// The bytes that are there of each line, its number, and whether it is too long.
    fn lengths<R: Read>(lines: &mut Lines<R>) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        while let Some(some) = lines.next().unwrap() {
            found.extend(some.map(|line| (line.text.len(), line.number, line.is_too_long)));
        }
        found
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_told_in_pieces_of_any_size() {
        for length in [TOO_LONG - 1, TOO_LONG, TOO_LONG + 1, 3 * PIECE] {
            let long = "a".repeat(length);
            for size in [1000, TOO_LONG, PIECE] {
                let body = format!("b\n{long}\n{long}\r\nc\n{long}");
                let found = lengths(&mut Lines::in_pieces(body.as_bytes(), size));
                let (is_long, kept) = (length >= TOO_LONG, length.min(TOO_LONG));
                // The carriage return is part of a line that is whole.
                let returned = kept + usize::from(!is_long);
                let expected = [
                    (1, 1, false),
                    (kept, 2, is_long),
                    (returned, 3, is_long),
                    (1, 4, false),
                    (kept, 5, is_long),
                ];
                assert_eq!(found, expected, "{length} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_line_of_many_megabytes_takes_no_more_memory_than_others() {
        let endless = io::repeat(b'a').take(8 << 20);
        let mut lines = Lines::new(endless.chain(&b"\nb.example\n"[..]));
        let room = lines.piece.capacity();
        assert_eq!(lengths(&mut lines), [(TOO_LONG, 1, true), (9, 2, false)]);
        assert_eq!(lines.piece.capacity(), room);
    }
}
