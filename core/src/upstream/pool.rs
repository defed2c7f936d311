//! Idle connections to origins, for the next request of the same worker. Filled by finished
//! responses, emptied by `upstream`; bounded in number and time. Those on which a client has logged
//! in are that client's own (`logins`), and count as well.

pub(super) mod logins;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use hashbrown::HashMap;
use tokio::time::Instant;

use self::logins::Owned;
use super::connection::{Keeper, UpstreamConnection};
use super::route::Route;

/// Time between two sweeps at the idle connections.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How many sweeps a connection outlasts. Common servers keep theirs for 60 to 75 s; to be first
/// spares both sides a failed request.
const MAX_SWEEPS: u32 = 5;

/// How long a connection must have rested for a request that cannot be repeated. An origin that
/// does not keep it closes it right after its response.
const LEAST_REST: Duration = Duration::from_millis(20);

/// How long it may have rested for such a request. Servers close connections after 2 s and more
/// without a word, and the request must not meet that on its way.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// For one route. A page seldom has more requests in flight to one host.
const PER_ROUTE: usize = 64;

/// A worker's idle connections.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Rc<Route>, Vec<Idle>>>,
    total: Cell<usize>,
    /// Those of clients that have logged in on them.
    owned: Owned,
    /// For all routes and clients.
    most: usize,
    closed: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<UpstreamConnection>,
    since: Instant,
    sweeps: u32,
}

impl Pool {
    /// A pool that keeps so many connections.
    pub(super) fn new(most: usize) -> Self {
        Self {
            idle: RefCell::default(),
            total: Cell::new(0),
            owned: Owned::default(),
            most,
            closed: Cell::new(false),
        }
    }

    /// The connection of `route` that was used last: it is the least likely to be closed by now.
    pub(super) fn take(&self, route: &Route) -> Option<Box<UpstreamConnection>> {
        let mut idle = self.idle.borrow_mut();
        let found = idle.get_mut(route)?.pop()?;
        self.total.set(self.total.get() - 1);
        Some(found.connection)
    }

    /// A connection of `route` for a request that cannot be repeated: one that its origin has
    /// neither closed nor is likely to close now.
    pub(super) fn take_steady(&self, route: &Route) -> Option<Box<UpstreamConnection>> {
        let mut idle = self.idle.borrow_mut();
        let connections = idle.get_mut(route)?;
        loop {
            let place = connections
                .iter()
                .position(|idle| (LEAST_REST..LONGEST_REST).contains(&idle.since.elapsed()))?;
            let mut connection = connections.remove(place).connection;
            self.total.set(self.total.get() - 1);
            if connection.is_open() {
                return Some(connection);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.total.get() + self.owned.len() >= self.most
    }

    /// Has room for another connection on which a client has logged in; half of all may be such.
    /// False if none is kept any more.
    fn make_room_for_login(&self) -> bool {
        if self.closed.get() {
            return false;
        }
        if self.owned.len() >= self.most.div_ceil(2) {
            self.owned.evict_oldest();
        } else if self.is_full() {
            self.evict_oldest();
        }
        true
    }

    /// Drops the connection that has rested longest. There are a few hundred to compare at most.
    fn evict_oldest(&self) {
        let mut idle = self.idle.borrow_mut();
        // The connections of a route stand in the order of their age.
        let oldest = idle
            .values_mut()
            .filter(|connections| !connections.is_empty())
            .min_by_key(|connections| connections[0].since);
        if let Some(connections) = oldest {
            connections.remove(0);
            self.total.set(self.total.get() - 1);
        }
    }

    /// Drops what is too old or was closed by its origin. Called every [`SWEEP_INTERVAL`].
    pub(super) fn evict_idle(&self) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|_, connections| {
            connections.retain_mut(|idle| {
                idle.connection
                    .drive(&mut Context::from_waker(Waker::noop()));
                idle.sweeps += 1;
                idle.connection.is_idle() && idle.sweeps <= MAX_SWEEPS
            });
            !connections.is_empty()
        });
        self.total.set(idle.values().map(Vec::len).sum());
        self.owned.evict_closed();
    }

    /// Drops all connections.
    pub(super) fn clear(&self) {
        self.idle.borrow_mut().clear();
        self.total.set(0);
        self.owned.clear();
    }

    /// Drops all connections and takes no more.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.clear();
    }
}

impl Keeper for Pool {
    /// Keeps a connection for later. If there are enough, the one that has rested longest goes: a
    /// client that fills the pool cannot keep others from it.
    fn put(&self, connection: Box<UpstreamConnection>) {
        if self.closed.get() {
            return;
        }
        if self.is_full() {
            self.evict_oldest();
        }
        let mut idle = self.idle.borrow_mut();
        let connections = match idle.get_mut(connection.route()) {
            Some(connections) => connections,
            None => idle.entry(connection.route().clone()).or_default(),
        };
        if connections.len() == PER_ROUTE {
            connections.remove(0);
            self.total.set(self.total.get() - 1);
        }
        connections.push(Idle {
            connection,
            since: Instant::now(),
            sweeps: 0,
        });
        self.total.set(self.total.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use tokio::time::advance;

    use super::*;
    use crate::target::Target;
    use crate::upstream::dial;
    use crate::upstream::route::Scheme;

    /// A connection to an origin, and the origin's end of it.
    pub(super) async fn connection(
        origin: &TcpListener,
        host: &str,
    ) -> (Box<UpstreamConnection>, TcpStream) {
        let address: SocketAddr = origin.local_addr().unwrap();
        let target = Target::new(host, address.port()).unwrap();
        let route = Rc::new(Route::direct(Rc::new(target), Scheme::Http));
        let connected = dial::connect(address).await.unwrap().into();
        let served = origin.accept().unwrap().0;
        (
            UpstreamConnection::open(route, connected, 1 << 16)
                .await
                .unwrap(),
            served,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_pool_takes_a_new_connection_in_place_of_the_oldest() {
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        let pool = Pool::new(2);
        let mut served = Vec::new();
        let mut routes = Vec::new();
        for host in ["a.example", "a.example", "b.example", "c.example"] {
            let (connection, end) = connection(&origin, host).await;
            served.push(end);
            routes.push(connection.route().clone());
            pool.put(connection);
            advance(LEAST_REST).await;
        }
        assert_eq!(pool.total.get(), 2);
        assert!(pool.take(&routes[0]).is_none());
        assert!(pool.take(&routes[2]).is_some());
        assert!(pool.take(&routes[3]).is_some());
        assert_eq!(pool.total.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_cannot_be_repeated_gets_a_connection_that_is_open_and_rested() {
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = origin.local_addr().unwrap();
        let target = Target::parse(&address.to_string(), None).unwrap();
        let route = Rc::new(Route::direct(Rc::new(target), Scheme::Http));
        let pool = Pool::new(9);
        let mut served = Vec::new();
        for _ in 0..2 {
            let connected = dial::connect(address).await.unwrap().into();
            served.push(origin.accept().unwrap());
            pool.put(
                UpstreamConnection::open(route.clone(), connected, 1 << 16)
                    .await
                    .unwrap(),
            );
        }
        assert!(pool.take_steady(&route).is_none());
        advance(LEAST_REST).await;
        let connection = pool.take_steady(&route).unwrap();
        pool.put(connection);
        advance(LEAST_REST).await;
        // The runtime has not learned of it yet.
        drop(served);
        assert!(pool.take_steady(&route).is_none());
        assert_eq!(pool.total.get(), 0);

        let connected = dial::connect(address).await.unwrap().into();
        pool.put(
            UpstreamConnection::open(route.clone(), connected, 1 << 16)
                .await
                .unwrap(),
        );
        advance(LONGEST_REST).await;
        assert!(pool.take_steady(&route).is_none());
        assert!(pool.take(&route).is_some());
    }
}
