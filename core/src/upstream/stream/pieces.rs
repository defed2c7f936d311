//! What a stream makes of a response that comes in pieces, in memory. For `fuzz`.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, duplex};

use super::OriginStream;
use crate::upstream::socket::OriginSocket;
use crate::upstream::spelling::Spellings;

/// What has come of all that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What hyper was given.
    given: Vec<u8>,
    /// Interim responses that were counted.
    interims: usize,
    /// The head of the response, as far as its end was found.
    spelled: Vec<u8>,
}

/// Sends the pieces, each when the one before it was read, and then closes the connection. A head
/// may have `head_size` bytes.
pub(crate) fn read(pieces: &[&[u8]], head_size: usize) -> Outcome {
    let all: usize = pieces.iter().map(|piece| piece.len()).sum();
    let (mut origin, near) = duplex(all.max(1));
    let (mut stream, gauge) = OriginStream::new(OriginSocket::Memory(near), head_size);
    let spellings = Rc::<Spellings>::default();
    gauge.begin_request(&spellings);
    let (mut given, mut room) = (Vec::new(), vec![0; all.max(1)]);
    for piece in pieces {
        let cx = &mut Context::from_waker(Waker::noop());
        let written = Pin::new(&mut origin).poll_write(cx, piece);
        assert!(matches!(written, Poll::Ready(Ok(n)) if n == piece.len()));
        drain(&mut stream, &mut room, &mut given);
    }
    drop(origin);
    drain(&mut stream, &mut room, &mut given);
    Outcome {
        given,
        interims: gauge.interims.get(),
        spelled: spellings.response.head().clone(),
    }
}

/// Reads what there is.
fn drain(stream: &mut OriginStream, room: &mut [u8], given: &mut Vec<u8>) {
    let cx = &mut Context::from_waker(Waker::noop());
    loop {
        stream.gauge.begin_turn();
        let mut buf = ReadBuf::new(room);
        let read = Pin::new(&mut *stream).poll_read(cx, &mut buf);
        if read.is_pending() || buf.filled().is_empty() {
            return;
        }
        given.extend_from_slice(buf.filled());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::stream::MAX_INTERIMS;

    #[test]
    fn no_more_interim_responses_are_mended_than_there_may_be() {
        let unsound = b"HTTP/1.1 103 a\nb :c\n\n";
        let sent = unsound.repeat((128 << 10) / unsound.len());
        let counted = MAX_INTERIMS + 1;
        let (mendable, rest) = sent.split_at(counted * unsound.len());
        let mended = b"HTTP/1.1 103 a\nb:c\n\n".repeat(counted);

        let whole = read(&[&sent], unsound.len());
        assert_eq!(whole.interims, counted);
        assert_eq!(whole.given.len(), mended.len() + rest.len());
        assert!(whole.given == [&mended[..], rest].concat());
        assert!(whole.spelled.is_empty());
        // However they come, and wherever the last one ends.
        for pieces in [sent.chunks(1000).collect::<Vec<_>>(), vec![mendable, rest]] {
            assert!(read(&pieces, unsound.len()) == whole);
        }
    }

    #[test]
    fn nothing_is_looked_at_behind_too_many_interim_responses() {
        let sound = b"HTTP/1.1 103 a\r\nB: c\r\n\r\n";
        let response = b"HTTP/1.1 200 OK\r\nD : e\r\n\r\nbody";
        for (interims, spelled) in [
            (MAX_INTERIMS, &b"HTTP/1.1 200 OK\r\nD: e\r\n\r\n"[..]),
            (MAX_INTERIMS + 1, &b""[..]),
        ] {
            let sent = [&sound.repeat(interims)[..], &response[..]].concat();
            let whole = read(&[&sent], response.len());
            assert_eq!((whole.interims, &whole.spelled[..]), (interims, spelled));
            let pieces: Vec<_> = sent.chunks(7).collect();
            assert!(read(&pieces, response.len()) == whole);
        }
    }

    #[test]
    fn a_head_may_be_as_large_behind_others_as_alone() {
        let interims = b"HTTP/1.1 103 a\nb :c\n\nHTTP/1.1 103 a\nb: c\n\n";
        let start = b"HTTP/1.1 200 OK\nA";
        // If that were the beginning of a head, it would be the one of an interim response.
        let end = b" :bcdefgh100\n\nHTTP/1.1 200 OK\nd :e\n\n";
        let head = b"HTTP/1.1 200 OK\nA:bcdefgh100\n\n";
        let first = [&interims[..], start].concat();

        let outcome = read(&[&first, end], head.len() + 1);
        assert_eq!(outcome.interims, 2);
        assert_eq!(text(&outcome.spelled), text(head));
        let given = b"HTTP/1.1 103 a\nb:c\n\nHTTP/1.1 103 a\nb: c\n\n\
            HTTP/1.1 200 OK\nA:bcdefgh100\n\nHTTP/1.1 200 OK\nd :e\n\n";
        assert_eq!(text(&outcome.given), text(given));
    }

    #[test]
    fn a_head_that_is_too_large_is_left_to_hyper() {
        let interim = b"HTTP/1.1 103 a\nb :c\n\n";
        let large = b"HTTP/1.1 200 OK\nb :c";
        let first = [&interim[..], large].concat();
        let outcome = read(&[&first, b"\n\n"], large.len() - 1);
        let given = b"HTTP/1.1 103 a\nb:c\n\nHTTP/1.1 200 OK\nb :c\n\n";
        assert_eq!(text(&outcome.given), text(given));
    }

    fn text(bytes: &[u8]) -> String {
        bytes.escape_ascii().to_string()
    }
}
