//! A client's socket, of whichever kind its listener is. Made where a connection is accepted and
//! handed to the worker that serves it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::Socket;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::timer::ClientStream;
use crate::upstream::framing::give;

/// Which kind of socket a listener has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketKind {
    Tcp,
    #[cfg(unix)]
    Unix,
}

/// A socket that the runtime of its owner watches.
#[derive(Debug)]
pub(super) struct ClientSocket {
    stream: Stream,
    /// What comes before all else that is read.
    given_back: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// A socket on its way to another runtime.
#[derive(Debug)]
pub(super) struct Unwatched {
    socket: Socket,
    kind: SocketKind,
    given_back: Vec<u8>,
}

impl Unwatched {
    pub(super) fn new(socket: Socket, kind: SocketKind) -> Self {
        Self {
            socket,
            kind,
            given_back: Vec::new(),
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Must be called within a runtime.
    pub(super) fn watch(self) -> io::Result<ClientSocket> {
        let socket = self.socket;
        let stream = match self.kind {
            SocketKind::Tcp => TcpStream::from_std(socket.into()).map(Stream::Tcp),
            #[cfg(unix)]
            SocketKind::Unix => UnixStream::from_std(socket.into()).map(Stream::Unix),
        };
        Ok(ClientSocket {
            stream: stream?,
            given_back: self.given_back,
        })
    }
}

impl ClientSocket {
    /// Has what was read be read again.
    pub(super) fn give_back(&mut self, read: &[u8]) {
        self.given_back.splice(..0, read.iter().copied());
    }

    /// Has this runtime watch it no more.
    pub(super) fn unwatch(self) -> io::Result<Unwatched> {
        let (socket, kind) = match self.stream {
            Stream::Tcp(stream) => (stream.into_std()?.into(), SocketKind::Tcp),
            #[cfg(unix)]
            Stream::Unix(stream) => (stream.into_std()?.into(), SocketKind::Unix),
        };
        Ok(Unwatched {
            socket,
            kind,
            given_back: self.given_back,
        })
    }
}

/// Has the socket of either kind do the same.
macro_rules! each {
    ($socket:expr, $stream:ident => $what:expr) => {
        match $socket {
            Stream::Tcp($stream) => $what,
            #[cfg(unix)]
            Stream::Unix($stream) => $what,
        }
    };
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.given_back.is_empty() {
            give(&mut self.given_back, usize::MAX, buf);
            return Poll::Ready(Ok(()));
        }
        each!(&mut self.stream, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(&mut self.stream, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(&mut self.stream, stream => Pin::new(stream).poll_write_vectored(cx, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        each!(&self.stream, stream => stream.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.stream, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.stream, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

impl ClientStream for ClientSocket {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        each!(&self.stream, stream => stream.take_error())
    }
}
