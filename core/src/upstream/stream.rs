//! What hyper reads from and writes to on the way to an origin: a TCP stream that counts what is
//! read, and lets an answer that has arrived be read although nothing can be written any more. Made
//! by `link`, which looks at its [`Gauge`].

use std::cell::Cell;
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What may be read before others on the worker have their turn. An origin that sends faster than
/// its bytes are worked off would hold the worker for ever.
const PER_TURN: usize = 256 * 1024;

/// What a link knows of its stream, which hyper has.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Bytes read since the last request was sent.
    read: Cell<usize>,
    /// The same in this turn of the task.
    read_in_turn: Cell<usize>,
    /// The next read asks the system itself.
    asks_system: Cell<bool>,
}

impl Gauge {
    /// A request is sent: what is read from now on answers it.
    pub(super) fn begin_request(&self) {
        self.read.set(0);
    }

    /// The task has its turn.
    pub(super) fn begin_turn(&self) {
        self.read_in_turn.set(0);
    }

    /// Bytes read since the last request was sent.
    pub(super) fn read(&self) -> usize {
        self.read.get()
    }

    /// Lets the next read ask the system. The runtime learns of a connection's end only between two
    /// turns of its tasks.
    pub(super) fn ask_system(&self) {
        self.asks_system.set(true);
    }
}

/// A stream to an origin.
#[derive(Debug)]
pub(super) struct OriginStream {
    stream: TcpStream,
    gauge: Rc<Gauge>,
    /// Nothing can be written any more.
    is_deaf: bool,
}

impl OriginStream {
    pub(super) fn new(stream: TcpStream) -> (Self, Rc<Gauge>) {
        let gauge = Rc::<Gauge>::default();
        let stream = Self {
            stream,
            gauge: gauge.clone(),
            is_deaf: false,
        };
        (stream, gauge)
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// An origin that has heard enough answers and closes its connection, and what is still being
    /// sent meets a reset (RFC 9112, section 9.6). What it has answered can be read all the same,
    /// and then the end. So a failed write waits for ever, and the read side tells how it ends.
    fn unless_deaf<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "the origin does not read any more");
                self.is_deaf = true;
                Poll::Pending
            }
            written => written,
        }
    }
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.gauge.read_in_turn.get() >= PER_TURN {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        if this.gauge.asks_system.take() {
            match (&*SockRef::from(&this.stream)).read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    buf.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let gauge = &this.gauge;
        gauge.read.set(gauge.read.get().saturating_add(read));
        gauge.read_in_turn.set(gauge.read_in_turn.get() + read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for OriginStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.unless_deaf(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.unless_deaf(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use super::*;
    use crate::upstream::dial;

    #[tokio::test]
    async fn a_stream_that_is_always_ready_lets_others_have_their_turn() {
        let origin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = dial::race(vec![origin.local_addr().unwrap()]).await;
        let (mut stream, gauge) = OriginStream::new(dialled.unwrap().stream);
        origin.accept().unwrap().0.write_all(b"more").unwrap();
        stream.stream.readable().await.unwrap();

        gauge.read_in_turn.set(PER_TURN);
        let mut bytes = [0; 8];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|cx| {
            let turn = Pin::new(&mut stream).poll_read(cx, &mut buffer);
            assert!(turn.is_pending());
            gauge.begin_turn();
            Pin::new(&mut stream).poll_read(cx, &mut buffer)
        })
        .await
        .unwrap();
        assert_eq!(buffer.filled(), b"more");
        assert_eq!(gauge.read(), 4);
    }
}
