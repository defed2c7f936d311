//! The file beside a filter, `NAME.toml`: whether and how the filter runs. Read by `plugins`.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ConfigError;
use super::document::Document;
use super::value::{MemorySize, Setting, Text};

/// What the operator says about one filter. A filter without a file runs by [`Sidecar::default`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sidecar {
    /// Whether the filter is asked at all.
    pub(crate) enabled: bool,
    /// What happens to a request that the filter fails on.
    pub(crate) on_error: OnError,
    pub(crate) limits: SidecarLimits,
    /// Handed to the filter's `init` as a JSON object.
    pub(crate) config: Map<String, Value>,
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
pub(crate) struct SidecarLimits {
    /// Computing, for one call.
    pub(crate) cpu: Duration,
    /// From the start of one call to its end, waiting included.
    pub(crate) wall: Duration,
    /// The linear memory of one instance, in bytes.
    pub(crate) memory: u64,
}

impl Default for Sidecar {
    fn default() -> Self {
        Self {
            enabled: true,
            on_error: OnError::Block,
            limits: SidecarLimits::default(),
            config: Map::new(),
        }
    }
}

impl Default for SidecarLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_millis(5),
            wall: Duration::from_millis(50),
            memory: 64 * 1024 * 1024,
        }
    }
}

impl Sidecar {
    /// Reads the content of `file`, which is named in errors only.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let document = Document { path: file, text };
        let found: Found = document.read()?;
        let default = SidecarLimits::default();
        let config = json_object(found.config, &mut vec!["config".into()]).map_err(|keys| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let problem = format!("{}: JSON has no such number", keys.join("."));
            document.problem_at(document.position(&keys).unwrap_or(0), problem)
        })?;
        Ok(Self {
            enabled: found.enabled.unwrap_or(true),
            on_error: found.on_error.map_or(OnError::Block, |Text(what)| what),
            limits: SidecarLimits {
                cpu: found.limits.cpu.map_or(default.cpu, |Text(time)| time),
                wall: found.limits.wall.map_or(default.wall, |Text(time)| time),
                memory: found
                    .limits
                    .memory
                    .map_or(default.memory, |Text(size)| size.0),
            },
            config,
        })
    }
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Found {
    enabled: Option<bool>,
    on_error: Option<Text<OnError>>,
    limits: FoundLimits,
    config: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct FoundLimits {
    cpu: Option<Text<Duration>>,
    wall: Option<Text<Duration>>,
    memory: Option<Text<MemorySize>>,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(text: &str) -> String {
        let file = Path::new("plugins/a.toml");
        Sidecar::parse(text, file).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_says_nothing_new() {
        let sidecar = Sidecar::parse("", Path::new("a.toml")).unwrap();
        assert_eq!(sidecar, Sidecar::default());
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            enabled = false
            on_error = "skip"
            [limits]
            cpu = "1ms"
            wall = "2s"
            memory = "1MiB"
            [config]
            name = "x"
            numbers = [1, 2.5]
            since = 2026-07-18T01:35:22Z
            [config.deep]
            on = true
        "#;
        let sidecar = Sidecar::parse(text, Path::new("a.toml")).unwrap();
        assert!(!sidecar.enabled);
        assert_eq!(sidecar.on_error, OnError::Skip);
        assert_eq!(
            sidecar.limits,
            SidecarLimits {
                cpu: Duration::from_millis(1),
                wall: Duration::from_secs(2),
                memory: 1 << 20,
            }
        );
        let expected = json!({
            "name": "x",
            "numbers": [1, 2.5],
            "since": "2026-07-18T01:35:22Z",
            "deep": {"on": true},
        });
        assert_eq!(Value::from(sidecar.config), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_place_and_hint() {
        for (text, expected) in [
            (
                "on_eror = \"skip\"",
                "plugins/a.toml:1:1: unknown key `on_eror` at the top of the file; did you mean `on_error`?",
            ),
            (
                "[limits]\nmemory = \"1KiB\"",
                "plugins/a.toml:2:10: limits.memory: `1KiB` is not a size from 64KiB to 4GiB, such as \"64MiB\"",
            ),
            (
                "on_error = \"ignore\"",
                "plugins/a.toml:1:12: on_error: `ignore` is not \"block\" (refuse the request) or \"skip\" (ask the next filter)",
            ),
            (
                "enabled = \"yes\"",
                "plugins/a.toml:1:11: enabled: invalid type: string \"yes\", expected a boolean",
            ),
            (
                "[config.a]\nb = [1.0, nan]",
                "plugins/a.toml:2:1: config.a.b: JSON has no such number",
            ),
        ] {
            assert_eq!(refusal(text), expected);
        }
    }
}
