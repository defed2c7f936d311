//! What an operator may write into `[config]`, as a tree of constants: [`Schema`] has it for each
//! type, `manifest` writes it into the WASM file as JSON Schema. A filter has no code for it.

mod types;

/// A type whose values an operator can write down. `#[derive(Schema)]` implements it, beside
/// serde's `Deserialize`: it reads the same `#[serde(…)]` attributes, and documentation becomes
/// what the operator is told.
///
/// ```
/// use portcullis_sdk::Schema;
///
/// /// What the filter does.
/// #[derive(serde::Deserialize, Schema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// Domains; each covers the names below it.
///     block: Vec<String>,
///     #[serde(default)]
///     action: Action,
/// }
///
/// #[derive(Default, serde::Deserialize, Schema)]
/// #[serde(rename_all = "lowercase")]
/// enum Action {
///     #[default]
///     Refuse,
///     Log,
/// }
/// ```
///
/// The proxy checks a `[config]` against it before it starts the filter, and names the line that is
/// wrong. What a schema cannot say, such as that one number must be less than another,
/// [`Filter::new`](crate::Filter::new) says as before.
///
/// Where serde calls a function of yours (`deserialize_with`), or a type has no schema, the field
/// says what is to be written: `#[schema(string)]`, or `#[schema(any)]` for what only the filter
/// can tell.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::Schema;
/// use serde::de::{Deserialize, Deserializer, Error};
///
/// #[derive(serde::Deserialize, Schema)]
/// struct Config {
///     /// As in "1.5": seconds.
///     #[serde(deserialize_with = "seconds")]
///     #[schema(string)]
///     pause: Duration,
/// }
///
/// fn seconds<'de, D: Deserializer<'de>>(written: D) -> Result<Duration, D::Error> {
///     let seconds = String::deserialize(written)?.parse().map_err(D::Error::custom)?;
///     Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
/// }
/// ```
///
/// A type that reads itself from another one has that one's schema:
///
/// ```
/// # use portcullis_sdk::Schema;
/// # struct Domain;
/// impl Schema for Domain {
///     const SCHEMA: &'static portcullis_sdk::Node = String::SCHEMA;
/// }
/// ```
///
/// A type without one cannot be part of a configuration:
///
/// ```compile_fail,E0277
/// # use portcullis_sdk::Schema;
/// #[derive(serde::Deserialize)]
/// struct Rule { host: String }
///
/// #[derive(serde::Deserialize, Schema)]
/// struct Config { rules: Vec<Rule> }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so the operator could not be told what to write",
    label = "not `Schema`",
    note = "put `#[derive(Schema)]` on the type, beside `Deserialize`",
    note = "or say in its place what is to be written: `#[schema(string)]` or `#[schema(any)]` on the field"
)]
pub trait Schema {
    /// What the values look like.
    const SCHEMA: &'static Node;
}

/// What values look like. It is made by `#[derive(Schema)]` and by the types that have a
/// [`Schema`]; what it consists of changes without notice.
#[derive(Debug)]
#[non_exhaustive]
pub enum Node {
    /// Whatever TOML can say.
    #[doc(hidden)]
    Any,
    /// Nothing. TOML has no word for that, except that a whole `[config]` can be missing.
    #[doc(hidden)]
    Nothing,
    #[doc(hidden)]
    Boolean,
    #[doc(hidden)]
    Integer { minimum: i128, maximum: i128 },
    #[doc(hidden)]
    Number,
    #[doc(hidden)]
    Text,
    /// Text of a format that JSON Schema or the proxy knows.
    #[doc(hidden)]
    Formatted(&'static str),
    /// One character.
    #[doc(hidden)]
    Character,
    /// One of these words.
    #[doc(hidden)]
    Word(&'static [&'static str]),
    #[doc(hidden)]
    List(&'static Self),
    /// A list with a place for each of these, the last of which may be missing.
    #[doc(hidden)]
    Tuple {
        places: &'static [&'static Self],
        required: usize,
    },
    /// A list of a fixed length.
    #[doc(hidden)]
    Array { item: &'static Self, length: usize },
    #[doc(hidden)]
    Map {
        key: &'static Self,
        value: &'static Self,
    },
    #[doc(hidden)]
    Table(Table),
    /// Need not be there.
    #[doc(hidden)]
    Optional(&'static Self),
    #[doc(hidden)]
    Either(&'static [&'static Self]),
    #[doc(hidden)]
    Described {
        description: &'static str,
        node: &'static Self,
    },
}

/// A table whose keys are known.
#[doc(hidden)]
#[derive(Debug)]
pub struct Table {
    pub fields: &'static [Field],
    /// Their keys stand in this table, too.
    pub merged: &'static [&'static Node],
    pub unknown: Unknown,
}

/// One key of a table.
#[doc(hidden)]
#[derive(Debug)]
pub struct Field {
    /// The first is its own name, the others are accepted as well.
    pub names: &'static [&'static str],
    /// Empty where what the value says of itself is enough.
    pub description: &'static str,
    pub node: &'static Node,
    /// Unless it is optional by its type.
    pub required: bool,
}

/// What becomes of keys that a table does not know.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Unknown {
    Ignored,
    Refused,
    /// What the merged table says.
    AsMerged,
}

impl Node {
    /// What the value is if it is there, without what is said about it.
    pub(crate) const fn value(&self) -> &Self {
        match self {
            Self::Described { node, .. } | Self::Optional(node) => node.value(),
            other => other,
        }
    }

    /// Whether the value need not be there.
    pub(crate) const fn is_optional(&self) -> bool {
        match self {
            Self::Described { node, .. } => node.is_optional(),
            Self::Optional(_) => true,
            _ => false,
        }
    }
}
