//! Connections on which a client has logged in, or is about to: they are the client's own, and no
//! other client gets them. `downstream` has one set for each client's connection, and `upstream`
//! looks there first. The pool bounds all sets of a worker together, as each connection takes a
//! descriptor.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::Pool;
use crate::upstream::connection::{Keeper, UpstreamConnection};
use crate::upstream::route::Route;

/// How many a client may have. A page seldom has parts from more origins that want a login.
const MOST: usize = 8;

/// One client's idle connections to origins.
#[derive(Debug)]
pub(crate) struct Logins {
    pool: Rc<Pool>,
    /// How many there are. Others know by this value whose they are.
    count: Rc<Cell<usize>>,
}

/// Those of all clients of a worker, the one that was used last at the end.
#[derive(Debug, Default)]
pub(super) struct Owned(RefCell<VecDeque<Idle>>);

#[derive(Debug)]
struct Idle {
    /// That of the client's set.
    count: Rc<Cell<usize>>,
    connection: Box<UpstreamConnection>,
}

impl Logins {
    /// Those of a client that has not logged in yet.
    pub(in crate::upstream) fn new(pool: &Rc<Pool>) -> Self {
        Self {
            pool: pool.clone(),
            count: Rc::default(),
        }
    }

    /// Those of another user of the same client's connection.
    pub(in crate::upstream) fn of_other_user(&self) -> Self {
        Self::new(&self.pool)
    }

    pub(in crate::upstream) fn take(&self, route: &Route) -> Option<Box<UpstreamConnection>> {
        // Most clients have none.
        if self.count.get() == 0 {
            return None;
        }
        // A connection to a parent proxy may lead to all targets, and a login is for one.
        let is_same = |other: &Rc<Route>| **other == *route && other.target == route.target;
        let place = self.place(|connection| is_same(connection.route()))?;
        self.pool.owned.remove(place)
    }

    /// The place of the client's first connection for which `is_so` holds.
    fn place(&self, is_so: impl Fn(&UpstreamConnection) -> bool) -> Option<usize> {
        let all = self.pool.owned.0.borrow();
        let mut all = all.iter();
        all.position(|idle| Rc::ptr_eq(&idle.count, &self.count) && is_so(&idle.connection))
    }
}

impl Keeper for Logins {
    /// Keeps a connection, and closes the one that has rested longest if there are too many.
    fn put(&self, connection: Box<UpstreamConnection>) {
        if self.count.get() >= MOST
            && let Some(oldest) = self.place(|_| true)
        {
            drop(self.pool.owned.remove(oldest));
        }
        if self.pool.make_room_for_login() {
            self.count.set(self.count.get() + 1);
            let count = self.count.clone();
            let mut all = self.pool.owned.0.borrow_mut();
            all.push_back(Idle { count, connection });
        }
    }
}

impl Drop for Logins {
    fn drop(&mut self) {
        if self.count.get() > 0 {
            let mut all = self.pool.owned.0.borrow_mut();
            all.retain(|idle| !Rc::ptr_eq(&idle.count, &self.count));
        }
    }
}

impl Owned {
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Closes the one that has rested longest.
    pub(super) fn evict_oldest(&self) {
        drop(self.remove(0));
    }

    /// Closes those that their origin has closed.
    pub(super) fn evict_closed(&self) {
        self.0.borrow_mut().retain_mut(|idle| {
            let connection = &mut idle.connection;
            connection.drive(&mut Context::from_waker(Waker::noop()));
            let is_open = connection.is_idle();
            if !is_open {
                idle.forget();
            }
            is_open
        });
    }

    pub(super) fn clear(&self) {
        let mut all = self.0.borrow_mut();
        all.iter().for_each(Idle::forget);
        all.clear();
    }

    fn remove(&self, place: usize) -> Option<Box<UpstreamConnection>> {
        let idle = self.0.borrow_mut().remove(place)?;
        idle.forget();
        Some(idle.connection)
    }
}

impl Idle {
    /// The client's set has one connection less.
    fn forget(&self) {
        self.count.set(self.count.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::tests::connection;
    use super::*;

    /// A pool, and an origin that the connections in it lead to.
    fn scene(most: usize) -> (Rc<Pool>, TcpListener) {
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        (Rc::new(Pool::new(most)), origin)
    }

    #[tokio::test]
    async fn logins_of_all_clients_are_bounded_together_and_with_what_else_is_idle() {
        let (pool, origin) = scene(4);
        let (alice, eve) = (Logins::new(&pool), Logins::new(&pool));
        let mut served = Vec::new();
        for host in ["a.example", "b.example", "c.example", "d.example"] {
            let (connection, end) = connection(&origin, host).await;
            pool.put(connection);
            served.push(end);
        }
        let mut routes = Vec::new();
        for (client, host) in [
            (&eve, "x.example"),
            (&eve, "y.example"),
            (&alice, "z.example"),
        ] {
            let (connection, end) = connection(&origin, host).await;
            routes.push(connection.route().clone());
            client.put(connection);
            served.push(end);
        }
        // Half of what there may be is for logins, and the one that has rested longest is gone.
        assert_eq!((pool.total.get(), pool.owned.len()), (2, 2));
        assert!(eve.take(&routes[0]).is_none());
        assert!(alice.take(&routes[1]).is_none(), "it is another client's");
        assert!(eve.take(&routes[1]).is_some());
        assert!(alice.take(&routes[2]).is_some());
        assert_eq!(pool.owned.len(), 0);
    }

    #[tokio::test]
    async fn one_client_has_a_few_and_they_end_with_it_and_with_a_shortage() {
        let (pool, origin) = scene(100);
        let (alice, eve) = (Logins::new(&pool), Logins::new(&pool));
        let mut served = Vec::new();
        for number in 0..=MOST {
            for client in [&alice, &eve] {
                let host = format!("{number}.example");
                let (connection, end) = connection(&origin, &host).await;
                client.put(connection);
                served.push(end);
            }
        }
        assert_eq!(pool.owned.len(), 2 * MOST);
        drop(eve);
        assert_eq!((pool.owned.len(), alice.count.get()), (MOST, MOST));
        pool.clear();
        assert_eq!((pool.owned.len(), alice.count.get()), (0, 0));
        pool.close();
        let (connection, _end) = connection(&origin, "late.example").await;
        alice.put(connection);
        assert_eq!((pool.owned.len(), alice.count.get()), (0, 0));
    }

    #[tokio::test]
    async fn what_its_origin_has_closed_takes_no_descriptor() {
        let (pool, origin) = scene(100);
        let alice = Logins::new(&pool);
        let (connection, end) = connection(&origin, "a.example").await;
        alice.put(connection);
        pool.evict_idle();
        assert_eq!(alice.count.get(), 1);
        drop(end);
        // A test that hangs has failed.
        while alice.count.get() > 0 {
            tokio::task::yield_now().await;
            pool.evict_idle();
        }
        assert_eq!(pool.owned.len(), 0);
    }
}
