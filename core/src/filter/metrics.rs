//! Numbers that filters keep about themselves. `host` writes them on behalf of guests, and
//! `plugins` shows them to the operator.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_contract::limits::{LABEL_BYTES, LABELS, METRICS, NAME_BYTES, SERIES, is_name};
use portcullis_contract::write_metric_key;

/// The largest number that is kept, and its negative the smallest. A sum without bound would become
/// one that JSON cannot tell, and all that a proxy says of its filters would be lost with it.
const LARGEST: f64 = 1e300;

/// The metrics of all filters, by the filters' names. They outlive the filters, so that a new
/// version goes on counting.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<Arc<str>, Metrics>>);

/// The metrics of one filter. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Arc<Mutex<Values>>);

/// Labels, each a name and a value.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

#[derive(Debug, Default)]
struct Values {
    /// By the name and the labels, as [`write_metric_key`] writes them.
    series: BTreeMap<Box<str>, Value>,
    /// What each name counts.
    kinds: HashMap<Box<str>, Kind>,
    /// How many series have labels.
    combinations: usize,
    /// The key that is looked up, kept because most are found.
    key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
enum Value {
    Counter(f64),
    Gauge(f64),
    /// Its observations: how many, and their sum.
    Histogram {
        count: u64,
        sum: f64,
    },
}

impl Value {
    fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram { .. } => Kind::Histogram,
        }
    }

    /// Takes up a change of the same kind.
    fn add(&mut self, change: &Self) {
        match (self, change) {
            (Self::Counter(number), Self::Counter(by)) => *number += by,
            (Self::Gauge(number), Self::Gauge(to)) => *number = *to,
            (
                Self::Histogram { count, sum },
                Self::Histogram {
                    count: more,
                    sum: observed,
                },
            ) => {
                *count += more;
                *sum = (*sum + observed).clamp(-LARGEST, LARGEST);
            }
            (Self::Counter(_) | Self::Gauge(_) | Self::Histogram { .. }, _) => {}
        }
    }
}

/// Why a number is not kept. Each reason is reported once for each filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    #[error(
        "the name of a metric or a label has 1 to {NAME_BYTES} of the characters a-z, 0-9 and _"
    )]
    Name,
    #[error("a metric has at most {LABELS} labels, and their values at most {LABEL_BYTES} bytes")]
    Labels,
    #[error("a filter has at most {METRICS} metrics")]
    Full,
    #[error("a filter has at most {SERIES} combinations of labels in all")]
    Series,
    #[error("a metric is either a counter, a gauge or a histogram")]
    Kind,
    #[error("it is not a number")]
    NotANumber,
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
    /// Metrics that take no further name.
    #[cfg(feature = "cli")]
    pub(crate) fn full() -> Self {
        let metrics = Self::default();
        for number in 0..METRICS {
            // Each is a name, and there is room.
            let _ = metrics.count(&format!("taken_{number}"), 0, &[]);
        }
        metrics
    }

    /// Adds to a counter.
    pub(crate) fn count(&self, name: &str, by: u64, labels: Labels<'_>) -> Result<(), Dropped> {
        self.change(name, labels, Value::Counter(by as f64))
    }

    /// Sets a gauge.
    pub(crate) fn gauge(&self, name: &str, to: f64, labels: Labels<'_>) -> Result<(), Dropped> {
        self.change(name, labels, Value::Gauge(finite(to)?))
    }

    /// Adds an observation to a histogram.
    pub(crate) fn observe(
        &self,
        name: &str,
        observed: f64,
        labels: Labels<'_>,
    ) -> Result<(), Dropped> {
        let sum = finite(observed)?;
        self.change(name, labels, Value::Histogram { count: 1, sum })
    }

    /// All of them, by name and labels, as in `lookups{list="ads"}`. A histogram is its number of
    /// observations and their sum.
    pub(crate) fn read(&self) -> BTreeMap<Box<str>, f64> {
        let values = lock(&self.0);
        let mut read = BTreeMap::new();
        for (key, value) in &values.series {
            match value {
                Value::Counter(number) | Value::Gauge(number) => {
                    read.insert(key.clone(), *number);
                }
                Value::Histogram { count, sum } => {
                    read.insert(suffixed(key, "_count"), *count as f64);
                    read.insert(suffixed(key, "_sum"), *sum);
                }
            }
        }
        read
    }

    fn change(&self, name: &str, labels: Labels<'_>, change: Value) -> Result<(), Dropped> {
        check(name, labels)?;
        let mut values = lock(&self.0);
        let Values {
            series,
            kinds,
            combinations,
            key,
        } = &mut *values;
        write_metric_key(key, name, labels);
        let kind = change.kind();
        if let Some(value) = series.get_mut(&**key) {
            if value.kind() != kind {
                return Err(Dropped::Kind);
            }
            value.add(&change);
            return Ok(());
        }
        match kinds.get(name) {
            Some(known) if *known != kind => return Err(Dropped::Kind),
            Some(_) => {}
            None if kinds.len() >= METRICS => return Err(Dropped::Full),
            None => {
                kinds.insert(name.into(), kind);
            }
        }
        if !labels.is_empty() {
            if *combinations >= SERIES {
                return Err(Dropped::Series);
            }
            *combinations += 1;
        }
        series.insert(key.as_str().into(), change);
        Ok(())
    }
}

/// The longest comes first: what is too long is not looked at.
fn check(name: &str, labels: Labels<'_>) -> Result<(), Dropped> {
    let too_long = |(_, value): &(&str, &str)| value.len() > LABEL_BYTES;
    if labels.len() > LABELS || labels.iter().any(too_long) {
        return Err(Dropped::Labels);
    }
    let mut names = labels.iter().map(|(name, _)| *name).chain([name]);
    if !names.all(is_name) {
        return Err(Dropped::Name);
    }
    Ok(())
}

fn finite(number: f64) -> Result<f64, Dropped> {
    Some(number)
        .filter(|number| number.is_finite())
        .map(|number| number.clamp(-LARGEST, LARGEST))
        .ok_or(Dropped::NotANumber)
}

/// A key whose name has something more at its end.
fn suffixed(key: &str, suffix: &str) -> Box<str> {
    let (name, labels) = key.split_at(key.find('{').unwrap_or(key.len()));
    format!("{name}{suffix}{labels}").into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(metrics: &Metrics) -> Vec<(String, f64)> {
        let read = metrics.read().into_iter();
        read.map(|(name, value)| (name.into(), value)).collect()
    }

    #[test]
    fn counters_add_up_and_gauges_are_replaced() {
        let metrics = Metrics::default();
        for _ in 0..2 {
            metrics.count("lookups", 3, &[]).unwrap();
            metrics.gauge("brands", 4.5, &[]).unwrap();
        }
        assert_eq!(
            metrics.gauge("odd", f64::NAN, &[]),
            Err(Dropped::NotANumber)
        );
        let expected = [("brands".into(), 4.5), ("lookups".into(), 6.0)];
        assert_eq!(read(&metrics), expected);
    }

    #[test]
    fn labels_count_apart_in_any_order() {
        let metrics = Metrics::default();
        for labels in [
            &[("list", "ads"), ("kind", "a\"b")][..],
            &[("kind", "a\"b"), ("list", "ads")],
            &[("list", "malware")],
        ] {
            metrics.count("hits", 1, labels).unwrap();
        }
        let expected = [
            (r#"hits{kind="a\"b",list="ads"}"#.into(), 2.0),
            (r#"hits{list="malware"}"#.into(), 1.0),
        ];
        assert_eq!(read(&metrics), expected);
    }

    #[test]
    fn a_histogram_tells_how_many_there_were_and_their_sum() {
        let metrics = Metrics::default();
        for seconds in [0.0005, 0.25, 3e6] {
            metrics.observe("wait", seconds, &[("to", "a")]).unwrap();
        }
        let expected = [
            (r#"wait_count{to="a"}"#.into(), 3.0),
            (r#"wait_sum{to="a"}"#.into(), 3_000_000.250_5),
        ];
        assert_eq!(read(&metrics), expected);
    }

    #[test]
    fn every_number_can_be_told_in_json_whatever_was_observed() {
        let metrics = Metrics::default();
        for _ in 0..3 {
            metrics.observe("wait", f64::MAX, &[]).unwrap();
            metrics.observe("debt", f64::MIN, &[]).unwrap();
        }
        metrics.observe("wait", f64::MIN, &[]).unwrap();
        metrics.gauge("level", f64::MAX, &[]).unwrap();
        let told = metrics.read();
        let json = serde_json::to_string(&told).unwrap();
        let read: BTreeMap<Box<str>, f64> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, told);
        assert_eq!([told["level"], told["debt_sum"]], [LARGEST, -LARGEST]);
    }

    #[test]
    fn what_cannot_be_a_metric_is_dropped() {
        let metrics = Metrics::default();
        for name in ["", "Caps", "a-b", "a b", &"x".repeat(65)] {
            assert_eq!(metrics.count(name, 1, &[]), Err(Dropped::Name));
            assert_eq!(metrics.count("a", 1, &[(name, "")]), Err(Dropped::Name));
        }
        let long = "x".repeat(LABEL_BYTES + 1);
        assert_eq!(metrics.count("a", 1, &[("b", &long)]), Err(Dropped::Labels));
        let four = [("a", ""), ("b", ""), ("c", ""), ("d", "")];
        assert_eq!(metrics.count("a", 1, &four), Err(Dropped::Labels));
        assert!(metrics.read().is_empty());
        metrics.count("a", 1, &[]).unwrap();
        assert_eq!(metrics.gauge("a", 1.0, &[]), Err(Dropped::Kind));
    }

    #[test]
    fn names_and_combinations_are_bounded() {
        let metrics = Metrics::default();
        for number in 0..SERIES {
            let host = number.to_string();
            metrics.count("hosts", 1, &[("host", &host)]).unwrap();
        }
        let more = [("host", "more")];
        assert_eq!(metrics.count("hosts", 1, &more), Err(Dropped::Series));
        for number in 1..METRICS {
            metrics.count(&format!("m{number}"), 1, &[]).unwrap();
        }
        assert_eq!(metrics.gauge("one_more", 1.0, &[]), Err(Dropped::Full));
        assert_eq!(metrics.count("m1", 1, &[]), Ok(()));
        assert_eq!(metrics.read().len(), SERIES + METRICS - 1);
    }

    #[test]
    fn a_new_version_goes_on_counting_until_the_filter_is_removed() {
        let registry = Registry::default();
        let name = "guard".into();
        registry.open(&name).count("seen", 1, &[]).unwrap();
        registry.open(&name).count("seen", 1, &[]).unwrap();
        assert_eq!(registry.open(&name).read()["seen"], 2.0);
        registry.forget(&name);
        assert!(registry.open(&name).read().is_empty());
    }
}
