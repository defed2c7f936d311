//! The listening socket: accepts, and goes on whatever happens. Owned by the proxy; knows nothing of what connections are
//! for.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::StartError;

/// Long enough for descriptors or memory to come free, short enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(100);

/// A failure that lasts is reported this often.
const REPORT: Duration = Duration::from_secs(10);

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
}

/// A socket that accepts on the runtime of its caller.
#[derive(Debug)]
pub(crate) struct Accepting {
    socket: sys::Listener,
    reported: Option<Instant>,
}

impl Listener {
    /// Binds, and refuses an address that is in use. On Unix an address counts as free although connections of its last user
    /// have not quite ended.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let bind = || {
            let socket = std::net::TcpListener::bind(address)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind().map_err(|source| StartError::Bind { address, source })
    }

    /// With the port that the system chose, if it was asked to.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Must be called within a runtime.
    pub(crate) fn accepting(self) -> Result<Accepting, StartError> {
        let socket = sys::listen(self.socket).map_err(|source| StartError::System {
            action: "watch the listening socket".into(),
            source,
        })?;
        Ok(Accepting {
            socket,
            reported: None,
        })
    }
}

impl Accepting {
    /// The next connection, ready for another runtime.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match sys::accept(&self.socket).await {
                Ok((socket, peer)) => {
                    // Answers are written in one piece; what follows must not wait for an acknowledgement. It fails if the
                    // client is gone again, which its worker will see.
                    socket.set_nodelay(true).ok();
                    return (socket, peer);
                }
                // That client's trouble, not ours (accept(2)): the next one must not wait for it.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.report(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn report(&mut self, error: &io::Error) {
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT) {
            self.reported = Some(Instant::now());
            tracing::error!(
                %error,
                "cannot accept connections; will try again. If descriptors ran out, raise the limit of open files"
            );
        }
    }
}

/// Accepts without telling this runtime of the connection, which is served by another one.
#[cfg(unix)]
mod sys {
    use std::io;
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(super) type Listener = AsyncFd<TcpListener>;

    #[expect(
        unsafe_code,
        reason = "the safe way is deprecated for sockets that change or close"
    )]
    pub(super) fn listen(socket: TcpListener) -> io::Result<Listener> {
        // SAFETY: a `TcpListener` has the same open descriptor until it is dropped, and is not changed meanwhile.
        let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        registered.map_err(Into::into)
    }

    pub(super) async fn accept(listener: &Listener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.async_io(Interest::READABLE, accept_now).await
    }

    fn accept_now(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = listener.accept()?;
        socket.set_nonblocking(true)?;
        Ok((socket, peer))
    }
}

/// There is no such way elsewhere.
#[cfg(not(unix))]
mod sys {
    use std::io;
    use std::net::{SocketAddr, TcpStream};

    pub(super) use tokio::net::TcpListener as Listener;

    pub(super) fn listen(socket: std::net::TcpListener) -> io::Result<Listener> {
        Listener::from_std(socket)
    }

    pub(super) async fn accept(listener: &Listener) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = listener.accept().await?;
        Ok((socket.into_std()?, peer))
    }
}
