//! The way to an origin, decided before a request is rewritten for it. It is the key of the pool:
//! connections that took another way cannot be used.

use std::rc::Rc;

use crate::target::Target;

/// Where a connection leads and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) target: Rc<Target>,
    pub(crate) scheme: Scheme,
    pub(crate) via: Via,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Via {
    /// The origin itself is dialled.
    Direct,
}

impl Route {
    pub(crate) fn direct(target: Rc<Target>, scheme: Scheme) -> Self {
        Self {
            target,
            scheme,
            via: Via::Direct,
        }
    }
}
