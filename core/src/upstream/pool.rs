//! Idle connections to origins, for the next request of the same worker. Filled by finished
//! responses, emptied by `upstream`; bounded in number and time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use hashbrown::HashMap;

use super::link::Link;
use super::route::Route;

/// Time between two sweeps at the idle connections.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How many sweeps a connection outlasts. Common servers keep theirs for 60 to 75 s; to be first
/// spares both sides a failed request.
const MAX_SWEEPS: u32 = 5;

/// For one route. A page seldom has more requests in flight to one host.
const PER_ROUTE: usize = 64;

/// For all routes of a worker, well below the usual limit of 1024 open files.
const IN_TOTAL: usize = 256;

/// A worker's idle connections.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Rc<Route>, Vec<Idle>>>,
    total: Cell<usize>,
    closed: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    link: Box<Link>,
    sweeps: u32,
}

impl Pool {
    /// The connection of `route` that was used last: it is the least likely to be closed by now.
    pub(super) fn take(&self, route: &Route) -> Option<Box<Link>> {
        let mut idle = self.idle.borrow_mut();
        let found = idle.get_mut(route)?.pop()?;
        self.total.set(self.total.get() - 1);
        Some(found.link)
    }

    /// Keeps a connection for later, or closes it if there are enough.
    pub(super) fn put(&self, link: Box<Link>) {
        if self.closed.get() || self.total.get() >= IN_TOTAL {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let links = match idle.get_mut(link.route()) {
            Some(links) => links,
            None => idle.entry(link.route().clone()).or_default(),
        };
        if links.len() < PER_ROUTE {
            links.push(Idle { link, sweeps: 0 });
            self.total.set(self.total.get() + 1);
        }
    }

    /// Drops what is too old or was closed by its origin. Called every [`SWEEP_INTERVAL`].
    pub(super) fn evict_idle(&self) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|_, links| {
            links.retain_mut(|idle| {
                idle.link.drive(&mut Context::from_waker(Waker::noop()));
                idle.sweeps += 1;
                idle.link.is_idle() && idle.sweeps <= MAX_SWEEPS
            });
            !links.is_empty()
        });
        self.total.set(idle.values().map(Vec::len).sum());
    }

    /// Drops all connections and takes no more.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.idle.borrow_mut().clear();
        self.total.set(0);
    }
}
