//! Which failures of a filter the log tells of: the first of each kind, and then few of each kind
//! in an interval. A kind is a hook and what has gone wrong in it. The text does not count, as it
//! is the filter's, and clients may have a part in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use crate::filter::{Failure, Hook};
use crate::log::Throttle;

/// Time between two log lines about failures that are alike.
const INTERVAL: Duration = Duration::from_secs(1);

/// Failures of one kind that are told in an interval, if their texts are different.
const TEXTS: usize = 4;

/// What was told of one filter on one worker.
#[derive(Debug, Default)]
pub(super) struct FailureLog(RefCell<HashMap<(Hook, Discriminant<Failure>), Throttle>>);

impl FailureLog {
    /// Whether this failure, whose text is `text`, may be logged. If so, how many of its kind were
    /// suppressed before it.
    pub(super) fn admit(&self, hook: Hook, failure: &Failure, text: &str) -> Option<u64> {
        let mut kinds = self.0.borrow_mut();
        let kind = kinds
            .entry((hook, discriminant(failure)))
            .or_insert_with(|| Throttle::new(INTERVAL, TEXTS));
        kind.admit(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_is_told_however_much_there_is_of_another() {
        let log = FailureLog::default();
        let texts = 10 * TEXTS;
        let admit = |hook, failure: &Failure| log.admit(hook, failure, &failure.to_string());
        let reported = |number: usize| Failure::Reported(number.to_string());
        let told = (0..texts).filter(|&number| admit(Hook::Host, &reported(number)).is_some());
        assert!(told.count() < texts);
        assert_eq!(admit(Hook::Host, &Failure::Memory(1)), Some(0));
        assert_eq!(admit(Hook::Request, &reported(0)), Some(0));
    }
}
