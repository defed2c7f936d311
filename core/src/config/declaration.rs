//! What the types of settings say of themselves, as JSON Schema: which keys there are, which of
//! them are needed, what they mean. `layers` and `environment` read it, and the schemas in
//! `core/schema` are written from it.

use std::ops::Range;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::document::nearest;

/// The schema of the settings `T`, without references.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(join_lines).transform(&mut schema);
    schema.to_value()
}

/// Doc comments are wrapped; descriptions have one line for each paragraph.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<_> = text
            .split("\n\n")
            .map(|text| text.replace('\n', " "))
            .collect();
        *text = paragraphs.join("\n\n");
    }
}

/// What stands before the path of a file with a secret.
pub(super) const SECRET_FILE: &str = "file:";

/// For settings whose default differs from machine to machine or is written in another form.
pub(super) fn without_default(schema: &mut Schema) {
    schema.remove("default");
}

/// The declaration of a table or of one value: a part of a schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declaration<'a>(pub(super) &'a Value);

impl<'a> Declaration<'a> {
    /// The keys of a table and what stands there; none if their names are free.
    pub(super) fn keys(self) -> impl Iterator<Item = (&'a str, Self)> {
        let keys = self.0["properties"].as_object();
        let keys = keys.into_iter().flatten();
        keys.map(|(key, value)| (key.as_str(), Self(value)))
    }

    /// What stands at `key` in a table.
    pub(super) fn at(self, key: &str) -> Option<Self> {
        let known = self.0["properties"].get(key).map(Self);
        known.or_else(|| self.each())
    }

    /// What stands at every key of a table whose keys are names that the operator gives.
    pub(super) fn each(self) -> Option<Self> {
        let each = &self.0["additionalProperties"];
        each.is_object().then_some(Self(each))
    }

    /// What stands in an array.
    pub(super) fn items(self) -> Option<Self> {
        self.0.get("items").map(Self)
    }

    /// What the text of a variable at `place` stands for.
    pub(super) fn value<'t>(self, text: &'t str, place: &Range<usize>) -> DeValue<'t> {
        match self.0["type"].as_str() {
            Some("array") => {
                let words = text
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty());
                let words = words.map(|word| DeValue::String(word.into()));
                let words = words.map(|word| Spanned::new(place.clone(), word));
                DeValue::Array(words.collect())
            }
            _ if self.is_boolean() && (text == "true" || text == "false") => {
                DeValue::Boolean(text == "true")
            }
            _ => DeValue::String(text.into()),
        }
    }

    /// Whether true or false stands there, or nothing.
    fn is_boolean(self) -> bool {
        let types = self.0["type"].as_array();
        let types = types.map_or(std::slice::from_ref(&self.0["type"]), Vec::as_slice);
        types.iter().any(|word| word == "boolean")
    }

    /// The path that `text` ends with where this is declared, and what stands before it.
    pub(super) fn path_in(self, text: &str) -> Option<(&str, &str)> {
        if self.is_path(text) {
            return Some(("", text));
        }
        // A secret may stand in a file.
        let before = if self.has_format("secret") {
            ""
        } else if self.has_format("secret-field") {
            let (name, value) = text.split_once(':')?;
            let blanks = value.len() - value.trim_start_matches([' ', '\t']).len();
            &text[..=name.len() + blanks]
        } else {
            return None;
        };
        let path = text[before.len()..].strip_prefix(SECRET_FILE)?;
        Some(text.split_at(text.len() - path.len()))
    }

    /// Whether `text` is a path where this is declared. What resembles one of the words that stand
    /// there besides paths is not.
    fn is_path(self, text: &str) -> bool {
        let words = self
            .forms()
            .iter()
            .filter_map(|form| form["enum"].as_array())
            .flatten();
        self.has_format("path") && nearest(text, words.filter_map(Value::as_str)).is_none()
    }

    /// Whether text of that format may stand there.
    pub(super) fn has_format(self, format: &str) -> bool {
        self.forms().iter().any(|form| form["format"] == format)
    }

    /// What may stand there: several forms, or one.
    fn forms(self) -> &'a [Value] {
        let forms = self.0["anyOf"].as_array();
        forms.map_or(std::slice::from_ref(self.0), Vec::as_slice)
    }

    /// Values that would be right, as they are written in a file.
    pub(super) fn examples(self) -> String {
        let examples = self.0["examples"].as_array().into_iter().flatten();
        let examples: Vec<String> = examples.map(Value::to_string).collect();
        match examples.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            one => one.concat(),
        }
    }
}
