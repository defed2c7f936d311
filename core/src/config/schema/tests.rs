//! Configurations that do not fit, and schemas that should not be used.

use serde_json::json;

use super::*;
use crate::config::FilterSettings;

/// What the operator of a filter with this schema reads about the file.
fn verdict(schema: &Value, text: &str) -> Result<(), String> {
    let file = Path::new("plugins/a.toml");
    let settings = FilterSettings::parse(text, file).unwrap();
    let config = serde_json::from_str(&settings.config).unwrap();
    let schema = Schema::new(schema.clone()).unwrap();
    let checked = schema.check(&config, file, Some(text));
    checked.map_err(|error| error.to_string())
}

fn assert_refused(schema: &Value, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let refusal = verdict(schema, text).expect_err(text);
        assert_eq!(refusal, format!("plugins/a.toml:{expected}"), "{text}");
    }
}

fn rules() -> Value {
    let rule = json!({
        "type": "object",
        "properties": {"host": {"type": "string"}, "ports": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}}},
        "required": ["host"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "block": {"type": "array", "items": {"type": "string"}},
            "action": {"enum": ["refuse", "log"]},
            "from": {"type": "string", "format": "ip"},
            "letter": {"type": "string", "minLength": 1, "maxLength": 1},
            "pair": {"type": "array", "prefixItems": [{}, {}], "minItems": 2, "maxItems": 2},
            "share": {"type": "number", "maximum": 1},
            "rules": {"type": "array", "items": rule},
            "named": {"type": "object", "propertyNames": {"enum": ["ads", "malware"]}, "additionalProperties": {"type": "boolean"}},
        },
        "required": ["block"],
        "additionalProperties": false,
    })
}

#[test]
fn what_fits_is_taken() {
    for text in [
        "[config]\nblock = []",
        "[config]\nblock = [\"a\"]\naction = \"log\"\nfrom = \"::1\"\nletter = \"é\"\npair = [1, \"a\"]\nshare = 0.5",
        "[config]\nblock = []\nshare = 1",
        "[config]\nblock = []\n[[config.rules]]\nhost = \"a\"\nports = [80]\n[config.named]\nads = true",
    ] {
        assert_eq!(verdict(&rules(), text), Ok(()));
    }
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_one_that_was_meant() {
    assert_refused(
        &rules(),
        &[
            (
                "mode = \"shadow\"\n[config]\nblok = [\"a\"]",
                "3:1: unknown key `blok` in [config]; did you mean `block`?",
            ),
            (
                "[config]\nblock = []\nx = 1",
                "3:1: unknown key `x` in [config]; there are: action, block, from, letter, named, pair, rules, share",
            ),
            (
                "[config]\nblock = []\n[[config.rules]]\nhost = \"a\"\n[[config.rules]]\nhots = \"b\"",
                "6:1: unknown key `hots` in [config.rules[1]]; did you mean `host`?",
            ),
            (
                "[config]\nblock = []\nnamed = { adds = true }",
                "3:11: config.named: the key: string \"adds\" is not \"ads\" or \"malware\"",
            ),
        ],
    );
    // Serde ignores keys that it does not know, unless it is told to refuse them.
    let open = json!({"properties": {"block": {}}, "required": ["block"]});
    assert_refused(
        &open,
        &[(
            "[config]\nblok = [\"a\"]",
            "2:1: unknown key `blok` in [config]; did you mean `block`?",
        )],
    );
    assert_eq!(verdict(&open, "[config]\nblock = 1\nblok = 1"), Ok(()));
    let none = json!({"type": "object", "additionalProperties": false});
    assert_refused(
        &none,
        &[(
            "[config]\na = 1",
            "2:1: unknown key `a` in [config]; there are none",
        )],
    );
}

#[test]
fn a_value_that_does_not_fit_is_named_with_what_would() {
    assert_refused(
        &rules(),
        &[
            (
                "[config]\nblock = \"a\"",
                "2:9: config.block: invalid type: string \"a\", expected a list",
            ),
            (
                "[config]\nblock = [\n  \"a\",\n  3,\n]",
                "4:3: config.block[1]: invalid type: integer `3`, expected a string",
            ),
            (
                "[config]\nblock = []\naction = \"refus\"",
                "3:10: config.action: string \"refus\" is not \"refuse\" or \"log\"",
            ),
            (
                "[config]\nblock = []\nfrom = \"localhost\"",
                "3:8: config.from: \"localhost\" is not a \"ip\"",
            ),
            (
                "[config]\nblock = []\nletter = \"ab\"",
                "3:10: config.letter: \"ab\" is longer than 1 character",
            ),
            (
                "[config]\nblock = []\npair = [1]",
                "3:8: config.pair: [1] has less than 2 items",
            ),
            (
                "[config]\nblock = []\nshare = 1.5",
                "3:9: config.share: 1.5 is greater than the maximum of 1",
            ),
            (
                "[config]\nblock = []\nrules = [{ host = \"a\", ports = [80, 70000] }]",
                "3:37: config.rules[0].ports[1]: 70000 is greater than the maximum of 65535",
            ),
        ],
    );
}

#[test]
fn what_is_missing_is_named_with_a_line_to_add() {
    assert_refused(
        &rules(),
        &[
            ("", "1:1: [config] lacks `block`; add there:  block = []"),
            (
                "enabled = true\n[config]\naction = \"log\"",
                "2:2: [config] lacks `block`; add there:  block = []",
            ),
            (
                "[config]\nblock = []\n[[config.rules]]\nports = []",
                "3:1: [config.rules[0]] lacks `host`; add there:  host = '…'",
            ),
            // What is wrong comes before what is not there.
            (
                "[config]\naction = 1",
                "2:10: config.action: integer `1` is not \"refuse\" or \"log\"",
            ),
        ],
    );
}

/// As the SDK describes enums: by words and tables, by a tag, by what they look like.
fn forms() -> Value {
    let tagged = |word: &str, key: &str| {
        json!({
            "type": "object",
            "properties": {"type": {"const": word}, key: {"type": "string"}},
            "required": ["type", key],
            "additionalProperties": false,
        })
    };
    let keyed = |key: &str, of: Value| {
        json!({
            "type": "object",
            "properties": {key: of},
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({
        "type": "object",
        "properties": {
            "action": {"anyOf": [{"enum": ["allow", "block"]}, keyed("redirect", json!({"type": "string"})), keyed("answer", json!({"type": "integer"}))]},
            "when": {"anyOf": [tagged("day", "from"), tagged("date", "on")]},
            "hosts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "level": {"anyOf": [{"description": "Much.", "const": "high"}, {"const": "low"}]},
        },
        "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["title"]}]}],
        "unevaluatedProperties": {},
    })
}

#[test]
fn where_there_are_several_forms_the_one_that_was_meant_is_judged() {
    let named = |text: &str| format!("[config]\nname = 1\n{text}");
    for text in [
        "action = \"block\"",
        "action = { redirect = \"http://a.example/\" }",
        "when = { type = \"day\", from = \"Mon\" }",
        "hosts = [\"a\"]",
        "level = \"low\"",
    ] {
        assert_eq!(verdict(&forms(), &named(text)), Ok(()));
    }
    for (text, expected) in [
        (
            "action = { redirect = 1 }",
            "3:23: config.action.redirect: invalid type: integer `1`, expected a string",
        ),
        (
            "action = { redirct = \"a\" }",
            "3:12: unknown key `redirct` in [config.action]; did you mean `redirect`?",
        ),
        (
            "action = 1",
            "3:10: config.action: integer `1` is not \"allow\", \"block\" or a table",
        ),
        (
            "when = { type = \"day\" }",
            "3:1: [config.when] lacks `from`; add there:  from = '…'",
        ),
        (
            "when = { type = \"date\", from = \"Mon\" }",
            "3:25: unknown key `from` in [config.when]; there are: on, type",
        ),
        (
            "when = { type = \"week\", on = \"Mon\" }",
            "3:17: config.when.type: string \"week\" is not \"day\" or \"date\"",
        ),
        (
            "hosts = [1]",
            "3:10: config.hosts[0]: invalid type: integer `1`, expected a string",
        ),
        (
            "hosts = 1",
            "3:9: config.hosts: invalid type: integer `1`, expected a string or a list",
        ),
        (
            "level = \"hihg\"",
            "3:9: config.level: string \"hihg\" is not \"high\" or \"low\"",
        ),
    ] {
        assert_refused(&forms(), &[(&named(text), expected)]);
    }
    // Either name would do.
    assert_refused(
        &forms(),
        &[(
            "[config]\nhosts = []",
            "1:2: [config] lacks `name`; add there:  name = '…'",
        )],
    );
}

#[test]
fn a_file_that_is_missing_is_named_with_the_least_that_it_must_say() {
    let schema = json!({
        "type": "object",
        "properties": {
            "block": {"type": "array"},
            "kind": {"anyOf": [{"const": "a"}, {"const": "b"}]},
            "limit": {"type": "integer", "minimum": 1, "maximum": 10},
            "share": {"type": "number"},
            "is on": {"type": "boolean"},
            "rule": {"type": "object", "properties": {"host": {"type": "string"}}, "required": ["host"]},
            "else": {},
            "optional": {"type": "string"},
        },
        "required": ["block", "kind", "limit", "share", "is on", "rule", "else"],
    });
    let schema = Schema::new(schema).unwrap();
    let path = Path::new("plugins/a.toml");
    let refusal = schema.check(&json!({}), path, None).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "it has to be configured, and there is no plugins/a.toml; write there:  config = { block = [], kind = 'a', limit = 1, \
         share = 0.0, 'is on' = false, rule = { host = '…' }, else = '…' }"
    );
    let ConfigError::Absent { example, .. } = refusal else {
        unreachable!("nothing is there");
    };
    let settings = FilterSettings::parse(&example, path).unwrap();
    let config = serde_json::from_str(&settings.config).unwrap();
    schema.check(&config, path, Some("")).unwrap();

    let undemanding = Schema::new(json!({"type": "object"})).unwrap();
    undemanding.check(&json!({}), path, None).unwrap();
}

#[test]
fn a_schema_that_could_do_harm_is_not_used() {
    let refusal = |schema: Value| Schema::new(schema).unwrap_err().to_string();
    let reference = "it uses `$ref`; write the schema in place of the reference";
    for schema in [
        json!({"$ref": "#"}),
        json!({"$ref": "http://127.0.0.1:9/schema"}),
        json!({"properties": {"a": {"items": [{"$ref": "file:///etc/passwd"}]}}}),
    ] {
        assert_eq!(refusal(schema), reference);
    }
    let patterns: Vec<Value> = vec![json!({"pattern": "a"}); PATTERNS + 1];
    assert_eq!(
        refusal(json!({"allOf": patterns})),
        "it has more than 50 patterns"
    );
    let forms: Vec<Value> = vec![json!({"type": "null"}); FORMS];
    assert_eq!(
        refusal(json!({"anyOf": [{"anyOf": forms}]})),
        "it has more than 500 alternatives"
    );
    for schema in [
        json!("object"),
        json!({"type": "text"}),
        json!({"required": "a"}),
        json!({"pattern": "("}),
        json!({"pattern": "((((a{1000}){1000}){1000}){1000})"}),
        // What would have to try all ways.
        json!({"pattern": "(a)\\1"}),
    ] {
        let refusal = refusal(schema);
        assert!(refusal.starts_with("it is not a JSON Schema"), "{refusal}");
        assert!(refusal.len() < 250, "{refusal}");
    }
    // A key of that name is none.
    let named = json!({"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}});
    assert!(Schema::new(named).is_ok());
}

#[test]
fn a_schema_that_would_make_others_search_for_ever_is_checked_at_once() {
    let schema = json!({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}});
    let text = format!("[config]\na = \"{}!\"", "a".repeat(10_000));
    let refusal = verdict(&schema, &text).unwrap_err();
    assert!(
        refusal.starts_with("plugins/a.toml:2:5: config.a: "),
        "{refusal}"
    );
    assert!(refusal.len() < 250, "{refusal}");
}

#[test]
fn a_schema_may_be_as_deep_as_json_is() {
    let mut schema = json!({"type": "string"});
    for keyword in ["anyOf", "oneOf", "allOf", "items"]
        .iter()
        .cycle()
        .take(100)
    {
        schema = match *keyword {
            "items" => json!({"items": schema}),
            keyword => json!({keyword: [schema]}),
        };
    }
    let text = serde_json::to_string(&json!({"properties": {"a": schema}})).unwrap();
    let schema = serde_json::from_str(&text);
    assert!(schema.is_err() || verdict(&schema.unwrap(), "[config]\na = [[1]]").is_ok());
}
