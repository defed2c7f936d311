//! How the names of fields are spelled. hyper reads and writes them in small letters, and some
//! peers know only their own spelling (RFC 9110, section 5.1, does not allow them to). Each side's
//! stream remembers the head that it has read and spells the head that hyper writes like the one
//! that the other side has read. hyper could keep the spelling of each name itself, in a second map
//! of fields, of which it would make two for each exchange.

use std::cell::{Ref, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use memchr::{Memchr, memchr, memchr_iter};
use tokio::io::AsyncWrite;

use super::framing::end_of_head;

/// An idle connection keeps no more memory than this for its next head.
const KEPT_CAPACITY: usize = 512;

/// How many lines are looked at for the names of one head. The names of both heads come in nearly
/// the same order, so one or two lines are looked at for each, but a peer could see to another
/// order. Names that are not found stay in small letters.
const MOST_LINES: usize = 10_000;

/// What was read of the heads of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Spellings {
    pub(crate) request: Spelling,
    pub(crate) response: Spelling,
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

    fn head(&self) -> Ref<'_, Vec<u8>> {
        self.0.borrow()
    }
}

/// What is written in place of the beginning of what hyper writes.
#[derive(Debug, Default)]
pub(crate) struct SpelledHead {
    bytes: Vec<u8>,
    written: usize,
}

impl SpelledHead {
    /// hyper writes a message next, of which `start` is the first piece.
    pub(crate) fn begin(&mut self, start: &[u8], like: &Spelling) {
        let like = like.head();
        if !like.is_empty() {
            self.bytes.extend_from_slice(start);
            spell(&mut self.bytes, start, &like);
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
            IoSlice::new(rest(0).get(head.len()..).unwrap_or_default()),
            IoSlice::new(rest(1)),
        ];
        let written = ready!(stream.poll_write_vectored(cx, &pieces))?;
        self.written += written.min(head.len());
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_CAPACITY);
            self.written = 0;
        }
        Poll::Ready(Ok(written))
    }
}

/// Spells the names of the fields of `head` as they are spelled in `like`. `same` is the same head,
/// which can be read meanwhile.
fn spell(head: &mut [u8], same: &[u8], like: &[u8]) {
    // hyper's server may write the two at once.
    let is_two = same.starts_with(b"HTTP/1.1 100 ");
    let start = is_two.then(|| end_of_head(same, 0)).flatten().unwrap_or(0);
    let mut names = Names::of(like);
    // One search for all lines costs less than one for each.
    let mut ends = memchr_iter(b'\n', &same[start..]).map(|end| start + end + 1);
    let Some(mut at) = ends.next() else {
        return;
    };
    for end in ends {
        // The head ends at a line without one.
        let Some(colon) = same[at..end].iter().position(|byte| *byte == b':') else {
            return;
        };
        if let Some(name) = names.find(&same[at..at + colon]) {
            head[at..at + colon].copy_from_slice(name);
        }
        at = end;
    }
}

/// The fields of a head, of which the next is probably the one that is looked for next.
struct Names<'a> {
    /// From the first of them on.
    fields: &'a [u8],
    next: usize,
    ends: Memchr<'a>,
    /// How many lines may still be looked at.
    lines: usize,
}

impl<'a> Names<'a> {
    fn of(head: &'a [u8]) -> Self {
        let first = memchr(b'\n', head).map_or(head.len(), |end| end + 1);
        let fields = &head[first..];
        Self {
            fields,
            next: 0,
            ends: memchr_iter(b'\n', fields),
            lines: MOST_LINES,
        }
    }

    /// The next field with this name in any spelling, or else the first.
    fn find(&mut self, name: &[u8]) -> Option<&'a [u8]> {
        let begun = self.next;
        loop {
            self.lines = self.lines.checked_sub(1)?;
            let field = self.fields[self.next..].split_at_checked(name.len());
            self.next = match self.ends.next() {
                Some(end) => end + 1,
                None => {
                    self.ends = memchr_iter(b'\n', self.fields);
                    0
                }
            };
            if let Some((field, rest)) = field
                && rest.first() == Some(&b':')
                && field.eq_ignore_ascii_case(name)
            {
                return Some(field);
            }
            if self.next == begun {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIKE: &str = "GET / HTTP/1.1\r\nHOST: a\r\nuser-Agent: b\r\nX-Ünï: c\r\nAccept: d\r\n\
        x-a: 1\r\nX-A: 2\r\n\r\n";

    fn spelled(head: &str, like: &str) -> String {
        let mut spelled = head.as_bytes().to_vec();
        spell(&mut spelled, head.as_bytes(), like.as_bytes());
        String::from_utf8(spelled).unwrap()
    }

    #[test]
    fn names_are_spelled_as_they_came_in_whatever_order() {
        let head = "GET /host: HTTP/1.1\r\naccept: host: x\r\nx-a: 1\r\nx-a: 2\r\nvia: p\r\n\
            user-agent: b\r\nhost: a\r\n\r\nhost: is the body\r\n";
        assert_eq!(
            spelled(head, LIKE),
            "GET /host: HTTP/1.1\r\nAccept: host: x\r\nx-a: 1\r\nX-A: 2\r\nvia: p\r\n\
            user-Agent: b\r\nHOST: a\r\n\r\nhost: is the body\r\n"
        );
    }

    #[test]
    fn what_is_no_name_stays_as_it_is() {
        for head in [
            "",
            "\n",
            "GET",
            "GET / HTTP/1.1\r\n\r\n",
            "a\nhos",
            "a\nhostx: 1\n\n",
        ] {
            assert_eq!(spelled(head, LIKE), head);
        }
        for like in ["", "\n", "\n:", "GET\r\nhost", "GET\r\nhos: t\r\n\r\n"] {
            assert_eq!(
                spelled("G\r\nhost: a\r\n\r\n", like),
                "G\r\nhost: a\r\n\r\n"
            );
        }
    }

    #[test]
    fn the_head_behind_100_continue_is_spelled() {
        let like = "HTTP/1.1 200 OK\r\nServer: a\r\n\r\n";
        let both = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nserver: a\r\n\r\n";
        assert_eq!(spelled(both, like), both.replace("server", "Server"));
    }

    #[test]
    fn an_order_that_costs_much_is_given_up() {
        let field = |n| format!("x-{n}: 1\r\n");
        let fields: String = (0..1000).map(field).collect();
        let reversed: String = (0..1000).rev().map(field).collect();
        let like = format!("GET / HTTP/1.1\r\n{}\r\n", fields.to_uppercase());
        let spelled = spelled(&format!("GET / HTTP/1.1\r\n{reversed}\r\n"), &like);
        assert!(spelled.contains("X-999: 1") && spelled.contains("x-0: 1"));
    }

    /// Takes so many bytes at a time, from as many pieces as they come in.
    struct Narrow {
        most: usize,
        taken: Vec<u8>,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(buf)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            let n = all.len().min(self.most);
            self.taken.extend_from_slice(&all[..n]);
            Poll::Ready(Ok(n))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_head_is_written_piece_by_piece_and_then_what_follows() {
        let spelling = Spelling::default();
        spelling.add(LIKE.as_bytes());
        let (head, body) = (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"and its body");
        let whole = "GET / HTTP/1.1\r\nHOST: a\r\n\r\nand its body";
        // The first piece may have some of the body in it, as where hyper copies both into one.
        let in_one = [&head[..], body].concat();
        for pieces in [[&head[..], &body[..]], [&in_one[..], &[]]] {
            for most in 1..whole.len() + 1 {
                let mut stream = Narrow {
                    most,
                    taken: Vec::new(),
                };
                let mut spelled = SpelledHead::default();
                spelled.begin(pieces[0], &spelling);
                let [mut first, mut second] = pieces;
                let cx = &mut Context::from_waker(std::task::Waker::noop());
                while !first.is_empty() || !second.is_empty() {
                    let offered = [IoSlice::new(first), IoSlice::new(second)];
                    let offered = if first.is_empty() {
                        &offered[1..]
                    } else {
                        &offered[..]
                    };
                    let io = Pin::new(&mut stream);
                    let written = if spelled.is_written() {
                        io.poll_write_vectored(cx, offered)
                    } else {
                        spelled.poll_write(io, cx, offered)
                    };
                    let Poll::Ready(Ok(n)) = written else {
                        panic!("it takes what it is given")
                    };
                    let of_first = n.min(first.len());
                    (first, second) = (&first[of_first..], &second[n - of_first..]);
                }
                assert_eq!(str::from_utf8(&stream.taken), Ok(whole), "{most}");
            }
        }
    }
}
