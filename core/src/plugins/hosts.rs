//! Names of hosts in a filter's configuration, in the spelling that the filter is given: people
//! write `bücher.example`, and filters compare `xn--bcher-kva.example`. The filter's schema says
//! where they stand. Called when a filter is loaded.

use serde_json::{Map, Value};

use super::places::{Parts, Places, field, item, keys};
use crate::target::canonical_host;

/// What marks a host in a schema.
const FORMAT: &str = "host";

/// Respells every host in another script for which the schema says that it is one. What is no host
/// stays as it is: the filter says what is wrong with it. Returns whether anything has changed.
pub(super) fn respell(config: &mut Value, schema: &Value) -> bool {
    respell_below(config, vec![schema], &Places::default())
}

fn respell_below(config: &mut Value, parts: Parts<'_>, places: &Places) -> bool {
    let parts = places.of(parts, config);
    match config {
        Value::String(text) => {
            let is_host = parts.iter().any(|part| is_host(part));
            let respelled = is_host.then(|| respelled(text)).flatten();
            respelled.map(|host| *text = host).is_some()
        }
        Value::Array(values) => {
            let values = values.iter_mut().enumerate();
            values.fold(false, |changed, (index, value)| {
                respell_below(value, item(&parts, index), places) | changed
            })
        }
        Value::Object(fields) => {
            let values = fields.iter_mut();
            let changed = values.fold(false, |changed, (key, value)| {
                respell_below(value, field(&parts, key), places) | changed
            });
            respell_keys(fields, &keys(&parts), places) | changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Respells the keys of a map that are hosts. One of two that stand for the same host stays as it
/// is, so that neither value is lost: the filter says what is wrong with it.
fn respell_keys(fields: &mut Map<String, Value>, parts: &[&Value], places: &Places) -> bool {
    let hosts = fields.keys().filter_map(|key| {
        let host = respelled(key)?;
        let is_host = places.are_of_format(parts.to_vec(), &Value::from(&**key), FORMAT);
        (is_host && !fields.contains_key(&host)).then(|| (key.clone(), host))
    });
    let hosts: Vec<(String, String)> = hosts.collect();
    let mut changed = false;
    for (key, host) in hosts {
        if fields.contains_key(&host) {
            continue;
        }
        if let Some(value) = fields.remove(&key) {
            fields.insert(host, value);
            changed = true;
        }
    }
    changed
}

fn is_host(part: &Value) -> bool {
    part.get("format").is_some_and(|format| format == FORMAT)
}

/// The host in the spelling of filters, if the text is one in another script.
fn respelled(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let host = canonical_host(text.trim_matches('.'));
    host.ok().map(|host| host.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_are_respelled_wherever_the_schema_has_them() {
        let host = json!({"type": "string", "format": "host"});
        let schema = json!({
            "properties": {
                "one": host,
                "many": {"items": host},
                "by_name": {"additionalProperties": host},
                "deep": {"items": {"properties": {"host": host}}},
                "text": {"type": "string"},
            }
        });
        let mut config = json!({
            "one": "BÜCHER.example",
            "many": [".faß.example.", "plain.example", "no host é at all", 7],
            "by_name": {"a": "例え.テスト"},
            "deep": [{"host": "bücher.example", "text": "bücher.example"}],
            "text": "bücher.example",
        });
        assert!(respell(&mut config, &schema));
        assert_eq!(
            config,
            json!({
                "one": "xn--bcher-kva.example",
                "many": ["xn--fa-hia.example", "plain.example", "no host é at all", 7],
                "by_name": {"a": "xn--r8jz45g.xn--zckzah"},
                "deep": [{"host": "xn--bcher-kva.example", "text": "bücher.example"}],
                "text": "bücher.example",
            })
        );
        assert!(!respell(&mut config, &schema));
    }

    /// The forms that the SDK writes: enums, tuples, maps by host, merged tables.
    #[test]
    fn hosts_are_respelled_in_every_form_that_a_schema_has() {
        let host = json!({"type": "string", "format": "host"});
        let text = json!({"type": "string"});
        let tagged = |word: &str, value: &Value| json!({"type": "object", "properties": {"as": {"const": word}, "it": value}, "required": ["as"]});
        let table = |key: &str| json!({"type": "object", "properties": {key: host}, "required": [key], "additionalProperties": false});
        let (plain, ready) = ("bücher.example", "xn--bcher-kva.example");
        for (schema, written, expected) in [
            (
                json!({"anyOf": [{"enum": ["all"]}, host]}),
                json!(plain),
                json!(ready),
            ),
            (json!({"anyOf": [host, text]}), json!(plain), json!(ready)),
            // What serde reads is the first.
            (json!({"anyOf": [text, host]}), json!(plain), json!(plain)),
            (
                json!({"anyOf": [{"enum": ["none"]}, table("redirect")]}),
                json!({"redirect": plain}),
                json!({"redirect": ready}),
            ),
            (
                json!({"oneOf": [tagged("text", &text), tagged("host", &host)]}),
                json!({"as": "host", "it": plain}),
                json!({"as": "host", "it": ready}),
            ),
            (
                json!({"oneOf": [tagged("text", &text), tagged("host", &host)]}),
                json!({"as": "text", "it": plain}),
                json!({"as": "text", "it": plain}),
            ),
            (
                json!({"allOf": [{"properties": {"a": text}}, {"properties": {"b": host}}]}),
                json!({"a": plain, "b": plain}),
                json!({"a": plain, "b": ready}),
            ),
            (
                json!({"prefixItems": [text, host], "items": host}),
                json!([plain, plain, plain]),
                json!([plain, ready, ready]),
            ),
            (
                json!({"propertyNames": host, "additionalProperties": {"items": host}}),
                json!({plain: [plain], "plain.example": []}),
                json!({ready: [ready], "plain.example": []}),
            ),
            (
                json!({"propertyNames": {"anyOf": [{"enum": ["*"]}, host]}}),
                json!({plain: 1, "*": 2}),
                json!({ready: 1, "*": 2}),
            ),
            // Neither value is lost.
            (
                json!({"propertyNames": host}),
                json!({plain: 1, ready: 2}),
                json!({plain: 1, ready: 2}),
            ),
        ] {
            let mut config = json!({"key": written});
            let schema = json!({"properties": {"key": schema}});
            let changed = respell(&mut config, &schema);
            assert_eq!(config["key"], expected, "{schema}");
            assert_eq!(changed, written != expected, "{schema}");
        }
    }
}
