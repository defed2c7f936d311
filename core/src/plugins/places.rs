//! Which parts of a filter's schema speak of a value in its configuration: through tables, lists,
//! maps, what is merged (`allOf`) and forms (`anyOf`), as the SDK writes them. A schema with
//! references is not used at all. Called by `hosts` and `groups`.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use crate::config::Schema;

/// Parts of one schema that speak of the same value.
pub(super) type Parts<'s> = Vec<&'s Value>;

/// Follows one schema. It keeps which of its forms it has compiled.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By their addresses, which are those of parts of the schema that is followed.
    forms: RefCell<HashMap<*const Value, Option<Schema>>>,
}

impl Places {
    /// All that these parts say of `value`: also what is merged with them and, of several forms,
    /// what stands in the first one that fits. That is the form which serde reads.
    pub(super) fn of<'s>(&self, parts: Parts<'s>, value: &Value) -> Parts<'s> {
        let mut all = parts;
        let mut next = 0;
        while let Some(part) = all.get(next).copied() {
            next += 1;
            all.extend(list(part, "allOf"));
            for keyword in ["anyOf", "oneOf"] {
                let mut forms = list(part, keyword);
                all.extend(forms.find(|form| self.fits(form, value)));
            }
        }
        all
    }

    fn fits(&self, form: &Value, value: &Value) -> bool {
        let mut forms = self.forms.borrow_mut();
        let compiled = forms
            .entry(std::ptr::from_ref(form))
            .or_insert_with(|| Schema::new(form.clone()).ok());
        compiled.as_ref().is_some_and(|form| form.fits(value))
    }

    /// Whether the text has that format where these parts speak of it.
    pub(super) fn are_of_format(&self, parts: Parts<'_>, text: &Value, format: &str) -> bool {
        let parts = self.of(parts, text);
        parts
            .iter()
            .any(|part| part.get("format").is_some_and(|found| found == format))
    }
}

/// The first text of that format that is wrong, behind the path to it.
pub(super) fn first_wrong(
    config: &Value,
    schema: &Value,
    format: &str,
    is_wrong: impl Fn(&str) -> bool,
) -> Option<(String, String)> {
    let places = Places::default();
    let search = Search {
        places: &places,
        format,
        is_wrong: &is_wrong,
    };
    search.find(config, vec![schema])
}

/// What is looked for in a configuration.
struct Search<'s> {
    places: &'s Places,
    format: &'s str,
    is_wrong: &'s dyn Fn(&str) -> bool,
}

impl Search<'_> {
    fn find(&self, config: &Value, parts: Parts<'_>) -> Option<(String, String)> {
        match config {
            Value::String(text) => self.has(text, parts).then(|| (String::new(), text.clone())),
            Value::Array(values) => {
                let parts = self.places.of(parts, config);
                values.iter().enumerate().find_map(|(index, value)| {
                    let (rest, text) = self.find(value, item(&parts, index))?;
                    Some((format!("[{index}]{}", below(&rest)), text))
                })
            }
            Value::Object(fields) => {
                let parts = self.places.of(parts, config);
                let keys = keys(&parts);
                fields.iter().find_map(|(key, value)| {
                    if self.has(key, keys.clone()) {
                        return Some((key.clone(), key.clone()));
                    }
                    let (rest, text) = self.find(value, field(&parts, key))?;
                    Some((format!("{key}{}", below(&rest)), text))
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    /// Whether it is a wrong text where these parts speak of it.
    fn has(&self, text: &str, parts: Parts<'_>) -> bool {
        (self.is_wrong)(text)
            && self
                .places
                .are_of_format(parts, &Value::from(text), self.format)
    }
}

/// A path as it goes on behind a key or a place.
fn below(path: &str) -> String {
    match path {
        "" => String::new(),
        _ if path.starts_with('[') => path.to_owned(),
        _ => format!(".{path}"),
    }
}

fn list<'s>(part: &'s Value, keyword: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    let parts = part.get(keyword).and_then(Value::as_array);
    parts.into_iter().flatten()
}

/// What they say of the value at this place of a list.
pub(super) fn item<'s>(parts: &[&'s Value], index: usize) -> Parts<'s> {
    let item = |part: &&'s Value| {
        let place = list(part, "prefixItems").nth(index);
        place.or_else(|| part.get("items"))
    };
    parts.iter().filter_map(item).collect()
}

/// What they say of the value at this key of a table.
pub(super) fn field<'s>(parts: &[&'s Value], key: &str) -> Parts<'s> {
    let field = |part: &&'s Value| {
        let named = part.get("properties").and_then(|named| named.get(key));
        named.or_else(|| part.get("additionalProperties"))
    };
    parts.iter().filter_map(field).collect()
}

/// What they say of the keys of a table.
pub(super) fn keys<'s>(parts: &[&'s Value]) -> Parts<'s> {
    let keys = |part: &&'s Value| part.get("propertyNames");
    parts.iter().filter_map(keys).collect()
}
