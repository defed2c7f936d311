//! How places that the proxy may or may not connect to are written: a host, a domain, an address or
//! a network, with or without ports.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{FromText, Network};
use crate::target::Target;

/// A place: hosts, and ports of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub(crate) hosts: Hosts,
    /// All ports without them.
    pub(crate) ports: Option<Ports>,
}

/// Which hosts an entry covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// `*`
    Any,
    /// `a.example`
    Name(Box<str>),
    /// `*.a.example`: the names below it.
    Below(Box<str>),
    /// `.a.example`: the name and those below it.
    Within(Box<str>),
    /// An address or a network.
    Network(IpNet),
}

/// A port, or some that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    last: u16,
}

/// A text is not what its setting asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDestination(String);

impl Hosts {
    /// Whether a name is among them.
    pub(crate) fn have_name(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => **name == *host,
            Self::Below(domain) => is_below(host, domain),
            Self::Within(domain) => **domain == *host || is_below(host, domain),
            Self::Network(_) => false,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some(network) = Network::parse(text) {
            return Some(Self::Network(network));
        }
        let (kind, name): (fn(Box<str>) -> Self, _) = match text.split_once('.') {
            Some(("*", domain)) => (Self::Below, domain),
            Some(("", domain)) => (Self::Within, domain),
            _ => (Self::Name, text),
        };
        // In another spelling it may be an address.
        let target = Target::new(name, 0)
            .ok()
            .filter(|target| !target.host().contains('*'))?;
        match target.ip() {
            None => Some(kind(target.host().into())),
            Some(ip) => (name == text).then(|| Self::Network(ip.into())),
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let before = host.strip_suffix(domain);
    before.is_some_and(|before| before.len() > 1 && before.ends_with('.'))
}

impl Ports {
    /// The ports from `first` to `last`; none if they are the other way round.
    pub const fn new(first: u16, last: u16) -> Self {
        Self { first, last }
    }

    pub(crate) const fn one(port: u16) -> Self {
        Self::new(port, port)
    }

    #[cfg(feature = "cli")]
    pub(crate) fn first(self) -> u16 {
        self.first
    }

    pub(crate) fn have(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl FromText for Destination {
    type Value = Self;

    const EXPECTED: &'static str = r#"a host, an address or a network, with or without ports, such as "wiki.example", "*.corp.example:443", "10.0.0.0/8", "[fd00::/8]:8000-8999" or "*:25""#;

    fn parse(text: &str) -> Option<Self> {
        // An IPv6 address needs brackets only in front of a port.
        if let Some(hosts) = Hosts::parse(text) {
            return Some(Self { hosts, ports: None });
        }
        let (hosts, ports) = text.rsplit_once(':')?;
        let in_brackets = hosts
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_plain = in_brackets.is_some() || !hosts.contains(':');
        let hosts = is_plain.then(|| Hosts::parse(in_brackets.unwrap_or(hosts)))?;
        Some(Self {
            hosts: hosts?,
            ports: Some(Ports::parse(ports)?),
        })
    }

    fn write(destination: &Self) -> Value {
        destination.to_string().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        // Its own word is better where it is a network.
        match text.parse::<IpNet>() {
            Ok(_) => Network::problem(text),
            Err(_) => format!("`{text}` is not {}", Self::EXPECTED),
        }
    }
}

impl FromText for Ports {
    type Value = Self;

    const EXPECTED: &'static str = r#"a port or a range of ports, such as 443 or "8000-8999""#;

    fn parse(text: &str) -> Option<Self> {
        // `u16::from_str` would take a sign.
        let port = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>()
                .ok()
                .filter(|port| is_plain && *port > 0)
        };
        match text.split_once('-') {
            None => port(text).map(Self::one),
            Some((first, last)) => {
                let ports = Self::new(port(first)?, port(last)?);
                (ports.first <= ports.last).then_some(ports)
            }
        }
    }

    fn write(ports: &Self) -> Value {
        if ports.first == ports.last {
            ports.first.into()
        } else {
            ports.to_string().into()
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string"}]
        })
    }
}

/// As it is written in the settings.
impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        Self::parse(text).ok_or_else(|| InvalidDestination(Self::problem(text)))
    }
}

/// As it is written in the settings.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.hosts, &self.ports) {
            (Hosts::Network(IpNet::V6(_)), Some(ports)) => write!(f, "[{}]:{ports}", self.hosts),
            (hosts, Some(ports)) => write!(f, "{hosts}:{ports}"),
            (hosts, None) => write!(f, "{hosts}"),
        }
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::Below(domain) => write!(f, "*.{domain}"),
            Self::Within(domain) => write!(f, ".{domain}"),
            Self::Network(net) if net.prefix_len() == net.max_prefix_len() => {
                let address: IpAddr = net.addr();
                write!(f, "{address}")
            }
            Self::Network(net) => write!(f, "{net}"),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_written_as_it_is_read() {
        for (text, canonical) in [
            ("a.example", "a.example"),
            ("A.Example.:443", "a.example:443"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.a.example:8000-8999", "*.a.example:8000-8999"),
            (".a.example", ".a.example"),
            ("*", "*"),
            ("*:25", "*:25"),
            ("localhost:1-1", "localhost:1"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.0.0.0/8:80", "10.0.0.0/8:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("127.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::1]:80", "[::1]:80"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::/8]:80", "[fd00::/8]:80"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            let destination: Destination = text.parse().unwrap();
            assert_eq!(destination.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse(), Ok(destination), "{text}");
        }
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for text in [
            "",
            ":25",
            "a.example:",
            "a.example:0",
            "a.example:65536",
            "a.example:+1",
            "a.example:9-8",
            "a b",
            "a.*.example",
            "*.10.0.0.1",
            "*a.example",
            "user@a.example",
            "http://a.example/",
            "10.0.0.1/8",
            "fd00::/8:80:1x",
            "[10.0.0.1",
            "..",
            "*.",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
        let said = "10.0.0.1/8".parse::<Destination>().unwrap_err().to_string();
        assert!(said.contains("the whole network is `10.0.0.0/8`"), "{said}");
    }

    #[test]
    fn a_pattern_covers_what_it_says_and_no_name_that_only_ends_so() {
        for (pattern, yes, no) in [
            (
                "a.example",
                &["a.example"][..],
                &["b.a.example", "ba.example", "a.example.net"][..],
            ),
            (
                "*.a.example",
                &["b.a.example", "c.b.a.example"],
                &["a.example", "ba.example", ".a.example"],
            ),
            (
                ".a.example",
                &["a.example", "b.a.example"],
                &["ba.example", "example"],
            ),
            ("*", &["a.example", "localhost"], &[]),
            ("10.0.0.0/8", &[], &["10.0.0.1"]),
        ] {
            let destination: Destination = pattern.parse().unwrap();
            for host in yes {
                assert!(destination.hosts.have_name(host), "{pattern} {host}");
            }
            for host in no {
                assert!(!destination.hosts.have_name(host), "{pattern} {host}");
            }
        }
    }
}
