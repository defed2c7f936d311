//! Header fields as filters change them, and those that belong to one connection.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::text;
use crate::downstream::encode;
use crate::downstream::headers::KnownFields;
use crate::filter::fields::{Fields, Side};

/// As much as one call may add.
const MOST_ADDED: usize = 64 << 10;

/// As many as a filter may leave.
const MOST: usize = 1000;

/// Fields that a filter changes can be written: none of them ends a line, none is of the connection
/// or of the framing, and what is refused changes nothing.
///
/// The first line is `request` or `response`, which is what may be changed. `Name: value` is a
/// field that was there before. A line of a dot begins the changes: `+Name: value` adds a field,
/// `=Name: value` sets one, `-Name` removes one, `*Name: value|Name: value` puts a list in place of
/// all, and `!` before any of them is for the other side. In a value, `\r`, `\n` and `\0` stand for
/// what they stand for in Rust.
pub fn header_edits(data: &[u8]) {
    let data = text(data);
    let mut lines = data.split('\n');
    let side = match lines.next() {
        Some("response") => Side::Response,
        _ => Side::Request,
    };
    let mut fields = Fields::default();
    let before: HeaderMap = lines
        .by_ref()
        .take_while(|line| *line != ".")
        .filter_map(field)
        .collect();
    match side {
        Side::Request => fields.request.clone_from(&before),
        Side::Response => fields.response.clone_from(&before),
    }
    fields.begin(Some(side));
    let mut was_changed = false;
    for line in lines {
        let (side, line) = match line.strip_prefix('!') {
            Some(line) => (other(side), line),
            None => (side, line),
        };
        was_changed |= edit(&mut fields, side, line);
    }
    assert!(
        of(&fields, other(side)).is_empty(),
        "the other side changed"
    );
    let Some(after) = fields.end() else {
        assert!(!was_changed);
        return;
    };
    assert!(was_changed);
    assert!(is_writable(&after));
    assert!(size(&after) <= size(&before) + MOST_ADDED);
    assert!(after.len() <= before.len().max(MOST));
    let owned = |name: &&HeaderName| is_owned(name);
    for name in before.keys().chain(after.keys()).filter(owned) {
        assert!(before.get_all(name) == after.get_all(name), "{name}");
    }

    let mut forwarded = *after;
    let nominated = nominated(&forwarded);
    KnownFields::of(&forwarded).remove_hop_by_hop(&mut forwarded);
    assert!(!forwarded.keys().any(is_of_connection), "{forwarded:?}");
    assert_none(&nominated, &forwarded);
}

/// The fields that `Connection` fields name, in whatever spelling and beside whatever bytes (RFC
/// 9110, section 7.6.1), but for those on which framing, routing and meaning rest.
pub(super) fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let lists = headers.get_all(http::header::CONNECTION).iter();
    let words = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let names = words.filter_map(|word| HeaderName::from_bytes(word.trim_ascii()).ok());
    names.filter(|name| !is_needed(name)).collect()
}

/// Nothing that the connection was told to be for it alone goes on.
pub(super) fn assert_none(nominated: &[HeaderName], forwarded: &HeaderMap) {
    for name in nominated {
        assert!(
            !forwarded.contains_key(name),
            "{name} goes on: {forwarded:?}"
        );
    }
}

fn is_needed(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "cache-control"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "date"
            | "expect"
            | "host"
            | "max-forwards"
            | "trailer"
            | "via"
    )
}

/// Makes the change that a line asks for. Whether there was something to change.
fn edit(fields: &mut Fields, side: Side, line: &str) -> bool {
    if let Some(list) = line.strip_prefix('*') {
        return replace(fields, side, list);
    }
    let before = of(fields, side).clone();
    let change = line.get(1..).unwrap_or_default();
    let (name, value) = change.split_once(": ").unwrap_or((change, ""));
    let value = unescaped(value);
    let done = match line.get(..1) {
        Some("+") => fields.append(side, name, &value),
        Some("=") => fields.set(side, name, &value),
        Some("-") => fields.remove(side, name),
        _ => return false,
    };
    let values = fields.values(side, name);
    match done {
        Ok(()) if line.starts_with('-') => {
            assert_eq!(values.len(), 0, "{name}");
            before.contains_key(name)
        }
        Ok(()) => {
            assert_eq!(values.last(), Some(&value), "{name}");
            assert!(line.starts_with('+') || values.len() == 1, "{name}");
            assert!(fields.names(side).contains(&name.to_ascii_lowercase()));
            true
        }
        Err(error) => {
            assert!(*of(fields, side) == before, "{error:?}, and it was changed");
            false
        }
    }
}

/// Puts a list in place of all fields. Whether it was taken.
fn replace(fields: &mut Fields, side: Side, list: &str) -> bool {
    let before = of(fields, side).clone();
    let list: Vec<(&str, Vec<u8>)> = list
        .split('|')
        .map(|field| field.split_once(": ").unwrap_or((field, "")))
        .map(|(name, value)| (name, unescaped(value)))
        .collect();
    let given = list.iter().map(|(name, value)| (*name, &**value));
    if let Err(error) = fields.set_all(side, given) {
        assert!(*of(fields, side) == before, "{error:?}, and it was changed");
        return false;
    }
    let after = of(fields, side);
    let mut count = 0;
    for name in after.keys().filter(|name| !is_owned(name)) {
        let listed = list.iter().filter(|(other, _)| name == other);
        let listed: Vec<_> = listed.map(|(_, value)| &**value).collect();
        let values = after.get_all(name).iter().map(HeaderValue::as_bytes);
        assert!(values.eq(listed.iter().copied()), "{name}");
        count += listed.len();
    }
    let is_free = |name: &str| name.parse().is_ok_and(|name| !is_owned(&name));
    let free = list.iter().filter(|(name, _)| is_free(name));
    assert_eq!(count, free.count());
    true
}

fn of(fields: &Fields, side: Side) -> &HeaderMap {
    match side {
        Side::Request => &fields.request,
        Side::Response => &fields.response,
    }
}

fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(": ")?;
    Some((name.parse().ok()?, value.parse().ok()?))
}

fn unescaped(value: &str) -> Vec<u8> {
    let value = value.replace("\\r", "\r").replace("\\n", "\n");
    value.replace("\\0", "\0").into_bytes()
}

fn other(side: Side) -> Side {
    match side {
        Side::Request => Side::Response,
        Side::Response => Side::Request,
    }
}

fn size(headers: &HeaderMap) -> usize {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    sizes.sum()
}

/// Whether the fields that are written are those that are read: as many lines as fields, each with
/// its name and its value.
pub(super) fn is_writable(headers: &HeaderMap) -> bool {
    let mut bytes = Vec::new();
    encode::head(StatusCode::OK, headers, &mut bytes);
    let lines: Vec<_> = bytes.split(|byte| b"\r\n\0".contains(byte)).collect();
    // Behind each line there is nothing between CR and LF, and nothing behind the last one.
    lines.len() == 2 * (headers.len() + 1) + 1
        && lines
            .iter()
            .skip(2)
            .step_by(2)
            .zip(headers)
            .all(|(line, (name, value))| {
                line.strip_prefix(name.as_str().as_bytes())
                    .and_then(|rest| rest.strip_prefix(b": "))
                    == Some(value.as_bytes())
            })
}

/// RFC 9110, section 7.6.1, and what proxies keep to themselves.
pub(super) fn is_of_connection(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// What a filter never changes.
fn is_owned(name: &HeaderName) -> bool {
    let own = [
        "content-length",
        "expect",
        "host",
        "proxy-status",
        "trailer",
        "via",
    ];
    let is_login_answer = name == "proxy-authentication-info" || name == "http2-settings";
    own.contains(&name.as_str()) || is_of_connection(name) && !is_login_answer
}
