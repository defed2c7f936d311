//! What a filter remembers: keys with values, kept by the proxy and shared by all instances of the
//! filter.
//!
//! State outlives the instance, and a new version of the filter finds what the old one has left.
//! Other filters do not see it. It ends when the filter is removed or the proxy stops.
//!
//! A rate limit is one call, because the time to live of a counter begins when the counter does:
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_sdk::{Error, Exchange, Verdict, state, testing};
//!
//! const MINUTE: Duration = Duration::from_secs(60);
//!
//! fn judge(exchange: &Exchange) -> Result<Verdict, Error> {
//!     Ok(match state::increment(exchange.host(), 1, Some(MINUTE))? {
//!         ..=2 => Verdict::next(),
//!         _ => Verdict::block("two requests a minute are enough").status(429).retry_after(MINUTE),
//!     })
//! }
//!
//! let exchange = testing::exchange("www.example");
//! assert_eq!(judge(&exchange)?, Verdict::next());
//! assert_eq!(judge(&exchange)?, Verdict::next());
//! assert_ne!(judge(&exchange)?, Verdict::next());
//!
//! testing::advance(MINUTE);
//! assert_eq!(judge(&exchange)?, Verdict::next());
//! # Ok::<(), Error>(())
//! ```
//!
//! Every call is atomic. A key has at most 1024 bytes, and all keys and values together have as
//! much room as the operator gives the filter, with 200 bytes for each key on top; in a native test
//! that is 1 MiB, as where the operator says nothing. When it is used up, calls that need more fail
//! and nothing is evicted: let what grows with the traffic expire. A time to live (`ttl`) of `None`
//! means for good.

use std::time::Duration;

pub use crate::error::StateError as Error;
use crate::proxy;

/// The value of a key.
///
/// ```
/// use portcullis_sdk::state;
///
/// state::set("salt", [0xc0, 0xff, 0xee], None)?;
/// assert_eq!(state::get("salt")?, Some(vec![0xc0, 0xff, 0xee]));
/// assert_eq!(state::get("pepper")?, None);
/// # Ok::<(), state::Error>(())
/// ```
pub fn get(key: impl AsRef<str>) -> Result<Option<Vec<u8>>, Error> {
    proxy::value(key.as_ref())
}

/// The value of a key as text; U+FFFD stands for what is not UTF-8.
///
/// ```
/// use portcullis_sdk::state;
///
/// state::set("mode", "strict", None)?;
/// state::increment("requests", 7, None)?;
/// assert_eq!(state::text("mode")?.as_deref(), Some("strict"));
/// assert_eq!(state::text("requests")?.as_deref(), Some("7"));
/// # Ok::<(), state::Error>(())
/// ```
pub fn text(key: impl AsRef<str>) -> Result<Option<String>, Error> {
    let value = get(key)?;
    Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// Stores a value in place of any before. Fails if there is no room for it.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{state, testing};
///
/// state::set("incident", "many hosts at once", Some(Duration::from_secs(3600)))?;
/// testing::advance(Duration::from_secs(3600));
/// assert_eq!(state::get("incident")?, None);
/// # Ok::<(), state::Error>(())
/// ```
pub fn set(
    key: impl AsRef<str>,
    value: impl AsRef<[u8]>,
    ttl: Option<Duration>,
) -> Result<(), Error> {
    proxy::set(key.as_ref(), value.as_ref(), ttl)
}

/// Removes a key, if it exists.
///
/// ```
/// use portcullis_sdk::state;
///
/// state::set("incident", "many hosts at once", None)?;
/// state::remove("incident")?;
/// assert_eq!(state::get("incident")?, None);
/// # Ok::<(), state::Error>(())
/// ```
pub fn remove(key: impl AsRef<str>) -> Result<(), Error> {
    proxy::remove(key.as_ref())
}

/// Adds to an integer and returns the sum. A key that does not exist counts from 0, and its `ttl`
/// begins; later calls do not prolong it.
///
/// Fails if the value is not an integer, if the sum does not fit into an `i64`, or if there is no
/// room.
///
/// ```
/// use portcullis_sdk::state;
///
/// assert_eq!(state::increment("www.example", 1, None)?, 1);
/// assert_eq!(state::increment("www.example", 5, None)?, 6);
/// assert_eq!(state::increment("www.example", -2, None)?, 4);
/// # Ok::<(), state::Error>(())
/// ```
pub fn increment(key: impl AsRef<str>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
    proxy::increment(key.as_ref(), by, ttl)
}

/// Stores `new` if the value is `expected`, and returns whether it was. `None` stands for a key
/// that does not exist: expect it to create the key, store it to remove the key.
///
/// Fails if there is no room.
///
/// ```
/// use portcullis_sdk::state;
///
/// // Of all instances, one is the first.
/// assert!(state::compare_and_set("leader", None, Some(b"a"), None)?);
/// assert!(!state::compare_and_set("leader", None, Some(b"b"), None)?);
///
/// // Only the leader gives it up.
/// assert!(!state::compare_and_set("leader", Some(b"b"), None, None)?);
/// assert!(state::compare_and_set("leader", Some(b"a"), None, None)?);
/// assert_eq!(state::get("leader")?, None);
/// # Ok::<(), state::Error>(())
/// ```
pub fn compare_and_set(
    key: impl AsRef<str>,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    proxy::compare_and_set(key.as_ref(), expected, new, ttl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_to_live_of_a_counter_begins_with_the_counter() {
        assert_eq!(increment("a", 1, Some(SECOND)), Ok(1));
        testing::advance(SECOND / 2);
        assert_eq!(increment("a", 1, Some(SECOND)), Ok(2));
        testing::advance(SECOND / 2);
        assert_eq!(increment("a", 1, Some(SECOND)), Ok(1));
    }

    #[test]
    fn a_value_that_is_set_again_lives_as_long_as_it_says_then() {
        set("a", "x", Some(SECOND)).unwrap();
        set("a", "y", None).unwrap();
        testing::advance(SECOND);
        assert_eq!(text("a").unwrap().as_deref(), Some("y"));
        assert_eq!(
            compare_and_set("a", Some(b"y"), Some(b"z"), Some(SECOND)),
            Ok(true)
        );
        testing::advance(SECOND);
        assert_eq!(text("a"), Ok(None));
    }

    #[test]
    fn what_cannot_be_counted_stays_as_it_is() {
        set("text", "x", None).unwrap();
        set("most", i64::MAX.to_string(), None).unwrap();
        assert_eq!(increment("text", 1, None), Err(Error::NotANumber));
        assert_eq!(increment("most", 1, None), Err(Error::NotANumber));
        assert_eq!(text("text").unwrap().as_deref(), Some("x"));
        assert_eq!(increment("most", -1, None), Ok(i64::MAX - 1));
    }

    #[test]
    fn what_has_no_room_is_refused_until_there_is_some() {
        // The key has one byte.
        let most = vec![0; (1 << 20) - 201];
        let more = vec![0; most.len() + 1];
        assert_eq!(set("a", more, None), Err(Error::TooLarge));
        set("a", &most, None).unwrap();
        assert_eq!(set("b", "", None), Err(Error::Full));
        assert_eq!(increment("b", 1, None), Err(Error::Full));
        set("a", &most, Some(SECOND)).unwrap();
        testing::advance(SECOND);
        assert_eq!(increment("b", 1, None), Ok(1));
    }

    #[test]
    fn a_key_that_the_proxy_would_refuse_is_refused() {
        assert_eq!(set("k".repeat(1024), "", None), Ok(()));
        let long = "k".repeat(1025);
        assert_eq!(set(&long, "", None), Err(Error::TooLarge));
        assert_eq!(increment(&long, 1, None), Err(Error::TooLarge));
        assert_eq!(remove(&long), Err(Error::TooLarge));
        assert_eq!(get(&long), Err(Error::TooLarge));
    }
}
