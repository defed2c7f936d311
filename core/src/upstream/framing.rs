//! Where the parts of HTTP/1.1 messages end. hyper judges whether they are valid; this file only
//! finds where a valid one ends, so that what comes next is kept apart, and hands out what was
//! kept. Used by the streams that hyper reads from on both sides.

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

/// What the next bytes on a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The head of a message.
    Head,
    /// This many bytes of a body.
    Length(u64),
    /// A body in chunks (RFC 9112, section 7.1).
    Chunks(Chunk),
}

/// The part of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The digits of a size, which is this so far.
    Size(u64),
    /// The rest of the line behind a size.
    Extension(u64),
    /// This many bytes.
    Data(u64),
    /// The end of the line behind data.
    DataEnd,
    /// A line of the trailer section. An empty one is the last.
    Trailer { is_empty: bool },
}

impl Framing {
    pub(crate) fn chunks() -> Self {
        Self::Chunks(Chunk::Size(0))
    }

    /// The fields of a head, which end as those behind a body in chunks do.
    pub(crate) fn fields() -> Self {
        Self::Chunks(Chunk::Trailer { is_empty: true })
    }

    /// How many of the next bytes are of the body. Behind its end a head is expected.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Head => 0,
            Self::Length(left) => {
                let n = skip(left, bytes);
                if *left == 0 {
                    *self = Self::Head;
                }
                n
            }
            Self::Chunks(chunk) => {
                let mut at = 0;
                while at < bytes.len() {
                    if let Chunk::Data(left) = chunk {
                        at += skip(left, &bytes[at..]);
                        if *left == 0 {
                            *chunk = Chunk::DataEnd;
                        }
                        continue;
                    }
                    at += 1;
                    match chunk.after(bytes[at - 1]) {
                        Some(next) => *chunk = next,
                        None => {
                            *self = Self::Head;
                            break;
                        }
                    }
                }
                at
            }
        }
    }
}

impl Chunk {
    /// What comes behind a byte that is not data; nothing behind the last one.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size(0) | Self::Extension(0), b'\n') => Self::Trailer { is_empty: true },
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(size),
            (Self::Size(size), _) => match (byte as char).to_digit(16) {
                Some(digit) => Self::Size(size.saturating_mul(16).saturating_add(digit.into())),
                None => Self::Extension(size),
            },
            (Self::DataEnd, b'\n') => Self::Size(0),
            (Self::Trailer { is_empty: true }, b'\n') => return None,
            (Self::Trailer { .. }, b'\n') => Self::Trailer { is_empty: true },
            (Self::Trailer { is_empty }, b'\r') => Self::Trailer { is_empty },
            (Self::Trailer { .. }, _) => Self::Trailer { is_empty: false },
            (other, _) => other,
        })
    }
}

/// How many of `bytes` are among the next `left`, which are counted down.
fn skip(left: &mut u64, bytes: &[u8]) -> usize {
    let n = bytes
        .len()
        .min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= n as u64;
    n
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
    fn a_body_of_known_length_ends_there() {
        let mut framing = Framing::Length(5);
        assert_eq!(framing.advance(b"abc"), 3);
        assert_eq!(framing.advance(b"deGET"), 2);
        assert_eq!(framing, Framing::Head);
    }
}
