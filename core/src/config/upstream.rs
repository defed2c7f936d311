//! The settings of parent proxies: which requests go through which of them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smart_default::SmartDefault;
use url::Url;

use super::declaration;
use super::request::{Secret, SecretText};
use super::value::{self, Destination, FromText, GroupName, OneOrEach, Parsed, Word, Words};
use crate::target::Target;

/// Proxies through which some requests go, or the word that these go straight to their origins. Of
/// several tables the one holds whose entry of `hosts` says most of a host: a name before a domain,
/// a longer domain before a shorter one, each with a port before one without. Where two say as
/// much, a table with `groups` comes first, and then the order of their names holds.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Upstream {
    /// The proxy, several of one kind among which requests are shared out, or "direct".
    #[serde(deserialize_with = "value::one_or_each::<_, ParentProxy>")]
    #[schemars(
        with = "OneOrEach<ParentProxy>",
        transform = declaration::without_default,
        extend("examples" = ["http://parent.example:3128"])
    )]
    pub proxy: Vec<ParentProxy>,
    /// The hosts for which the table holds, with or without ports; all hosts by default. A network
    /// covers requests that name an address.
    #[serde(deserialize_with = "value::each::<_, Destination>")]
    #[schemars(with = "Vec<Parsed<Destination>>")]
    pub hosts: Vec<Destination>,
    /// The groups for whose clients the table holds; all clients by default.
    #[serde(deserialize_with = "value::each::<_, GroupName>")]
    #[schemars(with = "Vec<Parsed<GroupName>>")]
    pub groups: Vec<String>,
    /// NAME:PASSWORD for the proxies: "env:NAME" for what is in a variable, or "file:PATH" for what
    /// is in a file. It is read at the start.
    #[serde(deserialize_with = "some_secret")]
    #[schemars(with = "Parsed<SecretText>", transform = declaration::without_default)]
    pub credentials: Option<Secret>,
    /// Which of several proxies a connection goes through.
    #[serde(with = "Parsed::<Word<Balance>>")]
    pub balance: Balance,
    /// What becomes of a request while none of the proxies can be reached.
    #[serde(with = "Parsed::<Word<Fallback>>")]
    pub fallback: Fallback,
    /// Certificates, in a PEM file, that the proxies at `https:` are trusted by besides those of
    /// the system. Lists are fetched through proxies that the system trusts.
    #[schemars(extend("format" = "path"), transform = declaration::without_default)]
    pub ca: Option<PathBuf>,
}

/// Which of several proxies a connection goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Balance {
    /// The one to which there are the fewest.
    #[default]
    LeastConnections,
    /// For each host always the same, as long as it can be reached: proxies with a cache.
    Host,
}

impl Words for Balance {
    const EXPECTED: &'static str =
        r#"how connections are shared out: "least-connections" or "host""#;
}

/// What becomes of a request while none of the proxies can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fallback {
    /// It is answered with 502.
    #[default]
    Refuse,
    /// It goes straight to its origin.
    Direct,
}

impl Words for Fallback {
    const EXPECTED: &'static str =
        r#"what happens while no proxy can be reached: "refuse" or "direct""#;
}

/// A way that requests take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParentProxy {
    /// Straight to their origins.
    Direct,
    /// Through another proxy.
    Proxy(ProxyAddress),
}

/// Where another proxy is, and what is spoken with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    pub(crate) protocol: ProxyProtocol,
    pub(crate) target: Target,
}

/// What is spoken with another proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    Http,
    /// HTTP/1.1 in TLS.
    Https,
    Socks5,
}

impl ParentProxy {
    /// The address of a proxy that is written by it.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Direct => None,
            Self::Proxy(proxy) => {
                let target = &proxy.target;
                let ip = target.ip()?;
                Some(SocketAddr::new(ip, target.port()))
            }
        }
    }
}

impl ProxyProtocol {
    fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        }
    }

    /// Whether both are asked for plain requests in the same way.
    fn is_like(self, other: Self) -> bool {
        (self == Self::Socks5) == (other == Self::Socks5)
    }
}

impl FromText for ParentProxy {
    type Value = Self;

    const EXPECTED: &'static str = r#""direct", or the URL of a proxy without a user, a password and a path, such as "http://parent.example:3128", "https://parent.example" or "socks5://10.0.0.5:1080""#;

    fn parse(text: &str) -> Option<Self> {
        if text == "direct" {
            return Some(Self::Direct);
        }
        let url = Url::parse(text).ok()?;
        let (protocol, usual_port) = match url.scheme() {
            "http" => (ProxyProtocol::Http, 80),
            "https" => (ProxyProtocol::Https, 443),
            // Curl's word for a proxy that resolves names, as all do here.
            "socks5" | "socks5h" => (ProxyProtocol::Socks5, 1080),
            _ => return None,
        };
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|_| is_plain)?;
        let target = Target::new(host, url.port().unwrap_or(usual_port)).ok()?;
        Some(Self::Proxy(ProxyAddress { protocol, target }))
    }

    fn write(parent: &Self) -> Value {
        parent.to_string().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{"enum": ["direct"]}, {"type": "string", "pattern": "^(https?|socks5h?)://"}]
        })
    }
}

/// As it is written in the settings.
impl FromStr for ParentProxy {
    type Err = InvalidParent;

    fn from_str(text: &str) -> Result<Self, InvalidParent> {
        Self::parse(text).ok_or_else(|| InvalidParent(Self::problem(text)))
    }
}

/// A text is not what the setting asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidParent(String);

impl fmt::Display for ParentProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy(proxy) => proxy.fmt(f),
        }
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.scheme(), self.target)
    }
}

impl Upstream {
    /// All requests that no other table is for go through these proxies.
    pub fn new(proxies: impl IntoIterator<Item = ParentProxy>) -> Self {
        Self {
            proxy: proxies.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The proxies; none if requests go straight to their origins.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = &ProxyAddress> {
        self.proxy.iter().filter_map(|parent| match parent {
            ParentProxy::Direct => None,
            ParentProxy::Proxy(proxy) => Some(proxy),
        })
    }

    fn has_settings_of_proxies(&self) -> bool {
        let usual = Self::default();
        self.credentials.is_some()
            || self.ca.is_some()
            || self.balance != usual.balance
            || self.fallback != usual.fallback
    }

    /// Why the table makes no sense. `has_group` tells which groups there are.
    pub(super) fn problem(&self, has_group: impl Fn(&str) -> bool) -> Option<String> {
        let mut proxies = self.proxies();
        let first = proxies.next();
        let differs = |other: &ProxyAddress| {
            first.is_some_and(|first| !first.protocol.is_like(other.protocol))
        };
        let is_enciphered = |proxy: &ProxyAddress| proxy.protocol == ProxyProtocol::Https;
        let problem = if self.proxy.is_empty() {
            "`proxy` is missing; add proxy = \"http://parent.example:3128\", for instance"
        } else if first.is_some() && self.proxy.contains(&ParentProxy::Direct) {
            "\"direct\" stands alone; fallback = \"direct\" is for requests that no proxy can be reached for"
        } else if first.is_none() && self.has_settings_of_proxies() {
            "\"direct\" has no credentials, ca, balance and fallback; remove them"
        } else if self.ca.is_some() && !self.proxies().any(is_enciphered) {
            "`ca` is for proxies at https:, of which there is none; remove it"
        } else if proxies.any(differs) {
            "its proxies are of different kinds; make a table of those at socks5: and another of those at http: and https:"
        } else {
            let group = self.groups.iter().find(|group| !has_group(group))?;
            return Some(format!(
                "there is no group `{group}`; add [groups.{group}], or remove the name"
            ));
        };
        Some(problem.into())
    }
}

fn some_secret<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Secret>, D::Error> {
    Parsed::<SecretText>::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_written_as_a_url_without_a_login() {
        for (text, read) in [
            ("http://parent.example:3128", "http://parent.example:3128"),
            ("http://Parent.Example/", "http://parent.example:80"),
            ("https://10.0.0.5", "https://10.0.0.5:443"),
            ("socks5h://[fd00::5]", "socks5://[fd00::5]:1080"),
            ("direct", "direct"),
        ] {
            let parent: ParentProxy = text.parse().unwrap();
            assert_eq!(parent.to_string(), read);
        }
        for text in [
            "parent.example:3128",
            "http://ann:secret@parent.example:3128",
            "http://parent.example/path",
            "http://parent.example/?query",
            "ftp://parent.example",
            "socks4://parent.example",
            "http://",
            "",
        ] {
            let error = text.parse::<ParentProxy>().unwrap_err().to_string();
            assert!(error.contains("the URL of a proxy"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
