//! What errors and other text from elsewhere look like in a line of the log or of a command.

use std::error::Error;
use std::fmt;

/// An error and everything that caused it, in one line for the log whatever it consists of: some of
/// it is said by filters.
#[derive(Debug)]
pub(crate) struct Causes<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        write_line(f, &said)?;
        for cause in std::iter::successors(self.0.source(), |&error| error.source()) {
            let cause = cause.to_string();
            // Many errors repeat their source.
            if !said.ends_with(&cause) {
                f.write_str(": ")?;
                write_line(f, &cause)?;
            }
            said = cause;
        }
        Ok(())
    }
}

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
fn changes_lines(c: char) -> bool {
    let changes_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || changes_direction
}

fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        if at > 0 {
            f.write_str("; ")?;
        }
        write!(f, "{}", Escaped(line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_it_says() {
        let error = io::Error::other("sorry\r\n  ERROR all is lost\u{1b}[2J\n");
        assert_eq!(
            Causes(&error).to_string(),
            "sorry; ERROR all is lost\\u{1b}[2J"
        );
    }
}
