//! Lists that may be written as a text: their only element, or several with commas between them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};

use super::{FromText, Parsed};

/// How such a list of values that are written as `K` is declared.
pub(in crate::config) struct OneOrEach<K>(PhantomData<K>);

/// A list of which each element is written as `K`, or a text with commas between the elements.
pub(in crate::config) fn one_or_each<'de, D, K>(value: D) -> Result<Vec<K::Value>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText,
{
    struct Elements<K>(PhantomData<K>);

    impl<'de, K: FromText> Visitor<'de> for Elements<K> {
        type Value = Vec<K::Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}, or a list of them", K::EXPECTED)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let words = text.split(',').map(str::trim);
            let read = |word| K::parse(word).ok_or_else(|| E::custom(K::problem(word)));
            words.map(read).collect()
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = values.next_element::<Parsed<K>>()? {
                elements.push(element.into_inner());
            }
            Ok(elements)
        }
    }

    value.deserialize_any(Elements::<K>(PhantomData))
}

impl<K: FromText> JsonSchema for OneOrEach<K> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrEach<{}>", std::any::type_name::<K>()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = K::schema(generator);
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}
