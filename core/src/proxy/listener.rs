//! The listening socket: accepts, whatever happens, as long as there are not too many connections.
//! Owned by the proxy; knows nothing of what connections are for.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use crate::error::StartError;
use crate::log::Throttle;

/// Long enough for descriptors or memory to come free, short enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(100);

/// Time between two log lines about the same condition while it lasts.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

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
    permits: Arc<Semaphore>,
    limit: usize,
    log: Throttle,
}

/// A connection that is ready for another runtime.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    /// The client's address.
    pub(crate) peer: SocketAddr,
    /// Counts the connection for as long as this is kept.
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Listener {
    /// Binds, and refuses an address that is in use. On Unix an address counts as free although
    /// connections of its last user have not quite ended.
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

    /// Accepts as long as there are fewer than `limit` connections. Must be called within a
    /// runtime.
    pub(crate) fn accepting(self, limit: usize) -> Result<Accepting, StartError> {
        let socket = sys::listen(self.socket).map_err(|source| StartError::System {
            action: "watch the listening socket".into(),
            source,
        })?;
        Ok(Accepting {
            socket,
            permits: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            limit,
            log: Throttle::new(REPORT_INTERVAL, 2),
        })
    }
}

impl Accepting {
    /// The next connection. While there are as many as there may be, further ones wait in the
    /// system's queue.
    pub(crate) async fn accept(&mut self) -> Accepted {
        let permit = self.permit().await;
        loop {
            match sys::accept(&self.socket).await {
                Ok((socket, peer)) => {
                    // Answers are written in one piece; what follows must not wait for an
                    // acknowledgement. It fails if the client is gone again, which its worker will
                    // see.
                    socket.set_nodelay(true).ok();
                    return Accepted {
                        socket,
                        peer,
                        permit,
                    };
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

    async fn permit(&mut self) -> OwnedSemaphorePermit {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return permit;
        }
        if self.log.admit("full").is_some() {
            tracing::warn!(
                connections = self.limit,
                "as many connections are open as may be; new ones wait until one ends. If clients need more, raise \
                 [limits] connections"
            );
        }
        let permit = self.permits.clone().acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    fn report(&self, error: &io::Error) {
        if self.log.admit("failing").is_some() {
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
        // SAFETY: a `TcpListener` has the same open descriptor until it is dropped, and is not
        // changed meanwhile.
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
