//! What a filter can reach: the interfaces of the contract, answered by the proxy. Host calls are
//! short and never wait. An argument that is longer than what it can name is not looked at, and a
//! guest whose time is up is ended when it calls.

mod answer;
mod facts;
mod headers;
mod services;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::Level;

use self::answer::{Said, Unnoted};
use self::facts::KnownFacts;
use super::HookCall;
use super::bindings::portcullis::filter::{log, types};
use super::budget::CpuBudget;
use super::engine::Engine;
use super::fields::{Fields, Side};
use super::grants::Withheld;
use super::hook::Uses;
use super::limits::ResourceLimits;
use super::log_budget::{Line, LogBudget, printable};
use super::random::Random;
use super::suspicion::Suspicion;
use crate::config::{FilterSettings, Grants};
use crate::feeds::{Feeds, Lists, Now};
use crate::filter::clock::Clock;
use crate::filter::metrics::{Dropped, Metrics};
use crate::filter::state::Store;
use crate::verdict::Notes;

/// What one filter reaches through the proxy, whichever instance asks.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) name: Arc<str>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) grants: Grants,
    /// Whether the filter came with the proxy, which decides about what is not in `grants`.
    pub(super) is_builtin: bool,
    pub(super) uses: Uses,
    pub(super) state: Store,
    pub(super) metrics: Metrics,
    pub(super) log: Arc<LogBudget>,
    pub(super) clock: Clock,
    pub(super) random: Random,
    /// Set when the filter asked for the client during a call without one.
    pub(super) asked_for_missing_client: Arc<AtomicBool>,
    pub(super) withheld: Withheld,
    /// The reasons for which the filter did not get what it wanted.
    pub(super) refused: Arc<Mutex<Vec<Refused>>>,
    pub(super) suspicion: Suspicion,
    /// Whether every change of a header field is refused, as those of the proxy's are.
    pub(super) refuses_fields: bool,
}

impl Host {
    /// The feeds that the filter may look into.
    fn granted_feeds<'l>(&self, lists: &'l Lists) -> impl Iterator<Item = &'l str> {
        let names = lists.names().map(|name| &**name);
        names.filter(move |name| self.may_look_into(lists, name))
    }

    fn may_look_into(&self, lists: &Lists, feed: &str) -> bool {
        self.grants.feeds.contains(feed, || lists.kind_of(feed))
    }

    /// Their names.
    pub(super) fn feed_names(&self, lists: &Lists) -> Vec<String> {
        self.granted_feeds(lists).map(str::to_owned).collect()
    }
}

/// What a filter wanted and does not get, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Metric(Dropped),
    Note(Unnoted),
    Value,
    Key,
    Feed,
}

/// What the proxy knows about one instance while it runs.
pub(super) struct State {
    pub(super) host: Host,
    pub(super) engine: Engine,
    pub(super) limits: ResourceLimits,
    /// Computing time that the running call has left.
    pub(super) cpu: CpuBudget,
    /// The fields of what is being judged.
    pub(super) fields: Fields,
    /// Whether the running call is about an exchange.
    has_exchange: bool,
    /// The functions about an exchange that were called where there is none.
    astray: Vec<&'static str>,
    facts: KnownFacts,
    said: Said,
    /// The feeds as the running call sees them: from its first question on, they are the same.
    lists: Option<Now>,
    /// The edition of the feeds whose names the filter was told. It may keep what it makes of them.
    known_feeds: Option<u64>,
    /// The last error that the running call has logged.
    pub(super) last_error_log: Option<String>,
    pub(super) suspicion: Suspicion,
}

impl State {
    pub(super) fn new(host: Host, engine: Engine, settings: &FilterSettings) -> Self {
        Self {
            suspicion: host.suspicion.clone(),
            host,
            engine,
            limits: ResourceLimits::new(&settings.limits),
            cpu: CpuBudget::default(),
            fields: Fields::default(),
            has_exchange: false,
            astray: Vec::new(),
            facts: KnownFacts::default(),
            said: Said::default(),
            lists: None,
            known_feeds: None,
            last_error_log: None,
        }
    }

    /// Hands over what the hook may ask about; none is for a call that is about no exchange.
    pub(super) fn begin(&mut self, call: Option<HookCall<'_>>, notes: Option<&Notes>) {
        let uses = self.host.uses;
        self.has_exchange = call.is_some();
        let (editable, request, response) = match call {
            Some(HookCall::Request(_, request)) => (Some(Side::Request), Some(request), None),
            Some(HookCall::Response(_, request, response)) => {
                (Some(Side::Response), Some(request), Some(response))
            }
            Some(HookCall::Host(_) | HookCall::Ended(..)) | None => (None, None, None),
        };
        self.facts.begin(call, uses);
        let is_judge = !matches!(call, Some(HookCall::Ended(..)) | None);
        let feeds = match &self.lists {
            Some(lists) => lists.generation(),
            None => self.host.feeds.generation(),
        };
        self.said.begin(is_judge, notes, feeds);
        self.fields.begin(editable);
        if let Some(request) = request.filter(|_| uses.request_headers) {
            self.fields.request.clone_from(request.headers);
        }
        if let Some(response) = response.filter(|_| uses.response_headers) {
            self.fields.response.clone_from(response.headers);
        }
    }
}

impl State {
    /// Has the next call see the feeds as they are now. Says whether the filter knows the names of
    /// all of them, as far as it was told any.
    pub(super) fn knows_feeds(&mut self) -> bool {
        let Some(known) = self.known_feeds else {
            return true;
        };
        let lists = self.host.feeds.now();
        let is_known = lists.edition() == known;
        self.lists = Some(lists);
        is_known
    }

    /// A call is over.
    pub(super) fn end(&mut self) {
        self.lists = None;
    }
}

/// The feeds as the call sees them that has looked at `lists`.
fn seen<'l>(lists: &'l mut Option<Now>, feeds: &Feeds) -> &'l Lists {
    lists.get_or_insert_with(|| feeds.now())
}

impl types::Host for State {}

/// An answer to a guest, or the trap that ends it.
type Served<T> = wasmtime::Result<T>;

impl State {
    /// Answers a guest, unless its time is up.
    fn serve<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Served<T> {
        if self.cpu.at_host_call(self.engine.ticker()) {
            Ok(answer(self))
        } else {
            Err(wasmtime::Trap::Interrupt.into())
        }
    }

    /// The same for the `function` of the contract, which is about the exchange of the running
    /// call.
    fn serve_exchange<T>(
        &mut self,
        function: &'static str,
        answer: impl FnOnce(&mut Self) -> T,
    ) -> Served<T> {
        self.serve(|state| {
            if !state.has_exchange && !state.astray.contains(&function) {
                state.astray.push(function);
            }
            answer(state)
        })
    }

    /// The functions about an exchange that were called where there is none.
    #[cfg(feature = "cli")]
    pub(super) fn astray(&self) -> &[&'static str] {
        &self.astray
    }

    /// Says what the filter does not get. For each reason only the first time: a filter that makes
    /// the mistake keeps making it.
    fn report_once(&self, what: Refused, error: impl FnOnce() -> String) {
        let refused = self.host.refused.lock();
        let mut refused = refused.unwrap_or_else(PoisonError::into_inner);
        if refused.contains(&what) {
            return;
        }
        refused.push(what);
        drop(refused);
        let what = match what {
            Refused::Metric(_) => "a metric of the filter is not kept",
            Refused::Note(_) => "a note of the filter is not kept",
            Refused::Value => "a value in the filter's state is not kept",
            Refused::Key => "the filter's state has no such key",
            Refused::Feed => "the filter looks into a feed that it may not see",
        };
        tracing::warn!(
            filter = &*self.host.name,
            error = error(),
            "{what}; further ones for this reason are not reported"
        );
    }

    fn may_write(&self) -> bool {
        let line = self.host.log.take(Instant::now());
        if line == Line::Last {
            tracing::warn!(
                filter = &*self.host.name,
                lines_per_second = self.host.log.lines,
                "the filter writes more lines than it may; the rest of this second is dropped ([limits] log)"
            );
        }
        line == Line::Write
    }
}

/// Writes a line at a level that is only known at run time, unless that level is switched off.
macro_rules! write_line {
    ($level:ident, $state:ident, $message:ident) => {
        if tracing::enabled!(target: "filter", Level::$level) && $state.may_write() {
            let (filter, line) = (&*$state.host.name, printable(&$message));
            let exchange = $state.facts.exchange;
            tracing::event!(target: "filter", Level::$level, filter, exchange, "{line}");
        }
    };
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> Served<()> {
        self.serve(|state| match level {
            log::Level::Trace => write_line!(TRACE, state, message),
            log::Level::Debug => write_line!(DEBUG, state, message),
            log::Level::Info => write_line!(INFO, state, message),
            log::Level::Warn => write_line!(WARN, state, message),
            log::Level::Error => {
                write_line!(ERROR, state, message);
                state.last_error_log = Some(printable(&message));
            }
        })
    }
}
