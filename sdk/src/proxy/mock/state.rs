//! What a filter remembers.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_contract::limits::{KEY_BYTES, STATE_BYTES, entry_bytes};

use super::MOCK;
use crate::error::StateError;

#[derive(Default)]
pub(super) struct State {
    entries: BTreeMap<String, Value>,
    now: Duration,
}

struct Value {
    bytes: Vec<u8>,
    expires: Option<Duration>,
}

pub(crate) fn value(key: &str) -> Result<Option<Vec<u8>>, StateError> {
    with(key, |state| {
        let value = state.entries.get(key);
        Ok(value.map(|value| value.bytes.clone()))
    })
}

pub(crate) fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), StateError> {
    with(key, |state| state.put(key, value, state.expiry(ttl)))
}

pub(crate) fn remove(key: &str) -> Result<(), StateError> {
    with(key, |state| {
        state.entries.remove(key);
        Ok(())
    })
}

pub(crate) fn increment(key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, StateError> {
    with(key, |state| {
        let (before, expires) = match state.entries.get(key) {
            Some(value) => (integer(&value.bytes)?, value.expires),
            None => (0, state.expiry(ttl)),
        };
        let sum = before.checked_add(by).ok_or(StateError::NotANumber)?;
        state.put(key, sum.to_string().as_bytes(), expires)?;
        Ok(sum)
    })
}

pub(crate) fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
    ttl: Option<Duration>,
) -> Result<bool, StateError> {
    if value(key)?.as_deref() != expected {
        return Ok(false);
    }
    match new {
        Some(value) => set(key, value, ttl)?,
        None => remove(key)?,
    }
    Ok(true)
}

/// The state of this thread's mock, if the key is not too long.
fn with<T>(
    key: &str,
    call: impl FnOnce(&mut State) -> Result<T, StateError>,
) -> Result<T, StateError> {
    if key.len() > KEY_BYTES {
        return Err(StateError::TooLarge);
    }
    MOCK.with_borrow_mut(|mock| call(&mut mock.state))
}

impl State {
    /// Time has passed.
    pub(super) fn expire(&mut self, now: Duration) {
        self.now = now;
        self.entries
            .retain(|_, value| value.expires.is_none_or(|at| at > now));
    }

    fn expiry(&self, ttl: Option<Duration>) -> Option<Duration> {
        Some(self.now.saturating_add(ttl?))
    }

    fn put(
        &mut self,
        key: &str,
        bytes: &[u8],
        expires: Option<Duration>,
    ) -> Result<(), StateError> {
        let size = entry_bytes(key, bytes);
        // The operator can give a filter more room than it has here.
        if size > STATE_BYTES {
            return Err(StateError::TooLarge);
        }
        let others = self.entries.iter().filter(|(other, _)| *other != key);
        let taken: usize = others
            .map(|(key, value)| entry_bytes(key, &value.bytes))
            .sum();
        if taken + size > STATE_BYTES {
            return Err(StateError::Full);
        }
        if expires == Some(self.now) {
            self.entries.remove(key);
            return Ok(());
        }
        let bytes = bytes.to_vec();
        self.entries.insert(key.into(), Value { bytes, expires });
        Ok(())
    }
}

fn integer(bytes: &[u8]) -> Result<i64, StateError> {
    let text = str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or(StateError::NotANumber)
}
