//! Canonical hosts as far as plain ASCII goes. Filters and their tests use it as it is; `target`
//! puts the rest of the URL standard on top.

use std::iter;
use std::net::IpAddr;

use crate::limits::HOST_BYTES;

/// The longest label of a name, in bytes.
const LABEL_BYTES: usize = 63;

/// The one spelling of a host that is written in ASCII: lower case, without a trailing dot, an IPv6
/// address without brackets. None if the text is neither a name nor an address in its usual
/// spelling.
///
/// Wherever this has an answer, the proxy's own reading of hosts has the same one.
///
/// ```
/// use portcullis_contract::host::canonical_ascii;
///
/// assert_eq!(canonical_ascii("WWW.Example.").as_deref(), Some("www.example"));
/// assert_eq!(canonical_ascii("2001:DB8:0::1").as_deref(), Some("2001:db8::1"));
/// assert_eq!(canonical_ascii("bücher.example"), None);
/// ```
pub fn canonical_ascii(text: &str) -> Option<String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(format!("{}", ip.to_canonical()));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    (is_name(&name) && !ends_in_number(&name)).then_some(name)
}

/// Whether a canonical host is an IP address.
pub fn is_ip(host: &str) -> bool {
    // A canonical name contains no colon and does not end in a number.
    host.bytes().any(|byte| byte == b':') || ends_in_number(host)
}

/// A canonical host itself, then every domain above it, nearest first. An IP address has none above
/// it.
pub fn ancestors(host: &str) -> impl Iterator<Item = &str> {
    let is_ip = is_ip(host);
    iter::successors(Some(host), move |name| {
        let dot = name.bytes().position(|byte| byte == b'.' && !is_ip)?;
        name.get(dot + 1..)
    })
}

/// Whether the WHATWG host parser would leave `host` as it is. The answer is no whenever the parser
/// would have to look closer: at `xn--`, whose Punycode must be valid, and at a last label that
/// begins with a digit, which may make an IPv4 address.
#[cfg(feature = "idna")]
pub(crate) fn is_plainly_canonical(host: &str) -> bool {
    let host = host.as_bytes();
    // In one pass, since every name of every list comes here.
    let mut label = 0;
    for (at, byte) in host.iter().enumerate() {
        if is_name_byte(*byte) {
            continue;
        }
        if *byte != b'.' || !is_plain_label(&host[label..at]) {
            return false;
        }
        label = at + 1;
    }
    let last = &host[label..];
    host.len() <= HOST_BYTES
        && is_plain_label(last)
        && !last.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(feature = "idna")]
fn is_plain_label(label: &[u8]) -> bool {
    (1..=LABEL_BYTES).contains(&label.len()) && !label.starts_with(b"xn--")
}

/// Whether a name may have it in a label.
fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// Whether it is a name of the DNS in lower case and without a trailing dot.
fn is_name(host: &str) -> bool {
    let is_label = |label: &[u8]| {
        (1..=LABEL_BYTES).contains(&label.len()) && label.iter().all(|byte| is_name_byte(*byte))
    };
    host.len() <= HOST_BYTES && host.as_bytes().split(|byte| *byte == b'.').all(is_label)
}

fn last_label(host: &str) -> &[u8] {
    let mut labels = host.as_bytes().rsplit(|byte| *byte == b'.');
    labels.next().unwrap_or_default()
}

/// Whether the URL standard would read the whole as an IPv4 address ("ends in a number checker").
fn ends_in_number(host: &str) -> bool {
    let end = last_label(host);
    let is_decimal = !end.is_empty() && end.iter().all(u8::is_ascii_digit);
    let is_hexadecimal = end
        .strip_prefix(b"0x")
        .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    is_decimal || is_hexadecimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_ascii_has_one_spelling() {
        for (written, host) in [
            ("a.example", "a.example"),
            ("A.Example.", "a.example"),
            ("_dmarc.example", "_dmarc.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("10.0.0.1", "10.0.0.1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(canonical_ascii(written).as_deref(), Some(host), "{written}");
        }
    }

    #[test]
    fn what_is_not_a_host_in_ascii_has_none() {
        for written in [
            "",
            ".",
            "a b",
            "a..b",
            "a.b..",
            "*",
            "*.a.example",
            "a.example:443",
            "[::1]",
            "bücher.example",
            "127.1",
            "1.2.3.4.5",
            "0x7f.1",
            "a.0x",
            "10.0.0.0/8",
        ] {
            assert_eq!(canonical_ascii(written), None, "{written}");
        }
        let long = "a".repeat(64);
        assert_eq!(canonical_ascii(&format!("{long}.example")), None);
        assert_eq!(
            canonical_ascii(&"a.".repeat(127)).map(|host| host.len()),
            Some(253)
        );
        assert_eq!(canonical_ascii(&"a.".repeat(128)), None);
    }

    #[test]
    fn addresses_are_told_from_names() {
        for ip in ["10.0.0.1", "0.0.0.0", "::1", "2001:db8::1"] {
            assert!(is_ip(ip), "{ip}");
        }
        for name in ["a.example", "1.example", "localhost", "a.c3", ""] {
            assert!(!is_ip(name), "{name}");
        }
    }
}
