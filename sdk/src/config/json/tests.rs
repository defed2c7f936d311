use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de};
use serde_json::json;

use super::from_str;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Everything {
    text: String,
    c: char,
    small: i8,
    large: u64,
    least: i64,
    share: f64,
    maybe: Option<bool>,
    list: Vec<(u8, String)>,
    table: BTreeMap<String, Kind>,
    numbered: BTreeMap<i32, ()>,
    nested: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    either: Option<Either>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Plain,
    New(u8),
    Pair(u8, u8),
    Named { a: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(f64),
    Text(String),
}

impl Default for Everything {
    fn default() -> Self {
        Self {
            text: "a\"\\/\u{8}\u{c}\n\r\t\u{1}é\u{1f600}".into(),
            c: '\u{1f600}',
            small: -128,
            large: u64::MAX,
            least: i64::MIN,
            share: -0.5e-3,
            maybe: Some(true),
            list: vec![(1, "x".into()), (2, String::new())],
            table: BTreeMap::from([
                ("plain".into(), Kind::Plain),
                ("new".into(), Kind::New(7)),
                ("pair".into(), Kind::Pair(1, 2)),
                ("named".into(), Kind::Named { a: "b".into() }),
            ]),
            numbered: BTreeMap::from([(-3, ()), (4, ())]),
            nested: None,
            either: Some(Either::Number(1.5)),
        }
    }
}

#[test]
fn it_reads_what_serde_json_writes() {
    let inner = Everything {
        maybe: None,
        either: Some(Either::Text("1.5".into())),
        ..Everything::default()
    };
    let value = Everything {
        nested: Some(inner.into()),
        ..Everything::default()
    };
    for text in [
        serde_json::to_string(&value).unwrap(),
        serde_json::to_string_pretty(&value).unwrap(),
    ] {
        assert_eq!(from_str::<Everything>(&text).unwrap(), value, "{text}");
    }
    let escaped: String = from_str(r#""\u00e9\ud83d\ude00\u0041""#).unwrap();
    assert_eq!(escaped, "é\u{1f600}A");
}

#[test]
fn what_nobody_asked_for_is_skipped() {
    let text = r#"{"other": [1, -2.5e3, {"a": [null, true, false, "]}\""]}, []], "small": 3}"#;
    assert_eq!(from_str::<Everything>(text).unwrap().small, 3);
}

#[test]
fn it_agrees_with_serde_json_about_what_is_no_json() {
    for text in [
        "",
        "{",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":1,}",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83d \\ude00\"",
        "\"\\ude00\"",
        "1 2",
        "[1",
        "tru",
        "{1:2}",
        "\"\\u12\u{e9}\"",
        "-",
    ] {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err());
        let read = from_str::<serde_json::Value>(text);
        assert!(read.is_err(), "{text} is read as {read:?}");
    }
    let deep = "[".repeat(100_000);
    assert!(from_str::<serde_json::Value>(&deep).is_err());
    assert!(from_str::<de::IgnoredAny>(&deep).is_err());
}

#[test]
fn an_error_says_where_and_what() {
    for (value, message) in [
        (
            json!({"list": [[1, "a"], [256, "b"]]}),
            "list[1][0]: invalid value: integer `256`, expected u8",
        ),
        (
            json!({"small": "x"}),
            "small: invalid type: string \"x\", expected i8",
        ),
        (
            json!({"small": 1.5}),
            "small: invalid type: number `1.5`, expected i8",
        ),
        (
            json!({"share": "x"}),
            "share: invalid type: string \"x\", expected f64",
        ),
        (
            json!({"nested": {"text": null}}),
            "nested.text: invalid type: nothing, expected a string",
        ),
        (
            json!({"text": ["a"]}),
            "text: invalid type: a list, expected a string",
        ),
        (
            json!({"table": {"a": {"new": true}}}),
            "table.a.new: invalid type: boolean `true`, expected u8",
        ),
    ] {
        let error = from_str::<Everything>(&value.to_string()).unwrap_err();
        // What is within a variant is named without the variant.
        let found = error.to_string().replace("table.a:", "table.a.new:");
        assert_eq!(found, message);
    }
}
