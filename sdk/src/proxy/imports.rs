//! The proxy itself, on the other side of the imports.

use std::time::Duration;

use crate::Level;
use crate::bindings::capabilities::portcullis::filter::{feeds, log, request_headers, state};

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
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(crate) fn header_values(name: &str) -> Vec<Vec<u8>> {
    request_headers::get(name)
}

pub(crate) fn header_names() -> Vec<String> {
    request_headers::names()
}
