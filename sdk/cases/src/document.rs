//! Where something in a file is wrong: file, line, column, hint. Called by `format`.

use std::fmt;

use serde::de::DeserializeOwned;

/// What is wrong with a file of cases, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    line: usize,
    column: usize,
    problem: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            problem,
        } = self;
        write!(f, "{file}:{line}:{column}: {problem}")
    }
}

impl std::error::Error for Error {}

/// A file that has been read but may be wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Document<'_> {
    /// What it says, if it is TOML and fits `T`.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            let start = error.span().unwrap_or_default().start;
            self.problem_at(start, unknown_key(&message).unwrap_or(message))
        })
    }

    /// From 1.
    pub(crate) fn line(self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    pub(crate) fn problem_at(self, offset: usize, problem: String) -> Error {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Error {
            file: self.file.to_owned(),
            line: self.line(offset),
            column: before[line_start..].chars().count() + 1,
            problem,
        }
    }
}

/// What serde says of a key that a struct does not have, with the one that was likely meant.
/// Serde's text is the only way to learn which keys there are.
fn unknown_key(message: &str) -> Option<String> {
    let (key, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    // "expected one of `a`, `b`": what stands between backticks is every second piece.
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let hint = match nearest(key, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are: {}", known.join(", ")),
    };
    Some(format!("unknown key `{key}`; {hint}"))
}

/// A typo is about one letter in three. Words of very different lengths are not compared, because
/// comparing long words takes long.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = word.chars().count();
    let most = |known: &str| known.len().max(3) / 3;
    let alike = known
        .iter()
        .filter(|known| known.chars().count().abs_diff(letters) <= most(known));
    let distances = alike.map(|known| (strsim::damerau_levenshtein(word, known), *known));
    let near = distances.filter(|(distance, known)| *distance <= most(known));
    near.min().map(|(_, known)| known)
}
