//! The facts a filter judges. Made by the client protocols, read by the chain.

use std::net::IpAddr;

use http::{HeaderMap, Method, StatusCode};

use crate::target::Target;

/// How the proxy learned of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
    Http,
    /// A CONNECT request (RFC 9110, section 9.3.6).
    Connect,
}

impl Protocol {
    /// The word that logs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Connect => "connect",
        }
    }
}

/// What is about to be contacted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    /// Where the request wants to go.
    pub(crate) target: &'a Target,
    /// How the proxy learned of it.
    pub(crate) protocol: Protocol,
    /// Where the request came from, if anybody has sent it.
    pub(crate) client: Option<IpAddr>,
}

/// The head of a request that the proxy can see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestHead<'a> {
    /// As sent by the client.
    pub(crate) method: &'a Method,
    /// Absolute, with the canonical host.
    pub(crate) url: &'a str,
    /// As they go to the origin: what was meant for this proxy alone is gone already.
    pub(crate) headers: &'a HeaderMap,
}

/// The head of a response that the proxy can see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseHead<'a> {
    /// The origin's.
    pub(crate) status: StatusCode,
    /// As they go to the client: what was meant for this proxy alone is gone already.
    pub(crate) headers: &'a HeaderMap,
}
