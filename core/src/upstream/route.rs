//! The way to an origin, decided before a request is rewritten for it. It is the key of the pool:
//! connections that took another way cannot be used.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use super::parent::Parent;
use crate::target::Target;

/// Where a connection leads and how.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) target: Rc<Target>,
    pub(crate) scheme: Scheme,
    pub(crate) via: Via,
    /// A parent proxy resolves the target's name, of which no address is known here.
    pub(crate) leaves_name: bool,
}

/// What is spoken with the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// HTTP/1.1 in the clear.
    Http,
    /// Bytes that the proxy does not look into.
    Tunnel,
}

/// Through whom a connection leads.
#[derive(Clone, Debug)]
pub(crate) enum Via {
    /// The origin itself is dialled.
    Direct,
    /// One of these proxies is, and resolves the target's name itself.
    Parent(Arc<Parent>),
}

impl Route {
    pub(crate) fn direct(target: Rc<Target>, scheme: Scheme) -> Self {
        Self {
            target,
            scheme,
            via: Via::Direct,
            leaves_name: false,
        }
    }

    pub(super) fn through(target: Rc<Target>, scheme: Scheme, parent: Arc<Parent>) -> Self {
        Self {
            target,
            scheme,
            via: Via::Parent(parent),
            leaves_name: true,
        }
    }

    pub(crate) fn parent(&self) -> Option<&Arc<Parent>> {
        match &self.via {
            Via::Direct => None,
            Via::Parent(parent) => Some(parent),
        }
    }

    /// Whether requests name their origins in whole URLs (RFC 9112, section 3.2.2): a proxy takes
    /// them as they are.
    pub(super) fn is_absolute(&self) -> bool {
        let takes_requests = |parent: &Arc<Parent>| parent.takes_requests();
        self.scheme == Scheme::Http && self.parent().is_some_and(takes_requests)
    }

    /// The target, unless a connection leads to all of them.
    fn only_target(&self) -> Option<&Target> {
        let is_shared = self.scheme == Scheme::Http
            && self
                .parent()
                .is_some_and(|parent| parent.shares_connections());
        (!is_shared).then_some(&*self.target)
    }
}

/// Whether a connection that took one way can be used for the other.
impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.via == other.via
            && self.only_target() == other.only_target()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scheme.hash(state);
        self.via.hash(state);
        self.only_target().hash(state);
    }
}

impl PartialEq for Via {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Direct, Self::Direct) => true,
            (Self::Parent(one), Self::Parent(other)) => Arc::ptr_eq(one, other),
            (Self::Direct, Self::Parent(_)) | (Self::Parent(_), Self::Direct) => false,
        }
    }
}

impl Eq for Via {}

impl Hash for Via {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Direct => false.hash(state),
            Self::Parent(parent) => parent.name().hash(state),
        }
    }
}
