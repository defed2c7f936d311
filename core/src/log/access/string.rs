//! Strings in quotes as both forms of an access line have them: JSON strings in which nothing is
//! left that ends a line, moves a terminal's cursor, or hides or reorders what stands beside it.

/// A longer value is cut and ends with `…`. What a client or a filter says must not fill the log.
pub(super) const MAX_BYTES: usize = 2048;

/// Writes `value` in quotes.
pub(super) fn push_quoted(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    push_escaped(out, value);
    out.push(b'"');
}

/// The beginning of a value that is too long, and whether there was more.
pub(super) fn cut(value: &str) -> (&str, bool) {
    if value.len() <= MAX_BYTES {
        return (value, false);
    }
    (&value[..value.floor_char_boundary(MAX_BYTES)], true)
}

/// A JSON string's inner text.
pub(super) fn push_escaped(out: &mut Vec<u8>, value: &str) {
    let (value, is_cut) = cut(value);
    let mut written = 0;
    for (at, c) in value.char_indices().filter(|&(_, c)| is_escaped(c)) {
        out.extend_from_slice(&value.as_bytes()[written..at]);
        push_escape(out, c);
        written = at + c.len_utf8();
    }
    out.extend_from_slice(&value.as_bytes()[written..]);
    if is_cut {
        out.extend_from_slice("…".as_bytes());
    }
}

/// Whether a character never stands for itself between quotes.
pub(super) fn is_escaped(c: char) -> bool {
    match c {
        '"' | '\\' => true,
        ' '..='~' => false,
        // Line and paragraph separators, and characters that are invisible or turn the direction of
        // text.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        _ => c.is_control(),
    }
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match c {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            let code = u32::from(c);
            out.extend_from_slice(b"\\u");
            // All that `is_escaped` names have four digits.
            out.extend([12, 8, 4, 0].map(|shift| DIGITS[(code >> shift & 0xf) as usize]));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(value: &str) -> String {
        let mut out = Vec::new();
        push_quoted(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_could_end_or_disguise_a_line_is_escaped() {
        for (value, text) in [
            ("plain text", r#""plain text""#),
            ("", r#""""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\r\n\t\0", r#""\r\n\t\u0000""#),
            ("\u{1b}[2J\u{7f}\u{85}", r#""\u001b[2J\u007f\u0085""#),
            (
                "\u{2028}\u{202e}\u{200b}\u{feff}",
                r#""\u2028\u202e\u200b\ufeff""#,
            ),
            ("grün 例", r#""grün 例""#),
        ] {
            assert_eq!(quoted(value), text);
            assert_eq!(serde_json::from_str::<String>(text).unwrap(), value);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let text = quoted(&"é".repeat(MAX_BYTES));
        assert!(text.ends_with("é…\""), "{text}");
        assert_eq!(text.len(), MAX_BYTES + "…".len() + 2);
    }
}
