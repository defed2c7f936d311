//! What origins send although they may not, and a proxy may mend in responses: folded fields, space
//! before a colon (RFC 9112, sections 5.1 and 5.2), control characters in values (RFC 9110, section
//! 5.5) and `Transfer-Encoding: identity`, which RFC 2616 had. hyper refuses all of it. It refuses
//! bare CR and NUL, too, and that is right. Nothing of a client is mended.

use memchr::memchr;

/// Whether nothing in a head has to be mended. What does not begin with its status line is left to
/// hyper: here the second line would be taken for a field.
pub(crate) fn is_sound(head: &[u8]) -> bool {
    if !head.starts_with(b"HTTP/") {
        return true;
    }
    // Two bytes side by side tell. Without a way out of the loop the compiler looks at many of them
    // at once.
    let pairs = head.iter().zip(&head[head.len().min(1)..]);
    let (is_odd, has_t) = pairs.fold((false, false), |(is_odd, has_t), (a, b)| {
        let begins_line = *a == b'\n';
        let folds = begins_line & is_blank(*b);
        let spaced = is_blank(*a) & (*b == b':');
        (
            is_odd | is_control(*a) | folds | spaced,
            has_t | (begins_line & (*b | 0x20 == b't')),
        )
    });
    !(is_odd || has_t && head.split(|byte| *byte == b'\n').any(is_identity))
}

/// The head as it should have been.
pub(crate) fn mend(head: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(head.len());
    let mut fields = Vec::<Vec<u8>>::new();
    // Of the last field. To look for it at each line would take as long as the name is each time.
    let mut has_colon = false;
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    mended.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        // A line that begins with a blank continues a value. A name cannot be continued.
        let is_folded = has_colon && line.first().is_some_and(|byte| is_blank(*byte));
        match fields.last_mut() {
            Some(field) if is_folded => unfold(field, line),
            _ => {
                has_colon = memchr(b':', line).is_some();
                fields.push(mend_name(line));
            }
        }
    }
    for mut field in fields {
        mend_value(&mut field);
        if !is_identity(&field) {
            mended.append(&mut field);
        }
    }
    mended
}

/// Adds a line to the field that it continues.
fn unfold(field: &mut Vec<u8>, line: &[u8]) {
    if field.last() == Some(&b'\n') {
        field.pop();
        if field.last() == Some(&b'\r') {
            field.pop();
        }
    }
    field.push(b' ');
    field.extend_from_slice(line);
}

fn mend_name(line: &[u8]) -> Vec<u8> {
    let colon = memchr(b':', line).unwrap_or(0);
    let (name, rest) = line.split_at(colon);
    // Nothing else goes: a CR there is for hyper to refuse.
    let last = name.iter().rposition(|byte| !is_blank(*byte));
    [&name[..last.map_or(colon, |last| last + 1)], rest].concat()
}

fn mend_value(field: &mut [u8]) {
    let colon = memchr(b':', field).unwrap_or(field.len());
    for byte in &mut field[colon..] {
        if is_control(*byte) {
            *byte = b' ';
        }
    }
}

/// Whether a line is a field that says that there is no transfer coding.
fn is_identity(line: &[u8]) -> bool {
    let Some(colon) = memchr(b':', line) else {
        return false;
    };
    let value = &line[colon + 1..];
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    line[..colon].eq_ignore_ascii_case(b"transfer-encoding")
        && value.trim_ascii().eq_ignore_ascii_case(b"identity")
        && !value.contains(&b'\r')
}

/// Horizontal tab and space.
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Control characters that are neither a tab nor dangerous (CR, LF, NUL).
fn is_control(byte: u8) -> bool {
    matches!(byte, 0x01..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of fields. What is sound stays as it is.
    fn mended(fields: &str) -> String {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        let after = String::from_utf8(mend(head.as_bytes())).unwrap();
        assert_eq!(is_sound(head.as_bytes()), head == after, "{head:?}");
        let fields = after.strip_prefix("HTTP/1.1 200 OK\r\n").unwrap();
        fields.strip_suffix("\r\n").unwrap().to_owned()
    }

    #[test]
    fn what_a_proxy_may_mend_is_mended() {
        for (fields, right) in [
            ("A: b\r\n c\r\n\td", "A: b  c \td\r\n"),
            ("A:\r\n b", "A:  b\r\n"),
            ("A: b\n c", "A: b  c\r\n"),
            ("A : b\r\nC\t: d", "A: b\r\nC: d\r\n"),
            ("A: \u{1}b\u{1f}\u{b}c\u{7f}", "A:  b  c \r\n"),
            ("Transfer-Encoding: identity\r\nA: b", "A: b\r\n"),
            ("A: b\r\ntransfer-encoding :\r\n Identity ", "A: b\r\n"),
            ("Transfer-Encoding: \u{1}identity\r\nA: b", "A: b\r\n"),
        ] {
            assert_eq!(mended(fields), right, "{fields:?}");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for fields in [
            "A: b\r\nC: d : e:f",
            "Transfer-Encoding: chunked\r\nTitle: identity",
            "Transfer-Encoding: identity, chunked",
            "A: \u{e4}\t\"",
            "A: b\rC: d",
            "A: b\0",
            "no colon",
            "no colon\r\n : b",
            ": no name",
            "A\r: b",
            "A\u{c}: b",
            "Transfer-Encoding: identity\r",
        ] {
            let right = format!("{fields}\r\n");
            // A blank before a colon in a value makes it look twice.
            let head = format!("HTTP/1.1 200 OK\r\n{right}\r\n");
            let after = mend(head.as_bytes());
            assert_eq!(String::from_utf8(after).unwrap(), head, "{fields:?}");
        }
        assert!(is_sound(b"\r\nHTTP/1.1 200 OK :\r\n\r\n"));
        // What follows the first line is no field, and a control character is no part of a name.
        for head in [
            "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA\u{1}: b\r\n\r\n",
            "",
            "x",
        ] {
            assert_eq!(mend(head.as_bytes()), head.as_bytes(), "{head:?}");
        }
    }
}
