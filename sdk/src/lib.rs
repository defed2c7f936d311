//! What a Portcullis filter is written with.
//!
//! A filter is a value that implements [`Filter`]: the proxy makes it from the operator's
//! configuration and asks it about every exchange. **Instances of a filter are pooled, share
//! nothing but [`state`], [`metrics`] and [`feeds`], and may be dropped at any time**: what one of
//! them keeps in itself, another does not know, and the next hook of the same exchange may be
//! called on either. Counters and all else that must be remembered belong in [`state`], what one
//! hook wants to tell the next in [`Exchange::notes`]; lists that many filters read are the
//! proxy's, see [`feeds`].
//!
//! An instance runs on one thread and is never entered twice at a time, so a
//! [`Cell`](std::cell::Cell) or [`RefCell`](std::cell::RefCell) is enough to keep something between
//! two calls.
//!
//! This crate crosses the border to the proxy only where a filter is compiled to WASM. Everywhere
//! else each call to the proxy goes to a mock that belongs to the thread, so `cargo test` needs
//! neither WASM nor a proxy: see [`testing`].
//!
#![doc = include_str!("../README.md")]

pub mod clock;
mod config;
mod domains;
mod error;
mod exchange;
mod feed_match;
pub mod feeds;
mod filter;
mod group;
mod headers;
mod host;
mod local_time;
mod log;
mod manifest;
pub mod metrics;
mod notes;
mod outcome;
mod proxy;
pub mod random;
mod request;
mod response;
mod schema;
mod span;
pub mod state;
mod template;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod verdict;
mod words;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod exports;

pub use domains::Domains;
pub use error::{Error, HeaderError};
pub use exchange::{Client, Exchange};
pub use filter::Filter;
pub use group::Group;
pub use headers::{HeaderName, HeaderValue, Headers};
pub use host::Host;
pub use notes::Notes;
pub use outcome::Outcome;
/// See [`Verdict::ask`].
#[doc(inline)]
pub use portcullis_contract::Fallback;
/// The operator's settings decide which levels are kept.
///
/// ```
/// use portcullis_sdk::Level;
///
/// assert!(Level::Trace < Level::Debug && Level::Warn < Level::Error);
/// ```
#[doc(inline)]
pub use portcullis_contract::Level;
/// See [`Verdict::kind`].
#[doc(inline)]
pub use portcullis_contract::VerdictKind;
pub use portcullis_sdk_macros::Schema;
///
/// Everything that the trait requires must be written:
///
/// ```compile_fail,E0046
/// use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter};
///
/// struct WithoutNew;
///
/// #[filter]
/// impl Filter for WithoutNew {
///     type Config = ();
///
///     fn judge_host(&self, _: &Exchange) -> Result<Verdict, Error> {
///         Ok(Verdict::next())
///     }
/// }
/// ```
///
/// Where the crate is known by another name, `#[filter(crate = "…")]` says which, and so does
/// `#[schema(crate = "…")]` beside `#[derive(Schema)]`:
///
/// ```
/// mod deps {
///     pub extern crate portcullis_sdk as sdk;
/// }
/// use deps::sdk::{Error, Exchange, Filter, Schema, Verdict, filter};
///
/// #[derive(serde::Deserialize, Schema)]
/// #[schema(crate = "crate::deps::sdk")]
/// struct Config {
///     reason: String,
/// }
///
/// struct Closed(Config);
///
/// #[filter(crate = "crate::deps::sdk")]
/// impl Filter for Closed {
///     type Config = Config;
///
///     fn new(config: Config) -> Result<Self, Error> {
///         Ok(Self(config))
///     }
///
///     fn judge_host(&self, _: &Exchange) -> Result<Verdict, Error> {
///         Ok(Verdict::block(&*self.0.reason))
///     }
/// }
/// # fn main() {}
/// ```
pub use portcullis_sdk_macros::filter;
pub use request::Request;
pub use response::Response;
pub use schema::{Node, Schema};
pub use span::TimeSpan;
pub use template::Template;
pub use verdict::Verdict;
pub use words::{FoundIn, How, Protocol};

/// What the macros of this crate expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::bindings::{
        exchange_ended_hook, judge_host_hook, judge_request_hook, judge_response_hook,
        lifecycle_hook, tick_hook,
    };
    #[cfg(target_family = "wasm")]
    pub use crate::exports::{Exports, Instance};
    pub use crate::log::write;
    pub use crate::manifest::{Described, Manifest};
    pub use crate::schema::{Field, Table, Unknown};

    /// Where nothing but its tests calls a filter, the compiler would take it for dead code.
    #[cfg(not(target_family = "wasm"))]
    pub fn used<F: crate::Filter>() {}
}
