//! Numbers that filters keep about themselves. `host` writes them on behalf of guests, and
//! `plugins` shows them to the operator.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_contract::limits::{METRIC_NAME_BYTES, METRICS, is_metric_name};

/// The metrics of all filters, by the filters' names. They outlive the filters, so that a new
/// version goes on counting.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<Arc<str>, Metrics>>);

/// The metrics of one filter. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Arc<Mutex<Values>>);

#[derive(Debug, Default)]
struct Values {
    by_name: BTreeMap<Box<str>, f64>,
    has_dropped: bool,
}

/// Why a number is not kept. It is reported once for each filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    #[error("a metric's name has 1 to {METRIC_NAME_BYTES} of the characters a-z, 0-9 and _")]
    Name,
    #[error("a filter has at most {METRICS} metrics")]
    Full,
}

impl Registry {
    /// The metrics of the filter `name`, as earlier versions of it left them.
    pub(crate) fn open(&self, name: &Arc<str>) -> Metrics {
        lock(&self.0).entry(name.clone()).or_default().clone()
    }

    /// Drops a filter's metrics.
    pub(crate) fn forget(&self, name: &str) {
        lock(&self.0).remove(name);
    }
}

impl Metrics {
    /// Adds to a counter.
    pub(crate) fn count(&self, name: &str, by: u64) -> Result<(), Dropped> {
        self.change(name, |value| *value += by as f64)
    }

    /// Sets a gauge, to 0 if `to` is not a number.
    pub(crate) fn gauge(&self, name: &str, to: f64) -> Result<(), Dropped> {
        let to = if to.is_finite() { to } else { 0.0 };
        self.change(name, |value| *value = to)
    }

    /// All of them, by name.
    pub(crate) fn read(&self) -> BTreeMap<Box<str>, f64> {
        lock(&self.0).by_name.clone()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut f64)) -> Result<(), Dropped> {
        let is_short = name.len() <= METRIC_NAME_BYTES;
        let mut values = lock(&self.0);
        if let Some(value) = values.by_name.get_mut(name).filter(|_| is_short) {
            change(value);
            return Ok(());
        }
        let dropped = if !is_short || !is_metric_name(name) {
            Dropped::Name
        } else if values.by_name.len() >= METRICS {
            Dropped::Full
        } else {
            change(values.by_name.entry(name.into()).or_default());
            return Ok(());
        };
        // Only the first drop is reported: a filter that makes the mistake keeps making it.
        if std::mem::replace(&mut values.has_dropped, true) {
            Ok(())
        } else {
            Err(dropped)
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_and_gauges_are_replaced() {
        let metrics = Metrics::default();
        for _ in 0..2 {
            metrics.count("lookups", 3).unwrap();
            metrics.gauge("brands", 4.5).unwrap();
        }
        metrics.gauge("odd", f64::NAN).unwrap();
        let read = metrics.read();
        let read: Vec<_> = read.iter().map(|(name, value)| (&**name, *value)).collect();
        assert_eq!(read, [("brands", 4.5), ("lookups", 6.0), ("odd", 0.0)]);
    }

    #[test]
    fn what_cannot_be_a_metric_is_dropped_and_reported_once() {
        for name in ["", "Caps", "a-b", "a b", &"x".repeat(65)] {
            let metrics = Metrics::default();
            assert_eq!(metrics.count(name, 1), Err(Dropped::Name));
            assert_eq!(metrics.count(name, 1), Ok(()));
            assert!(metrics.read().is_empty());
        }
        let metrics = Metrics::default();
        for number in 0..METRICS {
            metrics.count(&format!("m{number}"), 1).unwrap();
        }
        assert_eq!(metrics.gauge("one_more", 1.0), Err(Dropped::Full));
        assert_eq!(metrics.count("m0", 1), Ok(()));
        assert_eq!(metrics.read().len(), METRICS);
    }

    #[test]
    fn a_new_version_goes_on_counting_until_the_filter_is_removed() {
        let registry = Registry::default();
        let name = "guard".into();
        registry.open(&name).count("seen", 1).unwrap();
        registry.open(&name).count("seen", 1).unwrap();
        assert_eq!(registry.open(&name).read()["seen"], 2.0);
        registry.forget(&name);
        assert!(registry.open(&name).read().is_empty());
    }
}
