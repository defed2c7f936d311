//! The messages of SOCKS: version 5 (RFC 1928), and version 4 with its extension 4a, which have no
//! RFC. Reads and writes bytes, and knows no connections. A message may come in pieces: each reader
//! is given all that has come, and says nothing until the message is whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::downstream::auth::Credentials;
use crate::target::{InvalidTarget, Target};

/// The first byte of what a client of version 5 sends.
pub(crate) const VERSION_5: u8 = 5;

/// The same for version 4.
pub(crate) const VERSION_4: u8 = 4;

/// The method that needs no login.
const NO_LOGIN: u8 = 0;

/// The one by name and password (RFC 1929).
const PASSWORD: u8 = 2;

/// The version of what a client says in that way.
const PASSWORD_VERSION: u8 = 1;

/// What a server answers that accepts none of the methods that the client offers.
const NO_METHOD: u8 = 0xff;

/// The one command that is served.
const CONNECT: u8 = 1;

/// The longest text in version 4, in bytes. It ends with a zero, and could be of any length.
const LONGEST_TEXT: usize = 255;

/// The version of a request, and so of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V4,
    V5,
}

/// What a client asks for, and how many bytes it has taken to say so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) target: Target,
    pub(crate) bytes: usize,
}

/// What is wrong with what a client has sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the message is not of the version of SOCKS that the first one was of")]
    Version,
    #[error("SOCKS can be used without a login only, which the client does not offer")]
    Login,
    #[error("this proxy wants a login by name and password, which the client does not offer")]
    NoPassword,
    #[error(
        "this proxy wants a login, for which version 4 of SOCKS has no password; version 5 has"
    )]
    Version4,
    #[error("the only command of SOCKS that is served is CONNECT")]
    Command,
    #[error("the type of the address is neither IPv4 nor IPv6 nor a name")]
    AddressType,
    #[error("a name of more than 255 bytes")]
    TooLong,
    #[error("malformed target")]
    Target(#[from] InvalidTarget),
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// There is a connection from this address of the proxy.
    Connected(SocketAddr),
    Failed,
    NotAllowed,
    NetworkUnreachable,
    HostUnreachable,
    Refused,
    TimedOut,
    UnknownCommand,
    UnknownAddressType,
}

/// How a client of version 5 logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    NoLogin,
    Password,
}

impl Method {
    fn code(self) -> u8 {
        match self {
            Self::NoLogin => NO_LOGIN,
            Self::Password => PASSWORD,
        }
    }
}

/// Reads the ways to log in that a client of version 5 offers (RFC 1928, section 3), of which there
/// is one that the proxy wants. Returns how many bytes that was; none if there is more to come.
pub(crate) fn greeting(wanted: Method, sent: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut rest = Rest(sent);
    let Some((version, ways)) = rest.byte().zip(rest.short_text()) else {
        return Ok(None);
    };
    if version != VERSION_5 {
        return Err(Malformed::Version);
    }
    if ways.contains(&wanted.code()) {
        return Ok(Some(rest.behind(sent)));
    }
    Err(match wanted {
        Method::NoLogin => Malformed::Login,
        Method::Password => Malformed::NoPassword,
    })
}

/// The answer to those: the one that the two have agreed upon, if any.
pub(crate) fn greeting_answer(agreed: Option<Method>) -> [u8; 2] {
    [VERSION_5, agreed.map_or(NO_METHOD, Method::code)]
}

/// Reads a name and a password (RFC 1929), and how many bytes they have taken; none if there is
/// more to come.
pub(crate) fn login(sent: &[u8]) -> Result<Option<(Credentials, usize)>, Malformed> {
    let mut rest = Rest(sent);
    let Some(version) = rest.byte() else {
        return Ok(None);
    };
    if version != PASSWORD_VERSION {
        return Err(Malformed::Version);
    }
    let Some((name, password)) = rest.short_text().zip(rest.short_text()) else {
        return Ok(None);
    };
    let credentials = Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    };
    Ok(Some((credentials, rest.behind(sent))))
}

/// The answer to those.
pub(crate) fn login_answer(is_right: bool) -> [u8; 2] {
    [PASSWORD_VERSION, u8::from(!is_right)]
}

/// Reads a request; none if there is more to come.
pub(crate) fn request(version: Version, sent: &[u8]) -> Result<Option<Request>, Malformed> {
    match version {
        Version::V4 => request_4(sent),
        Version::V5 => request_5(sent),
    }
}

/// RFC 1928, section 4.
fn request_5(sent: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut rest = Rest(sent);
    let Some([version, command, _, kind]) = rest.bytes() else {
        return Ok(None);
    };
    if version != VERSION_5 {
        return Err(Malformed::Version);
    }
    if command != CONNECT {
        return Err(Malformed::Command);
    }
    let host = match kind {
        1 => rest
            .bytes()
            .map(|ip| Host::Ip(Ipv4Addr::from_octets(ip).into())),
        3 => rest.short_text().map(Host::Name),
        4 => rest
            .bytes()
            .map(|ip| Host::Ip(Ipv6Addr::from_octets(ip).into())),
        _ => return Err(Malformed::AddressType),
    };
    match host.zip(rest.bytes()) {
        Some((host, port)) => host.request(port, rest.behind(sent)).map(Some),
        None => Ok(None),
    }
}

/// Version 4 has the port before the address, and an address of 0.0.0.x where a name follows.
fn request_4(sent: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut rest = Rest(sent);
    let Some([version, command]) = rest.bytes() else {
        return Ok(None);
    };
    if version != VERSION_4 {
        return Err(Malformed::Version);
    }
    if command != CONNECT {
        return Err(Malformed::Command);
    }
    let (Some(port), Some(ip)) = (rest.bytes(), rest.bytes()) else {
        return Ok(None);
    };
    if rest.text()?.is_none() {
        return Ok(None);
    }
    let host = match ip {
        [0, 0, 0, 1..=255] => rest.text()?.map(Host::Name),
        ip => Some(Host::Ip(Ipv4Addr::from_octets(ip).into())),
    };
    match host {
        Some(host) => host.request(port, rest.behind(sent)).map(Some),
        None => Ok(None),
    }
}

/// What a request names.
enum Host<'a> {
    Ip(IpAddr),
    Name(&'a [u8]),
}

impl Host<'_> {
    fn request(self, port: [u8; 2], bytes: usize) -> Result<Request, Malformed> {
        let port = u16::from_be_bytes(port);
        if port == 0 {
            return Err(InvalidTarget::Port.into());
        }
        let target = match self {
            Self::Ip(ip) => Target::of_host(&ip.to_string(), port),
            Self::Name(name) => match str::from_utf8(name) {
                Ok(name) => Target::of_host(name, port),
                Err(_) => Err(InvalidTarget::Host),
            },
        }?;
        Ok(Request { target, bytes })
    }
}

impl Malformed {
    /// What the client is told.
    pub(crate) fn reply(&self) -> Reply {
        match self {
            Self::Version
            | Self::Login
            | Self::NoPassword
            | Self::Version4
            | Self::TooLong
            | Self::Target(_) => Reply::Failed,
            Self::Command => Reply::UnknownCommand,
            Self::AddressType => Reply::UnknownAddressType,
        }
    }
}

impl Reply {
    /// The answer as it is written (RFC 1928, section 6). An address says nothing where there is no
    /// connection.
    pub(crate) fn to_bytes(self, version: Version) -> Vec<u8> {
        let from = match self {
            Self::Connected(from) => from,
            _ => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        };
        let port = from.port().to_be_bytes();
        match (version, from.ip()) {
            (Version::V4, ip) => {
                let code = if let Self::Connected(_) = self {
                    90
                } else {
                    91
                };
                let ip = match ip {
                    IpAddr::V4(ip) => ip.octets(),
                    IpAddr::V6(_) => [0; 4],
                };
                [&[0, code], &port[..], &ip].concat()
            }
            (Version::V5, IpAddr::V4(ip)) => {
                [&[VERSION_5, self.code(), 0, 1], &ip.octets()[..], &port].concat()
            }
            (Version::V5, IpAddr::V6(ip)) => {
                [&[VERSION_5, self.code(), 0, 4], &ip.octets()[..], &port].concat()
            }
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Connected(_) => 0,
            Self::Failed => 1,
            Self::NotAllowed => 2,
            Self::NetworkUnreachable => 3,
            Self::HostUnreachable => 4,
            Self::Refused => 5,
            Self::TimedOut => 6,
            Self::UnknownCommand => 7,
            Self::UnknownAddressType => 8,
        }
    }
}

/// What is left to read of what has come.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    /// Text behind its length.
    fn short_text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first()?;
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(text)
    }

    /// Text that ends with a zero.
    fn text(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let end = memchr::memchr(0, self.0);
        if end.unwrap_or(self.0.len()) > LONGEST_TEXT {
            return Err(Malformed::TooLong);
        }
        Ok(end.map(|end| {
            let text = &self.0[..end];
            self.0 = &self.0[end + 1..];
            text
        }))
    }

    /// How much of `sent` was read.
    fn behind(&self, sent: &[u8]) -> usize {
        sent.len() - self.0.len()
    }
}

#[cfg(test)]
mod tests;
