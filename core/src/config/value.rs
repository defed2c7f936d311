//! The values of settings, as they are written: one way to read each, whether it stands in a file or in the environment.

use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::document::nearest;
use super::{AccessLogFormat, AccessLogTo, FeedFormat, LogFormat};

/// Longer than any deadline makes sense, and short enough to be added to any point in time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The servers of lists are not ours: more often than this is rude.
const SHORTEST_REFRESH: Duration = Duration::from_secs(10);

/// A value that is written as text.
pub(super) trait Setting: Sized {
    /// What it is, with an example, as it continues "expected".
    const EXPECTED: &'static str;

    /// None if `text` is nothing of the kind.
    fn parse(text: &str) -> Option<Self>;

    /// What is wrong with a `text` that is not one.
    fn problem(text: &str) -> String {
        format!("`{text}` is not {}", Self::EXPECTED)
    }
}

/// Reads a value, or says what is wrong with it and what would be right.
pub(super) fn read<T: Setting>(text: &str) -> Result<T, String> {
    T::parse(text).ok_or_else(|| T::problem(text))
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = r#"an IP address and a port, such as "127.0.0.1:3000""#;

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for NonZeroUsize {
    const EXPECTED: &'static str = "a number from 1 to 1024";

    fn parse(text: &str) -> Option<Self> {
        text.parse()
            .ok()
            .filter(|number: &Self| number.get() <= 1024)
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = r#"a time of up to a year, such as "30s", "1m 30s" or "50ms""#;

    fn parse(text: &str) -> Option<Self> {
        humantime::parse_duration(text)
            .ok()
            .filter(|time| !time.is_zero() && *time <= LONGEST)
    }
}

/// The time between two fetches of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh(pub(super) Duration);

impl Setting for Refresh {
    const EXPECTED: &'static str = r#"a time from 10s to a year, such as "15m" or "1h""#;

    fn parse(text: &str) -> Option<Self> {
        Duration::parse(text)
            .filter(|time| *time >= SHORTEST_REFRESH)
            .map(Self)
    }
}

/// The largest size of a list, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListSize(pub(super) u64);

impl Setting for ListSize {
    const EXPECTED: &'static str = r#"a size of up to 1GiB, such as "64MiB""#;

    fn parse(text: &str) -> Option<Self> {
        bytes_within(text, 1, 1 << 30).map(Self)
    }
}

/// The linear memory of a filter, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemorySize(pub(super) usize);

impl Setting for MemorySize {
    const EXPECTED: &'static str = r#"a size from 64KiB to 4GiB, such as "64MiB""#;

    /// From one page of WebAssembly memory to all that 32 bits reach.
    fn parse(text: &str) -> Option<Self> {
        let bytes = bytes_within(text, 1 << 16, 1 << 32)?;
        Some(Self(usize::try_from(bytes).unwrap_or(usize::MAX)))
    }
}

/// The stack of a filter's call, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct StackSize(pub(super) usize);

impl Setting for StackSize {
    const EXPECTED: &'static str = r#"a size from 64KiB to 64MiB, such as "512KiB""#;

    fn parse(text: &str) -> Option<Self> {
        let bytes = bytes_within(text, 64 << 10, 64 << 20)?;
        Some(Self(usize::try_from(bytes).unwrap_or(usize::MAX)))
    }
}

/// Memory or disk for a large task, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteCount(pub(super) u64);

impl Setting for ByteCount {
    const EXPECTED: &'static str = r#"a size from 64MiB to 1TiB, such as "2GiB""#;

    fn parse(text: &str) -> Option<Self> {
        bytes_within(text, 64 << 20, 1 << 40).map(Self)
    }
}

/// An amount of data that the proxy keeps or copies for a filter, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataSize(pub(super) usize);

impl Setting for DataSize {
    const EXPECTED: &'static str = r#"a size from 1KiB to 1GiB, such as "1MiB""#;

    fn parse(text: &str) -> Option<Self> {
        let bytes = bytes_within(text, 1 << 10, 1 << 30)?;
        Some(Self(usize::try_from(bytes).unwrap_or(usize::MAX)))
    }
}

/// How many, at least one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) usize);

impl Setting for Count {
    const EXPECTED: &'static str = "a number from 1 to 4294967295";

    fn parse(text: &str) -> Option<Self> {
        let number = text.parse().ok().filter(|number: &u32| *number > 0)?;
        Some(Self(usize::try_from(number).unwrap_or(usize::MAX)))
    }
}

/// How many connections may be open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connections(pub(super) usize);

impl Setting for Connections {
    const EXPECTED: &'static str = "a number from 1 to 1000000";

    fn parse(text: &str) -> Option<Self> {
        let number = text.parse().ok()?;
        (1..=1_000_000).contains(&number).then_some(Self(number))
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share(pub(super) f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(value)?;
        let expected = "a share of calls from 0 to 1, such as 0.5";
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(D::Error::invalid_value(Unexpected::Float(share), &expected))
        }
    }
}

fn bytes_within(text: &str, min: u64, max: u64) -> Option<u64> {
    let ByteSize(bytes) = text.parse().ok()?;
    (min..=max).contains(&bytes).then_some(bytes)
}

impl Setting for Url {
    const EXPECTED: &'static str = r#"an http:, https: or file: URL, such as "https://lists.example/hosts" or "file:///etc/list""#;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|url| match url.scheme() {
            "http" | "https" => true,
            "file" => url.to_file_path().is_ok(),
            _ => false,
        })
    }
}

impl Setting for FeedFormat {
    const EXPECTED: &'static str = r#"a format of lists: "hosts", "domains" or "json""#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "hosts" => Some(Self::Hosts),
            "domains" => Some(Self::Domains),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Setting for LogFormat {
    const EXPECTED: &'static str = r#"a format of logs: "text" or "json""#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Setting for AccessLogTo {
    const EXPECTED: &'static str =
        r#""stderr", "stdout", "off" or the path of a file, such as "logs/access.log""#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "stderr" => Some(Self::Stderr),
            "stdout" => Some(Self::Stdout),
            "off" => Some(Self::Off),
            // A word that is misspelt would be taken for the name of a file.
            _ if nearest(text, ["stderr", "stdout", "off"].into_iter()).is_some() => None,
            _ => Some(Self::File(PathBuf::from(text))).filter(|_| !text.is_empty()),
        }
    }
}

impl Setting for AccessLogFormat {
    const EXPECTED: &'static str = r#"a format of access logs: "logfmt" or "json""#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "logfmt" => Some(Self::Logfmt),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The address of a DNS server; port 53 goes without saying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver(pub(super) SocketAddr);

impl Setting for Resolver {
    const EXPECTED: &'static str =
        r#"the IP address of a DNS server, such as "9.9.9.9" or "[2620:fe::fe]:53""#;

    fn parse(text: &str) -> Option<Self> {
        text.parse::<IpAddr>()
            .map(|ip| SocketAddr::from((ip, 53)))
            .or_else(|_| text.parse())
            .ok()
            .map(Self)
    }
}

/// What is logged, in the words of `EnvFilter`.
#[derive(Clone, Debug)]
pub(super) struct LogFilter(pub(super) String);

impl Setting for LogFilter {
    const EXPECTED: &'static str =
        r#"a level (error, warn, info, debug or trace) or a list such as "info,portcullis=debug""#;

    fn parse(text: &str) -> Option<Self> {
        EnvFilter::builder().parse(text).ok()?;
        // A level that is misspelt would be taken for the name of a module, and everything else fall silent.
        let is_level_or_directive = |directive: &str| {
            directive.contains(['=', ':', '['])
                || directive.parse::<tracing::Level>().is_ok()
                || directive == "off"
        };
        let is_right = |directive| is_level_or_directive(directive) && !is_for_access(directive);
        directives(text)
            .all(is_right)
            .then(|| Self(text.to_owned()))
    }

    fn problem(text: &str) -> String {
        let Some(directive) = directives(text).find(|directive| is_for_access(directive)) else {
            return format!("`{text}` is not {}", Self::EXPECTED);
        };
        let level = directive.rsplit('=').next().unwrap_or_default().trim();
        if ["off", "error", "warn"].contains(&level.to_ascii_lowercase().as_str()) {
            format!(
                "the access log has settings of its own; instead of `{directive}`, write \
                 [log.access] to = \"off\""
            )
        } else {
            format!(
                "the access log has settings of its own; remove `{directive}`, since access lines \
                 are written unless [log.access] says to = \"off\""
            )
        }
    }
}

fn directives(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

/// Whether a directive names the target that access lines once had.
fn is_for_access(directive: &str) -> bool {
    let target = directive.split(['=', '[']).next().unwrap_or_default();
    target.trim() == "access"
}

/// The feed that is compiled in: harmless names to try a block with.
pub(crate) const TEST_NAMES: &str = "test-names";

/// The name of a feed: it becomes the name of a file, and part of the names of environment variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FeedName(pub(super) String);

impl Setting for FeedName {
    const EXPECTED: &'static str = "a name of a feed: a-z, 0-9, `_` and `-`, at most 64 of them, and not `test-names`, which is built in";

    fn parse(text: &str) -> Option<Self> {
        let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let valid = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        (valid && text != TEST_NAMES).then(|| Self(text.to_owned()))
    }
}

/// A value as serde finds it in a file: text, or a whole number where its text would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<T>(pub(super) T);

/// What was written, or what holds if nothing was.
pub(super) fn value_or<T>(value: Option<Text<T>>, default: T) -> T {
    value.map_or(default, |Text(value)| value)
}

impl<'de, T: Setting> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(TextVisitor(PhantomData)).map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Setting> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        read(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_reads<T: Setting + fmt::Debug>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::parse(text).is_some(), "{text}");
        }
        for text in bad {
            assert!(read::<T>(text).unwrap_err().contains(T::EXPECTED), "{text}");
        }
    }

    #[test]
    fn values_are_read_or_refused_with_an_example() {
        assert_reads::<SocketAddr>(
            &["127.0.0.1:3000", "[::1]:0"],
            &["", "localhost:3000", "3000", "127.0.0.1"],
        );
        assert_reads::<NonZeroUsize>(&["1", "1024"], &["0", "-1", "1025", "2.5", "two"]);
        assert_reads::<Duration>(
            &["1ms", "30s", "1m 30s", "365d"],
            &["", "30", "0s", "-1s", "366d", "99999999999999y"],
        );
        assert_reads::<Refresh>(&["10s", "1h"], &["9s", "1h!"]);
        assert_reads::<ListSize>(
            &["1", "64MiB", "1 GiB"],
            &["0", "2GiB", "-1", "many", "1e99"],
        );
        assert_reads::<MemorySize>(&["64KiB", "4GiB"], &["64KB", "5GiB"]);
        assert_reads::<Url>(
            &["http://a.example/x", "https://u:p@a.example", "file:///a"],
            &[
                "",
                "a.example",
                "ftp://a.example",
                "file://host/a",
                "http://",
            ],
        );
        assert_reads::<Resolver>(
            &["9.9.9.9", "9.9.9.9:5353", "::1", "[::1]:53"],
            &["dns.example", "9.9.9.9:x"],
        );
        assert_reads::<LogFilter>(
            &[
                "info",
                "WARN",
                "off",
                "info,portcullis=debug",
                "portcullis::feeds=trace",
            ],
            &["", "verbose", "info,x=y", "inof"],
        );
        assert_reads::<Connections>(&["1", "1000000"], &["0", "1000001", "many"]);
        assert_reads::<AccessLogTo>(
            &["stderr", "stdout", "off", "access.log", "/var/log/access"],
            &["", "Off", "sdterr"],
        );
        assert_reads::<FeedName>(
            &["malware", "a-1_b"],
            &["", "Malware", "a.b", "../x", "a b", "test-names"],
        );
    }

    #[test]
    fn a_resolver_without_a_port_listens_on_53() {
        assert_eq!(
            Resolver::parse("::1").unwrap().0,
            "[::1]:53".parse().unwrap()
        );
    }
}
