//! Hosts, ports and URLs in the one spelling that the proxy hands to filters, so that a case asks the same wherever it is run. Called by
//! `format`.

use std::net::IpAddr;

/// A canonical host, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// Reads `host[:port]`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let after_host = match text.strip_prefix('[') {
            Some(rest) => rest.find(']').map_or(text.len(), |end| end + 2),
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(after_host);
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => default_port,
            None => return Err(no_host(text)),
            Some(port) => {
                let number = port.parse().ok().filter(|port| *port != 0);
                number.ok_or_else(|| {
                    format!("`{port}` is no port; they are numbers from 1 to 65535")
                })?
            }
        };
        let host = match host.strip_prefix('[') {
            Some(rest) => address(rest.strip_suffix(']').unwrap_or_default()),
            None => canonical_host(host),
        };
        let host = host.ok_or_else(|| no_host(text))?;
        Ok(Self { host, port })
    }

    /// `host[:port]` as an HTTP authority.
    fn authority(&self, default_port: u16) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port == default_port {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }
}

fn no_host(text: &str) -> String {
    format!(
        "`{text}` is no host; write it like a.example, a.example:8443, 10.0.0.1 or [2001:db8::1]:443, and in other scripts as xn--…"
    )
}

fn address(text: &str) -> Option<String> {
    let ip: IpAddr = text.parse().ok()?;
    Some(ip.to_canonical().to_string())
}

/// Lower case, no trailing dot; none if it is neither a name nor an address.
pub(crate) fn canonical_host(host: &str) -> Option<String> {
    if let Some(address) = address(host) {
        return Some(address);
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_part);
    // What ends in a number would be an address in another spelling (URL Standard, "ends in a number checker").
    let end = name.rsplit('.').next().unwrap_or_default();
    let is_number = end.bytes().all(|byte| byte.is_ascii_digit())
        || end
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_name = name.len() <= 253 && name.split('.').all(is_label) && !is_number;
    is_name.then_some(name)
}

/// A URL that somebody is sent to, in the spelling that the proxy gives it, but for dots between slashes. Of what no web URL is, the text.
pub(crate) fn canonical_url(text: &str) -> String {
    let (scheme, rest) = text.trim().split_once("://").unwrap_or_default();
    let default_port = match &*scheme.to_ascii_lowercase() {
        "http" => 80,
        "https" => 443,
        _ => return text.to_owned(),
    };
    let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_start);
    let authority = match Target::parse(authority, default_port) {
        Ok(target) => target.authority(default_port),
        Err(_) => authority.to_owned(),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let scheme = scheme.to_ascii_lowercase();
    format!("{scheme}://{authority}{slash}{}", escaped(path))
}

/// With `%20` and the like for bytes that a URL cannot have (URL Standard, "percent-encode sets").
fn escaped(path: &str) -> String {
    let mut escaped = String::new();
    for byte in path.bytes() {
        match byte {
            b'\t' | b'\n' | b'\r' => {}
            b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'\'' => {
                escaped.push_str(&format!("%{byte:02X}"));
            }
            byte if byte.is_ascii_graphic() => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// An `http` or `https` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) text: String,
    pub(crate) target: Target,
    /// What the proxy sees of it: nothing of one by https, where it tunnels.
    pub(crate) seen: Option<String>,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let rest = rest.split('#').next().unwrap_or_default();
        let path_start = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "`{text}` has characters that a URL cannot have; write them like %20"
            ));
        }
        let (target, seen) = match &*scheme.to_ascii_lowercase() {
            "http" => {
                let target = Target::parse(authority, 80)?;
                let slash = if path.starts_with('/') { "" } else { "/" };
                let url = format!("http://{}{slash}{path}", target.authority(80));
                (target, Some(url))
            }
            "https" => (Target::parse(authority, 443)?, None),
            _ => {
                return Err(format!(
                    "`{text}` is no URL that goes through the proxy; write it like http://a.example/b"
                ));
            }
        };
        Ok(Self {
            text: text.to_owned(),
            target,
            seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, u16), String> {
        Target::parse(text, 443).map(|target| (target.host, target.port))
    }

    #[test]
    fn a_host_has_one_spelling_and_may_have_a_port() {
        for (text, host, port) in [
            ("a.example", "a.example", 443),
            ("A.Example.:8443", "a.example", 8443),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", 443),
            ("10.0.0.1:80", "10.0.0.1", 80),
            ("[2001:DB8::1]", "2001:db8::1", 443),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1", 1),
        ] {
            assert_eq!(read(text), Ok((host.into(), port)), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_examples() {
        for text in [
            "",
            ".",
            "a b",
            "a..b",
            "bücher.example",
            "http://a.example/",
            "127.1",
            "1.2.3.4.5",
            "0x7f.1",
            "2001:db8::1",
            "[::1",
            "[::1]x",
            "[a.example]",
        ] {
            assert!(
                read(text)
                    .unwrap_err()
                    .contains("is no host; write it like")
                    || read(text).unwrap_err().contains("is no port"),
                "{text}"
            );
        }
        for text in ["a:", "a:0", "a:65536", "a:x"] {
            assert!(read(text).unwrap_err().contains("is no port"), "{text}");
        }
    }

    #[test]
    fn a_url_is_what_the_proxy_would_see() {
        for (text, url) in [
            ("http://A.example", "http://a.example/"),
            ("http://a.example:80?q=1", "http://a.example/?q=1"),
            ("HTTP://a.example:8080/B#c", "http://a.example:8080/B"),
            ("http://[::1]:81/", "http://[::1]:81/"),
        ] {
            assert_eq!(Url::parse(text).unwrap().seen.as_deref(), Some(url));
        }
        let tunnelled = Url::parse("https://a.example/b").unwrap();
        assert_eq!((tunnelled.target.port, tunnelled.seen), (443, None));
        for text in [
            "",
            "a.example",
            "ftp://a.example/",
            "http://",
            "http:///a",
            "http://a.example/a b",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
