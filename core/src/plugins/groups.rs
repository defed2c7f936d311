//! Names of groups in a filter's configuration: one that the proxy does not have is a mistake,
//! which would leave clients out. The filter's schema says where they stand. Called when a filter
//! is loaded.

use std::sync::Arc;

use serde_json::Value;

use crate::config::did_you_mean;

/// What marks the name of a group in a schema.
const FORMAT: &str = "group";

/// What is wrong with the first name that is none of `groups`, behind the path to it.
pub(super) fn unknown(config: &Value, schema: &Value, groups: &[Arc<str>]) -> Option<String> {
    find(config, schema, groups).map(|(path, name)| {
        let known: Vec<&str> = groups.iter().map(|group| &**group).collect();
        let hint = did_you_mean(&name, known.iter().copied());
        let known = match &*known {
            [] => "[groups] in portcullis.toml has none".to_owned(),
            known => format!("[groups] in portcullis.toml has {}", known.join(", ")),
        };
        format!("{path}: there is no group `{name}`, {known}{hint}")
    })
}

/// Where the first such name stands, and the name.
fn find(config: &Value, schema: &Value, groups: &[Arc<str>]) -> Option<(String, String)> {
    let is_unknown = |name: &str| groups.iter().all(|group| **group != *name);
    match config {
        Value::String(name) if is_group(schema) && is_unknown(name) => {
            Some((String::new(), name.clone()))
        }
        Value::Array(values) => {
            let schema = schema.get("items")?;
            values.iter().enumerate().find_map(|(index, value)| {
                let (rest, name) = find(value, schema, groups)?;
                Some((format!("[{index}]{}", below(&rest)), name))
            })
        }
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            if schema.get("propertyNames").is_some_and(is_group) && is_unknown(key) {
                return Some((key.clone(), key.clone()));
            }
            let named = schema.get("properties").and_then(|named| named.get(key));
            let schema = named.or_else(|| schema.get("additionalProperties"))?;
            let (rest, name) = find(value, schema, groups)?;
            Some((format!("{key}{}", below(&rest)), name))
        }),
        _ => None,
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

fn is_group(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some(FORMAT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_found_wherever_the_schema_has_groups() {
        let group = json!({"type": "string", "format": "group"});
        let schema = json!({"properties": {
            "one": group,
            "many": {"items": {"properties": {"groups": {"items": group}}}},
            "keys": {"propertyNames": group, "additionalProperties": {"items": {}}},
            "host": {"format": "host"},
        }});
        let find = |config: Value| unknown(&config, &schema, &["children".into(), "guests".into()]);
        for right in [
            json!({}),
            json!({"one": "guests", "host": "x", "other": "x"}),
            json!({"many": [{"groups": ["guests", "children"]}], "keys": {"guests": ["x"]}}),
            json!({"one": 7, "many": "x", "keys": ["x"]}),
        ] {
            assert_eq!(find(right), None);
        }
        let known = "[groups] in portcullis.toml has children, guests";
        for (wrong, said) in [
            (
                json!({"one": "x"}),
                format!("one: there is no group `x`, {known}"),
            ),
            (
                json!({"many": [{}, {"groups": ["guests", "childern"]}]}),
                format!(
                    "many[1].groups[1]: there is no group `childern`, {known}; did you mean `children`?"
                ),
            ),
            (
                json!({"keys": {"guest": []}}),
                format!("keys.guest: there is no group `guest`, {known}; did you mean `guests`?"),
            ),
        ] {
            assert_eq!(find(wrong), Some(said));
        }
        assert_eq!(
            unknown(&json!({"one": "x"}), &schema, &[]).unwrap(),
            "one: there is no group `x`, [groups] in portcullis.toml has none"
        );
    }
}
