//! Bytes that stand in the path and query of URLs although they may not: `"`, `<`, `>`, a backtick
//! and whatever is not ASCII. Browsers and other proxies send them on, so they are percent-encoded
//! (RFC 3986, section 2.1). What else `http::Uri` refuses is refused.

use std::io::Write;

use http::Method;
use memchr::memchr;

/// Whether nothing in the first line of a head has to be encoded.
pub(crate) fn is_plain(head: &[u8]) -> bool {
    let line = memchr(b'\n', head).map_or(head, |end| &head[..end]);
    // Without a way out of the loop the compiler looks at many bytes at once.
    !line
        .iter()
        .fold(false, |found, byte| found | is_encoded(*byte))
        && !line.is_empty()
        && line[0] != b'\r'
}

/// Encodes what has to be in the request line of the head of which `end` is the end, and returns
/// the new end.
pub(crate) fn make_plain(head: &mut Vec<u8>, end: usize) -> usize {
    let Some((from, to)) = path_and_query(&head[..end]) else {
        return end;
    };
    let mut encoded = Vec::with_capacity(2 * (to - from));
    for byte in &head[from..to] {
        if is_encoded(*byte) {
            write!(encoded, "%{byte:02X}").expect("a vector takes all");
        } else {
            encoded.push(*byte);
        }
    }
    let end = end - (to - from) + encoded.len();
    head.splice(from..to, encoded);
    end
}

/// Whether the first line has the form of a request line, of a version that hyper reads (RFC 9112,
/// section 3).
pub(crate) fn is_request_line(head: &[u8]) -> bool {
    let Some([method, target, version]) = words(head) else {
        return false;
    };
    let is_visible = |byte: &u8| byte.is_ascii_graphic() || !byte.is_ascii();
    is_known(version)
        && Method::from_bytes(method).is_ok()
        && !target.is_empty()
        && target.iter().all(is_visible)
}

/// Whether it has the form of a request line, and is of no version that hyper reads (RFC 9112,
/// section 2.3).
pub(crate) fn has_other_version(head: &[u8]) -> bool {
    let Some([method, target, version]) = words(head) else {
        return false;
    };
    let is_version = match version {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    };
    is_version && !is_known(version) && !method.is_empty() && !target.is_empty()
}

/// The three words of a first line, if it has as many.
fn words(head: &[u8]) -> Option<[&[u8]; 3]> {
    let line = &head[..memchr(b'\n', head)?];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    words.try_into().ok()
}

fn is_known(version: &[u8]) -> bool {
    matches!(version, b"HTTP/1.0" | b"HTTP/1.1")
}

fn is_encoded(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`') | !byte.is_ascii()
}

/// Where the path and query of a request's target stand. The host before them is not touched: it
/// has one spelling, and another spelling is another host.
fn path_and_query(head: &[u8]) -> Option<(usize, usize)> {
    let line = &head[..memchr(b'\n', head)?];
    let from = memchr(b' ', line)? + 1;
    let to = from + memchr(b' ', &line[from..])?;
    let target = &line[from..to];
    if target.starts_with(b"/") {
        return Some((from, to));
    }
    let colon = memchr(b':', target)?;
    let rest = target[colon..].strip_prefix(b"://")?;
    let path = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'))?;
    Some((from + colon + 3 + path, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> String {
        plain_bytes(line.as_bytes())
    }

    fn plain_bytes(line: &[u8]) -> String {
        let fields = b"\r\nX: \"<\xff\r\n\r\n";
        let mut head = [line, fields].concat();
        let end = head.len();
        head.extend(b"next");
        let end = make_plain(&mut head, end);
        assert_eq!(&head[end..], b"next");
        let line = head[..end].strip_suffix(fields).unwrap().to_vec();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_may_not_stand_in_a_path_or_query_is_encoded() {
        assert_eq!(
            plain("GET http://a.example/\"<>`\u{e4}?q=\"<>`\u{e4} HTTP/1.1"),
            "GET http://a.example/%22%3C%3E%60%C3%A4?q=%22%3C%3E%60%C3%A4 HTTP/1.1"
        );
        assert_eq!(
            plain_bytes(b"GET http://a.example?\xff HTTP/1.1"),
            "GET http://a.example?%FF HTTP/1.1"
        );
        assert_eq!(plain("GET /<b> HTTP/1.1"), "GET /%3Cb%3E HTTP/1.1");
    }

    #[test]
    fn other_versions_are_told_from_garbage() {
        for line in ["GET / HTTP/2.0\r\n", "PRI * HTTP/2.0\n", "G a HTTP/1.2\r\n"] {
            assert!(has_other_version(line.as_bytes()), "{line}");
        }
        for line in [
            "",
            "GET / HTTP/2.0",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.0\r\n",
            "GET / http/2.0\r\n",
            "GET / HTTP/2\r\n",
            "GET / HTTP/1.10\r\n",
            "GET / HTTP/2.0 \r\n",
            "GET  / HTTP/2.0\r\n",
            " / HTTP/2.0\r\n",
            "GET / HTTP/\u{b2}.0\r\n",
            "GET HTTP/2.0\r\n",
        ] {
            assert!(!has_other_version(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for line in [
            "GET http://a<b/ HTTP/1.1",
            "GET http://b\u{fc}cher.example/ HTTP/1.1",
            "CONNECT a<b:443 HTTP/1.1",
            "GET http://a.example/%22?x={y}|\\^ HTTP/1.1",
            "G\"T * HTTP/1.1",
            "GET http://a.example/",
            "nonsense",
            "",
        ] {
            assert_eq!(plain(line), line);
        }
        assert!(is_plain(b"GET http://a.example/ HTTP/1.1\r\nX: \"\r\n\r\n"));
        assert!(!is_plain(b"GET http://a.example/\" HTTP/1.1\r\n\r\n"));
        assert!(!is_plain(b"\r\nGET http://a.example/ HTTP/1.1\r\n\r\n"));
    }
}
