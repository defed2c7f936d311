//! Where the parts of HTTP/1.1 messages end. hyper judges whether they are valid; this file only
//! finds where a valid one ends, so that what comes next is kept apart, and hands out what was
//! kept. What hyper would take, and others could read in another way, is broken here. Used by the
//! streams that hyper reads from on both sides.

use memchr::memchr_iter;
use tokio::io::ReadBuf;

/// The end of the head that `bytes` begins with: behind its first empty line. There is none in the
/// first `scanned` bytes.
pub(crate) fn end_of_head(bytes: &[u8], scanned: usize) -> Option<usize> {
    let from = scanned.saturating_sub(2);
    memchr_iter(b'\n', &bytes[from..]).find_map(|at| match &bytes[from + at + 1..] {
        [b'\r', b'\n', ..] => Some(from + at + 3),
        [b'\n', ..] => Some(from + at + 2),
        _ => None,
    })
}

/// Moves up to `most` bytes that a stream has held back to its reader, and says how many.
pub(crate) fn give(held: &mut Vec<u8>, most: usize, buf: &mut ReadBuf<'_>) -> usize {
    let n = buf.remaining().min(most).min(held.len());
    buf.put_slice(&held[..n]);
    if n < held.len() {
        held.drain(..n);
    } else {
        // An idle connection keeps no memory for this.
        *held = Vec::new();
    }
    n
}

/// The longest size of a chunk, in digits. No length needs more.
const SIZE_DIGITS: u8 = 16;

/// What the next bytes on a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The head of a message.
    Head,
    /// The fields of a head. Behind an empty line they end.
    Fields { is_empty: bool },
    /// This many bytes of a body.
    Length(u64),
    /// A body in chunks (RFC 9112, section 7.1).
    Chunks(Chunk),
    /// Nothing that can be relied upon.
    Broken,
}

/// The part of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The digits of a size, which is this so far.
    Size { size: u64, digits: u8 },
    /// The rest of the line behind a size.
    Extension(u64),
    /// This many bytes.
    Data(u64),
    /// The end of the line behind data.
    DataEnd,
    /// The beginning of a line of the trailer section.
    TrailerStart,
    /// The rest of such a line. Its last byte so far may be a CR.
    Trailer { has_cr: bool },
    /// The CR of the empty line at the end.
    LastCr,
}

impl Framing {
    /// Whether they are no part of a head.
    pub(crate) fn is_body(self) -> bool {
        !matches!(self, Self::Head | Self::Fields { .. })
    }

    pub(crate) fn chunks() -> Self {
        Self::Chunks(Chunk::start())
    }

    /// The fields of a head. Unlike those behind a body in chunks, they may have lines that end
    /// with a bare LF.
    pub(crate) fn fields() -> Self {
        Self::Fields { is_empty: true }
    }

    /// How many of the next bytes are of the body. Behind its end a head is expected.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            *self = match *self {
                Self::Head | Self::Broken => break,
                Self::Length(left) => match skip(left, bytes, &mut at) {
                    0 => Self::Head,
                    left => Self::Length(left),
                },
                Self::Chunks(Chunk::Data(left)) => match skip(left, bytes, &mut at) {
                    0 => Self::Chunks(Chunk::DataEnd),
                    left => Self::Chunks(Chunk::Data(left)),
                },
                Self::Chunks(chunk) => {
                    at += 1;
                    chunk.after(bytes[at - 1])
                }
                Self::Fields { is_empty } => {
                    at += 1;
                    match bytes[at - 1] {
                        b'\n' if is_empty => Self::Head,
                        b'\n' => Self::fields(),
                        b'\r' => Self::Fields { is_empty },
                        _ => Self::Fields { is_empty: false },
                    }
                }
            };
        }
        at
    }
}

impl Chunk {
    fn start() -> Self {
        Self::Size { size: 0, digits: 0 }
    }

    /// What comes behind a byte that is not data.
    fn after(self, byte: u8) -> Framing {
        Framing::Chunks(match (self, byte) {
            (Self::Size { size: 0, .. } | Self::Extension(0), b'\n') => Self::TrailerStart,
            (Self::Size { size, .. } | Self::Extension(size), b'\n') => Self::Data(size),
            (Self::Size { size, digits }, _) => match (byte as char).to_digit(16) {
                Some(_) if digits == SIZE_DIGITS => return Framing::Broken,
                Some(digit) => Self::Size {
                    size: size << 4 | u64::from(digit),
                    digits: digits + 1,
                },
                None => Self::Extension(size),
            },
            (Self::DataEnd, b'\n') => Self::start(),
            (Self::TrailerStart, b'\r') => Self::LastCr,
            (Self::LastCr, b'\n') => return Framing::Head,
            (Self::Trailer { has_cr: true }, b'\n') => Self::TrailerStart,
            // Where hyper waits for the CR, another reader may take the body to be over.
            (Self::TrailerStart | Self::Trailer { has_cr: false }, b'\n') => {
                return Framing::Broken;
            }
            (Self::TrailerStart | Self::Trailer { .. } | Self::LastCr, _) => Self::Trailer {
                has_cr: byte == b'\r',
            },
            (other @ (Self::Extension(_) | Self::Data(_) | Self::DataEnd), _) => other,
        })
    }
}

/// Passes over as many of the `bytes` from `at` on as are among the next `left`, and says how many
/// of these are still to come.
fn skip(left: u64, bytes: &[u8], at: &mut usize) -> u64 {
    let there = bytes.len() - *at;
    let n = there.min(usize::try_from(left).unwrap_or(usize::MAX));
    *at += n;
    left - n as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_behind_its_first_empty_line() {
        let ends = |bytes: &[u8]| {
            let whole = end_of_head(bytes, 0);
            // In however many pieces it comes.
            let in_pieces = (1..=bytes.len()).find_map(|n| end_of_head(&bytes[..n], n - 1));
            assert_eq!(whole, in_pieces);
            whole
        };
        assert_eq!(ends(b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest"), Some(24));
        assert_eq!(ends(b"GET / HTTP/1.1\n\nrest"), Some(16));
        assert_eq!(ends(b"GET / HTTP/1.1\r\nA: b\r\n"), None);
        assert_eq!(ends(b"GET / HTTP/1.1\r\n\r"), None);
        assert_eq!(ends(b""), None);
    }

    /// How far a chunked body goes.
    fn end_of_chunks(bytes: &[u8]) -> usize {
        let mut whole = Framing::chunks();
        let end = whole.advance(bytes);
        let mut in_pieces = Framing::chunks();
        let is_body = |byte: &&u8| in_pieces.advance(std::slice::from_ref(*byte)) == 1;
        assert_eq!(bytes.iter().take_while(is_body).count(), end);
        assert_eq!(whole, in_pieces);
        end
    }

    #[test]
    fn a_chunked_body_ends_behind_its_trailers() {
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "3;a=\"0\"\r\n0\r\n\r\n00000\r\n\r\n",
            "A\r\n0123456789\r\n0;x\r\n\r\n",
            "1\r\na\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
        ] {
            let bytes = format!("{body}GET / HTTP/1.1\r\n\r\n");
            assert_eq!(end_of_chunks(bytes.as_bytes()), body.len(), "{body:?}");
        }
        assert_eq!(end_of_chunks(b"5\r\nabc"), 6);
    }

    #[test]
    fn a_chunked_body_that_two_readers_could_end_at_different_places_is_broken() {
        for (broken, sound) in [
            ("00000000000000001\r\na\r\n", "0000000000000001\r\na\r\n"),
            ("0\r\n\n\r\n", "0\r\n\r\n"),
            ("0\r\nX: y\n\r\n", "0\r\nX: y\r\n\r\n"),
            ("0\r\nX: y\r\n\n", "0\r\nX: y\r\n\r\n"),
        ] {
            let mut framing = Framing::chunks();
            framing.advance(broken.as_bytes());
            assert_eq!(framing, Framing::Broken, "{broken:?}");
            assert_eq!(framing.advance(b"GET"), 0);
            let mut framing = Framing::chunks();
            assert_eq!(framing.advance(sound.as_bytes()), sound.len(), "{sound:?}");
            assert_ne!(framing, Framing::Broken, "{sound:?}");
        }
        let mut framing = Framing::chunks();
        framing.advance(b"ffffffffffffffff\r\n");
        assert_eq!(framing, Framing::Chunks(Chunk::Data(u64::MAX)));
    }

    #[test]
    fn the_fields_of_a_head_end_behind_an_empty_line() {
        for fields in [
            "\r\n",
            "\n",
            "A: b\r\n\r\n",
            "A: b\n\r\n",
            "A: b\r\nC: d\n\n",
        ] {
            let mut framing = Framing::fields();
            let bytes = format!("{fields}GET / HTTP/1.1\r\n\r\n");
            assert_eq!(
                framing.advance(bytes.as_bytes()),
                fields.len(),
                "{fields:?}"
            );
            assert_eq!(framing, Framing::Head);
        }
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        let mut framing = Framing::Length(5);
        assert_eq!(framing.advance(b"abc"), 3);
        assert_eq!(framing.advance(b"deGET"), 2);
        assert_eq!(framing, Framing::Head);
    }
}
