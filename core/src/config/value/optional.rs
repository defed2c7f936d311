//! Values that there may be none of, and the words that say so.

use std::marker::PhantomData;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{BytesPerSecond, Connections, FromText, Time};

/// A value, or a word that says that there is none.
pub(in crate::config) struct Optional<K, A = Nothing>(PhantomData<(K, A)>);

/// The word in place of a value.
pub(in crate::config) trait Absence<K> {
    const WORD: &'static str;

    /// The word and the value, as they continue "expected".
    const EXPECTED: &'static str;
}

/// There is none.
pub(in crate::config) struct Nothing;

impl<K: FromText> Absence<K> for Nothing {
    const WORD: &'static str = "none";

    const EXPECTED: &'static str = K::EXPECTED;
}

/// The proxy chooses.
pub(in crate::config) struct Automatic;

impl Absence<Connections> for Automatic {
    const WORD: &'static str = "auto";

    const EXPECTED: &'static str = r#""auto" or a number of connections, such as 100"#;
}

/// There is no bound.
pub(in crate::config) struct Unlimited;

impl Absence<Time> for Unlimited {
    const WORD: &'static str = "unlimited";

    const EXPECTED: &'static str = r#""unlimited" or a time of up to a year, such as "1h""#;
}

impl Absence<Connections> for Unlimited {
    const WORD: &'static str = "unlimited";

    const EXPECTED: &'static str = r#""unlimited" or a number from 1 to 1000000"#;
}

impl Absence<BytesPerSecond> for Unlimited {
    const WORD: &'static str = "unlimited";

    const EXPECTED: &'static str =
        r#""unlimited" or a number of bytes a second from 8KiB, such as "10MiB""#;
}

/// The connections of one client.
pub(in crate::config) type PerClient = Optional<Connections, Automatic>;

/// A number of requests or tunnels.
pub(in crate::config) type AtMost = Optional<Connections, Unlimited>;

/// How fast clients may be.
pub(in crate::config) type Bandwidth = Optional<BytesPerSecond, Unlimited>;

/// The time that a body may take.
pub(in crate::config) type BodyTime = Optional<Time, Unlimited>;

impl<K: FromText, A: Absence<K>> FromText for Optional<K, A> {
    type Value = Option<K::Value>;

    const EXPECTED: &'static str = A::EXPECTED;

    fn parse(text: &str) -> Option<Self::Value> {
        if text == A::WORD {
            return Some(None);
        }
        K::parse(text).map(Some)
    }

    fn write(value: &Self::Value) -> Value {
        value.as_ref().map_or(A::WORD.into(), K::write)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let value = K::schema(generator);
        json_schema!({"anyOf": [{"enum": [A::WORD]}, value]})
    }
}
