//! What is wrong with a configuration, in words for the operator, and where.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Error {
    /// As in `rules[2].host`; empty for the whole.
    path: String,
    message: String,
}

impl Error {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            message: message.into(),
        }
    }

    pub(super) fn at_key(mut self, key: &str) -> Self {
        let dot = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, key);
        self
    }

    pub(super) fn at_index(mut self, index: usize) -> Self {
        let dot = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path.insert_str(0, &format!("[{index}]{dot}"));
        self
    }

    /// Serde's own words, but for numbers with a fraction: to write them down takes more code than the rest of this file.
    fn unexpected(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Float(_) => "a number with a fraction".to_owned(),
            Unexpected::Bool(value) => format!("boolean `{value}`"),
            Unexpected::Unsigned(number) => format!("integer `{number}`"),
            Unexpected::Signed(number) => format!("integer `{number}`"),
            Unexpected::Str(text) => format!("string \"{text}\""),
            Unexpected::Char(c) => format!("character `{c}`"),
            Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a table".to_owned(),
            Unexpected::Other(other) => other.to_owned(),
            _ => "something else".to_owned(),
        };
        Self::new(format!("{what}: {found}, expected {expected}"))
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected("invalid type", found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected("invalid value", found, expected)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            f.write_str(&self.path)?;
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
