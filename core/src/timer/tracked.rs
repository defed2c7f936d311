//! A client's stream that tells `Deadlines` when bytes move. It is what hyper reads from and writes
//! to.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::deadlines::Deadlines;

/// A stream that a client can be served on.
pub(crate) trait ClientStream: AsyncRead + AsyncWrite + Unpin {
    /// An error that the stream has met and not reported yet, such as a reset.
    fn take_error(&self) -> io::Result<Option<io::Error>>;
}

impl ClientStream for TcpStream {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Self::take_error(self)
    }
}

/// A client's stream whose activity is recorded.
///
/// A client may close its sending side after a request and still wait for the response (RFC 9112,
/// section 9.6 lets it). hyper takes that for a client that has left, so the end of the stream is
/// held back while an exchange is running that needs nothing more from the client.
#[derive(Debug)]
pub(crate) struct TrackedIo<S> {
    stream: S,
    deadlines: Rc<Deadlines>,
}

impl<S> TrackedIo<S> {
    pub(crate) fn new(stream: S, deadlines: Rc<Deadlines>) -> Self {
        Self { stream, deadlines }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: ClientStream> AsyncRead for TrackedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.deadlines.record_read();
            return Poll::Ready(Ok(()));
        }
        if !self.deadlines.holds_back_end() {
            return Poll::Ready(Ok(()));
        }
        // No event follows the end of the stream. `Deadlines` has the connection look here again
        // until it is over.
        match self.stream.take_error()? {
            Some(reset) => Poll::Ready(Err(reset)),
            None => Poll::Pending,
        }
    }
}

impl<S: ClientStream> AsyncWrite for TrackedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.deadlines.record_moved();
        Poll::Ready(Ok(n))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.deadlines.record_moved();
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes the stream when it holds nothing any more.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.deadlines.record_flushed() {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
