//! The least that a schema asks for, as an operator would write it. Called where something is
//! missing.

use serde_json::Value;

use super::super::document::quoted;
use super::TABLE;

/// Tables within tables; what is deeper is left out.
const DEPTH: usize = 5;

/// The whole table as one line of TOML, as it is also shown in lines of the log.
pub(super) fn table(schema: &Value) -> String {
    format!("{TABLE} = {}", inline(schema, DEPTH))
}

/// One key and its value, by the schema of the table.
pub(super) fn entry(key: &str, table: &Value) -> String {
    format!(
        "{} = {}",
        toml_key(key),
        value(&table["properties"][key], DEPTH)
    )
}

/// The keys that must be there.
fn entries(schema: &Value, depth: usize) -> impl Iterator<Item = String> {
    let required = schema["required"].as_array().into_iter().flatten();
    let keys = required.filter_map(Value::as_str);
    keys.map(move |key| {
        let value = value(&schema["properties"][key], depth);
        format!("{} = {value}", toml_key(key))
    })
}

fn inline(schema: &Value, depth: usize) -> String {
    let entries: Vec<String> = entries(schema, depth).collect();
    if entries.is_empty() {
        return "{}".into();
    }
    format!("{{ {} }}", entries.join(", "))
}

/// A value that the schema allows or, where it is not simple, one that looks like it.
fn value(schema: &Value, depth: usize) -> String {
    let first = |keyword: &str| schema[keyword].get(0);
    if let Some(word) = schema.get("const").or_else(|| first("enum")) {
        return match word {
            Value::String(text) => quoted(text),
            other => toml::Value::try_from(other).map_or(quoted("…"), |word| word.to_string()),
        };
    }
    if let Some(form) = first("anyOf")
        .or_else(|| first("oneOf"))
        .filter(|_| depth > 0)
    {
        return value(form, depth - 1);
    }
    match schema["type"].as_str() {
        Some("boolean") => "false".into(),
        Some("integer") => schema["minimum"].as_i64().unwrap_or(0).max(0).to_string(),
        Some("number") => "0.0".into(),
        Some("array") => "[]".into(),
        Some("object") if depth > 0 => inline(schema, depth - 1),
        _ => quoted("…"),
    }
}

fn toml_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !key.is_empty() && key.bytes().all(is_bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}
