//! Numbers about what a filter does, for the operator. All its instances share them.
//!
//! A number has a name and up to three labels, which split it: by the list that had the host, say.
//! Names are made of at most 64 of the characters a-z, 0-9 and `_`, and the value of a label has at
//! most 64 bytes. A filter can have 100 metrics, and 1000 combinations of labels in all, so a label
//! must not have the host or the client as its value. What goes beyond is dropped, and the proxy's
//! log says so.
//!
//! ```
//! use portcullis_sdk::{metrics, testing};
//!
//! metrics::count("lookups", 2, &[("list", "malware")]);
//! metrics::count("lookups", 1, &[("list", "ads")]);
//! metrics::gauge("brands", 12.0, &[]);
//! metrics::observe("wait_seconds", 0.25, &[]);
//!
//! assert_eq!(testing::metric("lookups", &[("list", "malware")]), Some(2.0));
//! assert_eq!(testing::metric("brands", &[]), Some(12.0));
//! assert_eq!(testing::metric("wait_seconds_count", &[]), Some(1.0));
//! ```
//!
//! A name belongs to one kind: a counter, a gauge or a histogram.

use crate::proxy;

/// Adds to a counter, which begins at 0 and never decreases.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::count("lookups", 2, &[]);
/// metrics::count("lookups", 1, &[]);
/// assert_eq!(testing::metric("lookups", &[]), Some(3.0));
///
/// metrics::count("Not-A-Name", 1, &[]);
/// assert_eq!(testing::metric("Not-A-Name", &[]), None);
/// ```
pub fn count(name: &str, by: u64, labels: &[(&str, &str)]) {
    proxy::count(name, by, labels);
}

/// Sets a gauge, which goes up and down. What is not finite is dropped.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::gauge("load", 0.75, &[]);
/// metrics::gauge("load", 0.5, &[]);
/// assert_eq!(testing::metric("load", &[]), Some(0.5));
/// ```
pub fn gauge(name: &str, value: f64, labels: &[(&str, &str)]) {
    proxy::gauge(name, value, labels);
}

/// Adds one observation to a histogram, whose buckets the proxy chooses. What is not finite is
/// dropped.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::observe("body_bytes", 1024.0, &[]);
/// metrics::observe("body_bytes", 512.0, &[]);
/// assert_eq!(testing::metric("body_bytes_count", &[]), Some(2.0));
/// assert_eq!(testing::metric("body_bytes_sum", &[]), Some(1536.0));
/// ```
pub fn observe(name: &str, value: f64, labels: &[(&str, &str)]) {
    proxy::observe(name, value, labels);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn labels_count_apart_in_any_order() {
        count("hits", 1, &[("list", "ads"), ("kind", "a")]);
        count("hits", 1, &[("kind", "a"), ("list", "ads")]);
        count("hits", 1, &[("list", "ads")]);
        let metric = |labels: &[(&str, &str)]| testing::metric("hits", labels);
        assert_eq!(metric(&[("list", "ads"), ("kind", "a")]), Some(2.0));
        assert_eq!(metric(&[("list", "ads")]), Some(1.0));
        assert_eq!(metric(&[]), None);
    }

    #[test]
    fn what_goes_beyond_is_dropped() {
        let long = "x".repeat(65);
        let four = [("a", ""), ("b", ""), ("c", ""), ("d", "")];
        for labels in [&[("A", "")][..], &[("a", &long)], &four] {
            count("hits", 1, labels);
            assert_eq!(testing::metric("hits", labels), None);
        }
        for host in 0..1001 {
            count("hosts", 1, &[("host", &host.to_string())]);
        }
        assert_eq!(testing::metric("hosts", &[("host", "999")]), Some(1.0));
        assert_eq!(testing::metric("hosts", &[("host", "1000")]), None);
        for number in 0..100 {
            count(&format!("m{number}"), 1, &[]);
        }
        assert_eq!(testing::metric("m98", &[]), Some(1.0));
        assert_eq!(testing::metric("m99", &[]), None);
    }

    #[test]
    fn a_name_belongs_to_one_kind() {
        count("a", 1, &[]);
        gauge("a", 5.0, &[]);
        observe("a", 5.0, &[]);
        assert_eq!(testing::metric("a", &[]), Some(1.0));
        assert_eq!(testing::metric("a_sum", &[]), None);
    }
}
