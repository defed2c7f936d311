//! What a self-test asks a proxy for, and what becomes of it. These are values alone, so that
//! another process can do the asking.

use std::fmt;
use std::net::IpAddr;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::downstream::foresee::Refusal;
use crate::flow::Protocol;
use crate::target::{HTTP_PORT, InvalidTarget, Target};

/// The errors that a proxy answers with (RFC 9209) where nothing has stood against a request.
const ABSENT: [&str; 8] = [
    "dns_error",
    "dns_timeout",
    "connection_refused",
    "connection_timeout",
    "connection_terminated",
    "destination_unavailable",
    "http_response_incomplete",
    "http_response_timeout",
];

/// The same as codes of SOCKS version 5: a network, a host or a program is not there.
const ABSENT_REPLIES: [u8; 4] = [3, 4, 5, 6];

/// What is said where a user and a password of SOCKS are not taken (RFC 1929).
const WRONG_LOGIN: &str = "wrong login";

/// Before the code of SOCKS.
const REPLY: &str = "reply";

/// The port of tunnels that no settings are against by themselves.
pub(super) const TUNNEL_PORT: u16 = 443;

/// By which way a host is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// A request with a whole URL.
    Http,
    Connect,
    Socks5,
    /// With names as 4a has them.
    Socks4,
    /// Not through the proxy.
    Around,
}

/// A host as it is written in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Host {
    /// A name, or an address in any spelling.
    Text(String),
    /// The bytes of an address, in SOCKS.
    Address(IpAddr),
}

/// Who is said to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Login {
    /// The user that the self-test was told; none where there are no logins.
    Right,
    /// A password that no user has.
    Wrong,
    Missing,
    /// The right one, then on the same connection none. The second answer counts.
    Kept,
}

/// What is sent through a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sent {
    Nothing,
    /// What is neither HTTP nor TLS.
    Greeting,
    /// The first message of a TLS handshake, with this name of a server.
    Hello(String),
    /// A request of HTTP, with this host.
    Request(String),
}

/// One thing to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) way: Way,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) login: Login,
    pub(super) sent: Sent,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The server of the self-test has answered.
    Reached,
    /// Nothing stood against it. The text says what came of it.
    Passed(String),
    /// Nothing stood against it, and the host does not exist or does not answer.
    Absent(String),
    /// The proxy is against it. The text is its answer.
    Refused(String),
    /// The tunnel was closed with an alert of TLS that says that access is denied.
    Alert,
    /// The connection was closed without an answer.
    Closed,
    /// Nothing came for a long time.
    Silent,
    /// The system has no way there.
    NoRoute,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Connect => "CONNECT",
            Self::Socks5 => "SOCKS 5",
            Self::Socks4 => "SOCKS 4a",
            Self::Around => "no proxy",
        }
    }

    /// The port by this way at which nothing is refused for its sake.
    pub(super) fn usual_port(self) -> u16 {
        match self {
            Self::Http => HTTP_PORT,
            Self::Connect | Self::Socks5 | Self::Socks4 | Self::Around => TUNNEL_PORT,
        }
    }

    /// What is spoken with the proxy. Filters are not asked about a way around it.
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Http => Protocol::Http,
            Self::Connect | Self::Around => Protocol::Connect,
            Self::Socks5 => Protocol::Socks5,
            Self::Socks4 => Protocol::Socks4,
        }
    }

    pub(super) fn is_socks(self) -> bool {
        matches!(self, Self::Socks5 | Self::Socks4)
    }
}

impl Host {
    pub(super) fn name(name: impl Into<String>) -> Self {
        Self::Text(name.into())
    }

    /// As the proxy reads it.
    pub(super) fn target(&self, way: Way, port: u16) -> Result<Target, InvalidTarget> {
        match self {
            Self::Text(text) if way.is_socks() => Target::of_host(text, port),
            Self::Text(text) => Target::new(text, port),
            Self::Address(ip) => Target::of_host(&ip.to_string(), port),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Address(ip) => write!(f, "{ip} in bytes"),
        }
    }
}

impl Step {
    pub(super) fn new(way: Way, host: Host, port: u16) -> Self {
        Self {
            way,
            host,
            port,
            login: Login::Right,
            sent: Sent::Greeting,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if self.way != Way::Around {
            write!(f, ", port {}", self.port)?;
        }
        match &self.sent {
            Sent::Hello(name) => write!(f, ", TLS for {name}"),
            Sent::Request(host) => write!(f, ", a request for {host}"),
            Sent::Nothing | Sent::Greeting => Ok(()),
        }
    }
}

impl Outcome {
    /// What an answer of HTTP means. One that has come from elsewhere is forwarded.
    pub(super) fn of_answer(status: u16, proxy_status: Option<&str>, is_forwarded: bool) -> Self {
        let mut parameters = proxy_status.unwrap_or_default().split(';');
        let is_own = parameters
            .next()
            .is_some_and(|name| name.trim() == "portcullis");
        let error = parameters.find_map(|it| it.trim().strip_prefix("error="));
        let error = error.filter(|_| is_own && !is_forwarded);
        let said = match error {
            Some(error) => format!("{status} {error}"),
            None => status.to_string(),
        };
        if is_forwarded {
            Self::Passed(said)
        } else if error.is_some_and(|error| ABSENT.contains(&error)) {
            Self::Absent(said)
        } else {
            Self::Refused(said)
        }
    }

    /// What a code of SOCKS means that is not that of success. All of version 4 are one.
    pub(super) fn of_reply(way: Way, code: u8) -> Self {
        let said = match code {
            0xff => "no login will do".to_owned(),
            code => format!("{REPLY} {code}"),
        };
        if way == Way::Socks5 && ABSENT_REPLIES.contains(&code) {
            Self::Absent(said)
        } else {
            Self::Refused(said)
        }
    }

    /// A user and a password of SOCKS were not taken.
    pub(super) fn wrong_login() -> Self {
        Self::Refused(WRONG_LOGIN.to_owned())
    }

    /// Whether the proxy does not believe the client's login.
    pub(super) fn is_no_login(&self) -> bool {
        matches!(self, Self::Refused(said) if said.starts_with("407") || said == WRONG_LOGIN)
    }

    /// Whether the proxy takes no more requests for now.
    pub(super) fn is_throttled(&self) -> bool {
        matches!(self, Self::Refused(said) if said.starts_with("429"))
    }

    /// Whether it is a code of SOCKS.
    pub(super) fn is_reply(&self) -> bool {
        matches!(self, Self::Refused(said) if said.starts_with(REPLY))
    }

    /// What a refusal looks like to the client.
    pub(super) fn of_refusal(way: Way, refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Http(status, field) => {
                let field = field.as_ref().map(HeaderValue::to_str);
                Self::of_answer(status.as_u16(), field.and_then(Result::ok), false)
            }
            Refusal::Socks(code) => Self::of_reply(way, *code),
            Refusal::Nothing => Self::Closed,
        }
    }

    /// Whether it is what should be.
    pub(super) fn is(&self, expected: &Self) -> bool {
        match (self, expected) {
            // Whether the host is there says nothing of a policy.
            (Self::Passed(_) | Self::Absent(_) | Self::Reached, Self::Passed(_)) => true,
            _ => self == expected,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached => f.write_str("reached"),
            Self::Passed(said) if said.is_empty() => f.write_str("let pass"),
            Self::Passed(said) => write!(f, "let pass ({said})"),
            Self::Absent(said) => write!(f, "let pass, and not there ({said})"),
            Self::Refused(said) => write!(f, "refused ({said})"),
            Self::Alert => f.write_str("closed with an alert"),
            Self::Closed => f.write_str("closed without an answer"),
            Self::Silent => f.write_str("no answer"),
            Self::NoRoute => f.write_str("no network"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::downstream::foresee;
    use crate::error::Error;

    #[test]
    fn an_answer_of_the_proxy_is_told_from_one_that_it_forwards() {
        let own = |error: &str| format!("portcullis;error={error};details=\"a;b\"");
        let of = |status, field: &str, forwarded| {
            Outcome::of_answer(status, Some(field), forwarded).to_string()
        };
        assert_eq!(
            of(403, &own("destination_ip_prohibited"), false),
            "refused (403 destination_ip_prohibited)"
        );
        assert_eq!(
            of(502, &own("dns_error"), false),
            "let pass, and not there (502 dns_error)"
        );
        // Another proxy behind this one refuses.
        assert_eq!(of(403, &own("http_request_denied"), true), "let pass (403)");
        assert_eq!(of(502, "other;error=dns_error", false), "refused (502)");
        let page = Outcome::of_answer(302, None, false);
        assert_eq!(page, Outcome::Refused("302".into()));
    }

    #[test]
    fn what_the_proxy_answers_where_nothing_is_there_is_told_from_a_refusal() {
        let is_absent = |error: &Error, way: Way| {
            let refusal = foresee::of_error(error, way.protocol());
            matches!(Outcome::of_refusal(way, &refusal), Outcome::Absent(_))
        };
        let (host, target) = ("a.test".to_owned(), "a.test:80".to_owned());
        let (unresolved, unreached) =
            (Error::DnsTimeout { host }, Error::ConnectTimeout { target });
        for error in [unresolved, unreached] {
            assert!(is_absent(&error, Way::Http), "{error}");
            assert!(is_absent(&error, Way::Socks5), "{error}");
        }
        for error in [Error::ResponseTimeout, Error::Closed] {
            assert!(is_absent(&error, Way::Http), "{error}");
        }
        for error in [Error::ClientNotAllowed, Error::Loop] {
            assert!(!is_absent(&error, Way::Http), "{error}");
            assert!(!is_absent(&error, Way::Socks5), "{error}");
        }
    }

    #[test]
    fn only_version_5_of_socks_says_that_a_host_is_not_there() {
        let is_absent = |way, code| matches!(Outcome::of_reply(way, code), Outcome::Absent(_));
        assert!(is_absent(Way::Socks5, 4) && !is_absent(Way::Socks5, 2));
        assert!(!is_absent(Way::Socks4, 91) && !is_absent(Way::Socks4, 4));
    }

    #[test]
    fn what_should_pass_has_passed_wherever_it_came_to() {
        let passed = |said: &str| Outcome::Passed(said.into());
        let absent = Outcome::Absent("502 dns_error".into());
        for outcome in [absent, passed("200"), Outcome::Reached] {
            assert!(outcome.is(&passed("")), "{outcome}");
        }
        for other in [
            Outcome::Refused("403".into()),
            Outcome::Closed,
            Outcome::Silent,
        ] {
            assert!(!other.is(&passed("")) && !other.is(&Outcome::Reached));
        }
        assert!(!passed("").is(&Outcome::Reached));
        assert!(!Outcome::Refused("407".into()).is(&Outcome::Refused("403".into())));
    }
}
