//! What errors look like in a line of the log or of a command.

use std::error::Error;
use std::fmt;

use portcullis_contract::Escaped;

/// An error and everything that caused it, in one line for the log whatever it consists of: some of
/// it is said by filters.
#[derive(Debug)]
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for ErrorChain<'_> {
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
            ErrorChain(&error).to_string(),
            "sorry; ERROR all is lost\\u{1b}[2J"
        );
    }
}
