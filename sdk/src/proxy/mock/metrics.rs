//! The numbers that a filter keeps about itself.

use std::collections::BTreeMap;

use portcullis_contract::limits::{LABEL_BYTES, LABELS, METRICS, SERIES, is_name};
use portcullis_contract::metric_key;

use super::MOCK;

type Labels<'a> = &'a [(&'a str, &'a str)];

#[derive(Default)]
pub(super) struct Metrics {
    /// By name and labels, as in `lookups{list="ads"}`.
    series: BTreeMap<String, f64>,
    /// Each name is one of these.
    kinds: BTreeMap<String, Kind>,
    /// How many series have labels.
    combinations: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(crate) fn count(name: &str, by: u64, labels: Labels<'_>) {
    change(name, labels, Kind::Counter, |value| *value += by as f64);
}

pub(crate) fn gauge(name: &str, to: f64, labels: Labels<'_>) {
    if to.is_finite() {
        change(name, labels, Kind::Gauge, |value| *value = to);
    }
}

/// A histogram is how many observations there were, and their sum.
pub(crate) fn observe(name: &str, observed: f64, labels: Labels<'_>) {
    if observed.is_finite() {
        change(name, labels, Kind::Histogram, |sum| *sum += observed);
    }
}

/// One number, by the key that [`metrics`] has for it.
pub(crate) fn metric(name: &str, labels: Labels<'_>) -> Option<f64> {
    metrics().get(&metric_key(name, labels)).copied()
}

/// All of them. A histogram `wait` is `wait_count` and `wait_sum`.
pub(crate) fn metrics() -> BTreeMap<String, f64> {
    MOCK.with_borrow(|mock| mock.metrics.series.clone())
}

/// What cannot be a metric is dropped, as in the proxy.
fn change(name: &str, labels: Labels<'_>, kind: Kind, change: impl FnOnce(&mut f64)) {
    MOCK.with_borrow_mut(|mock| {
        let Metrics {
            series,
            kinds,
            combinations,
        } = &mut mock.metrics;
        if !is_possible(name, labels) {
            return;
        }
        match kinds.get(name) {
            Some(known) if *known != kind => return,
            None if kinds.len() >= METRICS => return,
            Some(_) => {}
            None => {
                kinds.insert(name.to_owned(), kind);
            }
        }
        let key = |suffix| metric_key(&format!("{name}{suffix}"), labels);
        let changed = match kind {
            Kind::Counter | Kind::Gauge => key(""),
            Kind::Histogram => key("_sum"),
        };
        if !series.contains_key(&changed) && !labels.is_empty() {
            if *combinations >= SERIES {
                return;
            }
            *combinations += 1;
        }
        change(series.entry(changed).or_default());
        if kind == Kind::Histogram {
            *series.entry(key("_count")).or_default() += 1.0;
        }
    });
}

fn is_possible(name: &str, labels: Labels<'_>) -> bool {
    let mut names = labels.iter().map(|(name, _)| *name).chain([name]);
    let mut values = labels.iter().map(|(_, value)| value);
    labels.len() <= LABELS && names.all(is_name) && values.all(|value| value.len() <= LABEL_BYTES)
}
