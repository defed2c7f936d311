//! Whether a filter's `[config]` is what the filter says it must be, and if not, the place in the
//! file and what would be right there. The only user of jsonschema. Called by `plugins` with the
//! schema in the filter's manifest, which is as hostile as the rest of its file.

mod example;
mod format;
mod problem;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use self::problem::{Explainer, brief};
use super::ConfigError;
use super::document::Document;

/// The table of the settings that is the filter's own.
pub(super) const TABLE: &str = "config";

/// A reference can lead anywhere, also back to itself, and a page of them can stand for more than a
/// machine can check in a year.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Regular expressions in a schema. Each may take milliseconds to compile.
const PATTERNS: usize = 50;

/// What one of them may become, in bytes.
const PATTERN_BYTES: usize = 64 << 10;

/// Alternatives in a schema. What fits none of them is copied for each.
const FORMS: usize = 500;

/// Problems that are compared for the one to tell first.
const PROBLEMS: usize = 20;

/// A schema that can be used.
#[derive(Debug)]
pub(crate) struct Schema {
    source: Value,
    validator: Validator,
}

/// Why a schema is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidSchema {
    #[error("it uses `{0}`; write the schema in place of the reference")]
    Reference(String),
    #[error("it has more than {PATTERNS} patterns")]
    Patterns,
    #[error("it has more than {FORMS} alternatives")]
    Forms,
    #[error("it is not a JSON Schema of draft 2020-12: {0}")]
    Invalid(String),
}

impl Schema {
    /// Takes time in proportion to the schema and reaches for nothing outside of it.
    pub(crate) fn new(source: Value) -> Result<Self, InvalidSchema> {
        Self::with_hosts(source, |_| true)
    }

    /// The same where a text of the format `host` has to be one.
    pub(crate) fn with_hosts(
        source: Value,
        is_host: fn(&str) -> bool,
    ) -> Result<Self, InvalidSchema> {
        let mut budget = Budget {
            patterns: PATTERNS,
            forms: FORMS,
        };
        budget.spend(&source)?;
        let validator = jsonschema::draft202012::options()
            .offline()
            .should_validate_formats(true)
            .with_format("ip", |text: &str| text.parse::<IpAddr>().is_ok())
            .with_format("host", is_host)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .build(&source)
            .map_err(|error| InvalidSchema::Invalid(brief(&error.to_string())))?;
        Ok(Self { source, validator })
    }

    /// As the filter's file has it.
    pub(crate) fn source(&self) -> &Value {
        &self.source
    }

    /// What is to be mended though the schema can be used: a format that is probably misspelt.
    pub(crate) fn doubt(&self) -> Option<String> {
        let (format, meant) = format::misspelt(&self.source)?;
        let format = brief(format);
        Some(format!(
            "the proxy does not know the format `{format}`; did you mean `{meant}`?"
        ))
    }

    /// Whether a value is what it asks for.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Compares a configuration with it. `text` is the file that it was read from; none if there is
    /// no `file`.
    pub(crate) fn check(
        &self,
        config: &Value,
        file: &Path,
        text: Option<&str>,
    ) -> Result<(), ConfigError> {
        let Some(text) = text else {
            if self.validator.is_valid(config) {
                return Ok(());
            }
            return Err(ConfigError::Absent {
                path: file.to_owned(),
                example: example::table(&self.source),
            });
        };
        let document = Document { path: file, text };
        let explainer = Explainer {
            schema: &self.source,
            config,
        };
        let errors = self.validator.iter_errors(config).take(PROBLEMS);
        let problems = errors.map(|error| {
            let problem = explainer.problem(&error);
            (problem.rank(document), problem)
        });
        match problems.min_by_key(|(rank, _)| *rank) {
            Some(((_, place), problem)) => Err(document.problem_at(place, problem.text)),
            None => Ok(()),
        }
    }
}

/// What a schema may still make the validator do.
struct Budget {
    patterns: usize,
    forms: usize,
}

impl Budget {
    /// Goes through a schema before it is handed over.
    fn spend(&mut self, schema: &Value) -> Result<(), InvalidSchema> {
        match schema {
            Value::Object(keywords) => keywords.iter().try_for_each(|(keyword, value)| {
                self.spend_on(keyword, value)?;
                self.spend(value)
            }),
            Value::Array(values) => values.iter().try_for_each(|value| self.spend(value)),
            _ => Ok(()),
        }
    }

    /// A key of that name has a schema as its value, and not what the keyword has.
    fn spend_on(&mut self, keyword: &str, value: &Value) -> Result<(), InvalidSchema> {
        let (patterns, forms) = match (keyword, value) {
            (_, Value::String(_)) if REFERENCES.contains(&keyword) => {
                return Err(InvalidSchema::Reference(keyword.to_owned()));
            }
            ("pattern", Value::String(_)) => (1, 0),
            ("patternProperties", Value::Object(patterns)) => (patterns.len(), 0),
            ("anyOf" | "oneOf", Value::Array(forms)) => (0, forms.len()),
            _ => (0, 0),
        };
        let left = |budget: usize, spent, what| budget.checked_sub(spent).ok_or(what);
        self.patterns = left(self.patterns, patterns, InvalidSchema::Patterns)?;
        self.forms = left(self.forms, forms, InvalidSchema::Forms)?;
        Ok(())
    }
}
