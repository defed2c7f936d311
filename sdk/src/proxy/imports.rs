//! The proxy itself, on the other side of the imports.

use crate::Level;
use crate::bindings::capabilities::portcullis::filter::{feeds, log, request_headers};

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

pub(crate) fn header_values(name: &str) -> Vec<Vec<u8>> {
    request_headers::get(name)
}

pub(crate) fn header_names() -> Vec<String> {
    request_headers::names()
}
