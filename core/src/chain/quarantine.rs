//! A circuit breaker for each filter, which users know as the quarantine: when a filter that fails
//! is no longer asked, and when it is tried again. All workers share what they learn of a filter;
//! `local` acts on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::config::QuarantineRule;

/// One filter's failures, and what follows from them.
#[derive(Debug)]
pub(crate) struct Quarantine {
    rule: QuarantineRule,
    origin: Instant,
    /// Milliseconds after `origin` before which the filter is not asked, or [`FREE`]. A filter that
    /// works costs one load of this value.
    until: AtomicU64,
    record: Mutex<Record>,
}

const FREE: u64 = 0;

/// Whether a filter may be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Free,
    /// One request tries the filter, and its outcome decides about all others.
    Trial,
    Quarantined,
}

/// The failures of a window of time.
#[derive(Debug, Default)]
struct Record {
    window: Option<Instant>,
    calls: u64,
    failures: u64,
    /// Failures reported without a call count: the first failure on each worker.
    unattributed_failures: u64,
    /// How often the breaker has tripped in a row.
    trips_in_a_row: u32,
    /// When the breaker closed last.
    closed_at: Option<Instant>,
    tripped: Option<Tripped>,
}

/// Why a filter is in quarantine, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tripped {
    pub(crate) failures: u64,
    pub(crate) calls: u64,
    /// For how long it is not asked.
    pub(crate) pause: Duration,
    pub(crate) until: SystemTime,
    /// The failure that led to it.
    pub(crate) error: String,
}

/// What a worker knows when a call fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    /// Since its last failure, this one included.
    pub(crate) number: u64,
    pub(crate) last_failure: Option<Instant>,
}

impl Quarantine {
    pub(crate) fn new(rule: QuarantineRule, now: Instant) -> Self {
        Self {
            rule,
            // Never zero milliseconds ago: that stands for closed_atom.
            origin: now - Duration::from_millis(1),
            until: AtomicU64::new(FREE),
            record: Mutex::default(),
        }
    }

    /// Whether the filter may be asked. A trial that has not ended after `patience` is given to
    /// another request.
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant, patience: Duration) -> Admission {
        let until = self.until.load(Ordering::Relaxed);
        if until == FREE {
            return Admission::Free;
        }
        let now = now();
        if self.millis(now) < until {
            return Admission::Quarantined;
        }
        let next = self.millis(now + patience);
        let won = self
            .until
            .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
        match won {
            Ok(_) => Admission::Trial,
            Err(_) => Admission::Quarantined,
        }
    }

    /// Records a failure, and returns what has tripped the breaker if it has.
    pub(crate) fn failed(
        &self,
        admission: Admission,
        calls: Calls,
        now: Instant,
        error: impl FnOnce() -> String,
    ) -> Option<Tripped> {
        let mut record = self.record();
        let decides = match (admission, &record.tripped) {
            (Admission::Trial, Some(_)) => true,
            // Calls that began before the breaker opened say nothing new.
            (Admission::Free | Admission::Quarantined, Some(_)) => false,
            // Also a trial that another one has overtaken.
            (_, None) => record.count(calls, now, &self.rule),
        };
        if !decides {
            return None;
        }
        let lately = self.rule.window.max(self.pause(record.trips_in_a_row));
        if record
            .closed_at
            .is_some_and(|closed_at| now.saturating_duration_since(closed_at) > lately)
        {
            record.trips_in_a_row = 0;
        }
        let pause = self.pause(record.trips_in_a_row);
        record.trips_in_a_row = record.trips_in_a_row.saturating_add(1);
        let tripped = Tripped {
            failures: record.failures,
            calls: record.calls,
            pause,
            until: SystemTime::now() + pause,
            error: error(),
        };
        record.tripped = Some(tripped.clone());
        self.until
            .store(self.millis(now + pause), Ordering::Relaxed);
        Some(tripped)
    }

    /// The trial went well: the filter is asked again.
    pub(crate) fn recovered(&self, now: Instant) {
        let mut record = self.record();
        *record = Record {
            trips_in_a_row: record.trips_in_a_row,
            closed_at: Some(now),
            ..Record::default()
        };
        self.until.store(FREE, Ordering::Relaxed);
    }

    /// Whether the breaker is open, or the filter on trial.
    pub(crate) fn is_tripped(&self) -> bool {
        self.until.load(Ordering::Relaxed) != FREE
    }

    /// What has opened the breaker, while it is open.
    pub(crate) fn tripped(&self) -> Option<Tripped> {
        self.record().tripped.clone()
    }

    fn pause(&self, trips_in_a_row: u32) -> Duration {
        let factor = 1_u32.checked_shl(trips_in_a_row).unwrap_or(u32::MAX);
        self.rule
            .pause
            .saturating_mul(factor)
            .min(self.rule.longest_pause)
    }

    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Counts a failure. Returns whether there are too many.
    fn count(&mut self, calls: Calls, now: Instant, rule: &QuarantineRule) -> bool {
        let began = match self.window {
            Some(began) if now.saturating_duration_since(began) < rule.window => began,
            _ => {
                (self.calls, self.failures, self.unattributed_failures) = (0, 0, 0);
                *self.window.insert(now)
            }
        };
        self.failures += 1;
        // When the calls since the worker's last failure were made is known only if that failure
        // was in this window.
        let known = calls.last_failure.is_some_and(|last| last >= began);
        self.calls += if known { calls.number } else { 1 };
        self.unattributed_failures += u64::from(!known);
        let known = (
            self.failures - self.unattributed_failures,
            self.calls - self.unattributed_failures,
        );
        let share = match known {
            (_, 0) => 1.0,
            (failures, calls) => failures as f64 / calls as f64,
        };
        self.failures >= rule.failures as u64 && share >= rule.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn quarantine(now: Instant) -> Quarantine {
        let rule = QuarantineRule {
            failures: 3,
            share: 0.5,
            window: 10 * SECOND,
            pause: SECOND,
            longest_pause: 5 * SECOND,
        };
        Quarantine::new(rule, now)
    }

    /// Calls until one fails.
    fn fails(quarantine: &Quarantine, calls: u64, now: Instant) -> Option<Tripped> {
        let admission = quarantine.admit(|| now, SECOND);
        let calls = Calls {
            number: calls,
            last_failure: Some(now),
        };
        quarantine.failed(admission, calls, now, || "a trap".into())
    }

    #[test]
    fn a_filter_that_fails_often_is_held_for_a_pause() {
        let now = Instant::now();
        let quarantine = quarantine(now);
        assert_eq!(fails(&quarantine, 1, now), None);
        assert_eq!(fails(&quarantine, 1, now), None);
        let tripped = fails(&quarantine, 1, now).unwrap();
        assert_eq!(
            (tripped.failures, tripped.calls, tripped.pause),
            (3, 3, SECOND)
        );
        assert_eq!(quarantine.tripped().unwrap().error, "a trap");
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Quarantined);
        // A call that was under way.
        let late = Calls {
            number: 1,
            last_failure: None,
        };
        assert_eq!(
            quarantine.failed(Admission::Free, late, now, String::new),
            None
        );
    }

    #[test]
    fn a_filter_that_fails_now_and_then_is_left_alone() {
        let now = Instant::now();
        let quarantine = quarantine(now);
        for _ in 0..100 {
            assert_eq!(fails(&quarantine, 3, now), None, "every third call");
        }
        let quarantine = self::quarantine(now);
        for second in 0..100 {
            assert_eq!(fails(&quarantine, 1, now + 6 * second * SECOND), None);
        }
    }

    #[test]
    fn good_calls_of_long_ago_do_not_excuse_failures() {
        let now = Instant::now();
        let quarantine = quarantine(now);
        let mut calls = Calls {
            number: 1_000_000,
            last_failure: None,
        };
        for _ in 0..2 {
            let tripped = quarantine.failed(Admission::Free, calls, now, String::new);
            assert_eq!(tripped, None);
            calls = Calls {
                number: 1,
                last_failure: Some(now),
            };
        }
        assert!(
            quarantine
                .failed(Admission::Free, calls, now, String::new)
                .is_some()
        );
    }

    #[test]
    fn one_request_tries_a_held_filter_and_decides_for_all() {
        let mut now = Instant::now();
        let quarantine = quarantine(now);
        let mut pauses = Vec::new();
        for _ in 0..3 {
            fails(&quarantine, 1, now);
        }
        for _ in 0..4 {
            let pause = quarantine.tripped().unwrap().pause;
            pauses.push(pause.as_secs());
            assert_eq!(
                quarantine.admit(|| now + pause - SECOND / 2, SECOND),
                Admission::Quarantined
            );
            now += pause;
            assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
            assert_eq!(quarantine.admit(|| now, SECOND), Admission::Quarantined);
            // That one is never heard of again.
            now += SECOND;
            fails(&quarantine, 1, now);
        }
        assert_eq!(pauses, [1, 2, 4, 5]);

        now += 5 * SECOND;
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
        quarantine.recovered(now);
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Free);
        assert_eq!(quarantine.tripped(), None);
    }

    #[test]
    fn a_trial_that_was_overtaken_decides_nothing() {
        let mut now = Instant::now();
        let quarantine = quarantine(now);
        for _ in 0..3 {
            fails(&quarantine, 1, now);
        }
        now += SECOND;
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
        // It takes so long that another one is made, which goes well.
        now += SECOND;
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
        quarantine.recovered(now);
        let late = Calls {
            number: 1,
            last_failure: None,
        };
        assert_eq!(
            quarantine.failed(Admission::Trial, late, now, String::new),
            None
        );
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Free);
    }

    #[test]
    fn a_filter_that_relapses_is_held_longer_and_one_that_kept_well_is_not() {
        let now = Instant::now();
        let quarantine = quarantine(now);
        let hold = |now| (0..3).filter_map(|_| fails(&quarantine, 1, now)).next();
        assert_eq!(hold(now).unwrap().pause, SECOND);
        quarantine.recovered(now);
        assert_eq!(hold(now + SECOND).unwrap().pause, 2 * SECOND);
        quarantine.recovered(now + SECOND);
        assert_eq!(hold(now + 60 * SECOND).unwrap().pause, SECOND);
    }
}
