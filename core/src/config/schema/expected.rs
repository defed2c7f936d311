//! Schemas and values in the words of the other errors of configurations.

use serde_json::{Number, Value};

/// No word is longer, in bytes: both sides may have written anything.
const BRIEF: usize = 100;

/// No more alternatives are listed.
const ALTERNATIVES: usize = 20;

/// What a schema allows, as it follows "expected"; none if no few words can say it.
pub(super) fn expected(schema: &Value) -> Option<String> {
    if let Some(word) = schema.get("const") {
        return Some(brief(&word.to_string()));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(either(words.iter().map(|word| brief(&word.to_string()))));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(forms) = schema.get(keyword).and_then(Value::as_array) {
            let forms: Option<Vec<String>> = forms.iter().map(expected_form).collect();
            return forms.map(|forms| either(forms.into_iter()));
        }
    }
    match schema.get("type")? {
        Value::String(name) => of_type(name, schema),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            let types: Option<Vec<String>> = names.map(|name| of_type(name, schema)).collect();
            types.map(|types| either(types.into_iter()))
        }
        _ => None,
    }
}

/// A table among other forms says what it is by its keys.
fn expected_form(schema: &Value) -> Option<String> {
    let required = schema.get("required").and_then(Value::as_array);
    match (
        expected(schema),
        required.and_then(|keys| keys.first()?.as_str()),
    ) {
        (Some(form), Some(key)) if form == TABLE => Some(format!("{TABLE} with `{}`", brief(key))),
        (form, _) => form,
    }
}

const TABLE: &str = "a table";

fn of_type(name: &str, schema: &Value) -> Option<String> {
    let format = schema.get("format").and_then(Value::as_str);
    let number = |keyword| schema.get(keyword).and_then(Value::as_u64);
    let size = number("minItems").filter(|least| number("maxItems") == Some(*least));
    Some(match (name, format) {
        ("string", Some("ip")) => "an IP address".into(),
        ("string", Some("ipv4")) => "an IPv4 address".into(),
        ("string", Some("ipv6")) => "an IPv6 address".into(),
        ("string", Some(format)) => format!("a string of the format {}", brief(format)),
        ("string", None) if number("maxLength") == Some(1) => "a character".into(),
        ("string", None) => "a string".into(),
        ("integer", _) => integer(schema),
        ("number", _) => "a number".into(),
        ("boolean", _) => "a boolean".into(),
        ("array", _) => size.map_or("a list".into(), |size| format!("a list of {size}")),
        ("object", _) => TABLE.into(),
        ("null", _) => "nothing".into(),
        _ => return None,
    })
}

/// Bounds that TOML's integers do not reach are none.
fn integer(schema: &Value) -> String {
    let bound = |keyword| schema.get(keyword).and_then(Value::as_i64);
    let least = bound("minimum").filter(|least| *least > i64::MIN);
    let most = bound("maximum").filter(|most| *most < i64::MAX);
    match (least, most) {
        (Some(least), Some(most)) => format!("an integer from {least} to {most}"),
        (Some(least), None) => format!("an integer of at least {least}"),
        (None, Some(most)) => format!("an integer of at most {most}"),
        (None, None) => "an integer".into(),
    }
}

/// Whether it says no more than the type.
pub(super) fn is_plain(expected: &str) -> bool {
    const PLAIN: [&str; 5] = ["a string", "a number", "an integer", "a list", TABLE];
    PLAIN.contains(&expected)
}

/// What is there instead.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("boolean `{value}`"),
        Value::Number(number) => format!("{} `{number}`", kind(number)),
        Value::String(text) => format!("string {}", brief(&format!("{text:?}"))),
        Value::Array(values) if values.is_empty() => "an empty list".into(),
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => TABLE.into(),
    }
}

fn kind(number: &Number) -> &'static str {
    if number.is_f64() {
        "floating point"
    } else {
        "integer"
    }
}

/// "a, b or c".
pub(super) fn either(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let mut known = Vec::new();
    words.retain(|word| {
        let is_new = !known.contains(word);
        known.push(word.clone());
        is_new
    });
    if words.len() > ALTERNATIVES {
        words.truncate(ALTERNATIVES);
        words.push("others".into());
    }
    match words.split_last() {
        None => "nothing".into(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The beginning of a text.
pub(super) fn brief(text: &str) -> String {
    let end = text.floor_char_boundary(BRIEF.min(text.len()));
    match text.len() > end {
        true => format!("{}…", &text[..end]),
        false => text.to_owned(),
    }
}
