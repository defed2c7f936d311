//! A TOML file, and how to say what is wrong with it the way a compiler does: file, line, column,
//! hint. Used for the main file and for the files beside filters.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// One file. It has been read but may be wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl<'a> Document<'a> {
    /// What it says, if it is TOML.
    pub(super) fn parse(self) -> Result<Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(self.text).map_err(|error| {
            let start = error.span().unwrap_or_default().start;
            self.problem_at(start, error.message().replace('\n', ", "))
        })
    }

    /// Where the last of `keys` stands, if they lead anywhere.
    pub(super) fn position(self, keys: &[&str]) -> Option<usize> {
        Some(place_of(self.parse().ok()?.get_ref(), keys)?.key)
    }

    /// Where the value of the last of `keys` stands. A number counts the values of a list.
    pub(super) fn value_position(self, keys: &[&str]) -> Option<usize> {
        Some(place_of(self.parse().ok()?.get_ref(), keys)?.value)
    }

    /// Where the last of `keys` stands that is there; the beginning of the file if there is none.
    pub(super) fn nearest_position(self, keys: &[&str]) -> usize {
        let paths = (1..=keys.len()).rev().map(|length| &keys[..length]);
        let mut positions = paths.filter_map(|path| self.position(path));
        positions.next().unwrap_or(0)
    }

    pub(super) fn problem_at(self, offset: usize, problem: String) -> ConfigError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        ConfigError::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem,
        }
    }
}

/// A key that is not one of those that there are.
pub(super) struct UnknownKey<'a> {
    pub(super) key: &'a str,
    pub(super) known: Vec<&'a str>,
}

impl<'a> UnknownKey<'a> {
    /// Serde's text is the only way to learn which keys there are.
    pub(super) fn from_message(message: &'a str) -> Option<Self> {
        let (key, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
        // "expected one of `a`, `b`": what stands between backticks is every second piece.
        let known = rest.split('`').skip(1).step_by(2).collect();
        Some(Self { key, known })
    }

    /// `keys` lead to it.
    pub(super) fn explain(&self, keys: &[String]) -> String {
        let place = match keys {
            [] | [_] => "at the top of the file".to_owned(),
            [tables @ .., _] => format!("in [{}]", tables.join(".")),
        };
        let hint = match did_you_mean(self.key, self.known.iter().copied()) {
            hint if !hint.is_empty() => hint,
            _ if self.known.is_empty() => "; there are none".to_owned(),
            _ => format!("; there are: {}", self.known.join(", ")),
        };
        format!("unknown key `{}` {place}{hint}", self.key)
    }
}

/// What to say behind a word that is unknown: the one that was likely meant, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |meant| format!("; did you mean `{meant}`?"))
}

/// The word that was likely meant: a typo is about one letter in three.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = |candidate: &str| candidate.len().max(3) / 3;
    known
        .filter(|&candidate| may_resemble(word, candidate, most(candidate)))
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= most(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer words are not compared: the time for that grows by the square of their length.
const LONGEST_WORD: usize = 128;

/// Whether no more than `most` letters may be wrong, as far as the lengths tell.
pub(super) fn may_resemble(word: &str, other: &str, most: usize) -> bool {
    let (letters, others) = (word.chars().count(), other.chars().count());
    letters.max(others) <= LONGEST_WORD && letters.abs_diff(others) <= most
}

/// A text as a value of TOML. It has no double quotes wherever that is possible: it is shown to be
/// copied, also from lines of the log, which escape them.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(|c: char| c == '\'' || c.is_control()) {
        return toml::Value::from(text).to_string();
    }
    format!("'{text}'")
}

/// The keys that lead to the place where `span` begins.
pub(super) fn keys_at(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    for (key, value) in table {
        if key.span() == *span {
            return vec![key.get_ref().to_string()];
        }
        let below = match value.get_ref() {
            DeValue::Table(table) => keys_at(table, span),
            _ => Vec::new(),
        };
        if !below.is_empty() || holds(&value.span(), span) {
            return [vec![key.get_ref().to_string()], below].concat();
        }
    }
    Vec::new()
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Where a key and its value begin. In a list, both are the value.
pub(super) struct Place {
    pub(super) key: usize,
    pub(super) value: usize,
}

pub(super) fn place_of(table: &DeTable<'_>, keys: &[&str]) -> Option<Place> {
    let (first, rest) = keys.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    if rest.is_empty() {
        let (key, value) = (key.span().start, value.span().start);
        return Some(Place { key, value });
    }
    place_within(value.get_ref(), rest)
}

fn place_within(value: &DeValue<'_>, keys: &[&str]) -> Option<Place> {
    match value {
        DeValue::Table(table) => place_of(table, keys),
        DeValue::Array(values) => {
            let (index, rest) = keys.split_first()?;
            let value = values.get(index.parse::<usize>().ok()?)?;
            if rest.is_empty() {
                let (key, value) = (value.span().start, value.span().start);
                return Some(Place { key, value });
            }
            place_within(value.get_ref(), rest)
        }
        _ => None,
    }
}
