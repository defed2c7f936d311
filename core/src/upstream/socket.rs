//! The stream to an origin or a parent proxy: plain TCP, or TLS to a proxy that is reached by it.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::parent::MemberPermit;

/// The stream to an origin or a parent proxy. Those to proxies are counted for as long as they
/// live.
#[derive(Debug)]
pub(crate) enum OriginSocket {
    /// To the origin itself.
    Direct(TcpStream),
    /// To a proxy.
    Proxied {
        stream: TcpStream,
        _permit: MemberPermit,
    },
    /// To a proxy, in TLS.
    Enciphered {
        stream: Box<TlsStream<TcpStream>>,
        _permit: MemberPermit,
    },
    /// In memory.
    #[cfg(all(any(test, fuzzing), feature = "cli"))]
    Memory(tokio::io::DuplexStream),
}

impl OriginSocket {
    /// The socket, if what it holds is what is read.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Direct(stream) | Self::Proxied { stream, .. } => Some(stream),
            Self::Enciphered { .. } => None,
            #[cfg(all(any(test, fuzzing), feature = "cli"))]
            Self::Memory(_) => None,
        }
    }

    /// Where the connection comes from.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Direct(stream) | Self::Proxied { stream, .. } => stream.local_addr(),
            Self::Enciphered { stream, .. } => stream.get_ref().0.local_addr(),
            #[cfg(all(any(test, fuzzing), feature = "cli"))]
            Self::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Calls a method of the stream that there is.
macro_rules! on_stream {
    ($socket:expr, $stream:ident => $call:expr) => {
        match $socket.get_mut() {
            OriginSocket::Direct($stream) => $call,
            OriginSocket::Proxied {
                stream: $stream, ..
            } => $call,
            OriginSocket::Enciphered {
                stream: $stream, ..
            } => $call,
            #[cfg(all(any(test, fuzzing), feature = "cli"))]
            OriginSocket::Memory($stream) => $call,
        }
    };
}

impl AsyncRead for OriginSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for OriginSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    /// All of them take several pieces at a time.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
