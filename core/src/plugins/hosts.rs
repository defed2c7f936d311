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

    const PLAIN: &str = "bücher.example";
    const READY: &str = "xn--bcher-kva.example";

    fn host() -> Value {
        json!({"type": "string", "format": "host"})
    }

    fn respells(schema: &Value, written: &Value, expected: &Value) {
        let mut config = json!({"key": written});
        let changed = respell(&mut config, &json!({"properties": {"key": schema}}));
        assert_eq!(config["key"], *expected, "{schema}");
        assert_eq!(changed, written != expected, "{schema}");
    }

    /// Of several forms, the first that fits is the one that serde reads.
    #[test]
    fn hosts_are_respelled_in_the_form_that_fits() {
        let (host, text) = (host(), json!({"type": "string"}));
        let tagged = |word: &str, value: &Value| {
            let fields = json!({"as": {"const": word}, "it": value});
            json!({"type": "object", "properties": fields, "required": ["as"]})
        };
        let table = json!({
            "type": "object",
            "properties": {"redirect": host},
            "required": ["redirect"],
        });
        let forms = json!({"oneOf": [tagged("text", &text), tagged("host", &host)]});
        let it = |word: &str, host: &str| json!({"as": word, "it": host});
        for (schema, written, expected) in [
            (
                json!({"anyOf": [{"enum": ["all"]}, host]}),
                json!(PLAIN),
                json!(READY),
            ),
            (json!({"anyOf": [host, text]}), json!(PLAIN), json!(READY)),
            (json!({"anyOf": [text, host]}), json!(PLAIN), json!(PLAIN)),
            (
                json!({"anyOf": [{"enum": ["none"]}, table]}),
                json!({"redirect": PLAIN}),
                json!({"redirect": READY}),
            ),
            (forms.clone(), it("host", PLAIN), it("host", READY)),
            (forms, it("text", PLAIN), it("text", PLAIN)),
        ] {
            respells(&schema, &written, &expected);
        }
    }

    #[test]
    fn hosts_are_respelled_in_tuples_merged_tables_and_keys() {
        let (host, text) = (host(), json!({"type": "string"}));
        for (schema, written, expected) in [
            (
                json!({"allOf": [{"properties": {"a": text}}, {"properties": {"b": host}}]}),
                json!({"a": PLAIN, "b": PLAIN}),
                json!({"a": PLAIN, "b": READY}),
            ),
            (
                json!({"prefixItems": [text, host], "items": host}),
                json!([PLAIN, PLAIN, PLAIN]),
                json!([PLAIN, READY, READY]),
            ),
            (
                json!({"propertyNames": host, "additionalProperties": {"items": host}}),
                json!({PLAIN: [PLAIN], "plain.example": []}),
                json!({READY: [READY], "plain.example": []}),
            ),
            (
                json!({"propertyNames": {"anyOf": [{"enum": ["*"]}, host]}}),
                json!({PLAIN: 1, "*": 2}),
                json!({READY: 1, "*": 2}),
            ),
            // Neither value is lost.
            (
                json!({"propertyNames": host}),
                json!({PLAIN: 1, READY: 2}),
                json!({PLAIN: 1, READY: 2}),
            ),
        ] {
            respells(&schema, &written, &expected);
        }
    }
}
