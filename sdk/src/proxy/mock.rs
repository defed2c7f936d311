//! What stands in for the proxy in a native test. Each thread has its own, so tests that run side
//! by side do not meet.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use portcullis_contract::limits::{
    KEY_BYTES, METRICS, STATE_BYTES, STATE_FULL, entry_bytes, is_metric_name,
};

use crate::local_time::LocalTime;
use portcullis_contract::{Level, host};

#[derive(Default)]
struct Mock {
    feeds: BTreeMap<String, BTreeSet<String>>,
    logs: Vec<(Level, String)>,
    state: BTreeMap<String, Value>,
    metrics: BTreeMap<String, f64>,
    /// Since 1970; only a test moves it.
    now: Duration,
    has_asked_for_client: bool,
}

struct Value {
    bytes: Vec<u8>,
    expires: Option<Duration>,
}

thread_local! {
    static MOCK: RefCell<Mock> = RefCell::default();
}

/// Begins anew.
pub(crate) fn reset() {
    MOCK.with_borrow_mut(|mock| *mock = Mock::default());
}

pub(crate) fn set_feed(name: &str, domains: BTreeSet<String>) {
    MOCK.with_borrow_mut(|mock| mock.feeds.insert(name.into(), domains));
}

pub(crate) fn take_logs() -> Vec<(Level, String)> {
    MOCK.with_borrow_mut(|mock| std::mem::take(&mut mock.logs))
}

pub(crate) fn advance(time: Duration) {
    MOCK.with_borrow_mut(|mock| {
        mock.now = mock.now.saturating_add(time);
        mock.expire();
    });
}

pub(crate) fn set_time(time: SystemTime) {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    MOCK.with_borrow_mut(|mock| {
        mock.now = since.unwrap_or_default();
        mock.expire();
    });
}

pub(crate) fn note_asked_for_client() {
    MOCK.with_borrow_mut(|mock| mock.has_asked_for_client = true);
}

/// Whether the filter has learned who the client is since this was asked last.
pub(crate) fn take_asked_for_client() -> bool {
    MOCK.with_borrow_mut(|mock| std::mem::take(&mut mock.has_asked_for_client))
}

pub(crate) fn metric(name: &str) -> Option<f64> {
    MOCK.with_borrow(|mock| mock.metrics.get(name).copied())
}

pub(crate) fn metrics() -> BTreeMap<String, f64> {
    MOCK.with_borrow(|mock| mock.metrics.clone())
}

pub(crate) fn count(name: &str, by: u64) {
    MOCK.with_borrow_mut(|mock| mock.change(name, |value| *value += by as f64));
}

pub(crate) fn gauge(name: &str, to: f64) {
    let to = if to.is_finite() { to } else { 0.0 };
    MOCK.with_borrow_mut(|mock| mock.change(name, |value| *value = to));
}

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + MOCK.with_borrow(|mock| mock.now)
}

/// A test should not depend on where it runs: the zone of the machine is UTC.
pub(crate) fn local(zone: Option<&str>) -> Result<LocalTime, String> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| {
            format!("there is no time zone {name:?} on this machine; names are like Europe/Berlin")
        })?,
    };
    let timestamp = Timestamp::try_from(now()).map_err(|error| error.to_string())?;
    let now = zone.to_datetime(timestamp);
    // Positive by definition.
    let unsigned = |number: i8| number.unsigned_abs();
    Ok(LocalTime {
        year: now.year(),
        month: unsigned(now.month()),
        day: unsigned(now.day()),
        weekday: unsigned(now.weekday().to_monday_one_offset()),
        hour: unsigned(now.hour()),
        minute: unsigned(now.minute()),
        second: unsigned(now.second()),
    })
}

pub(crate) fn registrable(host: &str) -> Option<String> {
    if host::is_ip(host) {
        return None;
    }
    psl::domain_str(host).map(String::from)
}

pub(crate) fn write_log(level: Level, message: &str) {
    MOCK.with_borrow_mut(|mock| mock.logs.push((level, message.into())));
}

pub(crate) fn feed_names() -> Vec<String> {
    MOCK.with_borrow(|mock| mock.feeds.keys().cloned().collect())
}

pub(crate) fn lookup(feed: &str, host: &str) -> Result<Option<String>, String> {
    MOCK.with_borrow(|mock| {
        let domains = mock
            .feeds
            .get(feed)
            .ok_or_else(|| format!("there is no feed named {feed}"))?;
        // Something that is not a host is not covered, as in the proxy.
        let Some(host) = host::canonical_ascii(host) else {
            return Ok(None);
        };
        let rule = host::ancestors(&host).find(|name| domains.contains(*name));
        Ok(rule.map(String::from))
    })
}

pub(crate) fn value(key: &str) -> Option<Vec<u8>> {
    MOCK.with_borrow(|mock| mock.state.get(key).map(|value| value.bytes.clone()))
}

pub(crate) fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), String> {
    MOCK.with_borrow_mut(|mock| {
        let expires = mock.expiry(ttl);
        mock.put(key, value, expires)
    })
}

pub(crate) fn increment(key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, String> {
    MOCK.with_borrow_mut(|mock| {
        let (before, expires) = match mock.state.get(key) {
            Some(value) => (integer(&value.bytes)?, value.expires),
            None => (0, mock.expiry(ttl)),
        };
        let sum = before
            .checked_add(by)
            .ok_or("the sum would not fit into 64 bits, so nothing was added")?;
        mock.put(key, sum.to_string().as_bytes(), expires)?;
        Ok(sum)
    })
}

pub(crate) fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, String> {
    if value(key).as_deref() != expected {
        return Ok(false);
    }
    match new {
        Some(value) => set(key, value, ttl)?,
        None => MOCK.with_borrow_mut(|mock| drop(mock.state.remove(key))),
    }
    Ok(true)
}

impl Mock {
    fn expire(&mut self) {
        let now = self.now;
        self.state
            .retain(|_, value| value.expires.is_none_or(|at| at > now));
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<Duration> {
        Some(self.now.saturating_add(ttl?))
    }

    /// What cannot be a metric is dropped, as in the proxy.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut f64)) {
        let has_room = self.metrics.len() < METRICS && is_metric_name(name);
        if has_room || self.metrics.contains_key(name) {
            change(self.metrics.entry(name.into()).or_default());
        }
    }

    fn put(&mut self, key: &str, bytes: &[u8], expires: Option<Duration>) -> Result<(), String> {
        if key.len() > KEY_BYTES {
            return Err(format!(
                "a key of {} bytes is too long, so nothing was stored; {KEY_BYTES} bytes are the most",
                key.len()
            ));
        }
        let others = self.state.iter().filter(|(other, _)| *other != key);
        let taken: usize = others
            .map(|(key, value)| entry_bytes(key, &value.bytes))
            .sum();
        if taken + entry_bytes(key, bytes) > STATE_BYTES {
            // The operator can give a filter more room than it has here.
            return Err(format!(
                "{STATE_FULL} (1.0 MiB), so nothing was stored; let keys expire sooner, or raise \
                 [limits] state"
            ));
        }
        if expires == Some(self.now) {
            self.state.remove(key);
            return Ok(());
        }
        let bytes = bytes.to_vec();
        self.state.insert(key.into(), Value { bytes, expires });
        Ok(())
    }
}

fn integer(bytes: &[u8]) -> Result<i64, &'static str> {
    let text = str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or("the value is no integer, so nothing was added to it")
}
