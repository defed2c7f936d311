//! Connections on which a client has logged in, or is about to: they are the client's own, and no
//! other client gets them. `downstream` keeps one set for each client's connection; `upstream`
//! looks there first.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::connection::{Keeper, UpstreamConnection};
use super::route::Route;

/// How many a client may have. A page seldom has parts from more origins that want a login.
const MOST: usize = 8;

/// One client's idle connections to origins, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Logins(RefCell<VecDeque<Box<UpstreamConnection>>>);

impl Logins {
    pub(super) fn take(&self, route: &Route) -> Option<Box<UpstreamConnection>> {
        let mut connections = self.0.borrow_mut();
        // A connection to a parent proxy may lead to all targets, and a login is for one.
        let mut routes = connections.iter().map(|connection| connection.route());
        let is_same = |other: &Rc<Route>| **other == *route && other.target == route.target;
        let place = routes.position(is_same)?;
        connections.remove(place)
    }
}

impl Keeper for Logins {
    /// Keeps a connection, and closes the one that has rested longest if there are too many.
    fn put(&self, connection: Box<UpstreamConnection>) {
        let mut connections = self.0.borrow_mut();
        if connections.len() == MOST {
            connections.pop_front();
        }
        connections.push_back(connection);
    }
}
