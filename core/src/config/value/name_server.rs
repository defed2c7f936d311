//! How DNS servers are written: an address for one that is asked in clear text, and a URL for one
//! that is asked over TLS or HTTPS.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::uri::PathAndQuery;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::FromText;
use super::names::domain;
use crate::target::Target;

/// Where DNS over HTTPS is asked if no path is written (RFC 8484 has it in its examples, and public
/// servers have it).
const DEFAULT_PATH: &str = "/dns-query";

/// A DNS server, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    pub(crate) host: ServerHost,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
}

/// Where a DNS server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerHost {
    Address(IpAddr),
    /// Its address has to be found before it can be asked.
    Name(Box<str>),
}

/// How a DNS server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In clear text: over UDP, and over TCP what UDP does not answer.
    Plain,
    /// Over TLS (RFC 7858). The certificate has to have the name.
    Tls { name: Box<str> },
    /// Over HTTPS (RFC 8484), the same.
    Https { name: Box<str>, path: Box<str> },
}

/// A text is no DNS server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidNameServer(String);

/// What is wrong with a URL of a DNS server.
enum Wrong {
    /// It is nothing of the kind.
    Form,
    /// The same, where the text is close enough to be explained.
    Because(&'static str),
}

impl NameServer {
    /// As a log shows it: without the path, which may be a key of the operator.
    pub(crate) fn label(&self) -> String {
        match &self.transport {
            Transport::Plain => self.authority(),
            Transport::Tls { .. } => format!("tls://{}", self.authority()),
            Transport::Https { .. } => format!("https://{}", self.authority()),
        }
    }

    /// None if it has to be found.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self.host {
            ServerHost::Address(ip) => Some(SocketAddr::new(ip, self.port)),
            ServerHost::Name(_) => None,
        }
    }

    /// Whether what is asked and answered cannot be read on the way.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.transport != Transport::Plain
    }

    fn authority(&self) -> String {
        match &self.host {
            ServerHost::Address(ip) => SocketAddr::new(*ip, self.port).to_string(),
            ServerHost::Name(name) => format!("{name}:{}", self.port),
        }
    }

    /// The name that the certificate has, if another one is written than the host.
    fn written_name(&self) -> Option<&str> {
        let (ServerHost::Address(ip), Transport::Tls { name } | Transport::Https { name, .. }) =
            (&self.host, &self.transport)
        else {
            return None;
        };
        (**name != *ip.to_string()).then_some(name)
    }

    fn read(text: &str) -> Result<Self, Wrong> {
        match text.split_once("://") {
            Some(("tls", rest)) => Self::read_tls(rest),
            Some(("https", rest)) => Self::read_https(rest),
            Some(_) => Err(Wrong::Form),
            None => {
                // Port 53 goes without saying.
                let with_default_port = |ip: IpAddr| SocketAddr::from((ip, 53));
                let address = text.parse().map(with_default_port);
                let address = address.or_else(|_| text.parse());
                address.map(Self::from).map_err(|_| Wrong::Form)
            }
        }
    }

    fn read_tls(text: &str) -> Result<Self, Wrong> {
        let (authority, written) = split_name(text);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port, name) = read_authority(authority, 853, written)?;
        let transport = Transport::Tls { name };
        Ok(Self {
            host,
            port,
            transport,
        })
    }

    fn read_https(text: &str) -> Result<Self, Wrong> {
        let (location, written) = split_name(text);
        let (authority, path) = match location.find('/') {
            Some(at) => location.split_at(at),
            None => (location, DEFAULT_PATH),
        };
        let path = PathAndQuery::from_str(path).map_err(|_| Wrong::Form)?;
        let (host, port, name) = read_authority(authority, 443, written)?;
        if name.contains(':') {
            return Err(Wrong::Because(
                "names no host for its requests; write the name of the server behind the address, as in \
                 https://[2620:fe::fe]/dns-query#dns.quad9.net",
            ));
        }
        let path = path.as_str().into();
        Ok(Self {
            host,
            port,
            transport: Transport::Https { name, path },
        })
    }
}

/// What stands in front of `#`, and the name behind it.
fn split_name(text: &str) -> (&str, Option<&str>) {
    match text.split_once('#') {
        Some((before, name)) => (before, Some(name)),
        None => (text, None),
    }
}

/// The host and the port, and the name that the certificate has to have.
fn read_authority(
    authority: &str,
    default_port: u16,
    written: Option<&str>,
) -> Result<(ServerHost, u16, Box<str>), Wrong> {
    let target = Target::parse(authority, Some(default_port)).map_err(|_| Wrong::Form)?;
    let written = match written.map(domain) {
        Some(None) => {
            return Err(Wrong::Because(
                "has something else than the name of a server behind `#`; write it as in \
                 tls://9.9.9.9#dns.quad9.net",
            ));
        }
        Some(Some(name)) => Some(name.into()),
        None => None,
    };
    let (host, name) = match (target.ip(), written) {
        (Some(ip), written) => {
            let name = written.unwrap_or_else(|| ip.to_string().into());
            (ServerHost::Address(ip), name)
        }
        (None, None) => {
            let name: Box<str> = domain(target.host()).ok_or(Wrong::Form)?.into();
            (ServerHost::Name(name.clone()), name)
        }
        (None, Some(_)) => {
            return Err(Wrong::Because(
                "has two names; behind `#` stands the name of a server whose address is written before it",
            ));
        }
    };
    Ok((host, target.port(), name))
}

impl FromText for NameServer {
    type Value = Self;

    const EXPECTED: &'static str = r#"a DNS server, such as "9.9.9.9", "[2620:fe::fe]:53", "tls://9.9.9.9#dns.quad9.net" or "https://dns.quad9.net/dns-query""#;

    fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    fn write(server: &Self) -> Value {
        server.to_string().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        let shown = super::without_secrets(text);
        match Self::read(text) {
            Err(Wrong::Because(why)) => format!("`{shown}` {why}"),
            Err(Wrong::Form) | Ok(_) => format!("`{shown}` is not {}", Self::EXPECTED),
        }
    }
}

/// As it is written in the settings.
impl FromStr for NameServer {
    type Err = InvalidNameServer;

    fn from_str(text: &str) -> Result<Self, InvalidNameServer> {
        Self::parse(text).ok_or_else(|| InvalidNameServer(Self::problem(text)))
    }
}

/// One that is asked in clear text.
impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: ServerHost::Address(address.ip()),
            port: address.port(),
            transport: Transport::Plain,
        }
    }
}

/// As it is written in the settings.
impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())?;
        if let Transport::Https { path, .. } = &self.transport {
            f.write_str(path)?;
        }
        match self.written_name() {
            Some(name) => write!(f, "#{name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_written_as_it_is_read() {
        for (text, canonical) in [
            ("9.9.9.9", "9.9.9.9:53"),
            ("[2620:fe::fe]:5353", "[2620:fe::fe]:5353"),
            ("2620:fe::fe", "[2620:fe::fe]:53"),
            ("tls://9.9.9.9", "tls://9.9.9.9:853"),
            ("tls://9.9.9.9:443/", "tls://9.9.9.9:443"),
            ("tls://[2620:fe::fe]", "tls://[2620:fe::fe]:853"),
            ("tls://DNS.Quad9.net.", "tls://dns.quad9.net:853"),
            (
                "tls://9.9.9.9#dns.quad9.net",
                "tls://9.9.9.9:853#dns.quad9.net",
            ),
            ("https://9.9.9.9", "https://9.9.9.9:443/dns-query"),
            ("https://dns.example/", "https://dns.example:443/"),
            (
                "https://dns.example:8443/a/b?c=d",
                "https://dns.example:8443/a/b?c=d",
            ),
            (
                "https://[2620:fe::fe]/dns-query#dns.quad9.net",
                "https://[2620:fe::fe]:443/dns-query#dns.quad9.net",
            ),
        ] {
            let server: NameServer = text.parse().unwrap();
            assert_eq!(server.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse(), Ok(server), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_server_is_refused() {
        for text in [
            "",
            "quad9",
            "dns.quad9.net",
            "9.9.9.9:",
            "9.9.9.9#dns.quad9.net",
            "tls://",
            "tls://localhost",
            "tls://9.9.9.9:0",
            "tls://9.9.9.9/path",
            "tls://user@dns.example",
            "https://dns.example:x/",
            "https://dns.example/a b",
            "quic://dns.example",
            "TLS://dns.example",
        ] {
            let said = text.parse::<NameServer>().unwrap_err().to_string();
            assert!(said.contains(" is not a DNS server, such as "), "{said}");
        }
        for (text, says) in [
            ("tls://9.9.9.9#", "behind `#`"),
            ("tls://9.9.9.9#8.8.8.8", "behind `#`"),
            ("tls://dns.example#other.example", "has two names"),
            ("https://[2620:fe::fe]/dns-query", "names no host"),
        ] {
            let said = text.parse::<NameServer>().unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_log_does_not_show_what_may_be_a_key() {
        let server: NameServer = "https://dns.example/abc123".parse().unwrap();
        assert_eq!(server.label(), "https://dns.example:443");
    }
}
