//! What a filter can reach: the capabilities of the contract, answered by the proxy. Host calls are
//! short and never wait.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use portcullis_contract::Scope;
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
use crate::config::{FilterSettings, Grants};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::metrics::{Dropped, Metrics};
use crate::filter::state::Store;
use crate::flow::Flow;
use crate::verdict::Match;

/// Longest log line of a filter, in bytes. The rest is cut.
const LOG_LINE_BYTES: usize = 4096;

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
}

impl State {
    pub(super) fn new(host: Host, engine: Engine, settings: &FilterSettings) -> Self {
        Self {
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
    fn write(&mut self, level: log::Level, message: String) {
        match level {
            log::Level::Trace => write_line!(TRACE, self, message),
            log::Level::Debug => write_line!(DEBUG, self, message),
            log::Level::Info => write_line!(INFO, self, message),
            log::Level::Warn => write_line!(WARN, self, message),
            log::Level::Error => {
                write_line!(ERROR, self, message);
                self.last_error_log = Some(printable(&message));
            }
        }
    }
}

impl State {
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
    fn names(&mut self) -> Vec<String> {
        self.host.feed_names()
    }

    fn lookup(&mut self, feed: String, host: String) -> Result<Option<String>, String> {
        if !self.host.grants.feeds.contains(&feed) {
            return Err(format!(
                "the feed {feed} is not granted; add it to [grants] feeds in {}.toml",
                self.host.name
            ));
        }
        let rule = self
            .host
            .feeds
            .lookup(&feed, &host)
            .map_err(|unknown| unknown.to_string())?;
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
    fn get(&mut self, key: String) -> Option<Vec<u8>> {
        self.host.state.get(&key)
    }

    fn set(&mut self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Result<(), String> {
        let ttl = ttl.map(Duration::from_millis);
        let stored = self.host.state.set(&key, &value, ttl);
        stored.map_err(|error| error.to_string())
    }

    fn increment(&mut self, key: String, by: i64, ttl: Option<u64>) -> Result<i64, String> {
        let ttl = ttl.map(Duration::from_millis);
        let sum = self.host.state.increment(&key, by, ttl);
        sum.map_err(|error| error.to_string())
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
        ttl: Option<u64>,
    ) -> Result<bool, String> {
        let ttl = ttl.map(Duration::from_millis);
        let (expected, new) = (expected.as_deref(), new.as_deref());
        let swapped = self.host.state.compare_and_set(&key, expected, new, ttl);
        swapped.map_err(|error| error.to_string())
    }
}

impl metrics::Host for State {
    fn count(&mut self, name: String, by: u64) {
        let counted = self.host.metrics.count(&name, by);
        self.report(&name, counted);
    }

    fn gauge(&mut self, name: String, value: f64) {
        let set = self.host.metrics.gauge(&name, value);
        self.report(&name, set);
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
    fn now(&mut self) -> u64 {
        u64::try_from(self.host.clock.now().as_millisecond()).unwrap_or(0)
    }

    fn local(&mut self, zone: Option<String>) -> Result<clock::LocalTime, String> {
        let zone = match zone {
            None => self.host.clock.zone(),
            Some(name) => TimeZone::get(&name).map_err(|_| {
                format!("there is no time zone {name:?} on the proxy's machine; names are like Europe/Berlin")
            })?,
        };
        let now = zone.to_datetime(self.host.clock.now());
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
}

impl domains::Host for State {
    fn registrable(&mut self, host: String) -> Option<String> {
        // Canonical addresses end in a number, or have a colon; names do neither.
        let is_ip = host.parse::<IpAddr>().is_ok();
        let domain = if is_ip { None } else { psl::domain_str(&host) };
        domain.map(String::from)
    }
}

impl client::Host for State {
    fn address(&mut self) -> Option<String> {
        if self.client.is_some() {
            self.asked_for_client = true;
        } else {
            self.host
                .asked_for_missing_client
                .store(true, Ordering::Relaxed);
        }
        self.client.map(|address| address.to_string())
    }

    fn user(&mut self) -> Option<String> {
        self.asked_for_client |= self.client.is_some();
        self.user.as_deref().map(str::to_owned)
    }
}

impl verdict_cache::Host for State {
    fn keep(&mut self, scope: verdict_cache::Scope, ttl: u64) {
        self.cache = Some(CachePolicy {
            scope: match scope {
                verdict_cache::Scope::Host => Scope::Host,
                verdict_cache::Scope::ClientAndHost => Scope::ClientAndHost,
            },
            time: Duration::from_millis(ttl),
            feeds: self.feeds_generation,
        });
    }
}

/// Both interfaces have the same functions, on different fields.
macro_rules! headers {
    ($interface:ident, $side:expr) => {
        impl $interface::Host for State {
            fn get(&mut self, name: String) -> Vec<Vec<u8>> {
                self.fields.values($side, &name)
            }

            fn names(&mut self) -> Vec<String> {
                self.fields.names($side)
            }

            fn set(&mut self, name: String, value: Vec<u8>) -> Result<(), String> {
                let set = self.fields.set($side, &name, &value);
                set.map_err(|error: EditError| error.to_string())
            }

            fn append(&mut self, name: String, value: Vec<u8>) -> Result<(), String> {
                let appended = self.fields.append($side, &name, &value);
                appended.map_err(|error| error.to_string())
            }

            fn remove(&mut self, name: String) -> Result<(), String> {
                let removed = self.fields.remove($side, &name);
                removed.map_err(|error| error.to_string())
            }
        }
    };
}

headers!(request_headers, Side::Request);
headers!(response_headers, Side::Response);

/// How many lines a filter may write in a second: it must not be able to fill a disk, or to hide
/// what others have to say.
#[derive(Debug)]
pub(super) struct LogBudget {
    lines: usize,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    since: Option<Instant>,
    lines: usize,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Write,
    /// In its place it is said that lines are being dropped.
    Last,
    Drop,
}

impl LogBudget {
    pub(super) fn new(lines: usize) -> Self {
        Self {
            lines,
            written: Mutex::default(),
        }
    }

    fn take(&self, now: Instant) -> Line {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |since| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if written.since.is_none_or(is_over) {
            *written = Written {
                since: Some(now),
                lines: 0,
            };
        }
        written.lines = written.lines.saturating_add(1);
        if written.lines <= self.lines {
            Line::Write
        } else if written.lines == self.lines.saturating_add(1) {
            Line::Last
        } else {
            Line::Drop
        }
    }
}

/// One line, without control characters: a filter must not be able to forge log lines.
fn printable(message: &str) -> String {
    let mut line = String::with_capacity(message.len().min(LOG_LINE_BYTES));
    for c in message.chars() {
        if line.len() >= LOG_LINE_BYTES {
            line.push('…');
            break;
        }
        if c.is_control() {
            line.extend(c.escape_default())
        } else {
            line.push(c)
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_budget_are_dropped_until_the_next_second() {
        let budget = LogBudget::new(2);
        let now = Instant::now();
        let taken = [0; 5].map(|_| budget.take(now));
        assert_eq!(
            taken,
            [Line::Write, Line::Write, Line::Last, Line::Drop, Line::Drop]
        );
        assert_eq!(budget.take(now + Duration::from_millis(999)), Line::Drop);
        assert_eq!(budget.take(now + Duration::from_secs(1)), Line::Write);
    }

    #[test]
    fn a_log_message_stays_one_line() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert!(printable(&"x".repeat(100_000)).len() < LOG_LINE_BYTES + 8);
    }
}
