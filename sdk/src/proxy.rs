//! Everything that a filter asks of the proxy goes through here: to the imports of the WASM module
//! or, in a native test, to a mock that belongs to the thread. (Calling an import natively would
//! abort the test.)

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod mock;

#[cfg(target_family = "wasm")]
pub(crate) use imports::{
    ExchangeFacts, Fields, OutcomeFacts, add_field, compare_and_set, count, feed_names, find,
    find_in, gauge, increment, keep, local, matched, milliseconds, now, observe, random_bytes,
    random_number, registrable, remove, request_method, request_url, retry_after, set, value,
    write_log,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use mock::{
    ExchangeFacts, Fields, OutcomeFacts, compare_and_set, count, feed_names, find, find_in, gauge,
    increment, local, now, observe, random_bytes, random_number, registrable, remove,
    request_method, request_url, set, value, write_log,
};
