//! The values of a file as they are written, each with what would be right where it is wrong. Read
//! by `format`.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use portcullis_contract::{
    Fact, Fallback, FoundIn, Outcome, Protocol, VerdictKind, canonical_host, field,
};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use toml::value::Datetime;

use crate::case::Word;
use crate::url::Url;

/// Longer than any test, and short enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A value that is written as text.
pub(crate) trait FromText: Sized {
    /// What it is, as it continues "expected".
    const EXPECTED: &'static str;

    /// The error says what is wrong.
    fn parse(text: &str) -> Result<Self, String>;
}

/// One that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T: FromText> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(ParsedVisitor(PhantomData)).map(Self)
    }
}

struct ParsedVisitor<T>(PhantomData<T>);

impl<'de, T: FromText> Visitor<'de> for ParsedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).map_err(E::custom)
    }

    /// A date or a time of TOML, which has no quotes, comes as a map.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        match Datetime::deserialize(MapAccessDeserializer::new(map)) {
            Ok(time) => self.visit_str(&time.to_string()),
            Err(_) => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

/// `text`, one of `words`.
fn one_of<T: Copy>(text: &str, words: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    let found = words.iter().find(|word| name(**word) == text);
    found.copied().ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|word| name(*word)).collect();
        format!("`{text}` is none of {}", words.join(", "))
    })
}

impl FromText for Word {
    const EXPECTED: &'static str = "next, allow, block, redirect, replace, drop, ask or error";

    fn parse(text: &str) -> Result<Self, String> {
        let verdicts = VerdictKind::ALL.iter().copied().map(Self::Verdict);
        let words: Vec<Self> = verdicts.chain([Self::Error]).collect();
        one_of(text, &words, Self::name)
    }
}

/// The words of the contract.
macro_rules! words {
    ($($name:ident: $expected:literal;)+) => {$(
        impl FromText for $name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, String> {
                one_of(text, Self::ALL, Self::name)
            }
        }
    )+};
}

words! {
    Protocol: "http, connect, socks4 or socks5";
    FoundIn: "request, server-name or host-field";
    Outcome: "passed, blocked, redirected, replaced, dropped or failed";
    Fallback: "next or block";
    Fact: "the name of a fact such as client.user";
}

impl FromText for Duration {
    const EXPECTED: &'static str = r#"a time such as "60s", "1m 30s" or "50ms""#;

    fn parse(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text).ok();
        time.filter(|time| *time <= LONGEST)
            .ok_or_else(|| format!("`{text}` is not {}", Self::EXPECTED))
    }
}

impl FromText for SystemTime {
    const EXPECTED: &'static str = r#"a time in UTC such as "2026-03-02T09:00:00Z""#;

    fn parse(text: &str) -> Result<Self, String> {
        humantime::parse_rfc3339(text).map_err(|_| format!("`{text}` is not {}", Self::EXPECTED))
    }
}

impl FromText for IpAddr {
    const EXPECTED: &'static str = r#"an IP address such as "10.0.0.7""#;

    fn parse(text: &str) -> Result<Self, String> {
        let ip: Option<Self> = text.parse().ok();
        ip.map(|ip| ip.to_canonical())
            .ok_or_else(|| format!("`{text}` is not {}", Self::EXPECTED))
    }
}

impl FromText for Url {
    const EXPECTED: &'static str = r#"a URL such as "http://a.example/b""#;

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// An entry of a feed: a host or a network, behind `@@` if it is an exception.
#[derive(Clone, Debug)]
pub(crate) struct Entry(pub(crate) String);

impl FromText for Entry {
    const EXPECTED: &'static str = r#"a domain such as "evil.example", or a network"#;

    fn parse(text: &str) -> Result<Self, String> {
        let (mark, subject) = match text.strip_prefix("@@") {
            Some(subject) => ("@@", subject),
            None => ("", text),
        };
        if let Ok(network) = subject.parse::<IpNet>() {
            return Ok(Self(format!("{mark}{}", network.trunc())));
        }
        match canonical_host(subject) {
            // To the URL standard an asterisk is a character of names; to an author it is a
            // wildcard.
            Ok(host) if !host.contains('*') => Ok(Self(format!("{mark}{host}"))),
            _ => Err(format!("`{text}` is not {}", Self::EXPECTED)),
        }
    }
}

/// The name of a header field, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FieldName(pub(crate) String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        if !field::is_name(&text) {
            let problem = format!("`{text}` cannot be the name of a header field");
            return Err(D::Error::custom(problem));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// The values of the fields of one name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(crate) enum Values {
    One(String),
    Many(Vec<String>),
}

impl From<Values> for Vec<String> {
    fn from(values: Values) -> Self {
        match values {
            Values::One(value) => vec![value],
            Values::Many(values) => values,
        }
    }
}

/// The same, or that there is no such field.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, a list of texts, or false for no such field"
)]
pub(crate) enum ExpectedValues {
    Some(Values),
    None(False),
}

impl From<ExpectedValues> for Vec<String> {
    fn from(values: ExpectedValues) -> Self {
        match values {
            ExpectedValues::Some(values) => values.into(),
            ExpectedValues::None(False) => Self::new(),
        }
    }
}

/// What is remembered under a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, a whole number, or false for nothing"
)]
pub(crate) enum Remembered {
    Text(String),
    Number(i64),
    Nothing(False),
}

impl From<Remembered> for Option<String> {
    fn from(remembered: Remembered) -> Self {
        match remembered {
            Remembered::Text(text) => Some(text),
            Remembered::Number(number) => Some(number.to_string()),
            Remembered::Nothing(False) => None,
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, or false for no such metric")]
pub(crate) enum Number {
    Number(f64),
    None(False),
}

impl From<Number> for Option<f64> {
    fn from(number: Number) -> Self {
        match number {
            Number::Number(number) => Some(number),
            Number::None(False) => None,
        }
    }
}

/// Text, or that there is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text, or false for none")]
pub(crate) enum MaybeText {
    Text(String),
    None(False),
}

impl From<MaybeText> for Option<String> {
    fn from(text: MaybeText) -> Self {
        match text {
            MaybeText::Text(text) => Some(text),
            MaybeText::None(False) => None,
        }
    }
}

/// A time, or that there is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a time such as \"60s\", or false for none"
)]
pub(crate) enum MaybeTime {
    Time(Parsed<Duration>),
    None(False),
}

impl From<MaybeTime> for Option<Duration> {
    fn from(time: MaybeTime) -> Self {
        match time {
            MaybeTime::Time(Parsed(time)) => Some(time),
            MaybeTime::None(False) => None,
        }
    }
}

/// The only value of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct False;

impl<'de> Deserialize<'de> for False {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        if bool::deserialize(value)? {
            Err(D::Error::custom("expected false"))
        } else {
            Ok(Self)
        }
    }
}
