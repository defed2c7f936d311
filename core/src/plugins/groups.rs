//! Names of groups in a filter's configuration: one that the proxy does not have is a mistake,
//! which would leave clients out. The filter's schema says where they stand. Called when a filter
//! is loaded.

use std::sync::Arc;

use serde_json::Value;

use super::places::first_wrong;
use crate::config::did_you_mean;

/// What marks the name of a group in a schema.
const FORMAT: &str = "group";

/// What is wrong with the first name that is none of `groups`, behind the path to it.
pub(super) fn unknown(config: &Value, schema: &Value, groups: &[Arc<str>]) -> Option<String> {
    let is_unknown = |name: &str| groups.iter().all(|group| **group != *name);
    first_wrong(config, schema, FORMAT, is_unknown).map(|(path, name)| {
        let known: Vec<&str> = groups.iter().map(|group| &**group).collect();
        let hint = did_you_mean(&name, known.iter().copied());
        let known = match &*known {
            [] => "[groups] in portcullis.toml has none".to_owned(),
            known => format!("[groups] in portcullis.toml has {}", known.join(", ")),
        };
        format!("{path}: there is no group `{name}`, {known}{hint}")
    })
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
            "form": {"anyOf": [{"enum": ["all"]}, group]},
            "pair": {"prefixItems": [{"type": "integer"}, group]},
            "merged": {"allOf": [{"type": "object"}, {"properties": {"group": group}}]},
        }});
        let find = |config: Value| unknown(&config, &schema, &["children".into(), "guests".into()]);
        for right in [
            json!({}),
            json!({"one": "guests", "host": "x", "other": "x"}),
            json!({"many": [{"groups": ["guests", "children"]}], "keys": {"guests": ["x"]}}),
            json!({"one": 7, "many": "x", "keys": ["x"]}),
            json!({"form": "all", "pair": [1, "guests"], "merged": {"group": "children"}}),
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
                json!({"form": "al"}),
                format!("form: there is no group `al`, {known}"),
            ),
            (
                json!({"pair": [1, "x"]}),
                format!("pair[1]: there is no group `x`, {known}"),
            ),
            (
                json!({"merged": {"group": "x"}}),
                format!("merged.group: there is no group `x`, {known}"),
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
