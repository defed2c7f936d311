//! What an entry may be about: a host, a top-level domain, or a network.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::target::canonical_host;

/// The canonical host that an entry means.
///
/// This is stricter than the parser of traffic, which would take `404` for an IPv4 address and
/// `{"a".b}` for a domain. In a list these are signs of another format.
pub(crate) fn listed_host(name: &str) -> Option<Cow<'_, str>> {
    let host = canonical_host(name).ok()?;
    if let Cow::Owned(changed) = &host
        && changed.parse::<IpAddr>().is_ok()
    {
        return name.parse::<IpAddr>().is_ok().then_some(host);
    }
    (host.contains('.') && is_name(&host)).then_some(host)
}

/// A top-level domain.
pub(crate) fn listed_label(name: &str) -> Option<Cow<'_, str>> {
    let host = canonical_host(name).ok()?;
    let is_label = !host.contains('.') && host.bytes().any(|byte| byte.is_ascii_alphabetic());
    (is_label && is_name(&host)).then_some(host)
}

fn is_name(host: &str) -> bool {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    host.bytes().all(allowed)
}

/// A network in its shortest form.
pub(crate) fn listed_network(name: &str) -> Option<String> {
    let network: IpNet = name.parse().ok()?;
    // Hosts are never written as IPv4 addresses within IPv6.
    let is_mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().is_some(),
        IpNet::V4(_) => false,
    };
    // Half of all addresses would not be a list.
    (network.prefix_len() > 1 && !is_mapped).then(|| network.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_host_is_not_listed() {
        for entry in [
            "404",
            "1.5",
            "0x7f.1",
            "com",
            "*",
            "*.a.example",
            "a*b.example",
            "||a.example^",
            "example.com:8080",
            "user@a.example",
            "{\"a\".b}",
            "&nbsp;a.example",
            "a..b",
            "..example",
            "1.2.3.4.5",
        ] {
            assert_eq!(listed_host(entry), None, "{entry}");
        }
    }

    #[test]
    fn a_network_is_listed_in_its_shortest_form() {
        for (entry, network) in [
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:DB8:0:0::/32", "2001:db8::/32"),
        ] {
            assert_eq!(listed_network(entry).as_deref(), Some(network));
        }
        for entry in [
            "0.0.0.0/0",
            "::/1",
            "192.0.2.0/33",
            "a.example/24",
            "192.0.2.0/",
            "::ffff:192.0.2.0/120",
        ] {
            assert_eq!(listed_network(entry), None, "{entry}");
        }
    }
}
