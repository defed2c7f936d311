//! Keeps what lasts from filling the log. Code that logs a condition which may come again and again
//! asks here first.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// Admits one line about each condition in an interval, and few lines in all.
#[derive(Debug)]
pub(crate) struct Throttle {
    interval: Duration,
    lines: usize,
    written: RefCell<Vec<(String, Instant)>>,
    suppressed: Cell<u64>,
}

impl Throttle {
    /// At most `lines` different conditions are told of in an interval.
    pub(crate) fn new(interval: Duration, lines: usize) -> Self {
        Self {
            interval,
            lines,
            written: RefCell::default(),
            suppressed: Cell::default(),
        }
    }

    /// Whether the condition may be logged now. If so, how many lines were suppressed before it.
    pub(crate) fn admit(&self, condition: &str) -> Option<u64> {
        let mut written = self.written.borrow_mut();
        written.retain(|(_, at)| at.elapsed() < self.interval);
        let is_known = written.iter().any(|(before, _)| before == condition);
        if is_known || written.len() >= self.lines {
            self.suppressed.set(self.suppressed.get() + 1);
            return None;
        }
        written.push((condition.to_owned(), Instant::now()));
        Some(self.suppressed.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_told_of_once_in_an_interval_and_few_in_all() {
        let throttle = Throttle::new(Duration::MAX, 2);
        let admitted = ["a", "a", "b", "a", "c"].map(|condition| throttle.admit(condition));
        assert_eq!(admitted, [Some(0), None, Some(1), None, None]);
    }

    #[test]
    fn what_was_suppressed_is_told_when_the_interval_is_over() {
        let throttle = Throttle::new(Duration::ZERO, 1);
        throttle.suppressed.set(3);
        let admitted = ["a", "a"].map(|condition| throttle.admit(condition));
        assert_eq!(admitted, [Some(3), Some(0)]);
    }
}
