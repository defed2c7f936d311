//! The proxy itself, on the other side of the imports.

use std::time::{Duration, SystemTime};

use super::side::Side;
use crate::bindings::capabilities::portcullis::filter::{
    client, clock, domains, feeds, log, metrics, request_headers, response_headers, state,
    verdict_cache,
};
use crate::local_time::LocalTime;
use portcullis_contract::{Level, Scope};

pub(crate) fn write_log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, message);
}

pub(crate) fn feed_names() -> Vec<String> {
    feeds::names()
}

pub(crate) fn lookup(feed: &str, host: &str) -> Result<Option<String>, String> {
    feeds::lookup(feed, host)
}

pub(crate) fn value(key: &str) -> Option<Vec<u8>> {
    state::get(key)
}

pub(crate) fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), String> {
    state::set(key, value, ttl.map(milliseconds))
}

pub(crate) fn increment(key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, String> {
    state::increment(key, by, ttl.map(milliseconds))
}

pub(crate) fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, String> {
    state::compare_and_set(key, expected, new, ttl.map(milliseconds))
}

/// Rounded up: the shortest time is not none.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(crate) fn count(name: &str, by: u64) {
    metrics::count(name, by);
}

pub(crate) fn gauge(name: &str, value: f64) {
    metrics::gauge(name, value);
}

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(clock::now())
}

pub(crate) fn local(zone: Option<&str>) -> Result<LocalTime, String> {
    let now = clock::local(zone)?;
    Ok(LocalTime {
        year: now.year,
        month: now.month,
        day: now.day,
        weekday: now.weekday,
        hour: now.hour,
        minute: now.minute,
        second: now.second,
    })
}

pub(crate) fn registrable(host: &str) -> Option<String> {
    domains::registrable(host)
}

pub(crate) fn client_address() -> Option<String> {
    client::address()
}

pub(crate) fn client_user() -> Option<String> {
    client::user()
}

pub(crate) fn keep_verdict(scope: Scope, time: Duration) {
    let scope = match scope {
        Scope::Host => verdict_cache::Scope::Host,
        Scope::ClientAndHost => verdict_cache::Scope::ClientAndHost,
    };
    verdict_cache::keep(scope, milliseconds(time));
}

pub(crate) fn header_values(side: Side, name: &str) -> Vec<Vec<u8>> {
    match side {
        Side::Request => request_headers::get(name),
        Side::Response => response_headers::get(name),
    }
}

pub(crate) fn header_names(side: Side) -> Vec<String> {
    match side {
        Side::Request => request_headers::names(),
        Side::Response => response_headers::names(),
    }
}

pub(crate) fn set_header(side: Side, name: &str, value: &[u8]) -> Result<(), String> {
    match side {
        Side::Request => request_headers::set(name, value),
        Side::Response => response_headers::set(name, value),
    }
}

pub(crate) fn append_header(side: Side, name: &str, value: &[u8]) -> Result<(), String> {
    match side {
        Side::Request => request_headers::append(name, value),
        Side::Response => response_headers::append(name, value),
    }
}

pub(crate) fn remove_header(side: Side, name: &str) -> Result<(), String> {
    match side {
        Side::Request => request_headers::remove(name),
        Side::Response => response_headers::remove(name),
    }
}
