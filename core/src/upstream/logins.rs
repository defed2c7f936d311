//! Connections on which a client has logged in, or is about to: they are the client's own, and no
//! other client gets them. `downstream` keeps one set for each client's connection; `upstream`
//! looks there first.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::link::{Keeper, Link};
use super::route::Route;

/// How many a client may have. A page seldom has parts from more origins that want a login.
const MOST: usize = 8;

/// One client's idle connections to origins, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Logins(RefCell<VecDeque<Box<Link>>>);

impl Logins {
    pub(super) fn take(&self, route: &Route) -> Option<Box<Link>> {
        let mut links = self.0.borrow_mut();
        // A connection to a parent proxy may lead to all targets, and a login is for one.
        let mut routes = links.iter().map(|link| link.route());
        let is_same = |other: &Rc<Route>| **other == *route && other.target == route.target;
        let place = routes.position(is_same)?;
        links.remove(place)
    }
}

impl Keeper for Logins {
    /// Keeps a connection, and closes the one that has rested longest if there are too many.
    fn put(&self, link: Box<Link>) {
        let mut links = self.0.borrow_mut();
        if links.len() == MOST {
            links.pop_front();
        }
        links.push_back(link);
    }
}
