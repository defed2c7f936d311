//! The facts a filter judges. Made by the client protocols, read by the chain.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use portcullis_contract as contract;

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
    const ALL: [Self; 2] = [Self::Http, Self::Connect];

    /// The word that logs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => contract::Protocol::Http.name(),
            Self::Connect => contract::Protocol::Connect.name(),
        }
    }

    /// The one that a word of logs stands for.
    pub(crate) fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == word)
    }
}

/// Who asks. A proxy without a login knows no users and no groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// IPv4 in its own spelling. None where a command asks and names no client.
    pub(crate) address: Option<IpAddr>,
    pub(crate) user: Option<Arc<str>>,
    pub(crate) groups: Vec<Arc<str>>,
}

impl Client {
    /// A client of which the address is known and nothing else.
    pub(crate) fn at(address: impl Into<Option<IpAddr>>) -> Self {
        Self {
            address: address.into().map(|address| address.to_canonical()),
            ..Self::default()
        }
    }
}

/// A client: an IPv4 address, or the network of 64 bits that an IPv6 client can choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey(u64);

impl ClientKey {
    /// As a number that no other client has.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(crate) const fn test(number: u64) -> Self {
        Self(number)
    }

    /// The client at an address; those without one are one client.
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        Self(match address {
            // No network begins with these bits.
            Some(IpAddr::V4(address)) => 0xffff_ffff << 32 | u64::from(address.to_bits()),
            Some(IpAddr::V6(address)) => (address.to_bits() >> 64) as u64,
            None => 0,
        })
    }
}

/// What is about to be contacted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    /// The number of the exchange, unique within the process; 0 where a command asks.
    pub(crate) exchange: u64,
    /// Where the request wants to go.
    pub(crate) target: &'a Target,
    /// How the proxy learned of it.
    pub(crate) protocol: Protocol,
    /// Where the request came from.
    pub(crate) client: &'a Client,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_apart_as_they_can_choose_their_addresses() {
        let key = |address: &str| ClientKey::of(address.parse().ok());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_ne!(key("10.0.0.1"), key(""));
        assert_eq!(key(""), key(""));
    }
}
