//! What `#[derive(Schema)]` says of types, and that serde says the same.

#![allow(dead_code, reason = "the types are there to be described")]

#[path = "schema/enums.rs"]
mod enums;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use portcullis_sdk::__private::{Described, Manifest};
use portcullis_sdk::{Error, Filter, Schema, testing};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A filter whose configuration is a `C`.
struct Probe<C>(C);

impl<C: DeserializeOwned + Schema + 'static> Filter for Probe<C> {
    type Config = C;

    fn new(config: C) -> Result<Self, Error> {
        Ok(Self(config))
    }
}

impl<C: Schema> Described for Probe<C> {
    const MANIFEST: Manifest = Manifest {
        name: "probe",
        version: "0.1.0",
        description: "",
        hooks: &[],
        config: C::SCHEMA,
    };
}

fn schema<C: Schema>() -> Value {
    let manifest = testing::manifest::<Probe<C>>();
    let mut manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let mut schema = manifest["config"].take();
    let keywords = schema.as_object_mut().expect("a schema");
    let draft = keywords.remove("$schema");
    let expected = "https://json-schema.org/draft/2020-12/schema";
    assert_eq!(draft.as_ref().and_then(Value::as_str), Some(expected));
    schema
}

/// Checks that the schema allows what the filter reads, and nothing else.
fn agree<C: DeserializeOwned + Schema + 'static>(right: &[Value], wrong: &[Value]) {
    let schema = schema::<C>();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_format("ip", |text: &str| text.parse::<IpAddr>().is_ok())
        .build(&schema)
        .expect("a valid schema");
    for (values, is_right) in [(right, true), (wrong, false)] {
        for value in values {
            let read = testing::init::<Probe<C>>(&value.to_string()).map(drop);
            assert_eq!(read.is_ok(), is_right, "{value} is read as {read:?}");
            let valid = validator.validate(value);
            assert_eq!(valid.is_ok(), is_right, "{value}: {valid:?} by {schema}");
        }
    }
}

/// Everything that
/// standard types offer.
///
/// And more.
#[derive(Deserialize, Schema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Everything {
    /// Whether.
    is_on: bool,
    small: i8,
    large: u64,
    positive: NonZeroU8,
    share: f64,
    letter: char,
    text: Box<str>,
    maybe: Option<String>,
    many: Vec<Option<u8>>,
    different: HashSet<String>,
    three: [bool; 3],
    pair: (u8, String),
    by_name: BTreeMap<String, Vec<f32>>,
    by_number: HashMap<u16, bool>,
    by_word: BTreeMap<Word, bool>,
    address: IpAddr,
    time: Duration,
    below: Option<Box<Below>>,
}

/// Of this kind.
#[derive(Deserialize, Schema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Word {
    One,
    #[serde(alias = "dos", alias = "deux")]
    Two,
}

/// What is below.
#[derive(Deserialize, Schema)]
struct Below {
    #[serde(default)]
    word: Vec<Word>,
    /// Said here.
    other: Option<Word>,
}

/// The schema of `Below`.
fn below(words: &Value) -> Value {
    json!({
        "description": "What is below.",
        "type": "object",
        "properties": {
            "word": {"type": "array", "items": words},
            "other": {"description": "Said here.", "enum": ["one", "two", "deux", "dos"]},
        },
        "required": [],
    })
}

#[test]
fn a_struct_is_a_table_of_what_its_fields_are() {
    let words = json!({"description": "Of this kind.", "enum": ["one", "two", "deux", "dos"]});
    let integer = |minimum: i64, maximum: u64| json!({"type": "integer", "minimum": minimum, "maximum": maximum});
    let expected = json!({
        "description": "Everything that standard types offer.\nAnd more.",
        "type": "object",
        "properties": {
            "is-on": {"description": "Whether.", "type": "boolean"},
            "small": integer(-128, 127),
            "large": integer(0, u64::MAX),
            "positive": integer(1, 255),
            "share": {"type": "number"},
            "letter": {"type": "string", "minLength": 1, "maxLength": 1},
            "text": {"type": "string"},
            "maybe": {"type": "string"},
            "many": {"type": "array", "items": integer(0, 255)},
            "different": {"type": "array", "items": {"type": "string"}},
            "three": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3},
            "pair": {
                "type": "array",
                "prefixItems": [integer(0, 255), {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
            "by-name": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "number"}},
            },
            "by-number": {
                "type": "object",
                "propertyNames": {"pattern": "^-?[0-9]+$"},
                "additionalProperties": {"type": "boolean"},
            },
            "by-word": {
                "type": "object",
                "propertyNames": words,
                "additionalProperties": {"type": "boolean"},
            },
            "address": {"type": "string", "format": "ip"},
            "time": {
                "type": "object",
                "properties": {"secs": integer(0, u64::MAX), "nanos": integer(0, u32::MAX.into())},
                "required": ["secs", "nanos"],
                "additionalProperties": false,
            },
            "below": below(&words),
        },
        "required": [
            "is-on", "small", "large", "positive", "share", "letter", "text", "many", "different",
            "three", "pair", "by-name", "by-number", "by-word", "address", "time",
        ],
        "additionalProperties": false,
    });
    assert_eq!(schema::<Everything>(), expected);
}

#[test]
fn serde_agrees_about_every_kind_of_value() {
    let right = json!({
        "is-on": true, "small": -128, "large": u64::MAX, "positive": 1, "share": 0.5, "letter": "é",
        "text": "a", "maybe": "b", "many": [1, 2], "different": ["a", "a"], "three": [true, false, true],
        "pair": [255, ""], "by-name": {"a": [1, 2.5]}, "by-number": {"443": true},
        "by-word": {"one": true, "dos": false}, "address": "2001:db8::1", "time": {"secs": 1, "nanos": 0},
        "below": {"word": ["two"], "unknown": 1},
    });
    let with = |key: &str, value: Value| {
        let mut changed = right.clone();
        changed[key] = value;
        changed
    };
    let without = |key: &str| {
        let mut changed = right.clone();
        changed.as_object_mut().unwrap().remove(key);
        changed
    };
    agree::<Everything>(
        &[
            right.clone(),
            without("maybe"),
            without("below"),
            with("share", json!(1)),
            with("below", json!({"other": "two"})),
        ],
        &[
            without("is-on"),
            without("by-name"),
            with("unknown", json!(1)),
            with("is-on", json!("true")),
            with("small", json!(128)),
            with("large", json!(-1)),
            with("large", json!(0.5)),
            with("positive", json!(0)),
            with("share", json!("0.5")),
            with("letter", json!("ab")),
            with("text", json!(1)),
            with("maybe", json!(["b"])),
            with("many", json!([256])),
            with("different", json!("a")),
            with("three", json!([true, false])),
            with("pair", json!([1])),
            with("pair", json!(["", 1])),
            with("by-name", json!({"a": 1})),
            with("by-number", json!({"https": true})),
            with("by-word", json!({"three": true})),
            with("address", json!("2001:db8::x")),
            with("time", json!({"secs": 1})),
            with("below", json!({"word": "one"})),
            with("below", json!({"word": ["three"]})),
        ],
    );
}

/// Without a schema.
struct Cannot;

#[derive(Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Strict {
    b: Option<bool>,
}

/// Under a key, as a configuration is always a table.
#[derive(Deserialize, Schema)]
struct Under<T> {
    key: T,
}

#[derive(Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Merging {
    #[serde(alias = "other-name")]
    name: String,
    #[serde(alias = "w", default)]
    word: Option<Word>,
    #[serde(flatten)]
    strict: Strict,
    #[serde(flatten)]
    form: Form,
}

#[derive(Deserialize, Schema)]
#[serde(rename_all = "lowercase")]
enum Form {
    Round { radius: u8 },
    Square(u8),
}

#[derive(Deserialize, Schema)]
struct Rest {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn serde_agrees_about_what_is_merged_and_what_has_two_names() {
    agree::<Merging>(
        &[
            json!({"name": "a", "square": 1}),
            json!({"other-name": "a", "square": 1, "w": "one"}),
            json!({"name": "a", "b": true, "round": {"radius": 1}}),
        ],
        &[
            json!({"square": 1}),
            json!({"name": "a"}),
            json!({"name": "a", "b": 1, "square": 1}),
            json!({"name": "a", "square": "1"}),
            json!({"name": "a", "square": 1, "unknown": 1}),
        ],
    );
    agree::<Rest>(
        &[json!({"name": "a"}), json!({"name": "a", "x": 1, "y": 2})],
        &[json!({"name": "a", "x": "1"}), json!({"x": 1})],
    );
}

#[derive(Deserialize, Schema)]
#[serde(default)]
struct Defaults {
    a: u8,
    b: Vec<String>,
    #[serde(skip)]
    hidden: Option<Cannot>,
    #[serde(skip_deserializing)]
    also_hidden: u8,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            a: 1,
            b: Vec::new(),
            hidden: None,
            also_hidden: 2,
        }
    }
}

#[derive(Deserialize, Schema)]
#[serde(transparent)]
struct Transparent {
    inner: Below,
}

#[derive(Deserialize, Schema)]
#[serde(try_from = "u8")]
struct Even(u8);

impl TryFrom<u8> for Even {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Ok(Self(number & !1))
    }
}

#[derive(Deserialize, Schema)]
struct Nothing;

#[test]
fn serde_agrees_about_what_need_not_be_there_and_what_looks_like_something_else() {
    agree::<Defaults>(
        &[
            json!({}),
            json!({"a": 2}),
            json!({"hidden": 1, "also_hidden": "x"}),
        ],
        &[json!({"a": "2"}), json!({"b": "x"})],
    );
    agree::<Transparent>(&[json!({"word": ["one"]})], &[json!({"word": "one"})]);
    agree::<Under<Even>>(&[json!({"key": 3})], &[json!({"key": 256}), json!({})]);
    agree::<Nothing>(&[json!({})], &[json!({"a": 1})]);
    agree::<()>(&[json!({})], &[json!({"a": 1})]);
}

#[derive(Deserialize, Schema)]
struct Written {
    #[serde(deserialize_with = "of_text")]
    #[schema(string)]
    text: Option<Cannot>,
    #[serde(default, deserialize_with = "of_anything")]
    #[schema(any)]
    anything: Option<Cannot>,
    #[schema(any)]
    json: Value,
    #[schema(any)]
    more: Option<Value>,
}

fn of_text<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Cannot>, D::Error> {
    String::deserialize(value).map(|_| Some(Cannot))
}

fn of_anything<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Cannot>, D::Error> {
    Value::deserialize(value).map(|_| Some(Cannot))
}

#[test]
fn serde_agrees_about_what_the_author_says_of_a_field() {
    agree::<Written>(
        &[
            json!({"text": "a", "json": 1}),
            json!({"text": "a", "json": [], "more": {}, "anything": "b"}),
        ],
        &[
            json!({"text": 1, "json": 1}),
            json!({"json": 1}),
            json!({"text": "a"}),
        ],
    );
}
