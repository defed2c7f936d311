//! One filter: a compiled component, its settings, and what it answers. `chain` asks it; `plugins`
//! loads it. This module and its parts are the only users of wasmtime, and know nothing of sockets.

mod allowance;
mod bindings;
mod budget;
mod cache;
mod capability;
pub(crate) mod clock;
mod compile;
mod compiler;
mod confine;
mod describe;
mod engine;
pub(crate) mod fields;
mod grants;
mod hook;
mod host;
pub(crate) mod inspect;
mod instance;
mod limits;
mod load;
mod log_budget;
mod manifest;
pub(crate) mod metrics;
pub(crate) mod packages;
pub(crate) mod random;
pub(crate) mod state;
mod suspicion;
#[cfg(test)]
mod tests;
mod ticker;
mod trap;
mod wear;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use http::HeaderMap;
use portcullis_contract::{Facts, VerdictKind};
use wasmtime::component::InstancePre;

use self::trap::Trap;
pub(crate) use cache::Hash;
#[cfg(feature = "cli")]
pub(crate) use capability::granting;
pub(crate) use capability::{Import, interface};
pub use compile::run_compiler_child;
pub(crate) use compile::{encode, is_compiler_child};
#[cfg(feature = "cli")]
pub(crate) use compiler::CompilerError;
pub(crate) use compiler::{CachedFailure, NotCompiled};
pub(crate) use describe::Description;
pub(crate) use engine::Engine;
pub(crate) use hook::{Ending, Hook, HookCall, Hooks, Uses};
pub(crate) use inspect::CompileError;
pub(crate) use instance::Instance;
pub(crate) use load::{API, LoadError, LoadRequest, Loader};
pub(crate) use manifest::{Manifest, append};
pub(crate) use wear::Wear;

use self::log_budget::LogBudget;
#[cfg(feature = "cli")]
use crate::config::FeedGrant;
use crate::config::{FilterSettings, Grants};
#[cfg(feature = "cli")]
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::metrics::Metrics;
use crate::filter::random::Random;
use crate::filter::state::Stores;
#[cfg(feature = "cli")]
use crate::filter::state::{StateError, Store};
use crate::verdict::{Additions, InvalidVerdict, Match, Notes, Verdict};

/// A loaded filter. Immutable and shared by all workers, each of which makes its own instances.
#[derive(Clone)]
pub(crate) struct Filter {
    pub(crate) name: Arc<str>,
    pub(crate) settings: FilterSettings,
    pub(crate) manifest: Manifest,
    pub(crate) hooks: Hooks,
    /// The interfaces of the contract that it wants something of, without the package.
    pub(crate) imports: Vec<String>,
    /// The version of the contract that it was built for.
    pub(crate) contract: String,
    /// None if its machine code was on disk.
    pub(crate) compile_time: Option<Duration>,
    engine: Engine,
    component: InstancePre<host::State>,
    /// What all instances reach through the proxy.
    host: host::Host,
}

impl Filter {
    /// The same filter, isolated from the proxy: it goes by `clock`, starts with an empty state and
    /// empty metrics, its random numbers are the same every time, and its log lines are not
    /// limited.
    pub(crate) fn isolated(&self, clock: &Clock) -> Arc<Self> {
        let state = Stores::new(clock.clone()).open(&self.name, self.settings.limits.state);
        let host = host::Host {
            state,
            metrics: Metrics::default(),
            log: Arc::new(LogBudget::new(usize::MAX)),
            clock: clock.clone(),
            random: Random::seeded(0),
            ..self.host.clone()
        };
        Arc::new(Self {
            host,
            ..self.clone()
        })
    }

    /// The same filter with another configuration.
    #[cfg(feature = "cli")]
    pub(crate) fn with_config(&self, config: &str) -> Self {
        let mut other = self.clone();
        other.settings.config = config.to_owned();
        other
    }

    /// The same filter whose state takes no entry, and says this.
    #[cfg(feature = "cli")]
    pub(crate) fn with_failing_state(&self, error: StateError) -> Self {
        let mut other = self.clone();
        other.host.state = Store::failing(error);
        other
    }

    /// The same filter with other feeds, into which it may look as `grant` says.
    #[cfg(feature = "cli")]
    pub(crate) fn with_feeds(&self, feeds: Arc<Feeds>, grant: FeedGrant) -> Self {
        let mut other = self.clone();
        other.host.feeds = feeds;
        other.host.grants.feeds = grant;
        other
    }

    /// The same filter, which can change no header field.
    #[cfg(feature = "cli")]
    pub(crate) fn with_refused_fields(&self) -> Self {
        let mut other = self.clone();
        other.host.refuses_fields = true;
        other
    }

    /// The same filter, which can have no further metric.
    #[cfg(feature = "cli")]
    pub(crate) fn with_full_metrics(&self) -> Self {
        let mut other = self.clone();
        other.host.metrics = Metrics::full();
        other
    }

    /// Whether it can ask the proxy for what that interface of the contract offers.
    pub(crate) fn uses(&self, interface: &str) -> bool {
        self.imports.iter().any(|imported| imported == interface)
    }

    /// Whether it has asked who the client is where the proxy could not say.
    pub(crate) fn asked_for_missing_client(&self) -> bool {
        self.host.asked_for_missing_client.load(Ordering::Relaxed)
    }

    /// The kinds of verdicts that it has tried to give and may not.
    pub(crate) fn withheld(&self) -> impl Iterator<Item = VerdictKind> {
        self.host.withheld.kinds()
    }

    /// The lines below `[grants]` that say what it may have; none if its settings do not say it.
    pub(crate) fn grants(&self) -> Vec<String> {
        let grants = self.settings.grants.as_ref();
        grants.map(Grants::lines).unwrap_or_default()
    }

    /// The lines by which it might also give the verdicts that are `withheld` from it; none if
    /// there are no such verdicts.
    pub(crate) fn missing_grants(&self, withheld: &[VerdictKind]) -> Vec<String> {
        if withheld.is_empty() {
            return Vec::new();
        }
        let host = &self.host;
        host.grants.lines_with(withheld, host.is_builtin)
    }

    /// The feeds that it may look into.
    pub(crate) fn feeds(&self) -> Vec<String> {
        self.host.feed_names(&self.host.feeds.now())
    }

    /// What it remembers under a key.
    pub(crate) fn state_value(&self, key: &str) -> Option<Vec<u8>> {
        self.host.state.get(key).ok().flatten()
    }

    /// Changes whenever a list does, or the set of feeds.
    pub(crate) fn feeds_generation(&self) -> u64 {
        self.host.feeds.generation()
    }

    /// What it has counted, by name.
    pub(crate) fn metrics(&self) -> BTreeMap<Box<str>, f64> {
        self.host.metrics.read()
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
pub(crate) struct FilterAnswer {
    pub(crate) verdict: Verdict,
    /// The rule that the filter names, or the last feed entry that it found while it judged.
    pub(crate) matched: Option<Box<Match>>,
    /// What it adds to an answer of its own.
    pub(crate) additions: Additions,
    /// The header fields as the filter left them, if it changed any and the message goes on.
    pub(crate) headers: Option<Box<HeaderMap>>,
    /// What it has noted about the exchange in this call.
    pub(crate) notes: Option<Notes>,
    /// Whether the verdict may be used again.
    pub(crate) cache: Option<CachePolicy>,
}

impl FilterAnswer {
    /// `next`, and nothing besides.
    pub(crate) const NONE: Self = Self {
        verdict: Verdict::Next,
        matched: None,
        additions: Additions::NONE,
        headers: None,
        notes: None,
        cache: None,
    };
}

/// An answer on its way to the chain. Nearly all are the first, which takes no box: a large value
/// is copied by each function that it goes through.
#[derive(Debug)]
pub(crate) enum Answered {
    /// `next`, and nothing besides.
    Next,
    Said(Box<FilterAnswer>),
}

impl From<Answered> for FilterAnswer {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Next => Self::NONE,
            Answered::Said(answer) => *answer,
        }
    }
}

/// The answer of one call.
#[derive(Debug)]
pub(crate) struct CallAnswer {
    pub(crate) answered: Answered,
    /// When the call ended, where there was one: reading a clock is a part of what a call costs.
    pub(crate) ended: Option<Instant>,
}

impl CallAnswer {
    /// The answer where the filter has no such hook.
    pub(crate) const NONE: Self = Self {
        answered: Answered::Next,
        ended: None,
    };
}

/// How a verdict may be used again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachePolicy {
    pub(crate) time: Duration,
    /// The facts that the filter has asked for.
    pub(crate) asked: Facts,
    /// [`Filter::feeds_generation`] before the filter was asked.
    pub(crate) feeds: u64,
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
    /// It did not come back.
    #[error("the filter trapped; {0}")]
    Trap(Trap),
    /// More computing time than it has.
    #[error("the filter used more than its {0:?} of computing time ([limits] {1})")]
    Cpu(Duration, &'static str),
    /// More time than it has.
    #[error("the filter took longer than its {0:?} ([limits] {1})")]
    Wall(Duration, &'static str),
    /// It did not get to compute in the time that it has.
    #[error(
        "the filter had no chance to answer within its {0:?}, as the worker was busy with other calls and requests ([limits] {1})"
    )]
    Starved(Duration, &'static str),
    /// It came back too late, and what took the time was not measured.
    #[error(
        "the filter answered after more than its {0:?}; its next calls are measured, which tells whether it computed \
         ([limits] {1})"
    )]
    Late(Duration, &'static str),
    /// Other calls of this filter, which take long, were before this one.
    #[error(
        "no place was free for {0:?}, as the filter's other calls take that long ([limits] concurrency, wall)"
    )]
    Busy(Duration),
    /// A memory that could not grow, which most filters do not survive.
    #[error("the filter needs more than its {} of memory ([limits] memory)", ByteSize(*.0 as u64))]
    Memory(usize),
    /// A table that could not grow.
    #[error("the filter needs more than its {0} table elements ([limits] table)")]
    Table(usize),
    /// Endless recursion, most of the time.
    #[error(
        "the filter's calls go deeper than the stack of {} ([plugins] stack)",
        ByteSize(*.0 as u64)
    )]
    Stack(usize),
    /// An answer, or the argument of a call to the proxy.
    #[error("the filter hands over more than {} at once ([limits] transfer)", ByteSize(*.0 as u64))]
    Transfer(usize),
    /// An instance has to be replaced although it has hardly been used.
    #[error(
        "the filter has {} of memory after {calls} calls, so that instances would have to be started \
         again and again; it must give memory back, or needs more ([limits] memory)",
        ByteSize(*memory as u64)
    )]
    WornOut {
        /// What one instance has answered.
        calls: usize,
        /// In bytes.
        memory: usize,
    },
    /// Instances end too often, or take too long to start.
    #[error(
        "starting the filter's instances takes more than 1/{0} of the time; they must last longer or start faster"
    )]
    Starts(u32),
    /// One client ends instances too often.
    #[error(
        "requests of this client, which make the filter fail or are left while it runs, cost more than 1/{0} of the time for starting instances anew"
    )]
    StartsOfClient(u32),
    /// A new instance could not be made.
    #[error("the filter does not start; {0}")]
    Start(Trap),
    /// `init` refused the configuration.
    #[error("the filter refuses its configuration: {0}")]
    Init(String),
    /// The proxy's own code failed while it served this call.
    #[error("the proxy failed while it served the filter; please report it: {0}")]
    Proxy(String),
}

impl Failure {
    /// Whether the filter is not to blame: other calls took the time that this one needed, or may
    /// have, or the system had no memory for an instance. The same call may go well a moment later.
    pub(crate) fn is_overload(&self) -> bool {
        match self {
            Self::Busy(_)
            | Self::Starved(..)
            | Self::Late(..)
            | Self::Starts(_)
            | Self::StartsOfClient(_) => true,
            Self::Start(trap) => trap.is_of_system(),
            Self::Reported(_)
            | Self::Invalid(_)
            | Self::Trap(_)
            | Self::Cpu(..)
            | Self::Wall(..)
            | Self::Memory(_)
            | Self::Table(_)
            | Self::Stack(_)
            | Self::Transfer(_)
            | Self::WornOut { .. }
            | Self::Init(_)
            | Self::Proxy(_) => false,
        }
    }
}
