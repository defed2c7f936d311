//! Where a request wants to go: one canonical host and a port. This is the only constructor of
//! hosts in the proxy and in files of cases, so that every check, list and dial sees the same
//! spelling.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use url::Host;

use crate::host::is_plainly_canonical;

/// The longest spelling of a host that is looked at, in bytes: a name of 253 octets, each of them
/// percent-encoded, has 759.
const SPELLING_BYTES: usize = 1024;

/// A canonical host and a port.
///
/// The host is lower case, made of IDNA A-labels and has no trailing dot. IP addresses are
/// recognised in every spelling that the WHATWG URL standard knows (`127.1`, `0x7f000001`,
/// `2130706433`); IPv4-mapped IPv6 addresses become IPv4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    host: Box<str>,
    ip: Option<IpAddr>,
    port: u16,
}

/// Why a text does not name a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// `user:password@host` (RFC 9110, section 4.2.4).
    #[error("the authority has user information before the host")]
    UserInfo,
    /// There is nothing where the host should be.
    #[error("the host is empty")]
    EmptyHost,
    /// Forbidden characters, a label over 63 or a name over 253 octets, or something that only
    /// looks like an address.
    #[error("the host is neither a domain name nor an IP address")]
    Host,
    /// No port where one is required (RFC 9110, section 9.3.6).
    #[error("the port is missing")]
    NoPort,
    /// Not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Target {
    /// Reads `host[:port]`. Without a port, `default_port` is used; without that, the text is
    /// refused.
    ///
    /// # Errors
    ///
    /// If the host is neither a domain name nor an IP address, if something stands around them, or
    /// if the port is missing or out of range.
    pub fn parse(authority: &str, default_port: Option<u16>) -> Result<Self, InvalidTarget> {
        if authority.contains('@') {
            return Err(InvalidTarget::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(digits) if !digits.is_empty() || default_port.is_none() => parse_port(digits)?,
            Some(_) | None => default_port.ok_or(InvalidTarget::NoPort)?,
        };
        Self::new(host, port)
    }

    /// A target from a host in any spelling; IPv6 addresses stand in brackets.
    ///
    /// # Errors
    ///
    /// If the host is neither a domain name nor an IP address.
    pub fn new(host: &str, port: u16) -> Result<Self, InvalidTarget> {
        if host.is_empty() {
            return Err(InvalidTarget::EmptyHost);
        }
        // Decoding Punycode takes time by the square of its length.
        if host.len() > SPELLING_BYTES {
            return Err(InvalidTarget::Host);
        }
        let (host, ip) = if is_plainly_canonical(host) {
            (host.to_owned(), None)
        } else {
            match Host::parse(host).map_err(|_| InvalidTarget::Host)? {
                Host::Domain(name) => (canonical_name(name)?, None),
                Host::Ipv4(ip) => (ip.to_string(), Some(IpAddr::V4(ip))),
                Host::Ipv6(ip) => {
                    let ip = IpAddr::V6(ip).to_canonical();
                    (ip.to_string(), Some(ip))
                }
            }
        };
        Ok(Self {
            host: host.into_boxed_str(),
            ip,
            port,
        })
    }

    /// A target from what [`Target::host`] has said.
    ///
    /// # Errors
    ///
    /// If the host is not such a one.
    pub fn of_host(host: &str, port: u16) -> Result<Self, InvalidTarget> {
        if host.contains(':') {
            Self::new(&format!("[{host}]"), port)
        } else {
            Self::new(host, port)
        }
    }

    /// The canonical host; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host as an address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The port, 1 to 65535 for targets made by [`Target::parse`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host[:port]` as an HTTP authority: brackets around IPv6, no port if it is `default_port`.
    pub fn authority(&self, default_port: u16) -> String {
        match (self.ip, self.port) {
            (Some(IpAddr::V6(ip)), port) if port == default_port => format!("[{ip}]"),
            (_, port) if port == default_port => self.host.to_string(),
            _ => self.to_string(),
        }
    }
}

/// `host:port`, with brackets around IPv6.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// What [`Target::host`] would be for `host`, borrowed where it is canonical already. An IPv6
/// address may stand without brackets, as it does in a canonical host.
///
/// # Errors
///
/// If it is neither a domain name nor an IP address.
pub fn canonical_host(host: &str) -> Result<Cow<'_, str>, InvalidTarget> {
    if is_plainly_canonical(host) {
        return Ok(Cow::Borrowed(host));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Cow::Owned(ip.to_canonical().to_string()));
    }
    Target::new(host, 0).map(|target| Cow::Owned(target.host.into()))
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), InvalidTarget> {
    let after_host = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(InvalidTarget::Host)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(after_host);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(InvalidTarget::Host),
    }
}

/// Digits only: `u16::from_str` would accept a sign.
fn parse_port(digits: &str) -> Result<u16, InvalidTarget> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidTarget::Port);
    }
    digits
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or(InvalidTarget::Port)
}

/// One trailing dot goes; what is left must be a name of the DNS (RFC 1035, section 2.3.4) that can
/// stand in a request (RFC 3986, section 3.2.2). The standard for URLs lets some others be.
fn canonical_name(mut name: String) -> Result<String, InvalidTarget> {
    if name.ends_with('.') {
        name.pop();
    }
    let short = name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()));
    if short && !name.contains(['"', '`', '{', '}']) {
        Ok(name)
    } else {
        Err(InvalidTarget::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::canonical_ascii;

    fn canonical(authority: &str) -> String {
        Target::parse(authority, Some(80))
            .map_or_else(|error| error.to_string(), |target| target.to_string())
    }

    #[test]
    fn a_host_is_read_only_if_its_spelling_is_short_enough_to_be_one() {
        let encoded = |len: usize| {
            let labels = format!("{}.", "a".repeat(50)).repeat(len / 51);
            labels
                .bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect::<String>()
        };
        assert!(Target::new(&encoded(253), 80).is_ok());
        // It would take milliseconds.
        let bomb = format!("xn--{}", "z".repeat(59_000));
        assert_eq!(Target::new(&bomb, 80), Err(InvalidTarget::Host));
        assert_eq!(canonical_host(&bomb), Err(InvalidTarget::Host));
        assert_eq!(Target::new(&encoded(600), 80), Err(InvalidTarget::Host));
    }

    #[test]
    fn one_host_has_one_spelling() {
        for (spelling, expected) in [
            ("example.com", "example.com:80"),
            ("EXAMPLE.com.", "example.com:80"),
            ("bücher.example:8080", "xn--bcher-kva.example:8080"),
            ("ex%61mple.com", "example.com:80"),
            ("under_score.example", "under_score.example:80"),
            ("127.1", "127.0.0.1:80"),
            ("2130706433", "127.0.0.1:80"),
            ("0x7f.0.0.1.", "127.0.0.1:80"),
            ("0", "0.0.0.0:80"),
            ("[::1]:443", "[::1]:443"),
            ("[::ffff:127.0.0.1]", "127.0.0.1:80"),
            ("[2001:DB8::0:1]", "[2001:db8::1]:80"),
        ] {
            assert_eq!(canonical(spelling), expected, "{spelling}");
        }
    }

    #[test]
    fn the_short_way_to_a_host_agrees_with_the_parser() {
        // Every text of up to five pieces that mean something to the host parser.
        let pieces = [
            "a", "Z", "9", "0x1", "xn--", "tda", "-", "_", ".", "%41", "é", "*",
        ];
        let agree = |text: &str| {
            let parsed = Host::parse(text)
                .map_err(|_| InvalidTarget::Host)
                .and_then(|host| match host {
                    Host::Domain(name) => canonical_name(name),
                    address => Ok(address.to_string()),
                });
            let host = Target::new(text, 0).map(|target| target.host().to_owned());
            assert_eq!(host, parsed, "{text:?}");
        };
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = |text: &String| pieces.map(|piece| format!("{text}{piece}"));
            texts = texts.iter().flat_map(longer).collect();
            texts.iter().for_each(|text| agree(text));
        }
        // Labels and names that are as long as they may be, and longer.
        for label in 62..=64 {
            let name = format!("{}.", "a".repeat(label)).repeat(5);
            (251..=255).for_each(|length| agree(&name[..length]));
        }
    }

    #[test]
    fn the_reading_of_plain_ascii_agrees_with_the_parser() {
        for written in [
            "a.example",
            "A.Example.",
            "a.example..",
            "10.0.0.1",
            "10.0.0.1.",
            "127.1",
            "0x7f.1",
            "a.0x",
            "1.2.3.4.5",
            "1.example",
            "_a.example",
            "a-.example",
            "localhost",
            "::1",
            "::ffff:10.0.0.1",
            "2001:DB8::1",
            "xn--bcher-kva.example",
            "a b",
            "a*b",
            "a%41",
            "",
        ] {
            if let Some(host) = canonical_ascii(written) {
                assert_eq!(canonical_host(written).as_deref(), Ok(&*host), "{written}");
            }
        }
        let long = format!("{}.", "a.".repeat(126) + "a");
        assert_eq!(
            canonical_ascii(&long).as_deref(),
            canonical_host(&long).ok().as_deref()
        );
    }

    #[test]
    fn a_host_is_canonical_however_it_came() {
        for (spelling, expected) in [
            ("example.com", "example.com"),
            ("Example.COM.", "example.com"),
            ("127.1", "127.0.0.1"),
            ("2001:DB8::0:1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(canonical_host(spelling).unwrap(), expected, "{spelling}");
        }
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "a:80",
            "1.2.3.4.5",
            "[::1",
            "a{b",
            "a}b",
            "a`b",
            "a\"b",
        ] {
            assert!(canonical_host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_target_can_be_made_of_its_host() {
        for text in ["example.com:443", "192.0.2.1:80", "[2001:db8::1]:8080"] {
            let target = Target::parse(text, None).unwrap();
            assert_eq!(Target::of_host(target.host(), target.port()), Ok(target));
        }
    }

    #[test]
    fn what_does_not_name_a_host_is_refused() {
        for bad in [
            "",
            ":80",
            "a..b",
            "..",
            "a b",
            "a%00b",
            "a%2fb",
            "[::1",
            "[::1]x",
            "::1",
            "1.2.3.4.5",
            "a/b",
            "a?b",
        ] {
            assert!(Target::parse(bad, Some(80)).is_err(), "{bad:?}");
        }
        assert!(Target::parse(&format!("{}.example", "a".repeat(64)), Some(80)).is_err());
        assert_eq!(
            Target::parse("user@example.com", Some(80)),
            Err(InvalidTarget::UserInfo)
        );
    }

    #[test]
    fn ports_are_digits_in_range() {
        for bad in [
            "a:0", "a:65536", "a:65616", "a:99999", "a:+80", "a:8o", "a:-1",
        ] {
            assert_eq!(
                Target::parse(bad, Some(80)),
                Err(InvalidTarget::Port),
                "{bad}"
            );
        }
        assert_eq!(Target::parse("a", None), Err(InvalidTarget::NoPort));
        assert_eq!(Target::parse("a:", None), Err(InvalidTarget::Port));
    }

    /// RFC 3986, section 3.2.3: the port of an authority may be empty.
    #[test]
    fn an_empty_port_is_the_default() {
        for text in ["a:", "[::1]:", "127.0.0.1:"] {
            assert_eq!(Target::parse(text, Some(80)).unwrap().port(), 80, "{text}");
        }
        for bad in [":", "a::", "[::1]::"] {
            assert!(Target::parse(bad, Some(80)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_port_is_left_out_of_an_authority() {
        let authority = |text| Target::parse(text, Some(80)).unwrap().authority(80);
        assert_eq!(authority("example.com"), "example.com");
        assert_eq!(authority("example.com:81"), "example.com:81");
        assert_eq!(authority("[::1]"), "[::1]");
        assert_eq!(authority("[::1]:81"), "[::1]:81");
    }
}
