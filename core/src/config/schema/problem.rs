//! An error of the validator for the operator: the place in the file, what is there, what would be
//! right. The validator's own words do, except where they would not name the key that was meant or
//! the line to add, or would speak of JSON. Called by `schema`.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use super::{TABLE, example};
use crate::config::document::{Document, UnknownKey, nearest};

/// The longest piece of a schema or of a configuration in a message, in bytes.
const PIECE_BYTES: usize = 200;

/// Something wrong with a configuration.
pub(super) struct Problem {
    /// The keys that lead there from the top of the file; in lists, numbers.
    path: Vec<String>,
    about: About,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Key,
    Value,
    Absence,
}

impl Problem {
    /// What to sort problems by. One that is missing comes last, as it may be there under a wrong
    /// name; the rest are in the order of the file.
    pub(super) fn rank(&self, document: Document<'_>) -> (bool, usize) {
        let keys: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let is_value = self.about == About::Value;
        let value = is_value.then(|| document.value_position(&keys)).flatten();
        let position = value.unwrap_or_else(|| document.nearest_position(&keys));
        (self.about == About::Absence, position)
    }
}

/// What is wrong with a value by one of the forms that it may have.
type Form = Vec<ValidationError<'static>>;

/// Finds the words for what the validator has found.
#[derive(Clone, Copy)]
pub(super) struct Explainer<'a> {
    pub(super) schema: &'a Value,
    pub(super) config: &'a Value,
}

impl<'a> Explainer<'a> {
    pub(super) fn problem(self, error: &ValidationError<'_>) -> Problem {
        let schema = self.around(error);
        let place = error.instance_path();
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let key = unexpected.first().map_or("", String::as_str);
                unknown(place, key, known_keys(schema))
            }
            // This is what the validator says of a table that may not have any keys: the place is
            // the table's, the value is that of the key.
            Kind::FalseSchema
                if let Some(Value::Object(table)) = self.config.pointer(place.as_str()) =>
            {
                let key = table.keys().next().map_or("", String::as_str);
                unknown(place, key, known_keys(schema))
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                missing(place, key, error.instance(), schema)
            }
            Kind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default();
                let text = format!("{}: the key: {}", shown(place).join("."), self.text(error));
                let path = [path(place), vec![key.to_owned()]].concat();
                let about = About::Key;
                Problem { path, about, text }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.no_form(error, context)
            }
            _ => value(place, &self.text(error)),
        }
    }

    /// The value has none of the forms that it may have. If it is clear which one was meant, that
    /// one's errors count.
    fn no_form(self, error: &ValidationError<'_>, forms: &[Form]) -> Problem {
        let here = error.instance_path();
        let mismatches = |form: &&Form| form.iter().filter(|e| e.instance_path() == here).count();
        let possible = forms
            .iter()
            .filter(|form| !form.iter().any(|e| rules_out(e, here)));
        let fewest = possible.clone().map(|form| mismatches(&form)).min();
        let mut nearest = possible.filter(|form| Some(mismatches(form)) == fewest);
        let Some(meant) = nearest.next() else {
            return self.none_of(error, forms);
        };
        let problems = meant.iter().map(|error| self.problem(error));
        match problems.min_by_key(|problem| problem.about) {
            // Where several are as near, a key may be meant that only another of them has.
            Some(Problem {
                path,
                about: About::Key,
                ..
            }) if nearest.next().is_some() => {
                let key = path.last().map_or("", String::as_str);
                unknown(here, key, known_keys(self.around(error)))
            }
            Some(problem) => problem,
            None => value(here, &brief(&error.to_string())),
        }
    }

    /// All forms are ruled out by their types and words.
    fn none_of(self, error: &ValidationError<'_>, forms: &[Form]) -> Problem {
        let here = error.instance_path();
        let mut reasons: Vec<_> = forms
            .iter()
            .flatten()
            .filter(|e| rules_out(e, here))
            .collect();
        let first = reasons
            .first()
            .map_or(here, |reason| reason.instance_path());
        reasons.retain(|reason| reason.instance_path() == first);
        let words = reasons.iter().flat_map(|reason| self.expected(reason));
        let text = match reasons.first() {
            Some(reason) if reasons.iter().all(|reason| is_mismatch(reason)) => {
                wrong_type(reason.instance(), words)
            }
            Some(reason) => wrong_word(reason.instance(), words),
            None => brief(&error.to_string()),
        };
        value(first, &text)
    }

    fn text(self, error: &ValidationError<'_>) -> String {
        let expected = self.expected(error).into_iter();
        if is_mismatch(error) {
            wrong_type(error.instance(), expected)
        } else if is_word(error) {
            wrong_word(error.instance(), expected)
        } else {
            brief(&error.to_string())
        }
    }

    /// What would be right there, where a few words can say it.
    fn expected(self, error: &ValidationError<'_>) -> Vec<String> {
        match error.kind() {
            Kind::Constant { expected_value } => vec![expected_value.to_string()],
            Kind::Enum { options } => each(options).map(ToString::to_string).collect(),
            _ => {
                let names = self.schema.pointer(error.schema_path().as_str());
                names.into_iter().flat_map(each).map(of_type).collect()
            }
        }
    }

    /// The schema that has the keyword which failed.
    fn around(self, error: &ValidationError<'_>) -> &'a Value {
        let keyword = error.schema_path().as_str();
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(&Value::Null)
    }
}

/// Whether the error tells that another form was meant: the value has another type or is another
/// word, or a key of the table has another word, by which such forms are told apart.
fn rules_out(error: &ValidationError<'_>, here: &Location) -> bool {
    let place = error.instance_path();
    let below = place.as_str().strip_prefix(here.as_str());
    let is_here = below == Some("");
    let is_key = below.is_some_and(|below| below.matches('/').count() == 1);
    is_here && is_mismatch(error) || is_word(error) && (is_here || is_key)
}

fn is_mismatch(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Kind::Type { .. })
}

fn is_word(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Kind::Constant { .. } | Kind::Enum { .. })
}

fn wrong_type(value: &Value, expected: impl Iterator<Item = String>) -> String {
    format!(
        "invalid type: {}, expected {}",
        found(value),
        either(expected)
    )
}

fn wrong_word(value: &Value, expected: impl Iterator<Item = String>) -> String {
    format!("{} is not {}", found(value), either(expected))
}

fn value(place: &Location, text: &str) -> Problem {
    Problem {
        text: format!("{}: {text}", shown(place).join(".")),
        path: path(place),
        about: About::Value,
    }
}

fn unknown(table: &Location, key: &str, known: Vec<&str>) -> Problem {
    let keys = [shown(table), vec![key.to_owned()]].concat();
    Problem {
        text: UnknownKey {
            key: &brief(key),
            known,
        }
        .explain(&keys),
        path: [path(table), vec![key.to_owned()]].concat(),
        about: About::Key,
    }
}

/// A key that is missing, unless one that is not known is like it: it is what was meant, even if
/// the schema would take any key.
fn missing(place: &Location, key: &str, table: &Value, schema: &Value) -> Problem {
    let known = known_keys(schema);
    let present = table.as_object().into_iter().flat_map(|table| table.keys());
    let strangers = present
        .map(String::as_str)
        .filter(|key| !known.contains(key));
    if let Some(misspelled) = nearest(key, strangers) {
        return unknown(place, misspelled, known);
    }
    let entry = example::entry(key, schema);
    Problem {
        text: format!(
            "[{}] lacks `{}`; add there:  {entry}",
            shown(place).join("."),
            brief(key)
        ),
        path: path(place),
        about: About::Absence,
    }
}

/// The keys of a table, in all its forms.
fn known_keys(schema: &Value) -> Vec<&str> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut keys: Vec<&str> = properties.map(|(key, _)| &**key).collect();
    for keyword in ["allOf", "anyOf", "oneOf"] {
        keys.extend(
            schema[keyword]
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(known_keys),
        );
    }
    keys
}

/// From the top of the file.
fn path(place: &Location) -> Vec<String> {
    let steps = place.iter().map(|step| step.to_string());
    std::iter::once(TABLE.to_owned()).chain(steps).collect()
}

/// Keys as they are shown: the places in a list behind the list's key.
fn shown(place: &Location) -> Vec<String> {
    let mut shown = vec![TABLE.to_owned()];
    for step in place.iter() {
        match (step, shown.last_mut()) {
            (LocationSegment::Index(index), Some(list)) => list.push_str(&format!("[{index}]")),
            (step, _) => shown.push(brief(&step.to_string())),
        }
    }
    shown
}

/// What is there.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("boolean `{value}`"),
        Value::Number(number) if number.is_f64() => format!("floating point `{number}`"),
        Value::Number(number) => format!("integer `{number}`"),
        Value::String(text) => format!("string {}", brief(&format!("{text:?}"))),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

/// A type as TOML calls it.
fn of_type(name: &Value) -> String {
    let words = match name.as_str() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("boolean") => "a boolean",
        Some("array") => "a list",
        Some("object") => "a table",
        _ => "nothing",
    };
    words.to_owned()
}

/// "a, b or c".
fn either(words: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    brief(&match all.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => all.concat(),
    })
}

/// The values of a list; a value that is not a list, itself.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
        .iter()
}

/// The beginning of a text.
pub(super) fn brief(text: &str) -> String {
    let end = text.floor_char_boundary(PIECE_BYTES);
    if text.len() > end {
        format!("{}…", &text[..end])
    } else {
        text.to_owned()
    }
}
