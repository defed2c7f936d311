//! The name or address that a request wants to reach, and how names relate to domains.

use std::fmt;
use std::iter;

/// A domain name or an IP address in its one canonical spelling: lower case, IDNA A-labels (`xn--…`), no trailing dot; IPv6
/// without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// A host for tests, which lowers the case and drops one trailing dot. The proxy hands over canonical hosts only.
    pub fn new(host: &str) -> Self {
        Self::from_proxy(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
    }

    pub(crate) fn from_proxy(canonical: String) -> Self {
        Self(canonical)
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `domain` itself or a name below it: `www.evil.example` is within `evil.example`, `notevil.example` is not.
    ///
    /// The domain's case does not matter, nor do dots around it; nothing is within an empty domain. An IP address is only within
    /// itself.
    pub fn is_within(&self, domain: &str) -> bool {
        let domain = domain.trim_matches('.').as_bytes();
        let host = self.0.as_bytes();
        let Some(start) = host.len().checked_sub(domain.len()) else {
            return false;
        };
        let (below, end) = host.split_at(start);
        !domain.is_empty()
            && end.eq_ignore_ascii_case(domain)
            && (below.is_empty() || below.ends_with(b".") && !self.is_ip())
    }

    /// The host itself, then every domain above it, nearest first: `a.b.example`, `b.example`, `example`. An IP address has no
    /// domains above it.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let is_ip = self.is_ip();
        iter::successors(Some(self.as_str()), move |name| {
            let (_, parent) = name.split_once('.').filter(|_| !is_ip)?;
            Some(parent)
        })
    }

    /// Whether this is an IP address.
    pub fn is_ip(&self) -> bool {
        // No canonical name contains a colon or ends in a number (URL Standard, "ends in a number checker").
        let end = self.0.rsplit('.').next().unwrap_or_default();
        self.0.contains(':') || !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit())
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
            assert!(Host::new(host).is_within(domain), "{host} in {domain}");
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
            assert!(!Host::new(host).is_within(domain), "{host} in {domain}");
        }
    }

    #[test]
    fn ancestors_come_nearest_first() {
        let ancestors = |host| {
            Host::new(host)
                .ancestors()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ancestors("a.b.example"),
            ["a.b.example", "b.example", "example"]
        );
        assert_eq!(ancestors("10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(ancestors("::ffff:10.0.0.1"), ["::ffff:10.0.0.1"]);
    }

    #[test]
    fn addresses_are_told_from_names() {
        for ip in ["10.0.0.1", "0.0.0.0", "::1", "2001:db8::1"] {
            assert!(Host::new(ip).is_ip(), "{ip}");
        }
        for name in ["a.example", "1.example", "localhost", "a.c3", ""] {
            assert!(!Host::new(name).is_ip(), "{name}");
        }
    }
}
