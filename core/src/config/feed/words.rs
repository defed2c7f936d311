//! The words in the settings of a list, and a column of CSV.

use std::fmt;
use std::num::NonZeroUsize;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::value::{Absence, Automatic, FromText, Word, Words};

/// What happens to requests until a list has arrived for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UntilFirst {
    /// They pass, as far as this list goes.
    #[default]
    Pass,
    /// They are refused, all of them.
    Block,
}

impl Words for UntilFirst {
    const EXPECTED: &'static str = r#""pass" (names on the list pass until it has arrived) or "block" (all requests are refused until then)"#;
}

/// What it means that a feed lists a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FeedKind {
    /// Filters are told that it is listed.
    #[default]
    Block,
    /// Filters are told that it is excepted, whatever other feeds say.
    Allow,
}

impl Words for FeedKind {
    const EXPECTED: &'static str =
        r#""block" or "allow" (a host on the list is on no other, as far as filters are told)"#;
}

/// What happens to a list that has lost more than half of its names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnShrink {
    /// The list before serves until the next fetch has about as few names.
    #[default]
    Hold,
    /// It serves at once.
    Apply,
}

impl Words for OnShrink {
    const EXPECTED: &'static str = r#""hold" (a list that has lost more than half of its names is used when a second fetch confirms it) or "apply""#;
}

/// How a feed's body is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FeedFormat {
    /// As one of the others, which its first lines tell.
    #[default]
    Auto,
    /// `0.0.0.0 name [name…]` a line (hosts(5)).
    Hosts,
    /// One domain, address or network a line; `*.` before a domain says that the names below it
    /// are meant, too.
    Domains,
    /// Rules for hosts as AdBlock and AdGuard have them, such as `||example.org^`.
    Adblock,
    /// Options of dnsmasq(8), such as `local=/example.org/`.
    Dnsmasq,
    /// Zones and data of unbound.conf(5).
    Unbound,
    /// A response policy zone.
    Rpz,
    /// A JSON array of strings, or rows with names in `field` or a field such as `url`.
    Json,
    /// Comma-separated values (RFC 4180), of which `column` has the names, or one that is called
    /// such as `url`, or else the first.
    Csv,
}

impl Words for FeedFormat {
    const EXPECTED: &'static str = r#"a format of lists: "auto", "hosts", "domains", "adblock", "dnsmasq", "unbound", "rpz", "json" or "csv""#;
}

/// What happens to rules for everything below a suffix of a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PublicSuffixes {
    /// They are not applied, and told: on a list of hosts they are most often mistakes.
    #[default]
    Hold,
    /// They mean what they say.
    Apply,
}

impl Words for PublicSuffixes {
    const EXPECTED: &'static str =
        r#""hold" (rules for all of `com` or `co.uk` are not applied, and told) or "apply""#;
}

impl Absence<Word<PublicSuffixes>> for Automatic {
    const WORD: &'static str = "auto";

    const EXPECTED: &'static str = r#""auto", "hold" (rules for all of `com` or `co.uk` are not applied, and told) or "apply""#;
}

/// A column of CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// Its place, from 1.
    Number(NonZeroUsize),
    /// What the first row calls it, or a comment above it.
    Name(String),
}

impl Default for Column {
    fn default() -> Self {
        Self::Number(NonZeroUsize::MIN)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "`{name}`"),
        }
    }
}

impl FromText for Column {
    type Value = Self;

    const EXPECTED: &'static str =
        r#"a column: its number, from 1, or its name in the first row or in a comment above it"#;

    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Number);
        }
        Some(Self::Name(text.to_owned()))
    }

    fn write(column: &Self) -> Value {
        match column {
            Self::Number(number) => number.get().into(),
            Self::Name(name) => name.as_str().into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
    }
}
