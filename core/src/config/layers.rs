//! Settings from several sources as one table: that of a file, over which environment variables are
//! laid, and flags over these. It is read once. Every value keeps the place where it was written,
//! so an error names the line of the file, the variable or the flag. Called by `load` and by the
//! settings of filters.

use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::declaration::Declaration;
use super::document::{Document, UnknownKey, keys_at, place_of};
use super::environment::{Setting, portcullis_vars};
use super::sources::Flags;
use super::{ConfigError, ListenAddress};

const NOT_UTF8: &str = "the path is not UTF-8; name one that is";

/// One table from all sources.
#[derive(Debug)]
pub(super) struct Layers<'a> {
    document: Document<'a>,
    declaration: Declaration<'a>,
    table: Spanned<DeTable<'a>>,
    /// The variables and flags. Each has a place of its own behind the end of the file.
    others: Vec<Other<'a>>,
}

/// A source beside the file, by its name.
#[derive(Clone, Copy, Debug)]
enum Other<'a> {
    Variable(&'a str),
    Flag(&'static str),
}

impl Other<'_> {
    fn problem(self, problem: String) -> ConfigError {
        match self {
            Self::Variable(name) => ConfigError::Variable {
                name: name.to_owned(),
                problem,
            },
            Self::Flag(name) => ConfigError::Flag { name, problem },
        }
    }
}

impl<'a> Layers<'a> {
    /// What the file says.
    pub(super) fn new(
        document: Document<'a>,
        declaration: Declaration<'a>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            document,
            declaration,
            table: document.parse()?,
            others: Vec::new(),
        })
    }

    /// Paths that are there so far are meant from `dir`.
    pub(super) fn resolve_paths(&mut self, dir: &Path) -> Result<(), ConfigError> {
        resolve_paths(self.table.get_mut(), self.declaration, dir).map_err(|place| {
            let problem = "the path of this file is not UTF-8; write an absolute path here";
            self.document.problem_at(place, problem.into())
        })
    }

    /// Lays the settings among `variables` over what is there.
    pub(super) fn add_variables(
        &mut self,
        variables: &'a [(OsString, OsString)],
    ) -> Result<(), ConfigError> {
        let settings = Setting::all(self.declaration, self.table.get_ref());
        for (name, key, value) in portcullis_vars(variables) {
            let source = Other::Variable(name);
            let Some(text) = value.to_str() else {
                return Err(source.problem("its value is not UTF-8".into()));
            };
            if let Some(Setting {
                keys, declaration, ..
            }) = Setting::of_variable(key, &settings)
            {
                let place = self.place_behind(source);
                let value = declaration.value(text, &place);
                put(self.table.get_mut(), &keys, value, &place);
            } else if let Some(meant) = Setting::misspelt(key, &settings) {
                let text = format!("there is no such setting; did you mean {meant}?");
                return Err(source.problem(text));
            } else if Setting::is_of_names(key, &settings) {
                let text = "a variable can have one value of this table, not all of it; write it into the configuration file";
                return Err(source.problem(text.into()));
            }
        }
        Ok(())
    }

    /// Lays what the command line says over what is there.
    pub(super) fn add_flags(&mut self, flags: &Flags) -> Result<(), ConfigError> {
        let Flags {
            listen,
            clients,
            plugins_dir,
        } = flags;
        if !listen.is_empty() {
            let source = Other::Flag("--listen");
            let addresses: Option<_> = listen.iter().map(ListenAddress::to_text).collect();
            let addresses = addresses.ok_or_else(|| source.problem(NOT_UTF8.into()))?;
            self.add_texts(source, &["proxy", "listen"], addresses);
        }
        if !clients.is_empty() {
            // The flag says who may come in, and nothing else in the table holds then.
            self.table.get_mut().remove("clients");
            let networks = clients.iter().map(ToString::to_string).collect();
            self.add_texts(Other::Flag("--clients"), &["clients", "allow"], networks);
        }
        if let Some(dir) = plugins_dir {
            let source = Other::Flag("--plugins");
            let dir = dir.to_str();
            let dir = dir.ok_or_else(|| source.problem(NOT_UTF8.into()))?;
            let dir = DeValue::String(dir.to_owned().into());
            let place = self.place_behind(source);
            self.lay(&["plugins", "dir"], dir, &place);
        }
        Ok(())
    }

    fn add_texts(&mut self, source: Other<'a>, keys: &[&str], texts: Vec<String>) {
        let place = self.place_behind(source);
        let texts = texts.into_iter().map(|text| DeValue::String(text.into()));
        let texts = texts.map(|text| Spanned::new(place.clone(), text));
        let texts = DeValue::Array(texts.collect());
        self.lay(keys, texts, &place);
    }

    fn lay(&mut self, keys: &[&str], value: DeValue<'a>, place: &Range<usize>) {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        put(self.table.get_mut(), &keys, value, place);
    }

    /// Has a table stand at `keys`, unless something stands there.
    pub(super) fn add_table(&mut self, keys: &[&str]) {
        self.add(keys, DeValue::Table(DeTable::new()));
    }

    /// The same for a text.
    pub(super) fn add_text(&mut self, keys: &[&str], text: String) {
        self.add(keys, DeValue::String(text.into()));
    }

    /// Adds what no source has said.
    fn add(&mut self, keys: &[&str], value: DeValue<'a>) {
        if self.contains(keys) {
            return;
        }
        // Nothing is wrong with it, so that no error is about its place.
        let end = self.document.text.len();
        self.lay(keys, value, &(end..end));
    }

    /// The keys of a table.
    pub(super) fn keys_below(&self, table: &str) -> Vec<String> {
        let table = self.table.get_ref().get(table);
        let table = table.and_then(|table| table.get_ref().as_table());
        let keys = table.into_iter().flatten();
        keys.map(|(key, _)| key.get_ref().to_string()).collect()
    }

    /// The text that stands at `keys`.
    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        let (last, tables) = keys.split_last()?;
        let mut table = self.table.get_ref();
        for key in tables {
            table = table.get(*key)?.get_ref().as_table()?;
        }
        table.get(*last)?.get_ref().as_str()
    }

    /// Whether any source says what stands at `keys`.
    pub(super) fn contains(&self, keys: &[&str]) -> bool {
        place_of(self.table.get_ref(), keys).is_some()
    }

    /// What stands at `key`, as JSON.
    pub(super) fn json(&self, key: &str) -> Result<Option<Value>, ConfigError> {
        let value = self.table.get_ref().get(key);
        value.map(to_json).transpose().map_err(|span| {
            let keys = keys_at(self.table.get_ref(), &span).join(".");
            let problem = format!("{keys}: JSON has no such number");
            self.document.problem_at(span.start, problem)
        })
    }

    /// What all sources together say.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        T::deserialize(toml::Deserializer::from(self.table.clone()))
            .map_err(|error| self.explain(&error))
    }

    /// What is wrong with what stands at `keys`, with the place where that was written.
    pub(super) fn problem_at(&self, keys: &[&str], problem: &str) -> ConfigError {
        let place = place_of(self.table.get_ref(), keys).map_or(0, |place| place.key);
        self.problem_from(place, keys, problem)
    }

    /// The same for one value of a list, which may be written without the list if it is alone.
    pub(super) fn problem_in(&self, keys: &[&str], at: usize, problem: &str) -> ConfigError {
        let (table, at) = (self.table.get_ref(), at.to_string());
        let place = place_of(table, &[keys, &[&at]].concat());
        let place = place.or_else(|| place_of(table, keys));
        self.problem_from(place.map_or(0, |place| place.value), keys, problem)
    }

    fn problem_from(&self, place: usize, keys: &[&str], problem: &str) -> ConfigError {
        match self.other_at(place) {
            Some(other) => other.problem(problem.to_owned()),
            None => {
                let problem = format!("{}: {problem}", keys.join("."));
                self.document.problem_at(place, problem)
            }
        }
    }

    fn explain(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_default();
        let problem = error.message().replace('\n', ", ");
        let keys = keys_at(self.table.get_ref(), &span);
        if let Some(key) = missing_key(&problem) {
            return self.incomplete(&keys, key);
        }
        if let Some(unknown) = UnknownKey::from_message(&problem) {
            return self.document.problem_at(span.start, unknown.explain(&keys));
        }
        if let Some(other) = self.other_at(span.start) {
            return other.problem(problem);
        }
        let problem = match keys.as_slice() {
            [] => problem,
            keys => format!("{}: {problem}", keys.join(".")),
        };
        self.document.problem_at(span.start, problem)
    }

    /// `keys` lead to a table that does not have `key`, which it needs.
    fn incomplete(&self, keys: &[String], key: &str) -> ConfigError {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut path = keys.iter().chain([&key]);
        let declaration = path.try_fold(self.declaration, |table, key| table.at(key));
        let examples = declaration.map(Declaration::examples).unwrap_or_default();
        self.problem_at(
            &keys,
            &format!("`{key}` is missing; add {key} = {examples}"),
        )
    }

    /// The place of a source that comes behind all that are there.
    fn place_behind(&mut self, source: Other<'a>) -> Range<usize> {
        self.others.push(source);
        let place = self.document.text.len() + self.others.len();
        place..place
    }

    /// Whose place it is, if it is behind the end of the file.
    fn other_at(&self, place: usize) -> Option<Other<'a>> {
        let number = place.checked_sub(self.document.text.len() + 1)?;
        self.others.get(number).copied()
    }
}

/// The key that a table lacks. Serde's text is the only way to learn it.
fn missing_key(problem: &str) -> Option<&str> {
    let (key, _) = problem.strip_prefix("missing field `")?.split_once('`')?;
    Some(key)
}

/// Makes `value` stand where `keys` lead to. What is written in place of a table on the way there
/// is wrong and stays, so that the error is about it.
fn put<'a>(table: &mut DeTable<'a>, keys: &[String], value: DeValue<'a>, place: &Range<usize>) {
    let spanned = |value| Spanned::new(place.clone(), value);
    match keys {
        [] => {}
        [key] => {
            // The old key would keep its place.
            table.remove(key.as_str());
            let key = Spanned::new(place.clone(), key.clone().into());
            table.insert(key, spanned(value));
        }
        [key, rest @ ..] => {
            let key = Spanned::new(place.clone(), key.clone().into());
            let below = table
                .entry(key)
                .or_insert_with(|| spanned(DeValue::Table(DeTable::new())));
            if let DeValue::Table(below) = below.get_mut() {
                put(below, rest, value, place);
            }
        }
    }
}

/// The error is the place of a path that cannot be written as text then.
fn resolve_paths(
    table: &mut DeTable<'_>,
    declaration: Declaration<'_>,
    dir: &Path,
) -> Result<(), usize> {
    for (key, value) in table.iter_mut() {
        if let Some(declaration) = declaration.at(key.get_ref()) {
            resolve_paths_in(value, declaration, dir)?;
        }
    }
    Ok(())
}

fn resolve_paths_in(
    value: &mut Spanned<DeValue<'_>>,
    declaration: Declaration<'_>,
    dir: &Path,
) -> Result<(), usize> {
    let place = value.span().start;
    match value.get_mut() {
        DeValue::Table(table) => resolve_paths(table, declaration, dir),
        DeValue::Array(values) => match declaration.items() {
            Some(declaration) => values
                .iter_mut()
                .try_for_each(|value| resolve_paths_in(value, declaration, dir)),
            None => Ok(()),
        },
        DeValue::String(text) => {
            if let Some((before, path)) = declaration.path_in(text) {
                let path = dir.join(path).into_os_string();
                let path = path.into_string().map_err(|_| place)?;
                *text = format!("{before}{path}").into();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Dates and times become strings. The error is the place of a number that JSON does not have
/// (`nan`, `inf`).
fn to_json(value: &Spanned<DeValue<'_>>) -> Result<Value, Range<usize>> {
    match value.get_ref() {
        DeValue::Datetime(time) => Ok(time.to_string().into()),
        DeValue::Array(values) => values.iter().map(to_json).collect(),
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries =
                entries.map(|(key, value)| Ok((key.get_ref().to_string(), to_json(value)?)));
            entries.collect()
        }
        _ => match Value::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(Value::Null) | Err(_) => Err(value.span()),
            Ok(value) => Ok(value),
        },
    }
}
