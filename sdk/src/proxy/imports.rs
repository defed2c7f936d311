//! The proxy itself, on the other side of the imports.

mod answer;
mod facts;
mod fields;
mod metrics;
mod state;

use std::time::{Duration, SystemTime};

pub(crate) use answer::{add_field, keep, matched, retry_after};
pub(crate) use facts::{ExchangeFacts, OutcomeFacts, request_method, request_url};
pub(crate) use fields::Fields;
pub(crate) use metrics::{count, gauge, observe};
pub(crate) use state::{compare_and_set, increment, remove, set, value};

use crate::bindings::capabilities::portcullis::filter::{clock, domains, feeds, log, random};
use crate::error::FeedError;
use crate::feed_match::{Kind, Match};
use crate::local_time::LocalTime;
use portcullis_contract::Level;

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

/// Rounded up: the shortest time is not none.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A moment as the border counts it.
fn moment(milliseconds: u64) -> SystemTime {
    let since = Duration::from_millis(milliseconds);
    let moment = SystemTime::UNIX_EPOCH.checked_add(since);
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(crate) fn feed_names() -> Vec<String> {
    feeds::names()
}

pub(crate) fn find(host: &str) -> Option<Match> {
    feeds::find(host).map(Match::from)
}

pub(crate) fn find_in(feeds: &[&str], host: &str) -> Result<Option<Match>, FeedError> {
    match feeds::find_in(feeds, host) {
        Ok(found) => Ok(found.map(Match::from)),
        Err(feeds::FeedError::Unknown(feed)) => Err(FeedError::Unknown(feed)),
        Err(feeds::FeedError::NotGranted(feed)) => Err(FeedError::NotGranted(feed)),
        Err(feeds::FeedError::Other(problem)) => Err(FeedError::Other(problem)),
    }
}

impl From<feeds::Match> for Match {
    fn from(found: feeds::Match) -> Self {
        Self {
            feed: found.feed,
            source: found.source,
            rule: found.rule,
            line: found.line,
            kind: match found.kind {
                feeds::Kind::Listed => Kind::Listed,
                feeds::Kind::Excepted => Kind::Excepted,
            },
        }
    }
}

pub(crate) fn now() -> SystemTime {
    moment(clock::now())
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

pub(crate) fn random_number() -> u64 {
    random::number()
}

pub(crate) fn random_bytes(count: u32) -> Vec<u8> {
    random::bytes(count)
}

pub(crate) fn registrable(host: &str) -> Option<String> {
    domains::registrable(host)
}
