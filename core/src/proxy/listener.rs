//! The listening socket: accepts, and goes on whatever happens. Owned by the proxy; knows nothing of what connections are
//! for.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
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
    socket: TcpListener,
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
        let socket = TcpListener::from_std(self.socket).map_err(|source| StartError::System {
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
    pub(crate) async fn accept(&mut self) -> (std::net::TcpStream, SocketAddr) {
        loop {
            let accepted = async {
                let (socket, peer) = self.socket.accept().await?;
                // Answers are written in one piece; what follows must not wait for an acknowledgement. It fails if the client
                // is gone again, which its worker will see.
                socket.set_nodelay(true).ok();
                Ok::<_, std::io::Error>((socket.into_std()?, peer))
            };
            match accepted.await {
                Ok(accepted) => return accepted,
                // That client's trouble, not ours (accept(2)): the next one must not wait for it.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.report(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn report(&mut self, error: &std::io::Error) {
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT) {
            self.reported = Some(Instant::now());
            tracing::error!(
                %error,
                "cannot accept connections; will try again. If descriptors ran out, raise the limit of open files"
            );
        }
    }
}
