//! Text in the operator's words, with facts filled in.

use crate::Error;

/// One line of text in which values are filled in where their names stand in braces: what a filter
/// lets the operator say about a refusal.
///
/// ```
/// use portcullis_sdk::{Error, Template};
///
/// let reason = Template::parse("{host} is closed; ask {host}'s owner", &["host", "rule"])?;
/// let text = reason.render([("rule", "*"), ("host", "a.example")]);
/// assert_eq!(text, "a.example is closed; ask a.example's owner");
///
/// let error = Template::parse("{hots} is closed", &["host", "rule"]).unwrap_err();
/// assert_eq!(error.to_string(), "nothing is known as {hots}, only {host}, {rule}");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The value of that name.
    Value(String),
}

impl Template {
    /// Reads text in which values of these names may stand.
    ///
    /// # Errors
    ///
    /// If it names another value, or has more than one line.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, Error> {
        if text.contains(char::is_control) {
            return Err(Error::new("it must be one line"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
            if !names.contains(&name) {
                return Err(unknown(name, names));
            }
            pieces.extend([Piece::Text(before.into()), Piece::Value(name.into())]);
            rest = tail;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self(pieces))
    }

    /// The text with the values in it. They may come in any order; the text does not use them all.
    /// A name for which there is no value stays as it is.
    pub fn render<'a>(&self, values: impl AsRef<[(&'a str, &'a str)]>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(name) => {
                    let mut values = values.as_ref().iter();
                    match values.find(|(known, _)| known == name) {
                        Some((_, value)) => text.push_str(value),
                        None => text.extend(["{", name, "}"]),
                    }
                }
            }
        }
        text
    }
}

fn unknown(name: &str, names: &[&str]) -> Error {
    let known: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    let known = known.join(", ");
    Error::new(format_args!("nothing is known as {{{name}}}, only {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, Error> {
        let template = Template::parse(text, &["host", "feed", "rule"])?;
        Ok(template.render([("host", "a.b.c"), ("feed", "malware"), ("rule", "b.c")]))
    }

    #[test]
    fn values_stand_where_their_names_stood() {
        for (text, rendered) in [
            ("{host}{feed}{rule}", "a.b.cmalwareb.c"),
            ("no: {rule}, {rule}.", "no: b.c, b.c."),
            ("nothing }", "nothing }"),
            ("", ""),
        ] {
            assert_eq!(render(text), Ok(rendered.into()));
        }
    }

    #[test]
    fn a_value_that_looks_like_a_name_is_left_alone() {
        let template = Template::parse("{a}{b}", &["a", "b"]).unwrap();
        assert_eq!(template.render([("a", "{b}"), ("b", "x")]), "{b}x");
    }

    #[test]
    fn a_name_without_a_value_stays_visible() {
        let template = Template::parse("{a}{b}", &["a", "b"]).unwrap();
        assert_eq!(template.render([("b", "x")]), "{a}x");
    }

    #[test]
    fn unknown_names_and_further_lines_are_refused() {
        for text in ["{hots}", "{}", "{host} {", "{ host }", "{{host}}"] {
            let error = render(text).unwrap_err().to_string();
            assert!(error.ends_with("only {host}, {feed}, {rule}"), "{error}");
        }
        assert!(render("one\ntwo").is_err());
    }
}
