//! Numbers about what a filter does, for the operator. All its instances share them.
//!
//! A name is made of at most 64 of the characters a-z, 0-9 and `_`, and a filter has at most 100;
//! what goes beyond is dropped.
//!
//! ```
//! use portcullis_sdk::{metrics, testing};
//!
//! metrics::count("lookups", 1);
//! metrics::count("lookups", 2);
//! metrics::gauge("brands", 12.0);
//! assert_eq!(testing::metric("lookups"), Some(3.0));
//! assert_eq!(testing::metric("brands"), Some(12.0));
//! ```

use crate::proxy;

/// Adds to a counter, which begins at 0 and never decreases.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::count("lookups", 2);
/// metrics::count("lookups", 1);
/// assert_eq!(testing::metric("lookups"), Some(3.0));
///
/// metrics::count("Not-A-Name", 1);
/// assert_eq!(testing::metric("Not-A-Name"), None);
/// ```
pub fn count(name: &str, by: u64) {
    proxy::count(name, by);
}

/// Sets a gauge, which goes up and down. What is not finite is 0.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::gauge("load", 0.75);
/// metrics::gauge("load", 0.5);
/// assert_eq!(testing::metric("load"), Some(0.5));
/// ```
pub fn gauge(name: &str, value: f64) {
    proxy::gauge(name, value);
}
