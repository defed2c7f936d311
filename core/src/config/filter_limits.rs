//! The limits of one filter, as its file has them.

use std::time::Duration;

use portcullis_contract::limits;
use schemars::JsonSchema;
use serde::Deserialize;
use smart_default::SmartDefault;

use super::value::{Concurrency, Count, DataSize, MemorySize, Parsed, Time};

/// What a filter may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct FilterLimits {
    /// Computing, for one call.
    #[default(Duration::from_millis(5))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) cpu: Duration,
    /// From the start of one call to its end, waiting included.
    #[default(Duration::from_millis(50))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) wall: Duration,
    /// Computing, for making an instance, and as much again for its `init`.
    #[default(Duration::from_secs(2))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) start_cpu: Duration,
    /// For making an instance, waiting included, and as much again for its `init`.
    #[default(Duration::from_secs(5))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) start_wall: Duration,
    /// All linear memories of one instance together, in bytes.
    #[default(64 << 20)]
    #[serde(with = "Parsed::<MemorySize>")]
    pub(crate) memory: usize,
    /// All tables of one instance together, in elements.
    #[default(100_000)]
    #[serde(with = "Parsed::<Count>")]
    pub(crate) table: usize,
    /// What the filter may hand over in one go, an answer or the arguments of a call to the proxy,
    /// in bytes.
    #[default(1 << 20)]
    #[serde(with = "Parsed::<DataSize>")]
    pub(crate) transfer: usize,
    /// Calls that a worker makes at the same time. More wait for their turn.
    #[default(4)]
    #[serde(with = "Parsed::<Concurrency>")]
    pub(crate) concurrency: usize,
    /// Calls after which an instance is replaced.
    #[default(1_000_000)]
    #[serde(with = "Parsed::<Count>")]
    pub(crate) calls: usize,
    /// Log lines in a second, all instances together.
    #[default(100)]
    #[serde(with = "Parsed::<Count>")]
    pub(crate) log: usize,
    /// What the verdicts take that a worker keeps where the filter allows it, in bytes.
    #[default(4 << 20)]
    #[serde(with = "Parsed::<DataSize>")]
    pub(crate) verdict_cache: usize,
    /// The shared state, keys and values together, in bytes.
    #[default(limits::STATE_BYTES)]
    #[serde(with = "Parsed::<DataSize>")]
    pub(crate) state: usize,
}
