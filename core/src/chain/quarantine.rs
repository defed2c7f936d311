//! A circuit breaker for each filter, which users know as the quarantine: when a filter that fails
//! is no longer asked, and when it is tried again. All workers share what they learn of a filter;
//! `local` acts on it. No client can have a filter switched off for others: failures must come from
//! several, a client that does most of the failing is held back alone, and where there was only one
//! the breaker is open for that one, which is held back as soon as others call.

mod calls;
mod client;
#[cfg(test)]
mod tests;
mod trial;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use self::calls::AllCalls;
pub(crate) use self::calls::CallCounter;
use self::client::Clients;
use self::trial::{Outcome, Trial};
use crate::config::QuarantineRule;
use crate::flow::ClientKey;

/// A trial lasts as long as the first pause, and never longer than this.
const LONGEST_TRIAL: Duration = Duration::from_secs(1);

/// Time between two looks for clients that can be forgotten.
const SWEEP: Duration = Duration::from_secs(1);

/// One filter's failures, and what follows from them.
#[derive(Debug)]
pub(crate) struct Quarantine {
    rule: QuarantineRule,
    longest_call: Duration,
    origin: Instant,
    /// Milliseconds after `origin` before which the filter is not asked, or [`FREE`]. A filter that
    /// works costs one load of this value and one of the next.
    until: AtomicU64,
    /// The client for which alone the breaker is open, or [`EVERYBODY`].
    tripped_by: AtomicU64,
    watches_clients: AtomicBool,
    record: Mutex<Record>,
    calls: AllCalls,
}

const FREE: u64 = 0;

/// The number of no client.
const EVERYBODY: u64 = u64::MAX;

/// Whether a filter may be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Free,
    /// The call is one of those that try a filter in quarantine.
    Trial,
    Quarantined,
    /// The filter is asked for others: this client makes it fail.
    Held,
}

/// How a call has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Good,
    /// With this error.
    Failed(String),
    /// There was no place or no time for it, which says nothing about the filter.
    Overloaded,
    /// Its client has left while the filter was running, and the instance is lost. That says
    /// nothing about the filter, but a client must not do it as often as it likes.
    Abandoned,
}

/// What a call has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The filter is no longer asked.
    Tripped(Tripped),
    /// The filter is asked again.
    Recovered,
    /// The filter is not asked for this client for a while.
    Held { pause: Duration },
}

#[derive(Debug, Default)]
struct Record {
    clients: Clients,
    /// When to look for clients that can be forgotten.
    sweep_at: Option<Instant>,
    /// How often the breaker has tripped in a row.
    trips_in_a_row: u32,
    /// When the breaker closed last.
    closed_at: Option<Instant>,
    tripped: Option<Tripped>,
    /// The client that has tripped it, if there was no other.
    tripped_by: Option<ClientKey>,
    trial: Option<Trial>,
}

/// Why a filter is in quarantine, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tripped {
    pub(crate) failures: u64,
    pub(crate) calls: u64,
    /// They are those of one client, and the filter is asked for all others.
    pub(crate) is_of_one: bool,
    /// For how long it is not asked.
    pub(crate) pause: Duration,
    pub(crate) until: SystemTime,
    /// The failure that led to it.
    pub(crate) error: String,
}

impl Quarantine {
    /// A trial's call that has not ended after `longest_call` is taken for lost.
    pub(crate) fn new(rule: QuarantineRule, longest_call: Duration, now: Instant) -> Self {
        // Never zero milliseconds ago: that stands for a closed breaker.
        let origin = now - Duration::from_millis(1);
        Self {
            rule,
            longest_call,
            origin,
            until: AtomicU64::new(FREE),
            tripped_by: AtomicU64::new(EVERYBODY),
            watches_clients: AtomicBool::new(false),
            record: Mutex::default(),
            calls: AllCalls::new(origin, rule.window),
        }
    }

    /// Where another worker counts its calls.
    pub(crate) fn new_worker(&self) -> CallCounter {
        self.calls.new_worker()
    }

    /// Whether the filter may be asked for that client. A trial's call that has not ended after
    /// `timeout` is taken for lost.
    pub(crate) fn admit(
        &self,
        client: ClientKey,
        now: impl FnOnce() -> Instant,
    ) -> (Admission, Option<Change>) {
        let until = self.until.load(Ordering::Relaxed);
        if until == FREE {
            return (self.admit_free(client, now), None);
        }
        let now = now();
        let tripped_by = self.tripped_by.load(Ordering::Relaxed);
        if tripped_by != EVERYBODY && tripped_by != client.number() {
            let change = self.lapse(until, now);
            return (self.admit_free(client, || now), change);
        }
        match self.admit_open(client, until, now) {
            // It was the only one when the breaker opened, and what the filter's settings say of
            // failures would have its requests passed. Others are there now, and judged.
            (Admission::Quarantined, change)
                if tripped_by == client.number() && self.calls.sum(now).has_others_than(client) =>
            {
                (Admission::Held, change)
            }
            admitted => admitted,
        }
    }

    /// For a client for which the breaker is open.
    fn admit_open(
        &self,
        client: ClientKey,
        until: u64,
        now: Instant,
    ) -> (Admission, Option<Change>) {
        if self.millis(now) < until {
            return (Admission::Quarantined, None);
        }
        let mut record = lock(&self.record);
        let Some(pause) = record.tripped.as_ref().map(|tripped| tripped.pause) else {
            return (Admission::Free, None);
        };
        // It may have been held again meanwhile.
        if self.millis(now) < self.until.load(Ordering::Relaxed) {
            return (Admission::Quarantined, None);
        }
        // A client that has no vote yet is heard before it is decided.
        if let Some(trial) = &mut record.trial
            && trial.is_new(client)
            && trial.admit(client, now)
        {
            return (Admission::Trial, None);
        }
        match self.settle_trial(&mut record, now) {
            Some(Change::Recovered) => return (Admission::Free, Some(Change::Recovered)),
            Some(change) => return (Admission::Quarantined, Some(change)),
            None => {}
        }
        let length = self.rule.pause.min(LONGEST_TRIAL);
        let trial = record
            .trial
            .get_or_insert_with(|| Trial::begin(now, length, pause, self.longest_call));
        let admission = if trial.admit(client, now) {
            Admission::Trial
        } else {
            Admission::Quarantined
        };
        (admission, None)
    }

    /// For a client for which the breaker is closed.
    fn admit_free(&self, client: ClientKey, now: impl FnOnce() -> Instant) -> Admission {
        if self.watches_clients.load(Ordering::Relaxed) && self.is_held(client, now()) {
            Admission::Held
        } else {
            Admission::Free
        }
    }

    /// Closes the breaker that was open for a client which has not come back. What it did then says
    /// nothing about those who come now.
    fn lapse(&self, until: u64, now: Instant) -> Option<Change> {
        let window = u64::try_from(self.rule.window.as_millis()).unwrap_or(u64::MAX);
        if self.millis(now) < until.saturating_add(window) {
            return None;
        }
        let mut record = lock(&self.record);
        record.tripped_by?;
        self.close(&mut record, now);
        Some(Change::Recovered)
    }

    fn is_held(&self, client: ClientKey, now: Instant) -> bool {
        let mut record = lock(&self.record);
        if now >= record.sweep_at.unwrap_or(now) {
            record.sweep_at = Some(now + SWEEP);
            record.clients.forget_old(now, &self.rule);
            let is_idle = record.clients.is_empty();
            self.watches_clients.store(!is_idle, Ordering::Relaxed);
        }
        record.clients.is_held(client, now)
    }

    /// Notes how an admitted call has ended. `calls` are those of the worker that made it.
    pub(crate) fn ended(
        &self,
        admission: Admission,
        client: ClientKey,
        end: End,
        calls: &CallCounter,
        now: Instant,
    ) -> Option<Change> {
        if admission == Admission::Trial {
            return self.trial_ended(client, end, now);
        }
        match end {
            End::Overloaded => None,
            End::Good => {
                calls.count(client, false, now);
                None
            }
            End::Failed(error) => {
                calls.count(client, true, now);
                self.failed(client, error, now)
            }
            End::Abandoned => self.abandoned(client, now),
        }
    }

    fn abandoned(&self, client: ClientKey, now: Instant) -> Option<Change> {
        let mut record = lock(&self.record);
        if record.is_not_asked_for(client, now) {
            return None;
        }
        record.clients.abandoned(client, now, &self.rule);
        self.watches_clients.store(true, Ordering::Relaxed);
        self.hold(&mut record, client, now)
    }

    /// Holds the client back if too large a share of its calls in the window has gone wrong.
    fn hold(&self, record: &mut Record, client: ClientKey, now: Instant) -> Option<Change> {
        let calls = |since| self.calls.of_client(client, since, now);
        let pause = record.clients.hold(client, now, &self.rule, calls)?;
        Some(Change::Held { pause })
    }

    fn failed(&self, client: ClientKey, error: String, now: Instant) -> Option<Change> {
        let mut record = lock(&self.record);
        if record.is_not_asked_for(client, now) {
            return None;
        }
        record.clients.failed(client, now, &self.rule);
        self.watches_clients.store(true, Ordering::Relaxed);
        let sum = self.calls.sum(now);
        let share = sum.failures as f64 / sum.calls.max(1) as f64;
        let failures = if sum.has_several_clients {
            record.clients.failures_of_several(&self.rule)
        } else {
            sum.failures
        };
        if failures >= self.rule.failures as u64 && share >= self.rule.share {
            // If it was open for one client, this is another one.
            let is_only = !sum.has_several_clients && record.tripped.is_none();
            record.tripped_by = is_only.then_some(client);
            self.forget(&mut record);
            let (failures, calls) = (sum.failures, sum.calls);
            return Some(self.trip(&mut record, failures, calls, error, now));
        }
        if !sum.has_several_clients {
            return None;
        }
        self.hold(&mut record, client, now)
    }

    fn trial_ended(&self, client: ClientKey, end: End, now: Instant) -> Option<Change> {
        let mut record = lock(&self.record);
        let Record {
            trial: Some(trial),
            tripped: Some(tripped),
            ..
        } = &mut *record
        else {
            // Others have decided meanwhile.
            return None;
        };
        let was_good = match end {
            End::Good => Some(true),
            End::Overloaded | End::Abandoned => None,
            End::Failed(error) => {
                tripped.error = error;
                Some(false)
            }
        };
        trial.ended(client, was_good);
        self.settle_trial(&mut record, now)
    }

    /// What the trial has led to, if it is decided.
    fn settle_trial(&self, record: &mut Record, now: Instant) -> Option<Change> {
        let outcome = record.trial.as_ref()?.outcome(now);
        // What others have done meanwhile still counts where it was open for one.
        if outcome != Outcome::Undecided && record.tripped_by.is_none() {
            self.forget(record);
        }
        match outcome {
            Outcome::Undecided => None,
            Outcome::Recovered => {
                self.close(record, now);
                Some(Change::Recovered)
            }
            Outcome::Relapsed => {
                let tripped = record.tripped.take()?;
                let Tripped {
                    failures,
                    calls,
                    error,
                    ..
                } = tripped;
                Some(self.trip(record, failures, calls, error, now))
            }
        }
    }

    fn trip(
        &self,
        record: &mut Record,
        failures: u64,
        calls: u64,
        error: String,
        now: Instant,
    ) -> Change {
        let pause = self.rule.pause_after(record.trips_in_a_row);
        let lately = self.rule.window.max(pause);
        let kept_well = |closed: Instant| now.saturating_duration_since(closed) > lately;
        if record.closed_at.is_some_and(kept_well) {
            record.trips_in_a_row = 0;
        }
        let pause = self.rule.pause_after(record.trips_in_a_row);
        record.trips_in_a_row = record.trips_in_a_row.saturating_add(1);
        record.closed_at = None;
        record.trial = None;
        let is_of_one = record.tripped_by.is_some();
        let tripped = Tripped {
            failures,
            calls,
            is_of_one,
            pause,
            until: SystemTime::now() + pause,
            error,
        };
        record.tripped = Some(tripped.clone());
        let tripped_by = record.tripped_by.map_or(EVERYBODY, ClientKey::number);
        self.tripped_by.store(tripped_by, Ordering::Relaxed);
        let until = self.millis(now + pause);
        self.until.store(until, Ordering::Relaxed);
        Change::Tripped(tripped)
    }

    /// The filter is asked again by all clients.
    fn close(&self, record: &mut Record, now: Instant) {
        (record.tripped, record.tripped_by, record.trial) = (None, None, None);
        record.closed_at = Some(now);
        self.tripped_by.store(EVERYBODY, Ordering::Relaxed);
        self.until.store(FREE, Ordering::Relaxed);
    }

    /// Forgets which clients have failed, and how often the filter has.
    fn forget(&self, record: &mut Record) {
        record.clients.clear();
        self.watches_clients.store(false, Ordering::Relaxed);
        self.calls.clear();
    }

    /// Has the filter asked again at once and by all clients, and forgets its failures: they may
    /// have had a reason that is gone. Says whether the breaker was open.
    pub(crate) fn release(&self) -> bool {
        let mut record = lock(&self.record);
        let was_open = record.tripped.is_some();
        *record = Record::default();
        self.forget(&mut record);
        self.tripped_by.store(EVERYBODY, Ordering::Relaxed);
        self.until.store(FREE, Ordering::Relaxed);
        was_open
    }

    /// What has opened the breaker, while it is open.
    pub(crate) fn tripped(&self) -> Option<Tripped> {
        lock(&self.record).tripped.clone()
    }

    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

impl Record {
    /// Whether the filter is not asked for that client, or tried. What ends then and is no trial
    /// began before, and says nothing new.
    fn is_not_asked_for(&self, client: ClientKey, now: Instant) -> bool {
        let is_open = self.tripped.is_some() && self.tripped_by.is_none_or(|by| by == client);
        is_open || self.clients.is_held(client, now)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
