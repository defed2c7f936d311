//! What the validator found, for the operator: which key, what is there, what would be right.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::Location;
use serde_json::{Map, Value};

use super::expected::{brief, expected, found, is_plain};
use super::types::is_mismatch;
use super::{TABLE, example};
use crate::config::document::{Document, UnknownKey, nearest};

/// Something wrong with a configuration.
#[derive(Debug)]
pub(super) struct Problem {
    /// The keys that lead there from the top of the file; in lists, numbers.
    path: Vec<String>,
    pub(super) about: About,
    pub(super) text: String,
}

/// In the order in which they are told: what is there may be what is missing, under a wrong name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Key,
    Value,
    Absence,
}

impl Problem {
    /// What is told first: how grave it is, and its place in the file.
    pub(super) fn rank(&self, document: Document<'_>) -> (bool, usize) {
        let keys: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let value = match self.about {
            About::Value => document.value_position(&keys),
            About::Key | About::Absence => None,
        };
        let position = value.unwrap_or_else(|| document.nearest_position(&keys));
        (self.about == About::Absence, position)
    }
}

/// What errors are about.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) schema: &'a Value,
    pub(super) config: &'a Value,
}

impl<'a> Context<'a> {
    pub(super) fn problem(self, error: &ValidationError<'_>) -> Problem {
        let path = path(error.instance_path());
        let schema = self.schema_of(error.schema_path());
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let key = unexpected.first().map_or("", String::as_str);
                self.unknown(path, key, known_keys(schema))
            }
            // What the validator says of a table that has no keys at all.
            Kind::FalseSchema if schema.get("additionalProperties").is_some() => {
                let stranger = self.table(&path).and_then(|table| table.keys().next());
                let key = stranger.map_or("", String::as_str);
                self.unknown(path, key, known_keys(schema))
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                self.missing(path, key, error.instance(), error.schema_path())
            }
            Kind::PropertyNames { error } => self.wrong_name(path, error, schema),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.no_form(error, context, schema)
            }
            _ => self.mismatch(path, error, schema),
        }
    }

    pub(super) fn unknown(self, path: Vec<String>, key: &str, known: Vec<&str>) -> Problem {
        let path = [path, vec![key.to_owned()]].concat();
        let text = UnknownKey { key, known }.explain(&self.shown(&path));
        let about = About::Key;
        Problem { path, about, text }
    }

    /// A key that is missing, unless one that nobody knows is like it.
    fn missing(
        self,
        path: Vec<String>,
        key: &str,
        table: &Value,
        schema_path: &Location,
    ) -> Problem {
        let known = known_keys(self.schema_of(schema_path));
        let present = table.as_object().into_iter().flat_map(|table| table.keys());
        let strangers = present
            .map(String::as_str)
            .filter(|key| !known.contains(key));
        if let Some(misspelled) = nearest(key, strangers) {
            return self.unknown(path, misspelled, known);
        }
        let place = self.shown(&path).join(".");
        let entry = example::entry(key, self.property(schema_path, key));
        Problem {
            text: format!("[{place}] lacks `{}`; add there:  {}", brief(key), entry),
            about: About::Absence,
            path,
        }
    }

    fn wrong_name(self, path: Vec<String>, error: &ValidationError<'_>, names: &Value) -> Problem {
        let key = error.instance().as_str().unwrap_or_default();
        let why = match expected(names).filter(|names| !is_plain(names)) {
            Some(names) => format!("the key `{}` is not {names}", brief(key)),
            None => format!("the key is not right: {}", brief(&error.to_string())),
        };
        Problem {
            text: format!("{}: {why}", self.shown(&path).join(".")),
            path: [path, vec![key.to_owned()]].concat(),
            about: About::Key,
        }
    }

    fn mismatch(self, path: Vec<String>, error: &ValidationError<'_>, schema: &Value) -> Problem {
        let found = found(error.instance());
        let expected = expected(schema);
        let text = match (error.kind(), expected) {
            (Kind::Enum { .. } | Kind::Constant { .. }, Some(words)) => {
                format!("{found} is not {words}")
            }
            (_, Some(expected)) if is_mismatch(error) => {
                format!("invalid type: {found}, expected {expected}")
            }
            (_, Some(expected)) if !is_plain(&expected) => {
                format!("invalid value: {found}, expected {expected}")
            }
            _ => brief(&error.to_string()),
        };
        self.value(path, &text)
    }

    pub(super) fn value(self, path: Vec<String>, text: &str) -> Problem {
        Problem {
            text: format!("{}: {text}", self.shown(&path).join(".")),
            about: About::Value,
            path,
        }
    }

    /// The schema that has the keyword at the end of the path.
    pub(super) fn schema_of(self, path: &Location) -> &'a Value {
        let parent = path
            .as_str()
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(&Value::Null)
    }

    /// What a key's value must be, by the schema at the path or one around it.
    fn property(self, path: &Location, key: &str) -> &'a Value {
        let mut around = path.as_str();
        while let Some((parent, _)) = around.rsplit_once('/') {
            let properties = self.schema.pointer(&format!("{parent}/properties"));
            if let Some(property) = properties.and_then(|properties| properties.get(key)) {
                return property;
            }
            around = parent;
        }
        &Value::Null
    }

    fn table(self, path: &[String]) -> Option<&'a Map<String, Value>> {
        let mut keys = path.iter().skip(1);
        let value = keys.try_fold(self.config, |value, key| step(value, key))?;
        value.as_object()
    }

    /// Keys as they are shown: the places in a list behind the list's key.
    fn shown(self, path: &[String]) -> Vec<String> {
        let mut shown: Vec<String> = path.iter().take(1).cloned().collect();
        let mut value = Some(self.config);
        for key in path.iter().skip(1) {
            let list = value.and_then(Value::as_array);
            match (list, shown.last_mut()) {
                (Some(_), Some(list)) => list.push_str(&format!("[{key}]")),
                _ => shown.push(brief(key)),
            }
            value = value.and_then(|value| step(value, key));
        }
        shown
    }
}

/// What a key of a table or a place in a list leads to.
fn step<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Array(values) => values.get(key.parse::<usize>().ok()?),
        table => table.get(key),
    }
}

/// From the top of the file.
pub(super) fn path(location: &Location) -> Vec<String> {
    let steps = location.iter().map(|step| step.to_string());
    std::iter::once(TABLE.to_owned()).chain(steps).collect()
}

/// The keys of a table, in all its forms.
pub(super) fn known_keys(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut keys: Vec<&str> = properties
        .into_iter()
        .flat_map(|properties| properties.keys())
        .map(String::as_str)
        .collect();
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array);
        keys.extend(parts.into_iter().flatten().flat_map(known_keys));
    }
    keys
}
