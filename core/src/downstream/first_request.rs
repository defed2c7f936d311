//! The first request that a client sends through a tunnel in plain text, read for the name of the
//! server that it wants (RFC 9112, sections 3 and 5; RFC 9110, section 7.2). Servers read requests
//! in different ways, so what two of them could take for different names is refused. Nothing else
//! of HTTP is understood here. Used by tunnels; reads bytes and keeps none.

use memchr::memchr;

/// The longest word that may be a method, in bytes. Apache and nginx refuse longer lines.
const LONGEST_METHOD: usize = 8 << 10;

/// What a client has begun to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstRequest<'a> {
    /// A text that may become the first line of a request. No server answers it as it is.
    Undecided,
    /// The beginning of a request.
    Incomplete,
    /// Another protocol.
    NotHttp,
    /// A request, and the host that it names, as it is written. HTTP/2 has its name elsewhere.
    Named(Option<&'a [u8]>),
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedRequest {
    #[error("lines of its HTTP request can be read in more than one way")]
    Lines,
    #[error("its HTTP request names more than one host")]
    TwoNames,
}

/// Reads what a client has sent so far.
///
/// # Errors
///
/// If servers could find different names in it.
pub(crate) fn read(sent: &[u8]) -> Result<FirstRequest<'_>, MalformedRequest> {
    // Servers pass over empty lines (RFC 9112, section 2.2), and some over blanks.
    let is_blank = |byte: &&u8| is_space(**byte) || **byte == b'\n';
    let sent = &sent[sent.iter().take_while(is_blank).count()..];
    let end = memchr(b'\n', sent);
    let line = &sent[..end.unwrap_or(sent.len())];
    let parts = line.iter().position(|byte| is_space(*byte));
    let (method, rest) = line.split_at(parts.unwrap_or(line.len()));
    let is_text = |byte: &u8| !byte.is_ascii_control() || is_space(*byte);
    if method.len() > LONGEST_METHOD {
        return Ok(FirstRequest::NotHttp);
    }
    if !method.iter().all(|byte| is_token(*byte)) || !rest.iter().all(is_text) {
        return Ok(FirstRequest::NotHttp);
    }
    let mut words = rest.split(|byte| is_space(*byte));
    if !words.any(is_version) {
        return Ok(end.map_or(FirstRequest::Undecided, |_| FirstRequest::NotHttp));
    }
    let Some(end) = end else {
        return Ok(FirstRequest::Incomplete);
    };
    without_end(line)?;
    let Some(host) = host_field(&sent[end + 1..])? else {
        return Ok(FirstRequest::Incomplete);
    };
    let mut words = rest.split(|byte| is_space(*byte));
    let target = words.find(|word| !word.is_empty()).unwrap_or_default();
    match (authority(target), host) {
        (Some(authority), Some(host))
            if !without_port(authority).eq_ignore_ascii_case(without_port(host)) =>
        {
            Err(MalformedRequest::TwoNames)
        }
        (authority, host) => Ok(FirstRequest::Named(authority.or(host))),
    }
}

/// The value of the Host field, if the client has written one; none at all if the head goes on.
fn host_field(mut rest: &[u8]) -> Result<Option<Option<&[u8]>>, MalformedRequest> {
    let mut host = None;
    while let Some(end) = memchr(b'\n', rest) {
        let line = without_end(&rest[..end])?;
        rest = &rest[end + 1..];
        let Some(first) = line.first() else {
            return Ok(Some(host.filter(|host: &&[u8]| !host.is_empty())));
        };
        // Where it begins with a blank, it belongs to the line before, or to none (RFC 9112,
        // section 5.2).
        if is_space(*first) {
            return Err(MalformedRequest::Lines);
        }
        let Some(colon) = memchr(b':', line) else {
            continue;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if !name.trim_ascii_end().eq_ignore_ascii_case(b"host") {
            continue;
        }
        // Some servers pass over a blank before the colon (RFC 9112, section 5.1).
        if name.len() > b"host".len() {
            return Err(MalformedRequest::Lines);
        }
        if host.replace(value.trim_ascii()).is_some() {
            return Err(MalformedRequest::TwoNames);
        }
    }
    Ok(None)
}

/// A line without its end, of which some servers would see another.
fn without_end(line: &[u8]) -> Result<&[u8], MalformedRequest> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.iter().any(|byte| matches!(byte, b'\r' | b'\0')) {
        return Err(MalformedRequest::Lines);
    }
    Ok(line)
}

/// The host that a request's target names, which counts more than the Host field (RFC 9112, section
/// 3.2.2). What is neither a path nor a URL is taken for an authority, as that of CONNECT is.
fn authority(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") || target == b"*" {
        return None;
    }
    let colon = memchr(b':', target).unwrap_or_default();
    let Some(rest) = target[colon..].strip_prefix(b"://") else {
        return Some(target);
    };
    let end = rest.iter().position(|byte| b"/?#".contains(byte));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// An authority without its port, which not every client writes in both places.
fn without_port(authority: &[u8]) -> &[u8] {
    let digits = authority
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit());
    let before = &authority[..authority.len() - digits.count()];
    before.strip_suffix(b":").unwrap_or(authority)
}

/// What stands between the parts of a request line, for servers that are not strict (RFC 9112,
/// section 3).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_version(word: &[u8]) -> bool {
    let name = b"HTTP/";
    let start = word.get(..name.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(sent: &str) -> Option<&str> {
        match read(sent.as_bytes()) {
            Ok(FirstRequest::Named(name)) => {
                name.map(|name| std::str::from_utf8(name).expect("it is text"))
            }
            other => panic!("{sent:?}: {other:?}"),
        }
    }

    #[test]
    fn the_name_is_found_as_lenient_servers_find_it() {
        for sent in [
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET / HTTP/1.1\nhOST:a.example\n\n",
            "\r\n\r\n GET /a b HTTP/1.1\r\nX: y\r\nHost: \t a.example \r\n\r\nHost: c",
            "get\t/\thttp/1.0\r\nHost: a.example\r\n\r\n",
            "WHATEVER / HTTP/2.7 x\r\nno field\r\nHost: a.example\r\n\r\n",
            "GET http://a.example HTTP/1.1\r\n\r\n",
            "GET HTTP://a.example?b HTTP/1.1\r\nHost: A.example:80\r\n\r\n",
            "GET ws+x://a.example#b HTTP/1.1\r\nHost:\r\n\r\n",
        ] {
            assert_eq!(name(sent), Some("a.example"), "{sent:?}");
        }
        for (sent, found) in [
            ("GET / HTTP/1.1\r\nHost: [::1]:8\r\n\r\n", "[::1]:8"),
            ("CONNECT a:443 HTTP/1.1\r\nHost: A\r\n\r\n", "a:443"),
            ("GET http://b\\@a/ HTTP/1.1\r\n\r\n", "b\\@a"),
            ("GET b HTTP/1.1\r\n\r\n", "b"),
        ] {
            assert_eq!(name(sent), Some(found), "{sent:?}");
        }
        for sent in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:  \r\n\r\n",
            "GET /?a=http://b HTTP/1.1\r\nX-Host: c\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            assert_eq!(name(sent), None, "{sent:?}");
        }
    }

    #[test]
    fn what_servers_could_read_in_two_ways_is_refused() {
        use MalformedRequest::{Lines, TwoNames};
        for (fields, why) in [
            ("Host: a\r\nHost: a\r\n", TwoNames),
            ("Host: a\r\nhost: b\r\n", TwoNames),
            ("Host : a\r\n", Lines),
            ("X: y\r\n Host: a\r\n", Lines),
            ("\tHost: a\r\n", Lines),
            ("X: y\rHost: a\r\n", Lines),
            ("X: y\0\r\n", Lines),
        ] {
            let sent = format!("GET / HTTP/1.1\r\n{fields}\r\n");
            assert_eq!(read(sent.as_bytes()), Err(why), "{fields:?}");
        }
        for sent in [
            "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
        ] {
            assert_eq!(read(sent.as_bytes()), Err(TwoNames), "{sent:?}");
        }
        let sent = b"GET / HTTP/1.1\rHost: a\r\r\n";
        assert_eq!(read(sent), Err(Lines));
    }

    #[test]
    fn what_is_no_request_is_told_as_soon_as_it_can_be() {
        for sent in [
            "\0\0\0\u{8}",
            "SSH-2.0-OpenSSH_9.9\r\n",
            "NICK someone\r\n",
            "{\"a\": 1}",
            "GET /\r\nHost: a\r\n",
            "OPTIONS rtsp://a.example RTSP/1.0\r\n",
            "0032git-upload-pack /a\0",
            "<?xml",
        ] {
            assert_eq!(read(sent.as_bytes()), Ok(FirstRequest::NotHttp), "{sent:?}");
        }
        let word = "a".repeat(LONGEST_METHOD);
        assert_eq!(read(word.as_bytes()), Ok(FirstRequest::Undecided));
        let word = word + "a";
        assert_eq!(read(word.as_bytes()), Ok(FirstRequest::NotHttp));
        for sent in ["", "\r\n", "G", "hello", "GET / HTT", "SSH-2.0-OpenSSH"] {
            assert_eq!(
                read(sent.as_bytes()),
                Ok(FirstRequest::Undecided),
                "{sent:?}"
            );
        }
        for sent in [
            "GET / HTTP/",
            "GET / HTTP/1.1\rHost: a\r\r",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r",
        ] {
            assert_eq!(
                read(sent.as_bytes()),
                Ok(FirstRequest::Incomplete),
                "{sent:?}"
            );
        }
    }
}
