//! The first request that a client sends through a tunnel in plain text, read for the name of the
//! server that it wants (RFC 9112, sections 3 and 5; RFC 9110, section 7.2). Servers read requests
//! in different ways: what two of them could take for different names is refused, and so is what
//! only some of them take for a request. Nothing else of HTTP is understood here. Used by tunnels;
//! reads bytes and keeps none.

#[cfg(test)]
mod tests;

use memchr::{memchr, memmem};

/// Where the version of a request has to begin in its first line, in bytes, if the line begins as
/// that of no sound request, and how much may stand before the line that cannot be seen. Apache and
/// nginx refuse longer lines.
const LONGEST_LINE: usize = 8 << 10;

/// What a client has begun to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstRequest<'a> {
    /// A text that may become the first line of a request. No server answers it as it is.
    Undecided,
    /// A first line without a version, as HTTP/0.9 has it. Some servers answer at once, and others
    /// read fields behind it, of which none has named a host so far.
    Unversioned,
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
/// If servers could find different names in it, or if only some would take it for a request.
pub(crate) fn read(sent: &[u8]) -> Result<FirstRequest<'_>, MalformedRequest> {
    // Servers pass over empty lines (RFC 9112, section 2.2), some over blanks, and a few over all
    // that cannot be seen.
    let is_unseen = |byte: &&u8| **byte <= b' ' || **byte == 0x7f;
    let (lead, sent) = sent.split_at(sent.iter().take_while(is_unseen).count());
    let end = memchr(b'\n', sent);
    let line = &sent[..end.unwrap_or(sent.len())];
    let rest = end.map(|end| &sent[end + 1..]);
    let is_sound_lead = lead.iter().all(|byte| b" \t\r\n".contains(byte));
    if !is_sound_lead && lead.len() > LONGEST_LINE {
        return Ok(FirstRequest::NotHttp);
    }
    let is_sound = is_sound_lead && is_sound(line);
    match (form(line), rest) {
        (Form::Versioned, _) if !is_sound => Err(MalformedRequest::Lines),
        (Form::Versioned, None) => Ok(FirstRequest::Incomplete),
        (Form::Versioned, Some(rest)) => named(line, rest),
        (Form::Unversioned, Some(rest)) if names_host(rest) && !is_sound => {
            Err(MalformedRequest::Lines)
        }
        (Form::Unversioned, Some(rest)) if names_host(rest) => named(line, rest),
        (Form::Unversioned, Some(rest)) if end_of_fields(rest).is_none() => {
            Ok(FirstRequest::Unversioned)
        }
        (Form::Unversioned | Form::Other, Some(_)) | (Form::TooLong, _) => {
            Ok(FirstRequest::NotHttp)
        }
        (Form::Unversioned | Form::Other, None) => Ok(FirstRequest::Undecided),
    }
}

/// What a server could take the first line for, or what there is of it.
enum Form {
    /// A request with fields.
    Versioned,
    /// A request of HTTP/0.9. wsgiref and Node.js read fields behind that, and thttpd does behind
    /// any version.
    Unversioned,
    Other,
    /// It goes on, and is the beginning of no request.
    TooLong,
}

/// A method can be anything, as it is for wsgiref.
fn form(line: &[u8]) -> Form {
    let method = lenient_words(line).next().unwrap_or_default();
    // Where a blank comes first that is none, the first word is not at the beginning.
    let is_method = line.first().is_some_and(|byte| is_token(*byte))
        && method.iter().all(|byte| is_token(*byte))
        && method.len() <= LONGEST_LINE;
    let most = if is_method { line.len() } else { LONGEST_LINE };
    let looked_at = &line[..line.len().min(most)];
    if versions(lenient_words(looked_at)) > 0 {
        return Form::Versioned;
    }
    if looked_at.len() < line.len() {
        return Form::TooLong;
    }
    let is_target = |target: &[u8]| target[0] == b'/' || memmem::find(target, b"://").is_some();
    match lenient_words(line).nth(1) {
        Some(target) if is_target(target) || method.eq_ignore_ascii_case(b"GET") => {
            Form::Unversioned
        }
        _ => Form::Other,
    }
}

/// Whether all servers see the same words in a first line that has those of a request.
fn is_sound(line: &[u8]) -> bool {
    let method = words(line).next().unwrap_or_default();
    let is_text = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    method.iter().all(|byte| is_token(*byte))
        && line.strip_suffix(b"\r").unwrap_or(line).iter().all(is_text)
        && versions(words(line)) == versions(lenient_words(line))
}

/// What stands between the parts of a request line, for servers that are not strict (RFC 9112,
/// section 3).
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let words = line.split(|byte| is_space(*byte));
    words.filter(|word| !word.is_empty())
}

/// The same as Python sees them (`str.split`), or a server that decodes UTF-8 first.
fn lenient_words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b'\t' | 0x0b..=b'\r' | 0x1c..=b' ' | 0x80..);
    line.split(is_blank).filter(|word| !word.is_empty())
}

fn versions<'a>(words: impl Iterator<Item = &'a [u8]>) -> usize {
    words.skip(1).filter(|word| is_version(word)).count()
}

/// What a request names, whose first line this is.
fn named<'a>(line: &'a [u8], rest: &'a [u8]) -> Result<FirstRequest<'a>, MalformedRequest> {
    let Some(host) = host_field(rest)? else {
        return Ok(FirstRequest::Incomplete);
    };
    let target = words(line).nth(1).unwrap_or_default();
    match (authority(target), host) {
        (Some(authority), Some(host))
            if !without_port(authority).eq_ignore_ascii_case(without_port(host)) =>
        {
            Err(MalformedRequest::TwoNames)
        }
        (authority, host) => Ok(FirstRequest::Named(authority.or(host))),
    }
}

/// Whether a server could find the field in what stands before an empty line, however it tells
/// lines apart.
fn names_host(rest: &[u8]) -> bool {
    let head = &rest[..end_of_fields(rest).unwrap_or(rest.len())];
    let mut lines = head.split(|byte| byte.is_ascii_control() && *byte != b'\t');
    lines.any(|line| memchr(b':', line).is_some_and(|colon| is_host(&line[..colon])))
}

fn end_of_fields(rest: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(length) = memchr(b'\n', &rest[start..]) {
        if matches!(rest[start..start + length], [] | [b'\r']) {
            return Some(start);
        }
        start += length + 1;
    }
    None
}

/// Whether a server could take it for the name of the Host field. Some pass over blanks around it
/// (RFC 9112, section 5.1), whatever they take for one.
fn is_host(name: &[u8]) -> bool {
    let start = name.iter().position(|byte| is_token(*byte));
    let end = name.iter().rposition(|byte| is_token(*byte));
    let (Some(start), Some(end)) = (start, end) else {
        return false;
    };
    name[start..=end].eq_ignore_ascii_case(b"host")
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
        if !is_host(name) {
            continue;
        }
        if name.len() > b"host".len() {
            return Err(MalformedRequest::Lines);
        }
        if host.replace(value.trim_ascii()).is_some() {
            return Err(MalformedRequest::TwoNames);
        }
    }
    Ok(None)
}

/// A line of a field without its end, of which some servers would see another, or in which they
/// would see a blank.
fn without_end(line: &[u8]) -> Result<&[u8], MalformedRequest> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if line.iter().any(is_odd) {
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

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
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
