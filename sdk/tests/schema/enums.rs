//! Every form of an enum.

use super::*;

#[derive(Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
enum External {
    Plain,
    New(u8),
    Pair(u8, #[serde(default)] u8),
    /// It has names.
    #[serde(rename_all = "UPPERCASE")]
    Named {
        a: String,
    },
    #[serde(skip)]
    Hidden(Cannot),
}

#[derive(Deserialize, Schema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Internal {
    Unit,
    /// By names.
    Named {
        a: u8,
    },
    Strict(Strict),
    Lax(Below),
}

#[derive(Deserialize, Schema)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    New(bool),
    Maybe(Option<bool>),
}

#[derive(Deserialize, Schema)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    List(Vec<u8>),
    Named { a: u8 },
}

#[derive(Deserialize, Schema)]
#[serde(rename_all = "lowercase")]
enum Documented {
    /// The first.
    One,
    Two,
    #[serde(untagged)]
    Other(u8),
}

#[derive(Deserialize, Schema)]
#[serde(rename_all = "lowercase")]
enum Open {
    One,
    #[serde(other)]
    Unknown,
}

fn under(values: &[Value]) -> Vec<Value> {
    values.iter().map(|value| json!({"key": value})).collect()
}

fn agree_under_a_key<T: DeserializeOwned + Schema + 'static>(right: &[Value], wrong: &[Value]) {
    agree::<Under<T>>(&under(right), &under(wrong));
}

#[test]
fn serde_agrees_about_every_form_of_an_enum() {
    agree_under_a_key::<External>(
        &[
            json!("plain"),
            json!({"new": 1}),
            json!({"pair": [1, 2]}),
            json!({"pair": [1]}),
            json!({"named": {"A": ""}}),
        ],
        &[
            json!("Plain"),
            json!("new"),
            json!({"new": "1"}),
            json!({"pair": []}),
            json!({"named": {"a": ""}}),
            json!({"new": 1, "pair": [1, 2]}),
            json!({"hidden": 1}),
            json!({}),
            json!(1),
        ],
    );
    agree_under_a_key::<Adjacent>(
        &[
            json!({"t": "Unit"}),
            json!({"t": "New", "c": true}),
            json!({"t": "Maybe"}),
        ],
        &[
            json!({"t": "New"}),
            json!({"t": "New", "c": 1}),
            json!({"t": "Other"}),
            json!({"c": true}),
            json!("Unit"),
        ],
    );
    agree_under_a_key::<Untagged>(
        &[json!(1), json!([1, 2]), json!({"a": 1})],
        &[json!("1"), json!(["1"]), json!({"b": 1}), json!(256)],
    );
    agree_under_a_key::<Documented>(
        &[json!("one"), json!("two"), json!(3)],
        &[json!("three"), json!(256)],
    );
    agree_under_a_key::<Open>(&[json!("one"), json!("else")], &[json!(1), json!({})]);
}

#[test]
fn serde_agrees_about_a_tag_among_the_fields() {
    agree::<Internal>(
        &[
            json!({"type": "unit"}),
            json!({"type": "unit", "other": 1}),
            json!({"type": "named", "a": 1}),
            json!({"type": "strict"}),
            json!({"type": "strict", "b": true}),
            json!({"type": "lax", "word": ["one"], "unknown": 1}),
        ],
        &[
            json!({"type": "named"}),
            json!({"type": "named", "a": 1, "b": 1}),
            json!({"type": "strict", "b": true, "c": 1}),
            json!({"type": "lax", "word": 1}),
            json!({"type": "other"}),
            json!({"a": 1}),
            json!({}),
        ],
    );
}

#[test]
fn an_enum_says_what_its_variants_are_for() {
    assert_eq!(
        schema::<Documented>(),
        json!({"anyOf": [
            {"description": "The first.", "const": "one"},
            {"const": "two"},
            {"type": "integer", "minimum": 0, "maximum": 255},
        ]})
    );
    let found = schema::<External>();
    assert_eq!(found["anyOf"][0], json!({"const": "plain"}));
    assert_eq!(
        found["anyOf"][3],
        json!({
            "description": "It has names.",
            "type": "object",
            "properties": {"named": {
                "type": "object",
                "properties": {"A": {"type": "string"}},
                "required": ["A"],
            }},
            "required": ["named"],
            "additionalProperties": false,
        })
    );
}
