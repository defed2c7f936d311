//! What a filter can reach: the capabilities of the contract, answered by the proxy. Host calls are
//! short and never wait. An argument that is longer than what it can name is not looked at, and a
//! guest whose time is up is ended when it calls.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use portcullis_contract::Scope;
use portcullis_contract::limits::{FEED_NAME_BYTES, HOST_BYTES, ZONE_BYTES};
use tracing::Level;

use super::CachePolicy;
use super::bindings::portcullis::filter::{
    client, clock, domains, feeds, log, metrics, request_headers, response_headers, state, types,
    verdict_cache,
};
use super::budget::CpuBudget;
use super::engine::Engine;
use super::fields::{EditError, Fields, Side};
use super::limits::ResourceLimits;
use super::log_budget::{Line, LogBudget, printable};
use super::suspicion::Suspicion;
use crate::config::{FilterSettings, Grants};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::metrics::{Dropped, Metrics};
use crate::filter::state::Store;
use crate::flow::Flow;
use crate::verdict::Match;

/// What one filter reaches through the proxy, whichever instance asks.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) name: Arc<str>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) grants: Grants,
    pub(super) state: Store,
    pub(super) metrics: Metrics,
    pub(super) log: Arc<LogBudget>,
    pub(super) clock: Clock,
    /// Set when the filter asked for the client during a call without one.
    pub(super) asked_for_missing_client: Arc<AtomicBool>,
    pub(super) suspicion: Suspicion,
}

impl Host {
    /// The feeds that the filter may look into.
    pub(super) fn feed_names(&self) -> Vec<String> {
        let names = self.feeds.names();
        let granted = names.filter(|name| self.grants.feeds.contains(name));
        granted.map(ToString::to_string).collect()
    }
}

/// What the proxy knows about one instance while it runs.
pub(super) struct State {
    host: Host,
    pub(super) engine: Engine,
    pub(super) limits: ResourceLimits,
    /// Computing time that the running call has left.
    pub(super) cpu: CpuBudget,
    /// The fields of what is being judged.
    pub(super) fields: Fields,
    /// The exchange that is judged; none while the filter works in the background.
    exchange: Option<u64>,
    /// The address of the client whose request it is.
    client: Option<IpAddr>,
    /// The user that the client has logged in as.
    user: Option<Arc<str>>,
    /// Whether the running call has learned who the client is.
    asked_for_client: bool,
    /// The last feed entry found by the running call.
    pub(super) matched: Option<Match>,
    /// The last error that the running call has logged.
    pub(super) last_error_log: Option<String>,
    /// How the verdict of the running call may be used again.
    cache: Option<CachePolicy>,
    /// [`Feeds::generation`] when it began.
    feeds_generation: u64,
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
            exchange: None,
            client: None,
            user: None,
            asked_for_client: false,
            matched: None,
            last_error_log: None,
            cache: None,
            feeds_generation: 0,
        }
    }

    /// Begins a call that may change the header fields of that side.
    pub(super) fn begin(&mut self, flow: Option<&Flow<'_>>, editable: Option<Side>) {
        self.exchange = flow.map(|flow| flow.exchange);
        self.client = flow.and_then(|flow| flow.client.address);
        self.user = flow.and_then(|flow| flow.client.user.clone());
        self.asked_for_client = false;
        self.matched = None;
        self.cache = None;
        self.feeds_generation = self.host.feeds.generation();
        self.fields.begin(editable);
    }
}

impl types::Host for State {}

/// An answer to a guest, or the trap that ends it.
type Served<T> = wasmtime::Result<T>;

/// Writes a line at a level that is only known at run time, unless that level is switched off.
macro_rules! write_line {
    ($level:ident, $state:ident, $message:ident) => {
        if tracing::enabled!(target: "filter", Level::$level) && $state.may_write() {
            let (filter, line) = (&*$state.host.name, printable(&$message));
            let exchange = $state.exchange;
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

impl State {
    /// Answers a guest, unless its time is up.
    fn serve<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Served<T> {
        if self.cpu.at_host_call(self.engine.ticker()) {
            Ok(answer(self))
        } else {
            Err(wasmtime::Trap::Interrupt.into())
        }
    }

    fn edit(
        &mut self,
        edit: impl FnOnce(&mut Fields) -> Result<(), EditError>,
    ) -> Served<Result<(), String>> {
        self.serve(|state| edit(&mut state.fields).map_err(|error| error.to_string()))
    }

    /// How the verdict of the call may be used again. One that was reached after asking for the
    /// client is not for others, whatever the filter says.
    pub(super) fn take_cache_policy(&mut self) -> Option<CachePolicy> {
        let is_for_others = |policy: &CachePolicy| policy.scope == Scope::Host;
        let policy = self.cache.take()?;
        (!(self.asked_for_client && is_for_others(&policy))).then_some(policy)
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

impl feeds::Host for State {
    fn names(&mut self) -> Served<Vec<String>> {
        self.serve(|state| state.host.feed_names())
    }

    fn lookup(&mut self, feed: String, host: String) -> Served<Result<Option<String>, String>> {
        self.serve(|state| state.lookup(feed, &host))
    }
}

impl State {
    fn lookup(&mut self, feed: String, host: &str) -> Result<Option<String>, String> {
        if feed.len() > FEED_NAME_BYTES {
            return Err(format!("no feed has a name of {} bytes", feed.len()));
        }
        if !self.host.grants.feeds.contains(&feed) {
            return Err(format!(
                "the feed {feed} is not granted; add it to [grants] feeds in {}.toml",
                self.host.name
            ));
        }
        if host.len() > HOST_BYTES {
            return Ok(None);
        }
        let rule = self.host.feeds.lookup(&feed, host);
        let rule = rule.map_err(|unknown| unknown.to_string())?;
        if let Some(rule) = &rule {
            self.matched = Some(Match {
                feed: feed.into(),
                rule: rule.clone(),
            });
        }
        Ok(rule.map(Into::into))
    }
}

impl state::Host for State {
    fn get(&mut self, key: String) -> Served<Option<Vec<u8>>> {
        self.serve(|state| state.host.state.get(&key))
    }

    fn set(&mut self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Served<Result<(), String>> {
        self.serve(|state| {
            let stored = state.host.state.set(&key, &value, time(ttl));
            stored.map_err(|error| error.to_string())
        })
    }

    fn increment(&mut self, key: String, by: i64, ttl: Option<u64>) -> Served<Result<i64, String>> {
        self.serve(|state| {
            let sum = state.host.state.increment(&key, by, time(ttl));
            sum.map_err(|error| error.to_string())
        })
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
        ttl: Option<u64>,
    ) -> Served<Result<bool, String>> {
        let (expected, new) = (expected.as_deref(), new.as_deref());
        self.serve(|state| {
            let store = &state.host.state;
            let swapped = store.compare_and_set(&key, expected, new, time(ttl));
            swapped.map_err(|error| error.to_string())
        })
    }
}

fn time(milliseconds: Option<u64>) -> Option<Duration> {
    milliseconds.map(Duration::from_millis)
}

impl metrics::Host for State {
    fn count(&mut self, name: String, by: u64) -> Served<()> {
        self.serve(|state| {
            let counted = state.host.metrics.count(&name, by);
            state.report(&name, counted);
        })
    }

    fn gauge(&mut self, name: String, value: f64) -> Served<()> {
        self.serve(|state| {
            let set = state.host.metrics.gauge(&name, value);
            state.report(&name, set);
        })
    }
}

impl State {
    fn report(&self, metric: &str, kept: Result<(), Dropped>) {
        if let Err(dropped) = kept {
            tracing::warn!(
                filter = &*self.host.name,
                metric = printable(metric),
                error = %dropped,
                "a metric of the filter is not kept; further ones are not reported"
            );
        }
    }
}

impl clock::Host for State {
    fn now(&mut self) -> Served<u64> {
        self.serve(|state| u64::try_from(state.host.clock.now().as_millisecond()).unwrap_or(0))
    }

    fn local(&mut self, zone: Option<String>) -> Served<Result<clock::LocalTime, String>> {
        self.serve(|state| local_time(&state.host.clock, zone.as_deref()))
    }
}

fn local_time(clock: &Clock, zone: Option<&str>) -> Result<clock::LocalTime, String> {
    let zone = match zone {
        None => clock.zone(),
        Some(name) if name.len() > ZONE_BYTES => {
            return Err(format!("no time zone has a name of {} bytes", name.len()));
        }
        Some(name) => TimeZone::get(name).map_err(|_| {
            format!(
                "there is no time zone {name:?} on the proxy's machine; names are like Europe/Berlin"
            )
        })?,
    };
    let now = zone.to_datetime(clock.now());
    // Positive by definition.
    let unsigned = |number: i8| number.unsigned_abs();
    Ok(clock::LocalTime {
        year: now.year(),
        month: unsigned(now.month()),
        day: unsigned(now.day()),
        weekday: unsigned(now.weekday().to_monday_one_offset()),
        hour: unsigned(now.hour()),
        minute: unsigned(now.minute()),
        second: unsigned(now.second()),
    })
}

impl domains::Host for State {
    fn registrable(&mut self, host: String) -> Served<Option<String>> {
        self.serve(|_| {
            // Canonical addresses end in a number, or have a colon; names do neither.
            let is_name = host.len() <= HOST_BYTES && host.parse::<IpAddr>().is_err();
            let domain = is_name.then(|| psl::domain_str(&host)).flatten();
            domain.map(String::from)
        })
    }
}

impl client::Host for State {
    fn address(&mut self) -> Served<Option<String>> {
        self.serve(|state| {
            if state.client.is_some() {
                state.asked_for_client = true;
            } else {
                let asked = &state.host.asked_for_missing_client;
                asked.store(true, Ordering::Relaxed);
            }
            state.client.map(|address| address.to_string())
        })
    }

    fn user(&mut self) -> Served<Option<String>> {
        self.serve(|state| {
            state.asked_for_client |= state.client.is_some();
            state.user.as_deref().map(str::to_owned)
        })
    }
}

impl verdict_cache::Host for State {
    fn keep(&mut self, scope: verdict_cache::Scope, ttl: u64) -> Served<()> {
        self.serve(|state| {
            state.cache = Some(CachePolicy {
                scope: match scope {
                    verdict_cache::Scope::Host => Scope::Host,
                    verdict_cache::Scope::ClientAndHost => Scope::ClientAndHost,
                },
                time: Duration::from_millis(ttl),
                feeds: state.feeds_generation,
            });
        })
    }
}

/// Both interfaces have the same functions, on different fields.
macro_rules! headers {
    ($interface:ident, $side:expr) => {
        impl $interface::Host for State {
            fn get(&mut self, name: String) -> Served<Vec<Vec<u8>>> {
                self.serve(|state| state.fields.values($side, &name))
            }

            fn names(&mut self) -> Served<Vec<String>> {
                self.serve(|state| state.fields.names($side))
            }

            fn set(&mut self, name: String, value: Vec<u8>) -> Served<Result<(), String>> {
                self.edit(|fields| fields.set($side, &name, &value))
            }

            fn append(&mut self, name: String, value: Vec<u8>) -> Served<Result<(), String>> {
                self.edit(|fields| fields.append($side, &name, &value))
            }

            fn remove(&mut self, name: String) -> Served<Result<(), String>> {
                self.edit(|fields| fields.remove($side, &name))
            }
        }
    };
}

headers!(request_headers, Side::Request);
headers!(response_headers, Side::Response);
