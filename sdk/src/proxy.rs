//! Everything that a filter asks of the proxy goes through here: to the imports of the WASM module or, in a native test, to a mock
//! that belongs to the thread. (Calling an import natively would abort the test.)

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod mock;

#[cfg(target_family = "wasm")]
pub(crate) use imports::{
    compare_and_set, feed_names, header_names, header_values, increment, lookup, set, value,
    write_log,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use mock::{compare_and_set, feed_names, increment, lookup, set, value, write_log};
