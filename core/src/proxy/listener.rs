//! The listening socket: accepts, whatever happens, and turns away clients for whom there is no
//! room. Owned by the proxy; knows nothing of what connections are for.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::capacity::Capacity;
use super::per_client::{ClientPermit, Clients};
use super::turn_away::TurnedAway;
use crate::config;
use crate::downstream::session::Admission;
use crate::error::{Error, StartError};
use crate::log::Throttle;

/// Long enough for descriptors or memory to come free, short enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(100);

/// What the system takes from the proxy for a client and has not sent yet, in bytes. By itself it
/// takes megabytes for a client that reads slowly: copying them delays others, and they are lost
/// when the client goes away.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// Time between two log lines about the same condition while it lasts.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How many clients that are not allowed are read and answered as clients are, with an access line
/// each. They take no room from others. Those on top of that are answered unread.
const REFUSED_AT_A_TIME: usize = 64;

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
    address: SocketAddr,
    permits: Arc<Semaphore>,
    capacity: Capacity,
    allowed: config::Clients,
    refusals: Arc<Semaphore>,
    /// How many clients were not allowed so far.
    refused: u64,
    clients: Clients,
    turned_away: TurnedAway,
    log: Throttle,
}

/// What accepting has led to.
#[derive(Debug)]
pub(crate) enum Accept {
    Connection(Accepted),
    /// There are no descriptors or there is no memory for more connections.
    Exhausted,
}

/// A connection that is ready for another runtime.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    /// The client's address.
    pub(crate) peer: SocketAddr,
    pub(crate) admission: Admission,
    /// Counts the connection for as long as this is kept.
    pub(crate) permit: Permit,
}

/// Room for a connection, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _of_all: OwnedSemaphorePermit,
    _of_client: Option<ClientPermit>,
}

impl Permit {
    pub(super) fn of_all(permit: OwnedSemaphorePermit) -> Self {
        Self {
            _of_all: permit,
            _of_client: None,
        }
    }
}

impl Listener {
    /// Binds, and refuses an address that is in use. On Unix an address counts as free although
    /// connections of its last user have not quite ended. The system's limit bounds the queue of
    /// connections that wait to be accepted.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let bind = || {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            #[cfg(unix)]
            socket.set_reuse_address(true)?;
            // Connections have it from the socket that accepts them.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT) {
                tracing::debug!(%error, "the system may take a lot for slow readers");
            }
            socket.bind(&address.into())?;
            socket.listen(i32::MAX)?;
            socket.set_nonblocking(true)?;
            let socket = std::net::TcpListener::from(socket);
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind().map_err(|source| StartError::Bind { address, source })
    }

    /// One that listens already.
    pub(crate) fn of(socket: std::net::TcpListener) -> Result<Self, StartError> {
        let prepared = || {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
            socket.set_nonblocking(true)?;
            socket.local_addr()
        };
        let address = prepared().map_err(|source| StartError::System {
            action: "use the listening socket".into(),
            source,
        })?;
        Ok(Self { socket, address })
    }

    /// With the port that the system chose, if it was asked to.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts as many connections as there is room for, and refuses clients that are not
    /// `allowed`. Must be called within a runtime.
    pub(crate) fn accepting(
        self,
        capacity: Capacity,
        allowed: config::Clients,
    ) -> Result<Accepting, StartError> {
        let socket = sys::listen(self.socket).map_err(|source| StartError::System {
            action: "watch the listening socket".into(),
            source,
        })?;
        let most = capacity.connections.min(Semaphore::MAX_PERMITS);
        Ok(Accepting {
            socket,
            address: self.address,
            permits: Arc::new(Semaphore::new(most)),
            allowed,
            refusals: Arc::new(Semaphore::new(REFUSED_AT_A_TIME)),
            refused: 0,
            clients: Clients::default(),
            turned_away: TurnedAway::default(),
            capacity,
            log: Throttle::new(REPORT_INTERVAL, 3),
        })
    }
}

impl Accepting {
    /// The next connection. Clients for whom there is no room are told so.
    pub(crate) async fn accept(&mut self) -> Accept {
        loop {
            let (socket, peer) = match sys::accept(&self.socket).await {
                Ok(accepted) => accepted,
                // That client's trouble, not ours (accept(2)): the next one must not wait for it.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    self.report(&error);
                    sleep(PAUSE).await;
                    return Accept::Exhausted;
                }
            };
            // Answers are written in one piece; what follows must not wait for an acknowledgement.
            // It fails if the client is gone again, which its worker will see.
            socket.set_nodelay(true).ok();
            let admission = self.admission(peer);
            match self.permit(peer, admission) {
                Ok(permit) => {
                    return Accept::Connection(Accepted {
                        socket,
                        peer,
                        admission,
                        permit,
                    });
                }
                Err(why) => self.turned_away.answer(socket, &why),
            }
        }
    }

    fn admission(&mut self, peer: SocketAddr) -> Admission {
        if self.allowed.admit(peer.ip()) {
            return Admission::Allowed;
        }
        // The proxy asks itself whether it is well, and its address need not be allowed.
        if !self.is_on_this_machine(peer) {
            self.refused += 1;
            self.report_refused(peer);
        }
        Admission::Refused
    }

    fn is_on_this_machine(&self, peer: SocketAddr) -> bool {
        config::is_loopback(peer) || peer.ip() == self.address.ip()
    }

    /// Room for a connection from `peer`, or why there is none.
    fn permit(&mut self, peer: SocketAddr, admission: Admission) -> Result<Permit, Error> {
        if admission == Admission::Refused && !self.is_on_this_machine(peer) {
            let permit = self.refusals.clone().try_acquire_owned();
            let permit = permit.map_err(|_| Error::ClientNotAllowed)?;
            return Ok(Permit::of_all(permit));
        }
        let of_client = match self.capacity.per_client {
            None => None,
            Some(most) => match self.clients.permit(peer, most) {
                Some(permit) => Some(permit),
                None => {
                    self.report_client(peer, most);
                    return Err(Error::NoRoom(
                        "this client has as many connections as it may",
                    ));
                }
            },
        };
        let Ok(of_all) = self.permits.clone().try_acquire_owned() else {
            self.report_full();
            return Err(Error::NoRoom(
                "the proxy has as many connections as it can serve",
            ));
        };
        Ok(Permit {
            _of_all: of_all,
            _of_client: of_client,
        })
    }

    fn report_refused(&self, peer: SocketAddr) {
        if let Some(suppressed) = self.log.admit("refused") {
            tracing::info!(
                client = %peer.ip().to_canonical(),
                refused = self.refused,
                suppressed,
                "a client that [clients] allow does not name was refused; add its network if it should be served"
            );
        }
    }

    fn report_full(&self) {
        if let Some(suppressed) = self.log.admit("full") {
            tracing::warn!(
                connections = self.capacity.connections,
                suppressed,
                "as many connections are open as may be; further clients are answered with 503. If clients need more, \
                 raise [limits] connections and the limit of open files"
            );
        }
    }

    fn report_client(&self, peer: SocketAddr, most: usize) {
        if let Some(suppressed) = self.log.admit("client") {
            tracing::warn!(
                client = %peer.ip().to_canonical(),
                connections = most,
                suppressed,
                "a client has as many connections as it may; further ones of it are answered with 503. If it needs more, \
                 raise [limits] connections_per_client"
            );
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clients_that_are_not_allowed_take_no_room_from_others() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let capacity = Capacity {
            connections: 1,
            ..Capacity::new(&config::Limits::default(), 1, None, true)
        };
        let allowed = config::Clients::new(["192.0.2.0/24".parse().unwrap()]);
        let mut accepting = listener.accepting(capacity, allowed).unwrap();
        let mut come = |address: &str| {
            let peer = SocketAddr::new(address.parse().unwrap(), 1);
            let admission = accepting.admission(peer);
            (admission, accepting.permit(peer, admission))
        };
        let refused: Vec<_> = (0..REFUSED_AT_A_TIME)
            .map(|_| come("198.51.100.1"))
            .collect();
        let is_read = |(admission, permit): &(_, Result<_, _>)| {
            *admission == Admission::Refused && permit.is_ok()
        };
        assert!(refused.iter().all(is_read));
        assert!(matches!(
            come("198.51.100.2").1,
            Err(Error::ClientNotAllowed)
        ));
        // This machine's own are read all the same: the proxy asks itself whether it is well.
        let (_, own) = come("127.0.0.1");
        assert!(own.is_ok());
        drop(own);
        let (admission, served) = come("::ffff:192.0.2.1");
        assert!(admission == Admission::Allowed && served.is_ok());
        assert!(matches!(come("192.0.2.2").1, Err(Error::NoRoom(_))));
        assert_eq!(accepting.refused, 1 + REFUSED_AT_A_TIME as u64);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn the_system_takes_little_for_a_client_that_reads_slowly() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr();
        let capacity = Capacity::new(&config::Limits::default(), 1, None, true);
        let allowed = config::Clients::default();
        let mut accepting = listener.accepting(capacity, allowed).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a client outside of the proxy")]
        let _client = TcpStream::connect(address).unwrap();
        let Accept::Connection(accepted) = accepting.accept().await else {
            panic!("there is room")
        };
        let unsent = socket2::SockRef::from(&accepted.socket).tcp_notsent_lowat();
        assert_eq!(unsent.unwrap(), UNSENT);
    }
}
