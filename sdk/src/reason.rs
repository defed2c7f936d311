//! The sentence that a refused client reads, in the operator's words.

use crate::Error;

/// One line of text in which facts are filled in where their names stand in braces: what a filter
/// lets the operator say about a refusal.
///
/// ```
/// use portcullis_sdk::{Error, Reason};
///
/// let reason = Reason::parse("{host} is closed; ask {host}'s owner", ["host", "rule"])?;
/// assert_eq!(reason.fill(["a.example", "*"]), "a.example is closed; ask a.example's owner");
///
/// let error = Reason::parse("{hots} is closed", ["host", "rule"]).unwrap_err();
/// assert_eq!(error.to_string(), "nothing is known as {hots}, only {host}, {rule}");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason<const FACTS: usize>(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// By its place in the list.
    Fact(usize),
}

impl<const FACTS: usize> Reason<FACTS> {
    /// Reads text in which the `facts` may stand. Fails if others do, or if it has more than one
    /// line.
    pub fn parse(text: &str, facts: [&str; FACTS]) -> Result<Self, Error> {
        if text.contains(char::is_control) {
            return Err(Error::new("it must be one line"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
            let place = facts.iter().position(|fact| *fact == name);
            let fact = place.ok_or_else(|| unknown(name, &facts))?;
            pieces.extend([Piece::Text(before.into()), Piece::Fact(fact)]);
            rest = tail;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self(pieces))
    }

    /// The text with the facts in it, which come in the order of their names.
    pub fn fill(&self, facts: [&str; FACTS]) -> String {
        let text = |piece| match piece {
            &Piece::Fact(at) => facts.get(at).copied().unwrap_or_default(),
            Piece::Text(text) => text,
        };
        self.0.iter().map(text).collect()
    }
}

fn unknown(name: &str, facts: &[&str]) -> Error {
    let known: Vec<String> = facts.iter().map(|fact| format!("{{{fact}}}")).collect();
    let known = known.join(", ");
    Error::new(format_args!("nothing is known as {{{name}}}, only {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, Error> {
        let reason = Reason::parse(text, ["host", "feed", "rule"])?;
        Ok(reason.fill(["a.b.c", "malware", "b.c"]))
    }

    #[test]
    fn facts_stand_where_their_names_stood() {
        for (text, filled) in [
            ("{host}{feed}{rule}", "a.b.cmalwareb.c"),
            ("no: {rule}, {rule}.", "no: b.c, b.c."),
            ("nothing }", "nothing }"),
            ("", ""),
        ] {
            assert_eq!(fill(text), Ok(filled.into()));
        }
    }

    #[test]
    fn a_fact_that_looks_like_a_name_is_left_alone() {
        let reason = Reason::parse("{a}{b}", ["a", "b"]).unwrap();
        assert_eq!(reason.fill(["{b}", "x"]), "{b}x");
    }

    #[test]
    fn unknown_names_and_further_lines_are_refused() {
        for text in ["{hots}", "{}", "{host} {", "{ host }", "{{host}}"] {
            let error = fill(text).unwrap_err().to_string();
            assert!(error.ends_with("only {host}, {feed}, {rule}"), "{error}");
        }
        assert!(fill("one\ntwo").is_err());
    }
}
