//! Everything that a filter asks of the proxy goes through here: to the imports of the WASM module
//! or, in a native test, to a mock that belongs to the thread. (Calling an import natively would
//! abort the test.)

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod mock;
#[cfg(target_family = "wasm")]
mod side;

#[cfg(target_family = "wasm")]
pub(crate) use imports::{
    append_header, client_address, client_user, compare_and_set, count, feed_names, gauge,
    header_names, header_values, increment, keep_verdict, local, lookup, milliseconds, now,
    registrable, remove_header, set, set_header, value, write_log,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use mock::{
    compare_and_set, count, feed_names, gauge, increment, local, lookup, note_asked_for_client,
    now, registrable, set, value, write_log,
};
#[cfg(target_family = "wasm")]
pub(crate) use side::Side;
