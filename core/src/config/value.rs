//! How the values of settings are written: one way to read each, whether it stands in a file or in
//! an environment variable, and one way to describe it in a schema. Used by the declarations.

mod by_name;
mod destination;
mod file_mode;
mod form;
mod log_filter;
mod name_server;
mod names;
mod network;
mod one_or_each;
mod optional;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IntoDeserializer, Unexpected, Visitor,
};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use url::Url;

pub(super) use self::by_name::{by_name, lists_by_name};
pub(crate) use self::destination::Hosts;
pub use self::destination::{Destination, InvalidDestination, Ports};
pub(super) use self::file_mode::FileMode;
use self::form::{Form, Number, Size, Text, TimeFrom};
pub(super) use self::log_filter::LogFilter;
pub use self::name_server::{InvalidNameServer, NameServer};
pub(crate) use self::name_server::{ServerHost, Transport};
pub(crate) use self::names::name_problem;
use self::names::{address, domain, host_pattern};
pub(super) use self::network::{Network, networks};
pub(super) use self::one_or_each::{OneOrEach, one_or_each};
pub(super) use self::optional::{
    Absence, AtMost, Automatic, Bandwidth, BodyTime, Optional, PerClient,
};
use super::AccessLogTo;
use super::document::nearest;
use crate::verdict::rule::written::is_entry;

/// A way to write a value as text.
pub(super) trait FromText {
    type Value;

    /// What the text says, with an example, as it continues "is not" and "expected".
    const EXPECTED: &'static str;

    /// None if `text` is nothing of the kind.
    fn parse(text: &str) -> Option<Self::Value>;

    /// A text or number that is read as this value.
    fn write(value: &Self::Value) -> Value;

    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// What is wrong with a `text` that is not read.
    fn problem(text: &str) -> String {
        format!("`{}` is not {}", without_secrets(text), Self::EXPECTED)
    }
}

/// A text that may be a URL, without what may be its user, password and query.
fn without_secrets(text: &str) -> String {
    let (text, end) = match text.split_once('?') {
        Some((before, _)) => (before, "?…"),
        None => (text, ""),
    };
    match text.rsplit_once('@') {
        Some((_, behind)) => format!("…@{behind}{end}"),
        None => format!("{text}{end}"),
    }
}

/// Says of a setting that it is written as `K`: `#[serde(with = "Parsed::<K>")]`.
pub(super) struct Parsed<K: FromText>(K::Value);

impl<K: FromText> Parsed<K> {
    pub(super) fn into_inner(self) -> K::Value {
        self.0
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(value: D) -> Result<K::Value, D::Error> {
        value.deserialize_any(TextVisitor::<K>(PhantomData))
    }

    pub(super) fn serialize<S: Serializer>(value: &K::Value, out: S) -> Result<S::Ok, S::Error> {
        K::write(value).serialize(out)
    }
}

impl<'de, K: FromText> Deserialize<'de> for Parsed<K> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value
            .deserialize_any(TextVisitor::<K>(PhantomData))
            .map(Self)
    }
}

impl<K: FromText> JsonSchema for Parsed<K> {
    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<K>().into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        K::schema(generator)
    }
}

/// Reads text, or a whole number where its text would do.
struct TextVisitor<K>(PhantomData<K>);

impl<K: FromText> Visitor<'_> for TextVisitor<K> {
    type Value = K::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<K::Value, E> {
        K::parse(text).ok_or_else(|| E::custom(K::problem(text)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<K::Value, E> {
        self.visit_str(&number.to_string())
    }
}

/// Declares values by their name, type and form, and what is expected of them.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident: $value:ty = $form:expr, $expected:literal;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl FromText for $name {
            type Value = $value;

            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Option<$value> {
                $form.parse(text)
            }

            fn write(value: &$value) -> Value {
                $form.write(value)
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                Form::<$value>::schema(&$form)
            }
        }
    )*};
}

const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

values! {
    /// An IP address.
    Address: IpAddr = Text(address), r#"an IP address, such as "10.0.0.5" or "fd00::5""#;
    /// A host, or all below a domain.
    HostPattern: String = Text(host_pattern),
        r#"a host, or the names below a domain, such as "wiki.example" or "*.corp.example""#;
    /// A domain.
    Domain: String = Text(domain), r#"a domain, such as "corp.example""#;
    /// Where a feed comes from.
    FeedUrl: Url = Text(feed_url),
        r#"an http:, https: or file: URL, such as "https://lists.example/hosts" or "file:///etc/list""#;
    /// An entry of a feed.
    FeedEntry: String = Text(feed_entry),
        r#"a domain, an address, a network or a rule about whole hosts, such as "ads.example", "||ads.example^" or "@@||ok.example^""#;
    /// The name of a feed: it becomes the name of a file, and part of the names of variables.
    FeedName: String = Text(feed_name),
        "a name of a feed: a-z, 0-9, `_` and `-`, at most 64 of them, and not `test-names`, which is built in";
    /// The name of a group of clients.
    GroupName: String = Text(name),
        "a name of a group: a-z, 0-9, `_` and `-`, at most 64 of them";
    /// The name of a listener.
    ListenerName: String = Text(name),
        "a name of a listener: a-z, 0-9, `_` and `-`, at most 64 of them";
    /// The name of a table of parent proxies.
    UpstreamName: String = Text(name),
        "a name of parent proxies: a-z, 0-9, `_` and `-`, at most 64 of them";
    /// The name of a user.
    UserName: String = Text(user_name),
        "a name of a user: 1 to 255 bytes without a colon, control characters and white space around it";
    /// What a login is asked for.
    Realm: String = Text(realm),
        r#"a name of 1 to 64 printable ASCII characters without `"` and `\`, such as "Example Ltd""#;
    /// Wrong logins of one client in a minute.
    Failures: u32 = Number(1..=1000), "a number from 1 to 1000";
    /// Where in JSON something stands.
    Pointer: String = Text(pointer),
        r#"a JSON pointer, such as "/url" or "/data/domains""#;
    /// A deadline or another time, short enough to be added to any point in time.
    Time: Duration = TimeFrom(Duration::from_nanos(1)),
        r#"a time of up to a year, such as "30s", "1m 30s" or "50ms""#;
    /// How long an answer is kept. Nothing is a time, too: the answer is used once.
    Ttl: Duration = TimeFrom(Duration::ZERO),
        r#"a time of up to a year, such as "5m", "1d" or "0s""#;
    /// Names that a worker remembers.
    Names: usize = Number(1..=1_000_000), "a number from 1 to 1000000";
    /// The time between two fetches of a list. Its server is not ours: more often would be rude.
    Refresh: Duration = TimeFrom(Duration::from_secs(10)),
        r#"a time from 10s to a year, such as "15m" or "1h""#;
    /// The number of worker threads.
    Workers: NonZeroUsize = Number(NonZeroUsize::MIN..=MAX_WORKERS), "a number from 1 to 1024";
    /// The number of open connections.
    Connections: usize = Number(1..=1_000_000), "a number from 1 to 1000000";
    /// How many of something, at least one.
    Count: usize = Number(1..=u32::MAX as usize), "a number from 1 to 4294967295";
    /// Calls of a filter that a worker makes at a time.
    Concurrency: usize = Number(1..=1024), "a number from 1 to 1024";
    /// Bytes in a second.
    Rate: u64 = Size(1..=1 << 20), r#"a number of bytes a second from 1B to 1MiB, such as "100B""#;
    /// Bytes that clients may move in a second. A connection moves some hundred at a time.
    BytesPerSecond: u64 = Size(8 << 10..=1 << 40), r#"a number of bytes a second from 8KiB, such as "10MiB""#;
    /// The largest size of a list.
    FeedSize: u64 = Size(1..=1 << 30), r#"a size of up to 1GiB, such as "64MiB""#;
    /// The head of a message. Origins stop at 8 KiB or more.
    HeadSize: usize = Size(8 << 10..=1 << 20), r#"a size from 8KiB to 1MiB, such as "64KiB""#;
    /// Memory or disk for a large task.
    TaskSize: u64 = Size(64 << 20..=1 << 40), r#"a size from 64MiB to 1TiB, such as "2GiB""#;
    /// The linear memory of a filter: from one page to all that 32 bits reach.
    MemorySize: usize = Size(64 << 10..=4 << 30), r#"a size from 64KiB to 4GiB, such as "64MiB""#;
    /// The stack of a filter's call.
    StackSize: usize = Size(64 << 10..=64 << 20), r#"a size from 64KiB to 64MiB, such as "512KiB""#;
    /// Data that the proxy keeps or copies for a filter.
    DataSize: usize = Size(1 << 10..=1 << 30), r#"a size from 1KiB to 1GiB, such as "1MiB""#;
}

fn feed_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| match url.scheme() {
        "http" | "https" => true,
        "file" => url.to_file_path().is_ok(),
        _ => false,
    })
}

/// A URL that a server is asked for.
pub(super) fn web_url(text: &str) -> Option<Url> {
    feed_url(text).filter(|url| url.scheme() != "file")
}

fn feed_entry(text: &str) -> Option<String> {
    is_entry(text).then(|| text.to_owned())
}

fn pointer(text: &str) -> Option<String> {
    text.starts_with('/').then(|| text.to_owned())
}

/// The feed that is compiled in: harmless names to try a block with.
pub(crate) const TEST_NAMES: &str = "test-names";

fn name(text: &str) -> Option<String> {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
    valid.then(|| text.to_owned())
}

fn user_name(text: &str) -> Option<String> {
    name_problem(text).is_none().then(|| text.to_owned())
}

/// It stands between quotation marks in a field of HTTP.
fn realm(text: &str) -> Option<String> {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    valid.then(|| text.to_owned())
}

fn feed_name(text: &str) -> Option<String> {
    name(text).filter(|name| name != TEST_NAMES)
}

/// An enum whose cases are words.
pub(super) trait Words: DeserializeOwned + Serialize + JsonSchema {
    /// As in `FromText`.
    const EXPECTED: &'static str;
}

/// How such an enum is written.
pub(super) struct Word<W>(PhantomData<W>);

impl<W: Words> FromText for Word<W> {
    type Value = W;

    const EXPECTED: &'static str = W::EXPECTED;

    fn parse(text: &str) -> Option<W> {
        let word: StrDeserializer<'_, WordError> = text.into_deserializer();
        W::deserialize(word).ok()
    }

    fn write(word: &W) -> Value {
        serde_json::to_value(word).unwrap_or_default()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        W::json_schema(generator)
    }
}

impl FromText for AccessLogTo {
    type Value = Self;

    const EXPECTED: &'static str =
        r#""stderr", "stdout", "off" or the path of a file, such as "logs/access.log""#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "stderr" => Some(Self::Stderr),
            "stdout" => Some(Self::Stdout),
            "off" => Some(Self::Off),
            // A word that is misspelt would be taken for the name of a file.
            _ if nearest(text, ["stderr", "stdout", "off"].into_iter()).is_some() => None,
            _ => Some(Self::File(text.into())).filter(|_| !text.is_empty()),
        }
    }

    fn write(to: &Self) -> Value {
        match to {
            Self::Stderr => "stderr".into(),
            Self::Stdout => "stdout".into(),
            Self::Off => "off".into(),
            Self::File(path) => path.to_string_lossy().into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let words = json_schema!({"enum": ["stderr", "stdout", "off"]});
        let path = json_schema!({"type": "string", "format": "path"});
        json_schema!({"anyOf": [words, path]})
    }
}

/// A list of which each element is written as `K`.
pub(super) fn each<'de, D, K>(value: D) -> Result<Vec<K::Value>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText,
{
    let elements = Vec::<Parsed<K>>::deserialize(value)?;
    Ok(elements.into_iter().map(|Parsed(value)| value).collect())
}

/// The same with at least one element.
pub(super) fn some_each<'de, D, K>(value: D) -> Result<Vec<K::Value>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText,
{
    let elements = each::<_, K>(value)?;
    if elements.is_empty() {
        return Err(D::Error::invalid_length(0, &K::EXPECTED));
    }
    Ok(elements)
}

/// Writes such a list.
pub(super) fn write_each<S, K>(values: &[K::Value], out: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    K: FromText,
{
    out.collect_seq(values.iter().map(K::write))
}

/// A part of a whole, from 0 to 1.
pub(super) fn share<'de, D: Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(value)?;
    let expected = "a share of calls from 0 to 1, such as 0.5";
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(D::Error::invalid_value(Unexpected::Float(share), &expected))
    }
}
