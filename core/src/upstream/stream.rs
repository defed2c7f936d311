//! What hyper reads from and writes to on the way to an origin: a TCP stream that can be asked whether
//! it is still open. Made by `link`, which asks by its [`Gauge`].

use std::cell::Cell;
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What a link knows of its stream, which hyper has.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// The next read asks the system itself.
    asks_system: Cell<bool>,
}

impl Gauge {
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
}

impl OriginStream {
    pub(super) fn new(stream: TcpStream) -> (Self, Rc<Gauge>) {
        let gauge = Rc::<Gauge>::default();
        let stream = Self {
            stream,
            gauge: gauge.clone(),
        };
        (stream, gauge)
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.gauge.asks_system.take() {
            match (&*SockRef::from(&this.stream)).read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    buf.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for OriginStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
