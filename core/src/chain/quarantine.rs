//! When a filter that fails is not asked any more, and when it is tried again. All workers share what they learn of a filter; what they
//! do about it is up to `chain`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::config::QuarantineRule;

/// One filter's failures, and what follows from them.
#[derive(Debug)]
pub(crate) struct Quarantine {
    rule: QuarantineRule,
    origin: Instant,
    /// Milliseconds after `origin` before which nobody asks, or [`FREE`]: all that a filter in good health costs is one look at it.
    until: AtomicU64,
    record: Mutex<Record>,
}

const FREE: u64 = 0;

/// Whether a filter may be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Free,
    /// By this one request, whose outcome decides about all others.
    Trial,
    Held,
}

/// The failures of a window of time.
#[derive(Debug, Default)]
struct Record {
    window: Option<Instant>,
    calls: u64,
    failures: u64,
    /// Failures that say nothing of a share, each the first that a worker tells of.
    strangers: u64,
    /// How often the filter has been held in a row.
    pauses: u32,
    /// When it was let go last.
    freed: Option<Instant>,
    held: Option<Held>,
}

/// A filter in quarantine, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
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
            // Never zero milliseconds ago: that stands for freedom.
            origin: now - Duration::from_millis(1),
            until: AtomicU64::new(FREE),
            record: Mutex::default(),
        }
    }

    /// Whether the filter may be asked. A trial that has not ended after `patience` is given to another request.
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant, patience: Duration) -> Admission {
        let until = self.until.load(Ordering::Relaxed);
        if until == FREE {
            return Admission::Free;
        }
        let now = now();
        if self.millis(now) < until {
            return Admission::Held;
        }
        let next = self.millis(now + patience);
        let won = self
            .until
            .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
        match won {
            Ok(_) => Admission::Trial,
            Err(_) => Admission::Held,
        }
    }

    /// Notes a failure, and says so if the filter is held from now on.
    pub(crate) fn failed(
        &self,
        admission: Admission,
        calls: Calls,
        now: Instant,
        error: impl FnOnce() -> String,
    ) -> Option<Held> {
        let mut record = self.record();
        let decides = match (admission, &record.held) {
            (Admission::Trial, Some(_)) => true,
            // Calls that began before the filter was held say nothing new.
            (Admission::Free | Admission::Held, Some(_)) => false,
            // Also a trial that another one has overtaken.
            (_, None) => record.count(calls, now, &self.rule),
        };
        if !decides {
            return None;
        }
        let lately = self.rule.window.max(self.pause(record.pauses));
        if record
            .freed
            .is_some_and(|freed| now.saturating_duration_since(freed) > lately)
        {
            record.pauses = 0;
        }
        let pause = self.pause(record.pauses);
        record.pauses = record.pauses.saturating_add(1);
        let held = Held {
            failures: record.failures,
            calls: record.calls,
            pause,
            until: SystemTime::now() + pause,
            error: error(),
        };
        record.held = Some(held.clone());
        self.until
            .store(self.millis(now + pause), Ordering::Relaxed);
        Some(held)
    }

    /// The trial went well: the filter is asked again.
    pub(crate) fn recovered(&self, now: Instant) {
        let mut record = self.record();
        *record = Record {
            pauses: record.pauses,
            freed: Some(now),
            ..Record::default()
        };
        self.until.store(FREE, Ordering::Relaxed);
    }

    /// Whether the filter is held, or on trial.
    pub(crate) fn is_held(&self) -> bool {
        self.until.load(Ordering::Relaxed) != FREE
    }

    /// What holds the filter, if anything does.
    pub(crate) fn held(&self) -> Option<Held> {
        self.record().held.clone()
    }

    fn pause(&self, pauses: u32) -> Duration {
        let factor = 1_u32.checked_shl(pauses).unwrap_or(u32::MAX);
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
    /// Whether that is too much.
    fn count(&mut self, calls: Calls, now: Instant, rule: &QuarantineRule) -> bool {
        let began = match self.window {
            Some(began) if now.saturating_duration_since(began) < rule.window => began,
            _ => {
                (self.calls, self.failures, self.strangers) = (0, 0, 0);
                *self.window.insert(now)
            }
        };
        self.failures += 1;
        // Of the calls since the worker's last failure nobody knows when they were, unless that was in this window.
        let known = calls.last_failure.is_some_and(|last| last >= began);
        self.calls += if known { calls.number } else { 1 };
        self.strangers += u64::from(!known);
        let known = (self.failures - self.strangers, self.calls - self.strangers);
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
    fn fails(quarantine: &Quarantine, calls: u64, now: Instant) -> Option<Held> {
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
        let held = fails(&quarantine, 1, now).unwrap();
        assert_eq!((held.failures, held.calls, held.pause), (3, 3, SECOND));
        assert_eq!(quarantine.held().unwrap().error, "a trap");
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Held);
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
            let held = quarantine.failed(Admission::Free, calls, now, String::new);
            assert_eq!(held, None);
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
            let pause = quarantine.held().unwrap().pause;
            pauses.push(pause.as_secs());
            assert_eq!(
                quarantine.admit(|| now + pause - SECOND / 2, SECOND),
                Admission::Held
            );
            now += pause;
            assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
            assert_eq!(quarantine.admit(|| now, SECOND), Admission::Held);
            // Nobody has heard of that one again.
            now += SECOND;
            fails(&quarantine, 1, now);
        }
        assert_eq!(pauses, [1, 2, 4, 5]);

        now += 5 * SECOND;
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Trial);
        quarantine.recovered(now);
        assert_eq!(quarantine.admit(|| now, SECOND), Admission::Free);
        assert_eq!(quarantine.held(), None);
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
