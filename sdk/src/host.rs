//! The name or address that a request wants to reach, and how names relate to domains.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use portcullis_contract::host;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::{Error, proxy};

/// A domain name or an IP address in its one canonical spelling: lower case, IDNA A-labels
/// (`xn--…`), no trailing dot; IPv6 without brackets. A configuration may have hosts; case does not
/// matter there, nor do dots around them.
///
/// ```
/// use portcullis_sdk::Host;
///
/// let host: Host = "shop.example.co.uk".parse()?;
/// assert!(host.is_within("example.co.uk"));
/// assert!(host.is_subdomain_of("example.co.uk"));
/// assert!(!host.is_subdomain_of("shop.example.co.uk"));
/// assert_eq!(host.registrable_domain().as_deref(), Some("example.co.uk"));
/// assert_eq!(host.suffixes().nth(1), Some("example.co.uk"));
///
/// let address: Host = "2001:db8::1".parse()?;
/// assert!(address.ip().is_some());
/// # Ok::<(), portcullis_sdk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    pub(crate) fn from_proxy(canonical: String) -> Self {
        Self(canonical)
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `domain` itself or a name below it: `www.evil.example` is within
    /// `evil.example`, `notevil.example` is not.
    ///
    /// The domain's case does not matter, nor do dots around it; nothing is within an empty domain.
    /// An IP address is only within itself.
    pub fn is_within(&self, domain: impl AsRef<str>) -> bool {
        // Not `trim_matches`, which decodes characters: filters ask this for each entry of a list.
        let mut domain = domain.as_ref().as_bytes();
        while let [b'.', rest @ ..] | [rest @ .., b'.'] = domain {
            domain = rest;
        }
        let host = self.0.as_bytes();
        let Some(start) = host.len().checked_sub(domain.len()) else {
            return false;
        };
        let (below, end) = host.split_at(start);
        !domain.is_empty()
            && end.eq_ignore_ascii_case(domain)
            && (below.is_empty() || below.ends_with(b".") && !self.is_ip())
    }

    /// Whether this is a name below `domain`, but not `domain` itself.
    pub fn is_subdomain_of(&self, domain: impl AsRef<str>) -> bool {
        let domain = domain.as_ref();
        self.0.len() > domain.trim_matches('.').len() && self.is_within(domain)
    }

    /// The domain that can be registered: `example.co.uk` for `www.example.co.uk`. None for an
    /// address, and for a name that is a public suffix itself (publicsuffix.org). The list is the
    /// proxy's.
    pub fn registrable_domain(&self) -> Option<String> {
        proxy::registrable(&self.0)
    }

    /// The host itself, then every domain above it, nearest first: `a.b.example`, `b.example`,
    /// `example`. An IP address has no domains above it.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        host::ancestors(&self.0)
    }

    /// Whether this is an IP address.
    pub fn is_ip(&self) -> bool {
        host::is_ip(&self.0)
    }

    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.is_ip().then(|| self.0.parse().ok()).flatten()
    }
}

impl FromStr for Host {
    type Err = Error;

    /// Reads a host that may be spelled in another way: case does not matter, nor do dots around
    /// it. A scheme, a port or a wildcard is not part of a host. Other scripts are written as
    /// A-labels; in a configuration the proxy does that before the filter reads it.
    fn from_str(text: &str) -> Result<Self, Error> {
        let canonical = host::canonical_ascii(text.trim_matches('.'));
        canonical.map(Self).ok_or_else(|| {
            Error::new(format_args!(
                "`{text}` is not a host; write it like example.com or 10.0.0.1, and in other scripts as xn--…"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Host {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Host {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Host {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn canonical(text: &str) -> Host {
        Host::from_proxy(text.to_owned())
    }

    #[test]
    fn a_name_is_within_itself_and_what_it_lies_below() {
        for (host, domain) in [
            ("evil.example", "evil.example"),
            ("www.evil.example", "evil.example"),
            ("a.b.c.evil.example", "example"),
            ("WWW.Evil.Example.", ".eVIL.exAMPLE."),
            ("localhost", "localhost"),
            ("10.0.0.1", "10.0.0.1"),
            ("2001:db8::1", "2001:DB8::1"),
        ] {
            let host: Host = host.parse().unwrap();
            assert!(host.is_within(domain), "{host} in {domain}");
        }
    }

    #[test]
    fn a_common_ending_is_not_enough() {
        for (host, domain) in [
            ("notevil.example", "evil.example"),
            ("evil.example", "www.evil.example"),
            ("evil.example.org", "evil.example"),
            ("evil.example", "xample"),
            ("evil.example", ""),
            ("evil.example", "."),
            ("evil.example", "é.example"),
            ("xé.example", "\u{a9}.example"),
            ("10.0.0.1", "0.0.1"),
            ("10.0.0.1", "1"),
            ("2001:db8::10.0.0.1", "0.0.1"),
        ] {
            assert!(!canonical(host).is_within(domain), "{host} in {domain}");
        }
    }

    #[test]
    fn a_subdomain_is_not_the_domain_itself() {
        for (host, domain, expected) in [
            ("a.b.example", "b.example", true),
            ("a.b.example", ".B.Example.", true),
            ("b.example", "b.example", false),
            ("b.example", ".b.example", false),
            ("ab.example", "b.example", false),
            ("10.0.0.1", "0.0.1", false),
        ] {
            assert_eq!(canonical(host).is_subdomain_of(domain), expected, "{host}");
        }
    }

    #[test]
    fn the_registrable_domain_lies_right_below_a_public_suffix() {
        for (host, domain) in [
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("example.com", Some("example.com")),
            ("user.github.io", Some("user.github.io")),
            ("a.unknown-tld", Some("a.unknown-tld")),
            ("co.uk", None),
            ("localhost", None),
            ("10.0.0.1", None),
            ("2001:db8::1", None),
        ] {
            let found = canonical(host).registrable_domain();
            assert_eq!(found.as_deref(), domain, "{host}");
        }
    }

    #[test]
    fn suffixes_come_longest_first() {
        let suffixes = |host| -> Vec<String> {
            let host = canonical(host);
            host.suffixes().map(String::from).collect()
        };
        assert_eq!(
            suffixes("a.b.example"),
            ["a.b.example", "b.example", "example"]
        );
        assert_eq!(suffixes("10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(suffixes("::ffff:10.0.0.1"), ["::ffff:10.0.0.1"]);
    }

    #[test]
    fn addresses_are_told_from_names() {
        for ip in ["10.0.0.1", "0.0.0.0", "::1", "2001:db8::1"] {
            assert!(canonical(ip).is_ip(), "{ip}");
        }
        for name in ["a.example", "1.example", "localhost", "a.c3", ""] {
            assert!(!canonical(name).is_ip(), "{name}");
        }
    }

    #[test]
    fn a_host_in_a_configuration_gets_its_canonical_spelling() {
        for (written, host) in [
            (".Example.COM.", "example.com"),
            ("_dmarc.example", "_dmarc.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(written.parse::<Host>().unwrap(), host);
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for written in [
            "",
            ".",
            "a..example",
            "*",
            "*.example.com",
            "http://example.com/",
            "example.com:443",
            "[::1]",
            "bücher.example",
            "10.0.0.0/8",
            "10.0.0.256",
        ] {
            let error = config::parse::<Host>(&format!("{written:?}")).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("`{written}` is not a host;")),
                "{error}"
            );
        }
    }
}
