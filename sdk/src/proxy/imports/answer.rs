//! What goes with a verdict. Called by `exports` when a hook has answered.

use std::time::Duration;

use super::fields::header_error;
use super::milliseconds;
use crate::HeaderError;
use crate::bindings::capabilities::portcullis::filter::answer;

pub(crate) fn keep(time: Duration) {
    answer::keep(milliseconds(time));
}

pub(crate) fn add_field(name: &str, value: &[u8]) -> Result<(), HeaderError> {
    answer::add_field(name, value).map_err(|error| header_error(error, name))
}

pub(crate) fn retry_after(time: Duration) {
    answer::retry_after(milliseconds(time));
}

pub(crate) fn matched(rule: &str) {
    answer::matched(rule);
}
