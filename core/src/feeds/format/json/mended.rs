//! The text of a JSON document whose strings are not all text: what is no character becomes one
//! that no name has, so that a string which is wrong costs the list itself alone. It is mended a
//! piece at a time.

use std::io::{self, Read};

/// Bytes that are read at a time.
const PIECE: u64 = 16 << 10;

/// The length of an escape of UTF-16, as in `\u00fc`.
const ESCAPE: usize = 6;

/// A body in which bytes that are not UTF-8 and escapes of half a character are U+FFFD.
pub(super) struct Mended<R> {
    body: R,
    piece: u64,
    /// What was read and not mended yet: a character or an escape that is cut off.
    raw: Vec<u8>,
    mended: Vec<u8>,
    /// How much of that was given.
    given: usize,
    is_at_end: bool,
}

impl<R: Read> Mended<R> {
    pub(super) fn new(body: R) -> Self {
        Self::in_pieces(body, PIECE)
    }

    fn in_pieces(body: R, piece: u64) -> Self {
        Self {
            body,
            piece,
            raw: Vec::new(),
            mended: Vec::new(),
            given: 0,
            is_at_end: false,
        }
    }

    fn mend_next(&mut self) -> io::Result<()> {
        let mut more = self.body.by_ref().take(self.piece);
        self.is_at_end = more.read_to_end(&mut self.raw)? == 0;
        self.mended.clear();
        self.given = 0;
        let used = mend(&self.raw, self.is_at_end, &mut self.mended);
        self.raw.drain(..used);
        Ok(())
    }
}

impl<R: Read> Read for Mended<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.mended.len() && !self.is_at_end {
            self.mend_next()?;
        }
        let read = (&self.mended[self.given..]).read(to)?;
        self.given += read;
        Ok(read)
    }
}

/// Appends what `raw` has as text, and says how much of it that is: what may go on behind it is
/// left.
fn mend(raw: &[u8], is_at_end: bool, to: &mut Vec<u8>) -> usize {
    let mut used = 0;
    for chunk in raw.utf8_chunks() {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        let may_go_on = !is_at_end && used + valid.len() + invalid.len() == raw.len();
        let of_valid = mend_escapes(valid, may_go_on && invalid.is_empty(), to);
        used += of_valid;
        if may_go_on || of_valid < valid.len() {
            return used;
        }
        if !invalid.is_empty() {
            to.extend("\u{fffd}".as_bytes());
            used += invalid.len();
        }
    }
    used
}

/// The same of the escapes in a text.
fn mend_escapes(text: &str, may_go_on: bool, to: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some(at) = text[used..].find('\\') {
        let escape = &text[used + at..];
        to.extend(&text.as_bytes()[used..used + at]);
        used += at;
        if may_go_on && escape.len() < 2 * ESCAPE {
            return used;
        }
        let is_low = |unit| matches!(unit, 0xdc00..=0xdfff);
        let behind = escape.get(ESCAPE..).unwrap_or_default();
        let length = match unit(escape) {
            Some(0xd800..=0xdbff) if unit(behind).is_some_and(is_low) => 2 * ESCAPE,
            Some(0xd800..=0xdfff) => {
                to.extend(br"\ufffd");
                used += ESCAPE;
                continue;
            }
            Some(_) => ESCAPE,
            // The backslash, and the character that it is about.
            None => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        to.extend(&escape.as_bytes()[..length]);
        used += length;
    }
    to.extend(&text.as_bytes()[used..]);
    text.len()
}

/// The unit of UTF-16 that a text begins with as an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..ESCAPE - 2)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mended(body: &[u8], piece: u64) -> String {
        let mut text = String::new();
        let read = Mended::in_pieces(body, piece).read_to_string(&mut text);
        read.expect("it is text now");
        text
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        for (body, text) in [
            (
                &b"[\"a\xff\xfe.example\", 1]"[..],
                "[\"a\u{fffd}\u{fffd}.example\", 1]",
            ),
            (b"\"b\xc3\xbccher\xc3\"", "\"b\u{fc}cher\u{fffd}\""),
            (
                br#""\ud83d\ude00 \u00fc \n""#,
                r#""\ud83d\ude00 \u00fc \n""#,
            ),
            (br#""\ud83d\u00fc \ude00""#, r#""\ufffd\u00fc \ufffd""#),
            (br#""\\ud83d""#, r#""\\ud83d""#),
            (br#""\\\ud83d""#, r#""\\\ufffd""#),
            (b"\"\\\xff\\u12\xff\"", "\"\\\u{fffd}\\u12\u{fffd}\""),
            (b"\\", "\\"),
            (b"\xf0\x9f", "\u{fffd}"),
        ] {
            for piece in 1..20 {
                assert_eq!(mended(body, piece), text, "{body:?} by {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn text_stays_as_it_is(text in "[a\\\\u\u{fc}\u{1f600}\"]{0,40}", piece in 1_u64..50) {
            prop_assert_eq!(mended(text.as_bytes(), piece), text);
        }
    }
}
