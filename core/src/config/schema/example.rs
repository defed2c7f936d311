//! The least that a schema asks for, as an operator would write it.

use serde_json::Value;

use super::TABLE;

/// No table is deeper.
const DEPTH: usize = 5;

/// The whole table, with two spaces where lines end.
pub(super) fn table(schema: &Value) -> String {
    let mut lines = vec![format!("[{TABLE}]")];
    lines.extend(required(schema).map(|key| entry(key, property(schema, key))));
    lines.join("  ")
}

/// One key and its value.
pub(super) fn entry(key: &str, schema: &Value) -> String {
    format!("{} = {}", toml_key(key), value(schema, DEPTH))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let required = schema.get("required").and_then(Value::as_array);
    required.into_iter().flatten().filter_map(Value::as_str)
}

fn property<'a>(schema: &'a Value, key: &str) -> &'a Value {
    let properties = schema.get("properties");
    let property = properties.and_then(|properties| properties.get(key));
    property.unwrap_or(&Value::Null)
}

/// A value that the schema allows or, where it is not simple, one that looks like it.
fn value(schema: &Value, depth: usize) -> String {
    let first = |keyword| schema.get(keyword).and_then(Value::as_array)?.first();
    if let Some(word) = schema.get("const").or_else(|| first("enum")) {
        return toml_value(word);
    }
    if let Some(form) = first("anyOf").or_else(|| first("oneOf"))
        && depth > 0
    {
        return value(form, depth - 1);
    }
    let number = |keyword| schema.get(keyword).and_then(Value::as_i64);
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => "false".into(),
        Some("integer") => number("minimum").unwrap_or(0).max(0).to_string(),
        Some("number") => "0.0".into(),
        Some("array") => "[]".into(),
        Some("object") if depth > 0 => {
            let entry = |key| {
                format!(
                    "{} = {}",
                    toml_key(key),
                    value(property(schema, key), depth - 1)
                )
            };
            let entries: Vec<String> = required(schema).map(entry).collect();
            match entries.is_empty() {
                true => "{}".into(),
                false => format!("{{ {} }}", entries.join(", ")),
            }
        }
        _ => "\"…\"".into(),
    }
}

fn toml_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !key.is_empty() && key.bytes().all(is_bare) {
        return key.to_owned();
    }
    toml::Value::from(key).to_string()
}

fn toml_value(value: &Value) -> String {
    let value = toml::Value::try_from(value);
    value.map_or("\"…\"".into(), |value| value.to_string())
}
