//! Accepts on every listener, whatever happens, and turns away clients for whom there is no room.
//! Run by `proxy`; knows nothing of what connections are for.

mod report;
#[cfg_attr(unix, path = "accepting/unix.rs")]
#[cfg_attr(not(unix), path = "accepting/elsewhere.rs")]
mod sys;

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::Socket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::announce::{Announcement, Announcing};
use super::capacity::Capacity;
use super::listener::{Listener, SocketFile};
use super::socket::{SocketKind, Unwatched};
use super::turn_away::TurnedAway;
use crate::config::{self, Config, is_loopback};
use crate::downstream::per_client::{Clients, ConnectionPermit};
use crate::downstream::session::{Admission, Arrival, Ingress};
use crate::downstream::unserved::{Unserved, UnservedCounts};
use crate::error::{Error, StartError};
use crate::log::Throttle;

/// Long enough for descriptors or memory to come free, short enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(100);

/// Time between two log lines about the same condition while it lasts.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

const NO_ROOM: Error = Error::NoRoom("the proxy has as many connections as it can serve");

/// Sockets that accept on the runtime of their caller.
#[derive(Debug)]
pub(super) struct Accepting {
    listeners: Vec<Watched>,
    announcing: Announcing,
    header_timeout: Duration,
    /// The listener that is looked at first.
    turn: usize,
    permits: Arc<Semaphore>,
    capacity: Capacity,
    allowed: config::Clients,
    refusals: Arc<Semaphore>,
    /// How many clients were not allowed so far.
    refused: u64,
    clients: Clients,
    turned_away: TurnedAway,
    pub(super) unserved: UnservedCounts,
    log: Throttle,
}

/// A client's socket, and its address if it has one.
type Incoming = io::Result<(Socket, Option<SocketAddr>)>;

/// A listener that the runtime watches.
#[derive(Debug)]
struct Watched {
    /// Is dropped first: while the socket is open, no other file can have its number.
    _file: Option<SocketFile>,
    socket: sys::Listener,
    kind: SocketKind,
    settings: config::Listener,
    /// Its name, for the log.
    label: Arc<str>,
}

/// What has happened at the listeners.
enum Event {
    /// A client has connected to this listener.
    Incoming(usize, Incoming),
    Announced(Announcement),
}

/// What accepting has led to.
#[derive(Debug)]
pub(super) enum Accept {
    Connection(Accepted),
    /// There are no descriptors or there is no memory for more connections.
    Exhausted,
}

/// A connection that is ready for another runtime.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) socket: Unwatched,
    pub(super) arrival: Arrival,
    pub(super) admission: Admission,
    /// Counts the connection for as long as this is kept.
    pub(super) permit: ConnectionPermit,
}

impl Accepting {
    /// Accepts as many connections as there is room for, and refuses clients that `[clients]` does
    /// not name. A load balancer has `[limits] request_head` to say whose connection it is. Must be
    /// called within a runtime.
    pub(super) fn new(
        listeners: Vec<Listener>,
        capacity: Capacity,
        config: &Config,
        unserved: UnservedCounts,
    ) -> Result<Self, StartError> {
        let listeners = listeners.into_iter().map(Watched::open);
        let most = capacity.connections.min(Semaphore::MAX_PERMITS);
        Ok(Self {
            listeners: listeners.collect::<Result<_, _>>()?,
            announcing: Announcing::default(),
            header_timeout: config.limits.request_head,
            turn: 0,
            permits: Arc::new(Semaphore::new(most)),
            allowed: config.clients.clone(),
            refusals: Arc::new(Semaphore::new(capacity.refused)),
            refused: 0,
            clients: Clients::default(),
            turned_away: TurnedAway::new(capacity.turned_away),
            unserved,
            capacity,
            log: Throttle::new(REPORT_INTERVAL, 3),
        })
    }

    /// The next connection. Clients for whom there is no room are told so.
    pub(super) async fn accept(&mut self) -> Accept {
        loop {
            let (listener, incoming) = match poll_fn(|cx| self.poll(cx)).await {
                Event::Announced(announcement) => match self.let_announced_in(announcement) {
                    Some(accepted) => return Accept::Connection(accepted),
                    None => continue,
                },
                Event::Incoming(listener, incoming) => (listener, incoming),
            };
            let (socket, client) = match incoming {
                Ok(incoming) => incoming,
                // That client's trouble, not ours (accept(2)): the next one must not wait for it.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    self.report(&error);
                    sleep(PAUSE).await;
                    return Accept::Exhausted;
                }
            };
            let Watched { kind, settings, .. } = &self.listeners[listener];
            // Answers are written in one piece; what follows must not wait for an acknowledgement.
            // It fails if the client is gone again, which its worker will see.
            if *kind == SocketKind::Tcp {
                socket.set_tcp_nodelay(true).ok();
            }
            let socket = Unwatched::new(socket, *kind);
            let arrival = Arrival {
                listener,
                client,
                ingress: Ingress::Direct,
                at: Instant::now(),
            };
            if settings.proxy_protocol.is_some() {
                self.await_header(socket, arrival);
            } else if let Some(accepted) = self.let_in(socket, arrival, None) {
                return Accept::Connection(accepted);
            }
        }
    }

    /// Looks at all listeners in turn, so that one with many clients does not keep those of another
    /// waiting.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(announcement) = self.announcing.poll(cx) {
            return Poll::Ready(Event::Announced(announcement));
        }
        let count = self.listeners.len();
        for listener in (self.turn..count).chain(0..self.turn) {
            if let Poll::Ready(incoming) = sys::poll_accept(&self.listeners[listener].socket, cx) {
                self.turn = (listener + 1) % count;
                return Poll::Ready(Event::Incoming(listener, incoming));
            }
        }
        Poll::Pending
    }

    /// Waits for what a load balancer says about its client. One that is not trusted is closed
    /// unread.
    fn await_header(&mut self, socket: Unwatched, arrival: Arrival) {
        let listener = &self.listeners[arrival.listener].settings;
        if !listener.trusts(arrival.ip()) {
            self.report_untrusted(&arrival);
            return;
        }
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            self.report_full();
            self.turned_away.answer(socket, &NO_ROOM);
            return;
        };
        // A client whose socket cannot be watched is closed.
        if let Ok(socket) = socket.watch() {
            let end = arrival.at + self.header_timeout;
            self.announcing.wait(socket, arrival, permit, end);
        }
    }

    fn let_announced_in(&mut self, announcement: Announcement) -> Option<Accepted> {
        let Announcement {
            arrival: balancer,
            permit,
            outcome,
        } = announcement;
        match outcome {
            Ok((socket, arrival)) => self.let_in(socket.unwatch().ok()?, arrival, Some(permit)),
            Err(why) => {
                self.report_unannounced(&balancer, &why);
                None
            }
        }
    }

    /// Finds room for a connection, unless it has some already. None if there is none, and the
    /// client is told so.
    fn let_in(
        &mut self,
        socket: Unwatched,
        arrival: Arrival,
        held: Option<OwnedSemaphorePermit>,
    ) -> Option<Accepted> {
        let admission = self.admission(&arrival);
        match self.permit(&arrival, admission, held) {
            Ok(permit) => Some(Accepted {
                socket,
                arrival,
                admission,
                permit,
            }),
            Err(why) => {
                self.turned_away.answer(socket, &why);
                None
            }
        }
    }

    fn admission(&mut self, arrival: &Arrival) -> Admission {
        let listener = &self.listeners[arrival.listener].settings;
        if self.allowed.admit(listener, arrival.ip()) {
            return Admission::Allowed;
        }
        // The proxy asks itself whether it is well, and its address need not be allowed.
        if !self.is_on_this_machine(arrival) {
            self.refused += 1;
            self.report_refused(arrival);
        }
        Admission::Refused
    }

    fn is_on_this_machine(&self, arrival: &Arrival) -> bool {
        let address = &self.listeners[arrival.listener].settings.address;
        let is_own = |ip| is_loopback(ip) || Some(ip) == address.ip();
        // Where a balancer's header is needed, the proxy sends one for itself.
        arrival.ingress != Ingress::Announced && arrival.ip().is_none_or(is_own)
    }

    /// Room for a connection, or why there is none.
    fn permit(
        &self,
        arrival: &Arrival,
        admission: Admission,
        held: Option<OwnedSemaphorePermit>,
    ) -> Result<ConnectionPermit, Error> {
        if admission == Admission::Refused && !self.is_on_this_machine(arrival) {
            let permit = self.refusals.clone().try_acquire_owned();
            let permit = permit.map_err(|_| {
                self.unserved.add(Unserved::NotAllowed);
                Error::ClientNotAllowed
            })?;
            return Ok(ConnectionPermit::new(permit, None));
        }
        let most = self
            .capacity
            .per_client(&self.listeners[arrival.listener].settings);
        let of_client = match (most, arrival.ip()) {
            (Some(most), Some(ip)) => match self.clients.permit(ip, most) {
                Some(permit) => Some(permit),
                None => {
                    self.report_client(ip, most);
                    return Err(Error::NoRoom(
                        "this client has as many connections as it may",
                    ));
                }
            },
            // Clients of a Unix socket cannot be told apart.
            _ => None,
        };
        let free = || self.permits.clone().try_acquire_owned().ok();
        let Some(of_all) = held.or_else(free) else {
            self.report_full();
            return Err(NO_ROOM);
        };
        Ok(ConnectionPermit::new(of_all, of_client))
    }
}

impl Watched {
    fn open(listener: Listener) -> Result<Self, StartError> {
        let Listener {
            _file,
            socket,
            kind,
            named,
        } = listener;
        let socket = sys::listen(socket).map_err(|source| StartError::System {
            action: "watch the listening socket".into(),
            source,
        })?;
        Ok(Self {
            _file,
            socket,
            kind,
            label: named.label(),
            settings: named.settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NamedListener;

    /// Accepts on a free port of this machine, with these settings.
    fn accepting(capacity: Capacity, clients: config::Clients) -> Accepting {
        let config = Config {
            clients,
            ..Config::default()
        };
        let listener = NamedListener::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listeners = Listener::bind_all(vec![listener]).unwrap();
        Accepting::new(listeners, capacity, &config, UnservedCounts::default()).unwrap()
    }

    #[tokio::test]
    async fn clients_that_are_not_allowed_take_no_room_from_others() {
        let capacity = Capacity {
            connections: 1,
            ..Capacity::new(&config::Limits::default(), 1, None)
        };
        let allowed = config::Clients::new(["192.0.2.0/24".parse().unwrap()]);
        let mut accepting = accepting(capacity, allowed);
        let mut come = |address: &str| {
            let arrival = Arrival::direct(SocketAddr::new(address.parse().unwrap(), 1));
            let admission = accepting.admission(&arrival);
            (admission, accepting.permit(&arrival, admission, None))
        };
        let refused: Vec<_> = (0..capacity.refused)
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
        assert_eq!(accepting.refused, 1 + capacity.refused as u64);
    }

    #[tokio::test]
    async fn a_client_that_is_gone_before_it_is_served_is_known_all_the_same() {
        let capacity = Capacity::new(&config::Limits::default(), 1, None);
        let mut accepting = accepting(capacity, config::Clients::default());
        let address = accepting.listeners[0].settings.address.socket().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a client outside of the proxy")]
        let client = std::net::TcpStream::connect(address).unwrap();
        let own = client.local_addr().unwrap();
        // Closing resets the connection then.
        socket2::SockRef::from(&client)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(client);
        let Accept::Connection(accepted) = accepting.accept().await else {
            panic!("there is room")
        };
        assert_eq!(accepted.arrival.client, Some(own));
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn the_system_takes_little_for_a_client_that_reads_slowly() {
        let capacity = Capacity::new(&config::Limits::default(), 1, None);
        let mut accepting = accepting(capacity, config::Clients::default());
        let address = accepting.listeners[0].settings.address.socket().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a client outside of the proxy")]
        let _client = std::net::TcpStream::connect(address).unwrap();
        let Accept::Connection(accepted) = accepting.accept().await else {
            panic!("there is room")
        };
        let unsent = socket2::SockRef::from(accepted.socket.socket()).tcp_notsent_lowat();
        assert_eq!(unsent.unwrap(), crate::proxy::listener::UNSENT);
    }
}
