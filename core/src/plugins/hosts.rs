//! Names of hosts in a filter's configuration, in the spelling that the filter is given: people
//! write `bücher.example`, and filters compare `xn--bcher-kva.example`. The filter's schema says
//! where they stand. Called when a filter is loaded.

use serde_json::Value;

use crate::target::canonical_host;

/// What marks a host in a schema.
const FORMAT: &str = "host";

/// Respells every host in another script for which the schema says that it is one. What is no host
/// stays as it is: the filter says what is wrong with it. Returns whether anything has changed.
pub(super) fn respell(config: &mut Value, schema: &Value) -> bool {
    match config {
        Value::String(text) => is_host(schema) && respell_text(text),
        Value::Array(values) => {
            let items = schema.get("items");
            let schemas = items.into_iter();
            values.iter_mut().fold(false, |changed, value| {
                schemas.clone().any(|schema| respell(value, schema)) | changed
            })
        }
        Value::Object(fields) => fields.iter_mut().fold(false, |changed, (key, value)| {
            let named = schema.get("properties").and_then(|named| named.get(key));
            let schema = named.or_else(|| schema.get("additionalProperties"));
            schema.is_some_and(|schema| respell(value, schema)) | changed
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_host(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some(FORMAT)
}

fn respell_text(text: &mut String) -> bool {
    if text.is_ascii() {
        return false;
    }
    let Ok(host) = canonical_host(text.trim_matches('.')) else {
        return false;
    };
    *text = host.into_owned();
    true
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
}
