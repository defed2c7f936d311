//! The sentence that a refused client reads: the operator's words with the facts filled in.

use portcullis_sdk::{Error, Host};

/// A template that holds only what can be filled in.
pub(crate) struct Reason(Vec<Piece>);

enum Piece {
    Text(String),
    Host,
    Feed,
    Rule,
}

impl Reason {
    /// Reads text with `{host}`, `{feed}` and `{rule}` in it.
    pub(crate) fn parse(template: &str) -> Result<Self, Error> {
        if template.contains(char::is_control) {
            return Err(Error::new("reason: it must be one line"));
        }
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some((text, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
            pieces.push(Piece::Text(text.into()));
            pieces.push(match name {
                "host" => Piece::Host,
                "feed" => Piece::Feed,
                "rule" => Piece::Rule,
                _ => {
                    return Err(Error::new(format_args!(
                        "reason: nothing is known as {{{name}}}, only {{host}}, {{feed}} and {{rule}}"
                    )));
                }
            });
            rest = tail;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self(pieces))
    }

    pub(crate) fn fill(&self, host: &Host, feed: &str, rule: &str) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Host => host.as_str(),
                Piece::Feed => feed,
                Piece::Rule => rule,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Result<String, Error> {
        Ok(Reason::parse(template)?.fill(&Host::new("a.b.c"), "malware", "b.c"))
    }

    #[test]
    fn facts_stand_where_their_names_stood() {
        for (template, filled) in [
            ("{host}{feed}{rule}", "a.b.cmalwareb.c"),
            ("no: {rule}, {rule}.", "no: b.c, b.c."),
            ("nothing }", "nothing }"),
            ("", ""),
        ] {
            assert_eq!(fill(template), Ok(filled.into()));
        }
    }

    #[test]
    fn unknown_names_and_further_lines_are_refused() {
        for template in ["{hots}", "{}", "{host} {", "{ host }", "{{host}}"] {
            let error = fill(template).unwrap_err().to_string();
            assert!(error.contains("only {host}, {feed} and {rule}"), "{error}");
        }
        assert!(fill("one\ntwo").is_err());
    }
}
