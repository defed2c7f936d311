//! Bytes from one stream to another, through one buffer for a whole worker. Used by tunnels, and by
//! connections that are about to be closed; knows nothing of what the bytes mean.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::timer::Share;

/// Large enough that a busy tunnel moves large pieces.
const BUFFER_BYTES: usize = 64 * 1024;

/// A worker's buffer for bytes that pass through. One is enough, because it is empty again before a
/// task waits: a tunnel at rest holds no memory.
pub(crate) struct CopyBuffer(RefCell<Box<[u8]>>);

/// One direction of a tunnel.
#[derive(Debug)]
pub(crate) struct Direction {
    /// What was read and is not written yet.
    unwritten: Bytes,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Copying,
    /// The sender has ended; the receiver has to be told.
    Closing,
    Closed,
}

impl Direction {
    /// `early` is what the sender has already sent.
    pub(crate) fn new(early: Bytes) -> Self {
        Self {
            // A copy, so that the large buffer that it is part of can be given back.
            unwritten: Bytes::copy_from_slice(&early),
            state: State::Copying,
        }
    }

    /// Adds what the sender has sent and what was read elsewhere.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.unwritten = [&self.unwritten, more].concat().into();
    }

    /// Whether the receiver has taken all that was read.
    pub(crate) fn is_written(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Whether the sender has closed its sending side.
    pub(crate) fn has_ended(&self) -> bool {
        self.state != State::Copying
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }
}

/// A sender that is read elsewhere for now.
pub(crate) struct ReadElsewhere;

impl AsyncRead for ReadElsewhere {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl CopyBuffer {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice()))
    }

    /// Copies until `from` ends, then closes `to` in that direction. `moved` hears of each piece
    /// that is written. Each poll moves a share.
    pub(crate) fn poll_copy<R, W>(
        &self,
        direction: &mut Direction,
        from: &mut R,
        to: &mut W,
        cx: &mut Context<'_>,
        moved: impl Fn(u64),
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let share = Share::default();
        let moved = |bytes: u64| {
            share.add(bytes as usize);
            moved(bytes);
        };
        loop {
            ready!(share.poll(cx));
            while !direction.unwritten.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &direction.unwritten))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                direction.unwritten.advance(written);
                moved(written as u64);
            }
            direction.unwritten = Bytes::new();
            match direction.state {
                // TLS may have taken what the system has no room for yet. The sender may say
                // nothing more before that has arrived.
                State::Copying => ready!(Pin::new(&mut *to).poll_flush(cx))?,
                State::Closing => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    direction.state = State::Closed;
                    return Poll::Ready(Ok(()));
                }
                State::Closed => return Poll::Ready(Ok(())),
            }
            ready!(self.poll_piece(direction, from, to, cx, &moved))?;
        }
    }

    /// Reads one piece and writes what can be written of it at once. The rest is copied: the
    /// receiver is slow.
    fn poll_piece<R, W>(
        &self,
        direction: &mut Direction,
        from: &mut R,
        to: &mut W,
        cx: &mut Context<'_>,
        moved: &impl Fn(u64),
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = self.0.borrow_mut();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(from).poll_read(cx, &mut buffer))?;
        let data = buffer.filled();
        if data.is_empty() {
            direction.state = State::Closing;
            return Poll::Ready(Ok(()));
        }
        let written = match Pin::new(to).poll_write(cx, data) {
            Poll::Ready(written) => written?,
            Poll::Pending => 0,
        };
        moved(written as u64);
        direction.unwritten = Bytes::copy_from_slice(&data[written..]);
        Poll::Ready(Ok(()))
    }

    /// Adds to `held` what can be read now, so that it has at most `most` bytes. Returns how many
    /// bytes that was; 0 is the end of the stream.
    pub(crate) fn poll_hold(
        &self,
        held: &mut Vec<u8>,
        most: usize,
        from: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = self.0.borrow_mut();
        let room = most.saturating_sub(held.len()).min(buffer.len());
        let mut buffer = ReadBuf::new(&mut buffer[..room]);
        ready!(Pin::new(from).poll_read(cx, &mut buffer))?;
        held.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Reads a stream to its end, or this many bytes, and keeps nothing.
    pub(crate) async fn drain(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        most: u64,
    ) -> io::Result<()> {
        let mut left = most;
        poll_fn(|cx| {
            let mut buffer = self.0.borrow_mut();
            let share = Share::default();
            while left > 0 {
                ready!(share.poll(cx));
                let mut buffer = ReadBuf::new(&mut buffer);
                ready!(Pin::new(&mut *from).poll_read(cx, &mut buffer))?;
                let read = buffer.filled().len();
                if read == 0 {
                    break;
                }
                share.add(read);
                left = left.saturating_sub(read as u64);
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

impl fmt::Debug for CopyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyBuffer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, BufWriter, duplex, repeat, sink};

    use super::*;

    #[tokio::test]
    async fn a_receiver_holds_nothing_back_while_the_sender_waits_for_an_answer() {
        let (mut sender, mut from) = duplex(64);
        let (to, _receiver) = duplex(64);
        // It keeps what it takes until it is flushed, as TLS does where the system has no room.
        let mut to = BufWriter::new(to);
        sender.write_all(b"a question").await.unwrap();
        let buffer = CopyBuffer::new();
        let mut direction = Direction::new(Bytes::new());
        poll_fn(|cx| {
            let copied = buffer.poll_copy(&mut direction, &mut from, &mut to, cx, |_| ());
            assert!(copied.is_pending(), "the sender has not ended");
            Poll::Ready(())
        })
        .await;
        assert_eq!(to.buffer(), b"");
        assert!(direction.is_written());
    }

    #[tokio::test]
    async fn streams_that_are_always_ready_let_others_have_their_turn() {
        let buffer = CopyBuffer::new();
        let mut direction = Direction::new(Bytes::new());
        let mut turns = 0;
        let moved = std::cell::Cell::new(0);
        poll_fn(|cx| {
            turns += 1;
            let add = |bytes| moved.set(moved.get() + bytes);
            let copied = buffer.poll_copy(&mut direction, &mut repeat(0), &mut sink(), cx, add);
            assert!(copied.is_pending(), "neither side ends");
            // It has to be woken by itself.
            if turns < 3 {
                copied
            } else {
                Poll::Ready(Ok(()))
            }
        })
        .await
        .unwrap();
        assert!((100_000..1_000_000).contains(&moved.get()), "{moved:?}");
    }

    #[tokio::test]
    async fn a_stream_without_end_is_read_as_far_as_it_should_be() {
        let mut endless = repeat(0);
        CopyBuffer::new()
            .drain(&mut endless, 10_000_000)
            .await
            .unwrap();
    }
}
