//! Idle connections to origins, for the next request of the same worker. Filled by finished responses, emptied by
//! `upstream`; bounded in number and time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use hashbrown::HashMap;
use tokio::time::Instant;

use crate::target::Target;
use crate::upstream::link::Link;

/// Common servers keep idle connections for 60 to 75 s; to be first spares both sides a failed request.
const IDLE: Duration = Duration::from_secs(55);

/// For one target. A page seldom has more requests in flight to one host.
const PER_TARGET: usize = 64;

/// For all targets of a worker, well below the usual limit of 1024 open files.
const IN_TOTAL: usize = 256;

/// A worker's idle connections.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Rc<Target>, Vec<Idle>>>,
    total: Cell<usize>,
    closed: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    link: Box<Link>,
    since: Instant,
}

impl Pool {
    /// The connection to `target` that was used last: it is the least likely to be closed by now.
    pub(crate) fn take(&self, target: &Target) -> Option<Box<Link>> {
        let mut idle = self.idle.borrow_mut();
        let found = idle.get_mut(target)?.pop()?;
        self.total.set(self.total.get() - 1);
        Some(found.link)
    }

    /// Keeps a connection for later, or closes it if there are enough.
    pub(crate) fn put(&self, link: Box<Link>) {
        if self.closed.get() || self.total.get() >= IN_TOTAL {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let links = match idle.get_mut(link.target()) {
            Some(links) => links,
            None => idle.entry(link.target().clone()).or_default(),
        };
        if links.len() < PER_TARGET {
            let since = Instant::now();
            links.push(Idle { link, since });
            self.total.set(self.total.get() + 1);
        }
    }

    /// Drops what is too old or was closed by its origin.
    pub(crate) fn tend(&self) {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        idle.retain(|_, links| {
            links.retain_mut(|idle| {
                idle.link.drive(&mut Context::from_waker(Waker::noop()));
                idle.link.is_idle() && now - idle.since < IDLE
            });
            !links.is_empty()
        });
        self.total.set(idle.values().map(Vec::len).sum());
    }

    /// Drops all connections and takes no more.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.idle.borrow_mut().clear();
        self.total.set(0);
    }
}
