//! What stands in for the proxy in a native test. Each thread has its own, so tests that run side
//! by side do not meet.

mod facts;
mod feeds;
mod fields;
mod metrics;
mod state;

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use portcullis_contract::limits::{RANDOM_BYTES, ZONE_BYTES};
use portcullis_contract::{Level, host};

pub(crate) use facts::{ExchangeFacts, Known, OutcomeFacts, request_method, request_url};
pub(crate) use feeds::{deny_feed, feed_names, find, find_in, last_found, set_feed};
pub(crate) use fields::Fields;
pub(crate) use metrics::{count, gauge, metric, metrics, observe};
pub(crate) use state::{compare_and_set, increment, remove, set, value};

use crate::local_time::LocalTime;

#[derive(Default)]
struct Mock {
    feeds: feeds::Feeds,
    logs: Vec<(Level, String)>,
    state: state::State,
    metrics: metrics::Metrics,
    random: Random,
    exchanges: u64,
    /// Since 1970; only a test moves it.
    now: Duration,
}

thread_local! {
    static MOCK: RefCell<Mock> = RefCell::default();
}

/// Begins anew.
pub(crate) fn reset() {
    MOCK.with_borrow_mut(|mock| *mock = Mock::default());
}

/// Forgets what the call before has found.
pub(crate) fn begin_call() {
    MOCK.with_borrow_mut(|mock| mock.feeds.forget_found());
}

/// A number that no other exchange has.
pub(crate) fn next_exchange() -> u64 {
    MOCK.with_borrow_mut(|mock| {
        mock.exchanges += 1;
        mock.exchanges
    })
}

pub(crate) fn take_logs() -> Vec<(Level, String)> {
    MOCK.with_borrow_mut(|mock| std::mem::take(&mut mock.logs))
}

pub(crate) fn advance(time: Duration) {
    MOCK.with_borrow_mut(|mock| {
        mock.now = mock.now.saturating_add(time);
        mock.state.expire(mock.now);
    });
}

pub(crate) fn set_time(time: SystemTime) {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    MOCK.with_borrow_mut(|mock| {
        mock.now = since.unwrap_or_default();
        mock.state.expire(mock.now);
    });
}

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + MOCK.with_borrow(|mock| mock.now)
}

/// A test should not depend on where it runs: the zone of the machine is UTC.
pub(crate) fn local(zone: Option<&str>) -> Result<LocalTime, String> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) if name.len() > ZONE_BYTES => {
            return Err(format!("no time zone has a name of {} bytes", name.len()));
        }
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

/// Numbers that look random and depend on the seed alone, by the algorithm SplitMix64: a test
/// should not depend on chance.
#[derive(Default)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

pub(crate) fn set_seed(seed: u64) {
    MOCK.with_borrow_mut(|mock| mock.random = Random(seed));
}

pub(crate) fn random_number() -> u64 {
    MOCK.with_borrow_mut(|mock| mock.random.next())
}

pub(crate) fn random_bytes(count: u32) -> Vec<u8> {
    let numbers = std::iter::repeat_with(random_number);
    let bytes = numbers.flat_map(u64::to_le_bytes);
    bytes.take(RANDOM_BYTES.min(count as usize)).collect()
}

/// The beginning of a text as one line of at most so many bytes.
pub(crate) fn one_line(text: &str, bytes: usize) -> String {
    let text = &text[..text.floor_char_boundary(bytes)];
    text.replace(char::is_control, " ")
}
