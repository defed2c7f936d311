//! Text from elsewhere in lines that people read.

use std::fmt;

/// Text from elsewhere, such as the name of a file, as part of a line: control characters are
/// escaped, line breaks among them, and so is what changes the direction of text. Every name and
/// path that is printed goes through here.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        if !text.contains(changes_lines) {
            return f.pad(&text);
        }
        let mut escaped = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            if changes_lines(c) {
                escaped.extend(c.escape_default());
            } else {
                escaped.push(c);
            }
        }
        f.pad(&escaped)
    }
}

/// Whether a character changes how those around it are shown.
///
/// ```
/// let [tab, right_to_left] = ['\t', '\u{202e}'].map(portcullis_contract::changes_lines);
/// assert!(tab && right_to_left);
/// assert!(!portcullis_contract::changes_lines('é'));
/// ```
pub fn changes_lines(c: char) -> bool {
    let changes_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || changes_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_a_line_of_its_own_or_turns_one_around() {
        let text = "a\r\n ERROR b\u{1b}[2J\u{202e}c\u{2066}";
        let escaped = "a\\r\\n ERROR b\\u{1b}[2J\\u{202e}c\\u{2066}";
        assert_eq!(Escaped(text).to_string(), escaped);
        assert_eq!(format!("{:>8}|", Escaped("größe")), "   größe|");
    }
}
