//! The most that a filter's own settings may grant it. It is declared in `portcullis.toml` and
//! applied when a filter's file is read.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::filter_limits::FilterLimits;
use super::value::{Concurrency, Count, DataSize, MemorySize, Optional, Parsed, Time};

/// The most that the `[limits]` of a filter's own settings may say. A file that says more is
/// refused, and a default that is more counts for this. `"none"`: no ceiling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Ceilings {
    /// Computing, for one call.
    #[serde(with = "Parsed::<Optional<Time>>")]
    pub cpu: Option<Duration>,
    /// From the start of one call to its end.
    #[serde(with = "Parsed::<Optional<Time>>")]
    pub wall: Option<Duration>,
    /// Computing, for making an instance.
    #[serde(with = "Parsed::<Optional<Time>>")]
    pub start_cpu: Option<Duration>,
    /// For making an instance, waiting included.
    #[serde(with = "Parsed::<Optional<Time>>")]
    pub start_wall: Option<Duration>,
    /// All linear memories of one instance, in bytes.
    #[serde(with = "Parsed::<Optional<MemorySize>>")]
    pub memory: Option<usize>,
    /// All tables of one instance, in elements.
    #[serde(with = "Parsed::<Optional<Count>>")]
    pub table: Option<usize>,
    /// What a filter may hand over in one go, in bytes.
    #[serde(with = "Parsed::<Optional<DataSize>>")]
    pub transfer: Option<usize>,
    /// Calls that a worker makes at the same time.
    #[serde(with = "Parsed::<Optional<Concurrency>>")]
    pub concurrency: Option<usize>,
    /// Log lines in a second.
    #[serde(with = "Parsed::<Optional<Count>>")]
    pub log: Option<usize>,
    /// Verdicts that a worker keeps, in bytes.
    #[serde(with = "Parsed::<Optional<DataSize>>")]
    pub verdict_cache: Option<usize>,
    /// The shared state, in bytes.
    #[serde(with = "Parsed::<Optional<DataSize>>")]
    pub state: Option<usize>,
}

impl Ceilings {
    /// Lowers the limits that are not written in the filter's file. Fails with the name of one that
    /// is written there and is too high.
    pub(super) fn apply(
        &self,
        limits: &mut FilterLimits,
        is_written: impl Fn(&str) -> bool,
    ) -> Result<(), &'static str> {
        macro_rules! apply {
            ($($limit:ident)*) => {$(
                if let Some(most) = self.$limit.filter(|most| limits.$limit > *most) {
                    if is_written(stringify!($limit)) {
                        return Err(stringify!($limit));
                    }
                    limits.$limit = most;
                }
            )*};
        }
        apply!(cpu wall start_cpu start_wall memory table transfer concurrency log verdict_cache state);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_lowered_and_what_is_written_is_refused() {
        let ceilings = Ceilings {
            memory: Some(1 << 20),
            cpu: Some(Duration::from_secs(1)),
            ..Ceilings::default()
        };
        let mut limits = FilterLimits::default();
        assert_eq!(ceilings.apply(&mut limits, |_| false), Ok(()));
        assert_eq!(limits.memory, 1 << 20);
        assert_eq!(limits.cpu, FilterLimits::default().cpu);
        let mut limits = FilterLimits::default();
        assert_eq!(ceilings.apply(&mut limits, |_| true), Err("memory"));
    }

    #[test]
    fn every_limit_of_a_filter_has_a_ceiling() {
        let keys = |schema: &serde_json::Value| -> Vec<String> {
            let keys = schema["properties"].as_object().expect("a table");
            keys.keys().cloned().collect()
        };
        let ceilings = keys(&super::super::declaration::schema_of::<Ceilings>());
        let mut limits = keys(&super::super::declaration::schema_of::<FilterLimits>());
        // It only makes a filter cheaper.
        limits.retain(|limit| limit != "calls");
        assert_eq!(ceilings, limits);
    }
}
