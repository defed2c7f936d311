//! The limits that the proxy holds filters to. The mock of native tests holds them to the same.

use std::time::Duration;

/// The longest canonical host, in bytes (RFC 1035, section 2.3.4).
pub const HOST_BYTES: usize = 253;

/// The longest name of a feed, in bytes.
pub const FEED_NAME_BYTES: usize = 64;

/// The longest name of a time zone, in bytes; the longest that there is has 32.
pub const ZONE_BYTES: usize = 64;

/// The longest name of a header field that a filter can ask for or change, in bytes.
pub const FIELD_NAME_BYTES: usize = 256;

/// The most bytes of names and values that a filter can add to the header fields of one message, or
/// of its answer, in one call: as much as the proxy takes from a client.
pub const ADDED_FIELDS_BYTES: usize = 64 << 10;

/// The most header fields that a filter can bring a message to, and the most that it can add to its
/// answer: as many as the proxy takes from a client and from an origin. Many servers stop at 100.
pub const FIELDS: usize = 1000;

/// The longest key of `state`, in bytes.
pub const KEY_BYTES: usize = 1024;

/// The room that a filter's state has unless its settings say otherwise (`[limits] state`), in
/// bytes as [`entry_bytes`] counts them.
pub const STATE_BYTES: usize = 1 << 20;

/// The most metrics of one filter: a name for each host would be too many.
pub const METRICS: usize = 100;

/// The longest name of a metric or a label, and the longest key of a note, in bytes.
pub const NAME_BYTES: usize = 64;

/// The most labels of one metric.
pub const LABELS: usize = 3;

/// The longest value of a label, in bytes.
pub const LABEL_BYTES: usize = 64;

/// The most combinations of labels that a filter can have in all its metrics together.
pub const SERIES: usize = 1000;

/// The most notes that a filter can write about one exchange.
pub const NOTES: usize = 16;

/// The longest value of a note, in bytes.
pub const NOTE_BYTES: usize = 1024;

/// The most random bytes that one call gives.
pub const RANDOM_BYTES: usize = 4096;

/// The longest rule that a filter can name as the one that decided, in bytes; the rest is cut off.
pub const RULE_BYTES: usize = 1024;

/// The longest question to a person, in bytes; the rest is cut off.
pub const QUESTION_BYTES: usize = 1024;

/// The longest reason of a refusal, in bytes; the rest is cut off. It travels in a header field and
/// a log line.
pub const REASON_BYTES: usize = 1024;

/// The longest URL of a redirect, in bytes: what clients take in a header field (RFC 9110,
/// section 4.1, recommends 8000 for URLs).
pub const LOCATION_BYTES: usize = 8192;

/// The shortest time between two calls of `tick`.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// After a call of `tick`, a filter pauses for this many times as long as the call took. The time
/// is left to traffic and other filters.
const PAUSE_FACTOR: u32 = 9;

/// How long a filter pauses after a call of `tick` that took so long and has asked for that pause.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_contract::limits;
///
/// let [asked, call] = [0, 20].map(Duration::from_millis);
/// assert_eq!(limits::tick_pause(asked, call), Duration::from_millis(180));
/// ```
pub fn tick_pause(asked: Duration, call: Duration) -> Duration {
    let shortest = SHORTEST_PAUSE.max(call.saturating_mul(PAUSE_FACTOR));
    asked.max(shortest)
}

/// What an entry takes beyond its key and its value, for its places in the proxy's tables and for
/// the allocator: 120 to 170 bytes where it does not expire, 180 to 240 where it does.
const ENTRY_OVERHEAD: usize = 200;

/// As long as an integer can be, in bytes. A shorter value counts for as much, so that a counter
/// needs no more room when it gets another digit.
const SHORTEST_VALUE: usize = 20;

/// What an entry of a filter's state counts for, in bytes.
///
/// ```
/// use portcullis_contract::limits;
///
/// assert_eq!(limits::entry_bytes("10.0.0.7", b"9"), 228);
/// assert_eq!(limits::entry_bytes("10.0.0.7", b"10"), 228);
/// ```
pub const fn entry_bytes(key: &str, value: &[u8]) -> usize {
    let value = if value.len() < SHORTEST_VALUE {
        SHORTEST_VALUE
    } else {
        value.len()
    };
    ENTRY_OVERHEAD + key.len() + value
}

/// Whether a metric, a label or a note can have that name.
///
/// ```
/// use portcullis_contract::limits;
///
/// assert!(limits::is_name("blocked_hosts"));
/// assert!(!limits::is_name("Blocked-Hosts"));
/// ```
pub fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_pauses_as_long_as_it_asks_for_and_at_least_as_long_as_the_contract_says() {
        for (asked, call, pause) in [
            (0, 0, 100),
            (99, 1, 100),
            (101, 1, 101),
            (0, 11, 100),
            (0, 12, 108),
            (107, 12, 108),
            (109, 12, 109),
            (3_600_000, 1000, 3_600_000),
            (60_000, 10_000, 90_000),
        ] {
            let [asked, call, pause] = [asked, call, pause].map(Duration::from_millis);
            assert_eq!(tick_pause(asked, call), pause, "{asked:?} after {call:?}");
        }
        let never = Duration::MAX;
        assert_eq!(tick_pause(never, Duration::ZERO), never);
        assert_eq!(tick_pause(Duration::ZERO, never), never);
    }
}
