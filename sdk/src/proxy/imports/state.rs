//! What a filter remembers.

use std::time::Duration;

use super::milliseconds;
use crate::bindings::capabilities::portcullis::filter::state;
use crate::error::StateError;

pub(crate) fn value(key: &str) -> Result<Option<Vec<u8>>, StateError> {
    Ok(state::get(key)?)
}

pub(crate) fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), StateError> {
    Ok(state::set(key, value, ttl.map(milliseconds))?)
}

pub(crate) fn remove(key: &str) -> Result<(), StateError> {
    Ok(state::remove(key)?)
}

pub(crate) fn increment(key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, StateError> {
    Ok(state::increment(key, by, ttl.map(milliseconds))?)
}

pub(crate) fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, StateError> {
    let ttl = ttl.map(milliseconds);
    Ok(state::compare_and_set(key, expected, new, ttl)?)
}

impl From<state::StateError> for StateError {
    fn from(error: state::StateError) -> Self {
        match error {
            state::StateError::Full => Self::Full,
            state::StateError::TooLarge => Self::TooLarge,
            state::StateError::NotANumber => Self::NotANumber,
            state::StateError::Unavailable(problem) => Self::Unavailable(problem),
            state::StateError::Other(problem) => Self::Other(problem),
        }
    }
}
