//! What an inspection has found, as text for people and as JSON for programs.

use std::fmt;
use std::iter;

use bytesize::ByteSize;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::config::{FilterLimits, FilterSettings, Grants, Mode, OnError};
use crate::error::Escaped;
use crate::filter::{Import, interface};

/// What was found. As text it is a few lines. By serde it is an object with the same fields, where
/// what is not known is null.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The filter's name.
    pub filter: String,
    /// Whether a proxy would use it.
    pub ok: bool,
    /// Its size, as it is deployed.
    pub file_bytes: usize,
    /// `component` or `core module`; none if it is not WebAssembly.
    pub kind: Option<&'static str>,
    /// Its version, as the filter says of itself.
    pub version: Option<String>,
    /// What it does, as the filter says of itself in a line.
    pub description: Option<String>,
    /// The version of `portcullis:filter`, the contract, that it was built for.
    pub contract: Option<String>,
    /// Its hooks, by the contract's names.
    pub hooks: Vec<String>,
    /// The interfaces that it imports.
    pub imports: Vec<Needed>,
    /// The lines below `[grants]` with which it would have what is missing; none if it has all.
    pub missing_grants: Vec<String>,
    /// What `[config]` may say, as JSON Schema, if the filter tells.
    pub config: Option<Value>,
    /// What its settings say; none if they cannot be read.
    pub settings: Option<Settings>,
    /// What it costs; none if it is refused or disabled.
    pub cost: Option<Cost>,
    /// Why a proxy refuses it, and what to do.
    pub refused: Option<String>,
}

/// Something that a filter asks a proxy for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The interface, without package and version if it is one of the contract's.
    pub interface: String,
    /// The line below `[grants]` that grants it, if it must be granted.
    pub grant: Option<&'static str>,
    /// Whether the filter may have it.
    pub allowed: bool,
}

/// What `NAME.toml` says, with defaults where it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Whether the filter is asked at all.
    pub enabled: bool,
    /// `enforce` or `shadow`.
    pub mode: &'static str,
    /// What becomes of a request when the filter fails: `block` or `skip`.
    pub on_error: &'static str,
    /// Its limits, by the names in `[limits]` and written as there.
    #[serde(serialize_with = "as_object")]
    pub limits: Vec<(&'static str, String)>,
}

/// What a filter costs before it is asked anything.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// To compile it in a process of its own; none if the machine code was on disk.
    pub compile_ms: Option<f64>,
    /// To make an instance and hand it its configuration: the median of up to 100.
    pub start_us: f64,
    /// The linear memory of a new instance.
    pub memory_bytes: usize,
}

impl Needed {
    pub(super) fn new(name: &str, grants: &Grants) -> Self {
        let (grant, allowed) = match Import::of(name, grants) {
            Import::Free => (None, true),
            Import::Granted(line) => (Some(line), true),
            Import::Missing(line) => (Some(line), false),
            Import::Unknown => (None, false),
        };
        Self {
            interface: interface(name).unwrap_or(name).to_owned(),
            grant,
            allowed,
        }
    }
}

impl From<FilterSettings> for Settings {
    fn from(settings: FilterSettings) -> Self {
        Self {
            enabled: settings.enabled,
            mode: match settings.mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
            on_error: match settings.on_error {
                OnError::Block => "block",
                OnError::Skip => "skip",
            },
            limits: limits(&settings.limits),
        }
    }
}

fn as_object<S: Serializer>(
    limits: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(limits.iter().map(|(name, limit)| (name, limit)))
}

fn limits(limits: &FilterLimits) -> Vec<(&'static str, String)> {
    let time = |time| humantime::format_duration(time).to_string();
    let size = |bytes| ByteSize(bytes as u64).to_string();
    vec![
        ("cpu", time(limits.cpu)),
        ("wall", time(limits.wall)),
        ("start_cpu", time(limits.start_cpu)),
        ("start_wall", time(limits.start_wall)),
        ("memory", size(limits.memory)),
        ("table", limits.table.to_string()),
        ("transfer", size(limits.transfer)),
        ("concurrency", limits.concurrency.to_string()),
        ("calls", limits.calls.to_string()),
        ("log", limits.log.to_string()),
        ("verdict_cache", size(limits.verdict_cache)),
        ("state", size(limits.state)),
    ]
}

impl Inspection {
    /// Whether a proxy would use the filter.
    pub fn is_ok(&self) -> bool {
        self.ok
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (filter, size) = (Escaped(&self.filter), ByteSize(self.file_bytes as u64));
        match self.kind {
            Some(kind) => {
                let version = self.version.as_ref().map(|version| format!(" {version}"));
                let version = Escaped(version.unwrap_or_default());
                writeln!(f, "{filter}{version}: a {kind} of {size}")?;
            }
            None => writeln!(f, "{filter}: {size}, but not whole WebAssembly")?,
        }
        let rows = self.kind.iter().flat_map(|_| self.rows());
        for (name, text) in rows {
            writeln!(f, "{name:8}  {}", Escaped(text))?;
        }
        let is_disabled = self
            .settings
            .as_ref()
            .is_some_and(|settings| !settings.enabled);
        match &self.refused {
            Some(reason) => write!(f, "\nrefused: {}", Escaped(reason)),
            None if is_disabled => write!(f, "\ndisabled (enabled = false), so it was not tried"),
            None => write!(f, "\nok: a proxy uses it"),
        }
    }
}

impl Inspection {
    fn rows(&self) -> Vec<(&'static str, String)> {
        let description = self.description.iter().cloned();
        let mut rows: Vec<_> = description.map(|text| ("about", text)).collect();
        if let Some(version) = &self.contract {
            rows.push(("contract", format!("portcullis:filter@{version}")));
        }
        rows.push(("hooks", self.hooks.join(", ")));
        rows.extend(self.rows_of_imports());
        if let Some(schema) = &self.config {
            rows.extend(named("config", keys(schema)));
        }
        if let Some(settings) = &self.settings {
            let limits = settings.limits.iter();
            let limits: Vec<String> = limits
                .map(|(name, limit)| format!("{name} {limit}"))
                .collect();
            rows.push((
                "mode",
                format!("{}, on_error {}", settings.mode, settings.on_error),
            ));
            rows.push(("limits", limits.join(", ")));
        }
        if let Some(cost) = &self.cost {
            let compiled = cost.compile_ms.map(|time| format!("in {time:.1} ms"));
            let known = || "before; the machine code is in the cache".to_owned();
            let memory = ByteSize(cost.memory_bytes as u64);
            let instance = format!("starts in {:.1} us, has {memory} of memory", cost.start_us);
            rows.push(("compiled", compiled.unwrap_or_else(known)));
            rows.push(("instance", instance));
        }
        rows
    }

    /// One row for the imports that every filter may have, and one for each that must be granted.
    fn rows_of_imports(&self) -> impl Iterator<Item = (&'static str, String)> {
        let is_free = |import: &&Needed| import.allowed && import.grant.is_none();
        let free = self.imports.iter().filter(is_free);
        let free: Vec<&str> = free.map(|import| &*import.interface).collect();
        let granted = self.imports.iter().filter(move |import| !is_free(import));
        let granted = granted.map(|import| match (import.grant, import.allowed) {
            (Some(_), false) => format!("{}, not granted", import.interface),
            (Some(line), true) => format!("{}, granted ({line})", import.interface),
            (None, _) => format!("{}, which this proxy does not offer", import.interface),
        });
        let free = match (self.imports.is_empty(), free.is_empty()) {
            (true, _) => Some("nothing".to_owned()),
            (false, true) => None,
            (false, false) => Some(free.join(", ")),
        };
        named("imports", free.into_iter().chain(granted))
    }
}

/// Rows of which the first has that name.
fn named(
    name: &'static str,
    rows: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = (&'static str, String)> {
    let names = iter::once(name).chain(iter::repeat(""));
    names.zip(rows)
}

/// The keys that a configuration may have, each with what is said of it.
fn keys(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array();
    let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|name| name == key));
    let keys = properties.into_iter().flatten().map(|(key, value)| {
        let note = if is_required(key) { " (required)" } else { "" };
        // The first paragraph says what it is.
        let about = value["description"].as_str().unwrap_or_default();
        let about: Vec<&str> = about.lines().take_while(|line| !line.is_empty()).collect();
        match &*about {
            [] => format!("{key}{note}"),
            about => format!("{key}{note}: {}", about.join(" ")),
        }
    });
    let keys: Vec<String> = keys.collect();
    if keys.is_empty() {
        return vec!["nothing to configure".to_owned()];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_there_is_is_listed() {
        let schema = include_str!("../../../schema/filter.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let declared = schema["properties"]["limits"]["properties"].as_object();
        let declared: Vec<&str> = declared.unwrap().keys().map(String::as_str).collect();
        let limits = limits(&FilterLimits::default());
        let mut listed: Vec<&str> = limits.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(listed, declared);
    }
}
