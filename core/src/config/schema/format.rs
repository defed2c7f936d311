//! Formats that are misspelt: to a JSON Schema an unknown one means nothing, so that what the proxy
//! does for hosts and groups would be left out without a word. Called by `schema`.

use serde_json::Value;

use crate::config::document::nearest;

/// Formats that have the proxy do more than to look at the text.
const OURS: [&str; 2] = ["host", "group"];

/// Formats that resemble them and mean something else.
const OTHERS: [&str; 2] = ["hostname", "idn-hostname"];

/// Keywords whose values are not schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Keywords whose values have schemas under keys of the author's own.
const TABLES: [&str; 4] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
];

/// The first format that is probably a misspelt one, and what was likely meant.
pub(super) fn misspelt(schema: &Value) -> Option<(&str, &'static str)> {
    match schema {
        Value::Object(keywords) => keywords.iter().find_map(|(keyword, value)| match value {
            Value::String(format) if keyword == "format" => Some((&**format, meant(format)?)),
            Value::Object(schemas) if TABLES.contains(&&**keyword) => {
                schemas.values().find_map(misspelt)
            }
            _ if DATA.contains(&&**keyword) => None,
            value => misspelt(value),
        }),
        Value::Array(schemas) => schemas.iter().find_map(misspelt),
        _ => None,
    }
}

fn meant(format: &str) -> Option<&'static str> {
    if OURS.contains(&format) || OTHERS.contains(&format) {
        return None;
    }
    let lower = format.to_ascii_lowercase();
    // `hostnames`, but not `host-port`, which is a format of the author's own.
    let is_longer = |known: &&'static str| {
        let rest = lower.strip_prefix(*known);
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    let longer = OURS.into_iter().find(is_longer);
    longer.or_else(|| nearest(&lower, OURS.into_iter()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_nearly_a_format_of_the_proxys_is_taken_for_one_that_is_misspelt() {
        for (format, expected) in [
            ("hosts", Some("host")),
            ("Host", Some("host")),
            ("hots", Some("host")),
            ("hostnames", Some("host")),
            ("groups", Some("group")),
            ("host", None),
            ("group", None),
            ("hostname", None),
            ("idn-hostname", None),
            ("host-port", None),
            ("ip", None),
            ("date-time", None),
            ("uint32", None),
            ("path", None),
            ("", None),
        ] {
            let schema = json!({"properties": {"block": {"items": {"format": format}}}});
            let found = misspelt(&schema).map(|(_, meant)| meant);
            assert_eq!(found, expected, "{format}");
        }
    }

    #[test]
    fn a_setting_of_that_name_and_a_default_are_not_formats() {
        let data = json!({
            "properties": {"format": {"enum": ["hosts"]}, "list": {"default": {"format": "hosts"}}},
        });
        assert_eq!(misspelt(&data), None);
        let setting = json!({"properties": {"default": {"format": "hosts"}}});
        assert_eq!(misspelt(&setting), Some(("hosts", "host")));
        let either = json!({"anyOf": [{"type": "integer"}, {"format": "hosts"}]});
        assert_eq!(misspelt(&either), Some(("hosts", "host")));
    }
}
