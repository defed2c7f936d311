//! The file beside a filter, `NAME.toml`: whether and how the filter runs. Read by `plugins`.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use portcullis_contract::limits;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ConfigError;
use super::document::Document;
use super::value::{Count, DataSize, MemorySize, Setting, Share, Text, value_or};

/// What the operator says about one filter. A filter without a file runs by [`Sidecar::default`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sidecar {
    /// Whether the filter is asked at all.
    pub(crate) enabled: bool,
    pub(crate) mode: Mode,
    /// What happens to a request that the filter fails on.
    pub(crate) on_error: OnError,
    pub(crate) limits: FilterLimits,
    pub(crate) quarantine: QuarantineRule,
    /// None if the file says nothing: then a filter of a file has none, and one that is built in all that it asks for.
    pub(crate) grants: Option<Grants>,
    /// Handed to the filter's `init`: a JSON object.
    pub(crate) config: String,
}

/// Whether a filter's verdicts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They decide about requests.
    Enforce,
    /// They are logged and counted, and change nothing.
    Shadow,
}

/// What happens to a request when a filter fails on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// It is refused.
    Block,
    /// The next filter is asked.
    Skip,
}

/// What a filter may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FilterLimits {
    /// Computing, for one call.
    pub(crate) cpu: Duration,
    /// From the start of one call to its end, waiting included.
    pub(crate) wall: Duration,
    /// Computing, for making an instance, and as much again for its `init`.
    pub(crate) start_cpu: Duration,
    /// For making an instance, waiting included, and as much again for its `init`.
    pub(crate) start_wall: Duration,
    /// All linear memories of one instance together, in bytes.
    pub(crate) memory: usize,
    /// All tables of one instance together, in elements.
    pub(crate) table: usize,
    /// What the filter may hand over in one go, an answer or the arguments of a call to the proxy, in bytes.
    pub(crate) transfer: usize,
    /// Calls that a worker makes at the same time. More wait for their turn.
    pub(crate) concurrency: usize,
    /// Calls after which an instance is replaced.
    pub(crate) calls: usize,
    /// Log lines in a second, all instances together.
    pub(crate) log: usize,
    /// What the verdicts take that a worker keeps where the filter allows it, in bytes.
    pub(crate) verdict_cache: usize,
    /// The shared state, keys and values together, in bytes.
    pub(crate) state: usize,
}

/// When a filter that fails is not asked for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct QuarantineRule {
    /// Failures within the window that lead there.
    pub(crate) failures: usize,
    /// The share of calls that must fail, too: 0 to 1.
    pub(crate) share: f64,
    pub(crate) window: Duration,
    /// For how long the first time; twice as long each time that the filter fails again.
    pub(crate) pause: Duration,
    pub(crate) longest_pause: Duration,
}

/// Capabilities that a filter may import besides those that reach nothing but the request and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    /// The feeds that it may look into.
    pub(crate) feeds: FeedGrant,
    /// The store of its own.
    pub(crate) state: bool,
}

/// The feeds that a filter may look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FeedGrant {
    All,
    Named(Vec<String>),
}

impl Grants {
    /// For the filters that came with the proxy.
    pub(crate) const ALL: Self = Self {
        feeds: FeedGrant::All,
        state: true,
    };
}

impl FeedGrant {
    /// Whether there is any feed that may be looked into.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    pub(crate) fn contains(&self, feed: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == feed),
        }
    }
}

impl Default for FeedGrant {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl Default for Sidecar {
    fn default() -> Self {
        Self {
            enabled: true,
            mode: Mode::Enforce,
            on_error: OnError::Block,
            limits: FilterLimits::default(),
            quarantine: QuarantineRule::default(),
            grants: None,
            config: "{}".into(),
        }
    }
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_millis(5),
            wall: Duration::from_millis(50),
            start_cpu: Duration::from_secs(2),
            start_wall: Duration::from_secs(5),
            memory: 64 << 20,
            table: 100_000,
            transfer: 1 << 20,
            concurrency: 4,
            calls: 1_000_000,
            log: 100,
            verdict_cache: 4 << 20,
            state: limits::STATE_BYTES,
        }
    }
}

impl Default for QuarantineRule {
    fn default() -> Self {
        Self {
            failures: 10,
            share: 0.5,
            window: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
        }
    }
}

impl Sidecar {
    /// Reads the content of `file`, which is named in errors only.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let document = Document { path: file, text };
        let found: Found = document.read()?;
        let config = json_object(found.config, &mut vec!["config".into()]).map_err(|keys| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let problem = format!("{}: JSON has no such number", keys.join("."));
            document.problem_at(document.position(&keys).unwrap_or(0), problem)
        })?;
        let default = Self::default();
        Ok(Self {
            enabled: found.enabled.unwrap_or(default.enabled),
            mode: value_or(found.mode, default.mode),
            on_error: value_or(found.on_error, default.on_error),
            limits: found.limits.into(),
            quarantine: found.quarantine.into(),
            grants: found.grants.map(Grants::from),
            config: Value::Object(config).to_string(),
        })
    }
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Found {
    enabled: Option<bool>,
    mode: Option<Text<Mode>>,
    on_error: Option<Text<OnError>>,
    limits: FoundLimits,
    quarantine: FoundQuarantine,
    grants: Option<FoundGrants>,
    config: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct FoundLimits {
    cpu: Option<Text<Duration>>,
    wall: Option<Text<Duration>>,
    start_cpu: Option<Text<Duration>>,
    start_wall: Option<Text<Duration>>,
    memory: Option<Text<MemorySize>>,
    table: Option<Text<Count>>,
    transfer: Option<Text<DataSize>>,
    concurrency: Option<Text<Count>>,
    calls: Option<Text<Count>>,
    log: Option<Text<Count>>,
    verdict_cache: Option<Text<DataSize>>,
    state: Option<Text<DataSize>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct FoundQuarantine {
    failures: Option<Text<Count>>,
    share: Option<Share>,
    window: Option<Text<Duration>>,
    pause: Option<Text<Duration>>,
    longest_pause: Option<Text<Duration>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct FoundGrants {
    feeds: Vec<String>,
    state: bool,
}

/// Stands for every feed among the names of feeds.
const EVERY_FEED: &str = "*";

impl From<FoundGrants> for Grants {
    fn from(found: FoundGrants) -> Self {
        let all = found.feeds.iter().any(|name| name == EVERY_FEED);
        Self {
            feeds: if all {
                FeedGrant::All
            } else {
                FeedGrant::Named(found.feeds)
            },
            state: found.state,
        }
    }
}

impl From<FoundLimits> for FilterLimits {
    fn from(found: FoundLimits) -> Self {
        let default = Self::default();
        let count = |found: Option<Text<Count>>, default| {
            found.map_or(default, |Text(Count(number))| number)
        };
        let size = |found: Option<Text<DataSize>>, default| {
            found.map_or(default, |Text(DataSize(bytes))| bytes)
        };
        Self {
            cpu: value_or(found.cpu, default.cpu),
            wall: value_or(found.wall, default.wall),
            start_cpu: value_or(found.start_cpu, default.start_cpu),
            start_wall: value_or(found.start_wall, default.start_wall),
            memory: found
                .memory
                .map_or(default.memory, |Text(MemorySize(bytes))| bytes),
            table: count(found.table, default.table),
            transfer: size(found.transfer, default.transfer),
            concurrency: count(found.concurrency, default.concurrency),
            calls: count(found.calls, default.calls),
            log: count(found.log, default.log),
            verdict_cache: size(found.verdict_cache, default.verdict_cache),
            state: size(found.state, default.state),
        }
    }
}

impl From<FoundQuarantine> for QuarantineRule {
    fn from(found: FoundQuarantine) -> Self {
        let default = Self::default();
        let pause = value_or(found.pause, default.pause);
        Self {
            failures: found
                .failures
                .map_or(default.failures, |Text(Count(number))| number),
            share: found.share.map_or(default.share, |Share(share)| share),
            window: value_or(found.window, default.window),
            pause,
            longest_pause: value_or(found.longest_pause, default.longest_pause.max(pause)),
        }
    }
}

impl Setting for Mode {
    const EXPECTED: &'static str =
        r#""enforce" (the verdicts count) or "shadow" (they are only logged and counted)"#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "enforce" => Some(Self::Enforce),
            "shadow" => Some(Self::Shadow),
            _ => None,
        }
    }
}

impl Setting for OnError {
    const EXPECTED: &'static str =
        r#""block" (refuse the request) or "skip" (ask the next filter)"#;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "block" => Some(Self::Block),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// TOML as JSON: dates and times become strings. The error is where a number stands that JSON does not have (`nan`, `inf`).
fn json_object(
    table: toml::Table,
    keys: &mut Vec<String>,
) -> Result<Map<String, Value>, Vec<String>> {
    let mut object = Map::new();
    for (key, value) in table {
        keys.push(key.clone());
        object.insert(key, json(value, keys)?);
        keys.pop();
    }
    Ok(object)
}

fn json(value: toml::Value, keys: &mut Vec<String>) -> Result<Value, Vec<String>> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(_) => return Err(keys.clone()),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => {
            let values = values.into_iter().map(|value| json(value, keys));
            values.collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => json_object(table, keys)?.into(),
    })
}
