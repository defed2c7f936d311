//! The facts a filter judges. Made by the client protocols, read by the chain.

pub(crate) mod groups;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode};
use portcullis_contract::{self as contract, Fact, Facts, FoundIn};

use crate::target::Target;

/// How the client speaks to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
    Http,
    /// A CONNECT request (RFC 9110, section 9.3.6).
    Connect,
    /// A request of SOCKS version 4, or 4a.
    Socks4,
    /// A request of SOCKS version 5 (RFC 1928).
    Socks5,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Http, Self::Connect, Self::Socks4, Self::Socks5];

    /// The word that logs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => contract::Protocol::Http.name(),
            Self::Connect => contract::Protocol::Connect.name(),
            Self::Socks4 => contract::Protocol::Socks4.name(),
            Self::Socks5 => contract::Protocol::Socks5.name(),
        }
    }

    /// The one that a word of logs stands for.
    pub(crate) fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == word)
    }
}

/// Who asks. A proxy without a login knows no users.
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
            // Networks that begin with ff are for groups, and no client comes from one.
            Some(IpAddr::V4(address)) => 0xffff_ffff << 32 | u64::from(address.to_bits()),
            Some(IpAddr::V6(address)) => (address.to_bits() >> 64) as u64,
            None => 0xffff_fffe << 32,
        })
    }
}

/// What is about to be contacted, and the facts about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    /// The number of the exchange, which no other has; 0 where a command asks.
    pub(crate) exchange: u64,
    /// Where the request wants to go.
    pub(crate) target: &'a Target,
    /// A word of [`contract::Protocol`].
    pub(crate) protocol: &'static str,
    /// A word of [`FoundIn`].
    pub(crate) found_in: &'static str,
    /// The name in the client's TLS handshake, where the proxy has seen it.
    pub(crate) server_name: Option<&'a str>,
    /// Where the request came from.
    pub(crate) client: &'a Arc<Client>,
    /// The name of the listener; empty where a command asks.
    pub(crate) listener: &'a Arc<str>,
    pub(crate) started: SystemTime,
}

impl<'a> Flow<'a> {
    /// What a command asks about: no exchange that has happened.
    pub(crate) fn asked(target: &'a Target, protocol: &'static str, inquiry: &'a Inquiry) -> Self {
        Self {
            exchange: 0,
            target,
            protocol,
            found_in: FoundIn::Request.name(),
            server_name: None,
            client: &inquiry.client,
            listener: &inquiry.listener,
            started: inquiry.now,
        }
    }

    /// Writes down the host, the port and the facts `asked`, so that two exchanges that agree in
    /// these have the same bytes, and no others have.
    pub(crate) fn write_key(&self, asked: Facts, key: &mut Vec<u8>) {
        key.clear();
        text(key, self.target.host());
        key.extend(self.target.port().to_be_bytes());
        for fact in asked.iter() {
            key.push(fact as u8);
            match fact {
                Fact::Exchange => key.extend(self.exchange.to_be_bytes()),
                Fact::Protocol => text(key, self.protocol),
                Fact::FoundIn => text(key, self.found_in),
                Fact::ServerName => optional_text(key, self.server_name),
                Fact::Listener => text(key, self.listener),
                Fact::Started => {
                    let since = self.started.duration_since(SystemTime::UNIX_EPOCH);
                    key.extend(since.unwrap_or_default().as_nanos().to_be_bytes());
                }
                Fact::ClientAddress => match self.client.address {
                    None => key.push(0),
                    Some(IpAddr::V4(address)) => {
                        key.push(4);
                        key.extend(address.octets());
                    }
                    Some(IpAddr::V6(address)) => {
                        key.push(6);
                        key.extend(address.octets());
                    }
                },
                Fact::User => optional_text(key, self.client.user.as_deref()),
                Fact::Groups => {
                    key.extend(self.client.groups.len().to_be_bytes());
                    self.client.groups.iter().for_each(|group| text(key, group));
                }
            }
        }
    }
}

fn text(key: &mut Vec<u8>, text: &str) {
    key.extend(text.len().to_be_bytes());
    key.extend(text.as_bytes());
}

fn optional_text(key: &mut Vec<u8>, some: Option<&str>) {
    key.push(u8::from(some.is_some()));
    text(key, some.unwrap_or_default());
}

/// The same facts, for a call that outlives its exchange.
#[derive(Clone, Debug)]
pub(crate) struct OwnedFlow {
    exchange: u64,
    target: Target,
    protocol: &'static str,
    found_in: &'static str,
    server_name: Option<Box<str>>,
    client: Arc<Client>,
    listener: Arc<str>,
    started: SystemTime,
}

impl From<&Flow<'_>> for OwnedFlow {
    fn from(flow: &Flow<'_>) -> Self {
        Self {
            exchange: flow.exchange,
            target: flow.target.clone(),
            protocol: flow.protocol,
            found_in: flow.found_in,
            server_name: flow.server_name.map(Box::from),
            client: flow.client.clone(),
            listener: flow.listener.clone(),
            started: flow.started,
        }
    }
}

impl OwnedFlow {
    pub(crate) fn borrow(&self) -> Flow<'_> {
        Flow {
            exchange: self.exchange,
            target: &self.target,
            protocol: self.protocol,
            found_in: self.found_in,
            server_name: self.server_name.as_deref(),
            client: &self.client,
            listener: &self.listener,
            started: self.started,
        }
    }
}

/// In whose name a command asks, and when.
#[derive(Clone, Debug)]
pub(crate) struct Inquiry {
    pub(crate) client: Arc<Client>,
    pub(crate) listener: Arc<str>,
    pub(crate) now: SystemTime,
}

impl Inquiry {
    /// A client of which at most the address is known.
    pub(crate) fn at(address: Option<IpAddr>, now: SystemTime) -> Self {
        Self::by(Client::at(address), now)
    }

    pub(crate) fn by(client: Client, now: SystemTime) -> Self {
        Self {
            client: Arc::new(client),
            listener: "".into(),
            now,
        }
    }
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
        for address in [
            "10.0.0.1",
            "0.0.0.0",
            "255.255.255.254",
            "::1",
            "2001:db8::1",
        ] {
            assert_ne!(key(address), key(""), "{address}");
        }
        assert_eq!(key(""), key(""));
    }

    #[test]
    fn a_key_tells_apart_what_was_asked_for_and_nothing_else() {
        let target = Target::new("a.example", 443).unwrap();
        let key = |change: &dyn Fn(&mut Client), asked: &[Fact]| {
            let mut client = Client::at(IpAddr::from([10, 0, 0, 1]));
            change(&mut client);
            let inquiry = Inquiry::by(client, SystemTime::UNIX_EPOCH);
            let mut key = Vec::new();
            let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
            flow.write_key(asked.iter().copied().collect(), &mut key);
            key
        };
        let same = |_: &mut Client| {};
        let other_user = |client: &mut Client| client.user = Some("ada".into());
        let two_groups = |client: &mut Client| client.groups = vec!["ab".into(), "c".into()];
        let other_two = |client: &mut Client| client.groups = vec!["a".into(), "bc".into()];
        assert_eq!(key(&same, &[]), key(&other_user, &[]));
        assert_eq!(
            key(&same, &[Fact::Groups]),
            key(&other_user, &[Fact::Groups])
        );
        assert_ne!(key(&same, &[Fact::User]), key(&other_user, &[Fact::User]));
        assert_ne!(
            key(&two_groups, &[Fact::Groups]),
            key(&other_two, &[Fact::Groups])
        );
        assert_ne!(key(&same, &[]), key(&same, &[Fact::ClientAddress]));
    }
}
