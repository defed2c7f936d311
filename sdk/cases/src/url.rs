//! Where a case leads: hosts with ports, and URLs as far as the proxy sees them. Called by
//! `format`, so that a case asks the same wherever it is run; the contract says what a host is
//! called.

use portcullis_contract::Target;

/// Reads `host[:port]`.
pub(crate) fn target(text: &str, default_port: u16) -> Result<Target, String> {
    Target::parse(text, Some(default_port)).map_err(|problem| {
        format!(
            "`{text}` is not a host ({problem}); write it like a.example, a.example:8443, 10.0.0.1 or \
             [2001:db8::1]:443"
        )
    })
}

/// An `http` or `https` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) text: String,
    pub(crate) target: Target,
    /// What the proxy sees of it. Of an `https` URL it sees nothing, as it tunnels.
    pub(crate) seen: Option<String>,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let rest = rest.split('#').next().unwrap_or_default();
        let path_start = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        if path
            .bytes()
            .any(|byte| byte == b' ' || byte.is_ascii_control())
        {
            return Err(format!(
                "`{text}` has characters that a URL cannot have; write them like %20"
            ));
        }
        let (target, seen) = match &*scheme.to_ascii_lowercase() {
            "http" => {
                let target = target(authority, 80)?;
                let slash = if path.starts_with('/') { "" } else { "/" };
                let path = encoded(path);
                let url = format!("http://{}{slash}{path}", target.authority(80));
                (target, Some(url))
            }
            "https" => (target(authority, 443)?, None),
            _ => {
                return Err(format!(
                    "`{text}` is not a URL that goes through the proxy; write it like http://a.example/b"
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

/// A path and query as the proxy has it: what may not stand there and is sent all the same is
/// percent-encoded (RFC 3986, section 2.1).
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for char in path.chars() {
        if matches!(char, '"' | '<' | '>' | '`') || !char.is_ascii() {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                encoded += &format!("%{byte:02X}");
            }
        } else {
            encoded.push(char);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_host_is_refused_with_examples() {
        for text in [
            "",
            "a b",
            "a..b",
            "http://a.example/",
            "1.2.3.4.5",
            "[::1",
            "a:0",
            "a:x",
        ] {
            let said = target(text, 443).unwrap_err();
            assert!(
                said.starts_with(&format!("`{text}` is not a host (the ")),
                "{said}"
            );
            assert!(said.contains("write it like a.example"), "{said}");
        }
    }

    #[test]
    fn a_url_is_what_the_proxy_would_see() {
        for (text, url) in [
            ("http://A.example", "http://a.example/"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://a.example:80?q=1", "http://a.example/?q=1"),
            ("HTTP://a.example:8080/B#c", "http://a.example:8080/B"),
            ("http://[::1]:81/", "http://[::1]:81/"),
            (
                "http://a.example/\"<>`ä?q=\"<>`ä",
                "http://a.example/%22%3C%3E%60%C3%A4?q=%22%3C%3E%60%C3%A4",
            ),
        ] {
            assert_eq!(Url::parse(text).unwrap().seen.as_deref(), Some(url));
        }
        let tunnelled = Url::parse("https://a.example/b").unwrap();
        assert_eq!((tunnelled.target.port(), tunnelled.seen), (443, None));
        for text in [
            "",
            "a.example",
            "ftp://a.example/",
            "http://",
            "http:///a",
            "http://a.example/a b",
            "http://a.example/a\u{7f}",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
