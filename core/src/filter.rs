//! One filter: a compiled component, its settings, and what it answers. `chain` asks it; `plugins` loads it. This module and
//! its parts are the only users of wasmtime, and know nothing of sockets.

mod bindings;
mod engine;
mod host;
mod instance;
mod load;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::InstancePre;

pub(crate) use engine::Engine;
pub(crate) use instance::Instance;
pub(crate) use load::{LoadError, Loader};

use crate::config::OnError;
use crate::feeds::Feeds;
use crate::verdict::{InvalidVerdict, Match, Verdict};

/// What one instance may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Computing time of one call, in whole milliseconds.
    pub(crate) cpu: Duration,
    /// Time from the start of one call to its end.
    pub(crate) wall: Duration,
    /// Linear memory, in bytes.
    pub(crate) memory: usize,
}

/// How the operator wants a filter to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) on_error: OnError,
    pub(crate) limits: Limits,
    /// A JSON object for the filter's `init`.
    pub(crate) config: String,
}

/// A loaded filter. Immutable and shared by all workers, each of which makes its own instances.
pub(crate) struct Filter {
    pub(crate) name: Arc<str>,
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks,
    engine: Engine,
    component: InstancePre<host::State>,
    feeds: Arc<Feeds>,
}

/// The hooks that a filter exports.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// Whether `judge_request` may ask for the request's fields.
    reads_headers: bool,
    lifecycle: Option<bindings::exports::portcullis::filter::lifecycle::GuestIndices>,
    judge_host: Option<bindings::exports::portcullis::filter::judge_host::GuestIndices>,
    judge_request: Option<bindings::exports::portcullis::filter::judge_request::GuestIndices>,
}

impl Hooks {
    /// Whether the filter judges hosts.
    pub(crate) fn judges_hosts(&self) -> bool {
        self.judge_host.is_some()
    }

    /// Whether the filter judges visible requests.
    pub(crate) fn judges_requests(&self) -> bool {
        self.judge_request.is_some()
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The valid answer of one filter.
#[derive(Debug)]
pub(crate) struct Opinion {
    pub(crate) verdict: Verdict,
    /// The last feed entry that the filter found while it judged.
    pub(crate) matched: Option<Match>,
}

/// Why a filter gave no valid answer. The instance is not used again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The hook answered with an error of its own.
    #[error("the filter reports: {0}")]
    Reported(String),
    /// The filter answered with something that cannot be carried out.
    #[error("the filter's verdict cannot be carried out")]
    Invalid(#[from] InvalidVerdict),
    /// A trap: a panic, an exhausted stack, memory out of bounds.
    #[error("the filter trapped")]
    Trap(#[source] wasmtime::Error),
    /// More computing time than `[limits] cpu`.
    #[error("the filter used more than its {0:?} of computing time")]
    Cpu(Duration),
    /// More time than `[limits] wall`.
    #[error("the filter took longer than {0:?}")]
    Wall(Duration),
    /// A new instance could not be made.
    #[error("the filter does not start")]
    Start(#[source] wasmtime::Error),
    /// `init` refused the configuration.
    #[error("the filter refuses its configuration: {0}")]
    Init(String),
}
