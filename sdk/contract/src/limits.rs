//! The limits that the proxy holds filters to. The mock of native tests holds them to the same.

/// The longest canonical host, in bytes (RFC 1035, section 2.3.4).
pub const HOST_BYTES: usize = 253;

/// The longest name of a feed, in bytes.
pub const FEED_NAME_BYTES: usize = 64;

/// The longest name of a time zone, in bytes; the longest that there is has 32.
pub const ZONE_BYTES: usize = 64;

/// The longest name of a header field that a filter can ask for or change, in bytes.
pub const FIELD_NAME_BYTES: usize = 256;

/// The longest key of `state`, in bytes.
pub const KEY_BYTES: usize = 1024;

/// The room that a filter's state has unless its settings say otherwise (`[limits] state`), in
/// bytes as [`entry_bytes`] counts them.
pub const STATE_BYTES: usize = 1 << 20;

/// The beginning of the error of a call that finds a filter's state full. Errors cross to a filter
/// as text, so this is how it tells this one from others.
pub const STATE_FULL: &str = "the state of this filter is full";

/// The most metrics of one filter: a name for each host would be too many.
pub const METRICS: usize = 100;

/// The longest name of a metric, in bytes.
pub const METRIC_NAME_BYTES: usize = 64;

/// The longest reason of a refusal, in bytes; the rest is cut off. It travels in a header field and
/// a log line.
pub const REASON_BYTES: usize = 1024;

/// The longest URL of a redirect, in bytes: what clients take in a header field (RFC 9110,
/// section 4.1, recommends 8000 for URLs).
pub const LOCATION_BYTES: usize = 8192;

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

/// Whether a metric can have that name.
///
/// ```
/// use portcullis_contract::limits;
///
/// assert!(limits::is_metric_name("blocked_hosts"));
/// assert!(!limits::is_metric_name("Blocked-Hosts"));
/// ```
pub fn is_metric_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=METRIC_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_part)
}
