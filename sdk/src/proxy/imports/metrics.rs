//! Numbers for the operator.

use crate::bindings::capabilities::portcullis::filter::metrics::{self, Label};

pub(crate) fn count(name: &str, by: u64, labels: &[(&str, &str)]) {
    metrics::count(name, by, &params(labels));
}

pub(crate) fn gauge(name: &str, value: f64, labels: &[(&str, &str)]) {
    metrics::gauge(name, value, &params(labels));
}

pub(crate) fn observe(name: &str, value: f64, labels: &[(&str, &str)]) {
    metrics::observe(name, value, &params(labels));
}

fn params<'a>(labels: &[(&'a str, &'a str)]) -> Vec<Label<'a>> {
    let labels = labels.iter();
    labels.map(|&(name, value)| Label { name, value }).collect()
}
