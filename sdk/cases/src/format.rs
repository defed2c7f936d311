//! From the text of a file to cases that make sense: `raw` is a case as it is written, `question`
//! and `expected` make sense of its two halves.

mod expected;
mod question;
mod raw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use self::raw::RawCase;
use crate::case::{Case, Cases};
use crate::document::{Document, Error};
use crate::value::{Entry, Parsed};

impl Cases {
    /// Reads the content of `file`, which is named in errors and reports only.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, has a key that does not exist, or makes no sense. The error names
    /// the line.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let document = Document { file, text };
        let raw: RawFile = document.read()?;
        if raw.case.is_empty() {
            return Err(document.problem_at(0, "there is no [[case]] in it".into()));
        }
        let config = raw.config.map(|config| json_config(document, config));
        let cases = raw.case.into_iter().map(|case| checked(document, case));
        let texts = |entries: Vec<_>| {
            let entries = entries.into_iter();
            entries.map(|Parsed(Entry(text))| text).collect()
        };
        let feeds = raw
            .feeds
            .into_iter()
            .map(|(feed, entries)| (feed, texts(entries)));
        Ok(Self {
            file: file.to_owned(),
            config: config.transpose()?,
            feeds: feeds.collect(),
            now: raw.now.map_or(SystemTime::UNIX_EPOCH, |Parsed(now)| now),
            cases: cases.collect::<Result<_, _>>()?,
        })
    }
}

fn json_config(document: Document<'_>, config: Spanned<toml::Table>) -> Result<String, Error> {
    let at = config.span().start;
    match json_object(config.into_inner()) {
        Ok(object) => Ok(Value::Object(object).to_string()),
        Err(problem) => Err(document.problem_at(at, problem)),
    }
}

fn checked(document: Document<'_>, case: Spanned<RawCase>) -> Result<Case, Error> {
    let at = case.span().start;
    let checked = case.into_inner().check(document.line(at));
    checked.map_err(|problem| document.problem_at(at, problem))
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    now: Option<Parsed<SystemTime>>,
    config: Option<Spanned<toml::Table>>,
    #[serde(default)]
    feeds: BTreeMap<String, Vec<Parsed<Entry>>>,
    #[serde(default)]
    case: Vec<Spanned<RawCase>>,
}

/// TOML as JSON, as the proxy makes it of `NAME.toml`: dates and times become strings.
fn json_object(table: toml::Table) -> Result<Map<String, Value>, String> {
    let entries = table
        .into_iter()
        .map(|(key, value)| Ok((key, json(value)?)));
    entries.collect()
}

fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => return Err(format!("config: JSON has no number {number}")),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => {
            let values = values.into_iter().map(json);
            values.collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => json_object(table)?.into(),
    })
}
