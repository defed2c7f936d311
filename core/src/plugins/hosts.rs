//! Names of hosts in a filter's configuration, in the spelling that the filter is given: people
//! write `bücher.example`, and filters compare `xn--bcher-kva.example`. An entry that is not a host
//! is a mistake, which would leave a rule without effect. The filter's schema says where they
//! stand. Called when a filter is loaded.

use portcullis_contract::host::canonical_ascii;
use serde_json::{Map, Value};

use super::places::{Parts, Places, field, first_wrong, item, keys};
use crate::config::Schema;
use crate::target::canonical_host;

/// What marks a host in a schema.
const FORMAT: &str = "host";

/// What stands for all hosts in lists of the SDK. A filter that does not know the word refuses it.
const ALL: &str = "*";

/// What is wrong with the first host that is none, behind the path to it.
pub(super) fn wrong(config: &Value, schema: &Value) -> Option<String> {
    // Where a schema has several forms, a text that is not a host may be of another one.
    let strict = Schema::with_hosts(schema.clone(), is_host).ok()?;
    if strict.fits(config) {
        return None;
    }
    let how = "write it like example.com or 10.0.0.1, without scheme, port and wildcard";
    Some(
        match first_wrong(config, schema, FORMAT, |text| !is_host(text)) {
            Some((path, text)) => format!("{path}: `{text}` is not a host; {how}"),
            None => format!("an entry is not a host; {how}"),
        },
    )
}

fn is_host(text: &str) -> bool {
    text == ALL || canonical(text).is_some()
}

/// Respells every host for which the schema says that it is one, unless it is in the spelling of
/// filters. Returns whether anything has changed.
pub(super) fn respell(config: &mut Value, schema: &Value) -> bool {
    respell_below(config, vec![schema], &Places::default())
}

fn respell_below(config: &mut Value, parts: Parts<'_>, places: &Places) -> bool {
    let parts = places.of(parts, config);
    match config {
        Value::String(text) => {
            let is_host = parts.iter().any(|part| is_for_hosts(part));
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

fn is_for_hosts(part: &Value) -> bool {
    part.get("format").is_some_and(|format| format == FORMAT)
}

/// The host in the spelling of filters, if the text is one in another spelling.
fn respelled(text: &str) -> Option<String> {
    canonical(text).filter(|host| host != text)
}

/// The host as filters are given it. Dots around it do not matter. URLs may have hosts with more
/// characters, such as `*` and `,`: in settings these are mistakes.
fn canonical(text: &str) -> Option<String> {
    let host = canonical_host(text.trim_matches('.')).ok()?;
    canonical_ascii(&host)
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
                "all": {"items": host},
                "by_name": {"additionalProperties": host},
                "deep": {"items": {"properties": {"host": host}}},
                "text": {"type": "string"},
            }
        });
        let mut config = json!({
            "one": "BÜCHER.example",
            "many": [".faß.example.", "plain.example", "no host é at all", 7],
            "all": ["*", "bücher.example"],
            "by_name": {"a": "例え.テスト", "b": "WWW.Plain.Example.", "c": "::FFFF:10.1.2.3"},
            "deep": [{"host": "bücher.example", "text": "bücher.example"}],
            "text": "bücher.example",
        });
        assert!(respell(&mut config, &schema));
        assert_eq!(
            config,
            json!({
                "one": "xn--bcher-kva.example",
                "many": ["xn--fa-hia.example", "plain.example", "no host é at all", 7],
                "all": ["*", "xn--bcher-kva.example"],
                "by_name": {"a": "xn--r8jz45g.xn--zckzah", "b": "www.plain.example", "c": "10.1.2.3"},
                "deep": [{"host": "xn--bcher-kva.example", "text": "bücher.example"}],
                "text": "bücher.example",
            })
        );
        assert!(!respell(&mut config, &schema));
    }

    #[test]
    fn what_is_no_host_is_told_with_its_place() {
        let schema = json!({"properties": {
            "one": {"format": "host"},
            "many": {"items": {"format": "host"}},
            "by_name": {"propertyNames": {"anyOf": [{"enum": ["any"]}, {"format": "host"}]}},
            "text": {"type": "string"},
            "host_or_net": {"anyOf": [{"format": "host"}, {"type": "string", "pattern": "/"}]},
        }});
        for right in [
            json!({"host_or_net": "10.0.0.0/8"}),
            json!({"one": "Bücher.example.", "many": ["*", "10.0.0.1", "2001:DB8::1", ".a.example"]}),
            json!({"one": 7, "many": "a b", "by_name": {"any": 1, "a_b.example": 2}, "text": "a b"}),
        ] {
            assert_eq!(wrong(&right, &schema), None);
        }
        for (config, place) in [
            (json!({"one": "a.example:443"}), "one: `a.example:443`"),
            (
                json!({"one": "http://a.example"}),
                "one: `http://a.example`",
            ),
            (
                json!({"many": ["a.example", "*.b.example"]}),
                "many[1]: `*.b.example`",
            ),
            (
                json!({"many": ["a.example,b.example"]}),
                "many[0]: `a.example,b.example`",
            ),
            (json!({"many": [""]}), "many[0]: ``"),
            (json!({"by_name": {"a b": 1}}), "by_name.a b: `a b`"),
        ] {
            let said = wrong(&config, &schema).unwrap_or_default();
            assert!(
                said.starts_with(&format!("{place} is not a host; ")),
                "{place}: {said}"
            );
        }
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
