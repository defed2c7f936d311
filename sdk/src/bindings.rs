//! The border as wit-bindgen makes it of `wit/filter.wit`, a module for each world. Only `proxy`
//! and `exports` use them.
//!
//! The files are generated; a test in `tests/tests/scenarios/bindings.rs` says when they are out of
//! date, and how to write them anew. They are here so that building a filter does not build
//! wit-bindgen.
#![expect(
    missing_docs,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    reason = "generated code"
)]

/// Everything a filter may import, and the types.
#[rustfmt::skip]
pub(crate) mod capabilities;
/// What became of every exchange.
#[rustfmt::skip]
pub mod exchange_ended_hook;
/// The host of every exchange.
#[rustfmt::skip]
pub mod judge_host_hook;
/// The head of a visible request.
#[rustfmt::skip]
pub mod judge_request_hook;
/// The response to a visible request.
#[rustfmt::skip]
pub mod judge_response_hook;
/// Made once an instance.
#[rustfmt::skip]
pub mod lifecycle_hook;
/// Work in the background.
#[rustfmt::skip]
pub mod tick_hook;
