//! What a Portcullis filter is written with.
//!
//! A filter is a value that implements [`Filter`]: the proxy makes it from the operator's
//! configuration and asks it about every request. **Instances of a filter are pooled, share nothing
//! but [`state`] and [`feeds`], and may be dropped at any time**: what one of them keeps in itself,
//! another does not know, and the next request may meet either. Counters and all else that must be
//! remembered belong in [`state`]; lists that many filters read are the proxy's, see [`feeds`].
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
pub mod feeds;
mod filter;
mod flow;
mod headers;
mod host;
mod local_time;
mod log;
mod manifest;
pub mod metrics;
mod proxy;
mod reason;
mod request;
mod response;
mod schema;
mod span;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod verdict;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod exports;

pub use domains::Domains;
pub use error::Error;
pub use filter::Filter;
pub use flow::{Client, Flow};
pub use headers::{HeaderName, HeaderValue, Headers};
pub use host::Host;
/// The operator's settings decide which levels are kept.
///
/// ```
/// use portcullis_sdk::Level;
///
/// assert!(Level::Trace < Level::Debug && Level::Warn < Level::Error);
/// ```
#[doc(inline)]
pub use portcullis_contract::Level;
/// ```
/// use portcullis_sdk::{Flow, Protocol};
///
/// /// Whether a request's URL and header fields will be seen, too.
/// fn is_visible(flow: &Flow) -> bool {
///     flow.protocol() == Protocol::Http
/// }
///
/// assert!(is_visible(&Flow::new("www.example", 80, Protocol::Http)));
/// assert!(!is_visible(&Flow::new("www.example", 443, Protocol::Connect)));
/// ```
#[doc(inline)]
pub use portcullis_contract::Protocol;
/// See [`Verdict::cache_for`].
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{Flow, Protocol, Scope, Verdict};
///
/// /// The proxy's own machine may go anywhere. A verdict about one client is not another's.
/// fn judge(flow: &Flow) -> Verdict {
///     let verdict = match flow.client().address() {
///         Some(address) if address.is_loopback() => Verdict::ALLOW,
///         _ => Verdict::NEXT,
///     };
///     verdict.cache_for(Scope::ClientAndHost, Duration::from_secs(60))
/// }
///
/// let verdict = judge(&Flow::new("www.example", 443, Protocol::Connect));
/// assert_eq!(verdict.cached(), Some((Scope::ClientAndHost, Duration::from_secs(60))));
/// ```
#[doc(inline)]
pub use portcullis_contract::Scope;
pub use portcullis_sdk_macros::Schema;
///
/// Everything that the trait requires must be written:
///
/// ```compile_fail,E0046
/// use portcullis_sdk::{Error, Filter, Flow, Verdict, filter};
///
/// struct WithoutNew;
///
/// #[filter]
/// impl Filter for WithoutNew {
///     type Config = ();
///
///     fn judge_host(&self, _: &Flow) -> Result<Verdict, Error> {
///         Ok(Verdict::NEXT)
///     }
/// }
/// ```
pub use portcullis_sdk_macros::filter;
pub use reason::Reason;
pub use request::Request;
pub use response::Response;
pub use schema::{Node, Schema};
pub use span::TimeSpan;
pub use verdict::{Decision, Verdict};

/// What the macros of this crate expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::bindings::{
        judge_host_hook, judge_request_hook, judge_response_hook, lifecycle_hook, tick_hook,
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
