//! What the proxy, the SDK and the test cases of filters agree on besides the WIT text in
//! `sdk/wit`: how a host is spelled, what header fields are made of, the words for protocols and
//! verdicts, how a metric is written, how text of others is shown, and the limits that the proxy
//! holds filters to. Each of them stands here once, so that a filter's native test meets what the
//! proxy would do.
//!
//! Filters are built with this crate, so it has no dependencies unless the feature `idna` is on,
//! and that is for native code. It knows nothing of HTTP, WASM or configuration.

mod escaped;
pub mod field;
pub mod host;
pub mod limits;
mod metric;
#[cfg(feature = "idna")]
mod target;
mod words;

pub use escaped::{Escaped, changes_lines};
pub use metric::{metric_key, write_metric_key};
#[cfg(feature = "idna")]
pub use target::{InvalidTarget, Target, canonical_host};
pub use words::{Fact, Facts, Fallback, FoundIn, Level, Outcome, Protocol, VerdictKind};
