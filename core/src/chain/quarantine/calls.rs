//! How many calls of a filter have ended in the last window of time, how many of them badly, and
//! how many are one client's. Each worker counts its own, so that a call that goes well touches
//! nothing that others write to; the sum is made when a call fails.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::lock;
use crate::flow::ClientKey;

const MILLISECOND: NonZeroU64 = NonZeroU64::new(1_000_000).expect("it is not 0");

/// The window moves on in steps of this part of it.
const BUCKETS: u32 = 10;

/// In how many places a bucket counts the calls of clients. Those that have the same place are one,
/// and seem to have called more often than they have. That excuses failures and blames no client.
const PLACES: usize = 128;

/// The calls of one filter on all workers.
#[derive(Debug)]
pub(super) struct AllCalls {
    origin: Instant,
    window: Duration,
    workers: Mutex<Vec<Arc<Calls>>>,
}

/// The worker's own side of its calls. Only this writes to them, but for [`Calls::clear`].
#[derive(Debug)]
pub(crate) struct CallCounter {
    calls: Arc<Calls>,
    /// The step that was counted in last.
    step: Cell<Step>,
}

/// A step of time by its number. Comparing times costs a small part of what subtracting them does.
#[derive(Clone, Copy, Debug)]
struct Step {
    number: u64,
    begins: Instant,
    ends: Instant,
}

/// The calls of one filter on one worker.
#[derive(Debug)]
struct Calls {
    origin: Instant,
    /// The time that a bucket stands for, in nanoseconds.
    step: NonZeroU64,
    buckets: [Bucket; BUCKETS as usize],
}

/// The calls that ended in one step of time.
#[derive(Debug, Default)]
struct Bucket {
    /// The number of the step, from 1; 0 if there is none yet.
    step: AtomicU64,
    calls: AtomicU32,
    failures: AtomicU32,
    /// The client of the first call.
    client: AtomicU64,
    has_other_clients: AtomicBool,
    of_clients: CallsOfClients,
}

/// The calls in each [`place`].
#[derive(Debug)]
struct CallsOfClients([AtomicU32; PLACES]);

impl Default for CallsOfClients {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU32::default()))
    }
}

/// Where a client's calls are counted. Addresses that follow each other have places of their own.
fn place(client: ClientKey) -> usize {
    // Of a product with the golden ratio, the first bits depend on all of the number. This is less
    // than what it costs to look for a client in a table.
    let spread = client.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - PLACES.ilog2())) as usize
}

/// The calls of a window, of some or all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) calls: u64,
    pub(super) failures: u64,
    client: Option<u64>,
    /// Whether more than one client has called.
    pub(super) has_several_clients: bool,
}

impl Sum {
    /// Whether any of the calls is another client's.
    pub(super) fn has_others_than(&self, client: ClientKey) -> bool {
        let is_other = |known: u64| known != client.number();
        self.has_several_clients || self.client.is_some_and(is_other)
    }
}

impl AllCalls {
    pub(super) fn new(origin: Instant, window: Duration) -> Self {
        Self {
            origin,
            window,
            workers: Mutex::default(),
        }
    }

    /// Where another worker counts its calls.
    pub(super) fn new_worker(&self) -> CallCounter {
        let calls = Arc::new(Calls::new(self.origin, self.window));
        let mut workers = lock(&self.workers);
        workers.retain(|worker| Arc::strong_count(worker) > 1);
        workers.push(calls.clone());
        CallCounter::new(calls)
    }

    /// Those of the window that ends now.
    pub(super) fn sum(&self, now: Instant) -> Sum {
        let mut sum = Sum::default();
        for worker in &*lock(&self.workers) {
            worker.add_to(&mut sum, now);
        }
        sum
    }

    /// How many of them are the client's; where there is such a time, those since about then.
    pub(super) fn of_client(&self, client: ClientKey, since: Option<Instant>, now: Instant) -> u64 {
        let workers = lock(&self.workers);
        let calls = workers
            .iter()
            .map(|worker| worker.of_client(client, since, now));
        calls.sum()
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        for worker in &*lock(&self.workers) {
            worker.clear();
        }
    }
}

impl Calls {
    fn new(origin: Instant, window: Duration) -> Self {
        Self {
            origin,
            step: NonZeroU64::new(nanos(window / BUCKETS))
                .map_or(MILLISECOND, |step| step.max(MILLISECOND)),
            buckets: Default::default(),
        }
    }

    fn count(&self, client: ClientKey, has_failed: bool, step: u64) {
        let bucket = &self.buckets[(step % u64::from(BUCKETS)) as usize];
        if bucket.step.load(Ordering::Relaxed) != step {
            bucket.calls.store(0, Ordering::Relaxed);
            bucket.failures.store(0, Ordering::Relaxed);
            bucket.client.store(client.number(), Ordering::Relaxed);
            bucket.has_other_clients.store(false, Ordering::Relaxed);
            for calls in &bucket.of_clients.0 {
                calls.store(0, Ordering::Relaxed);
            }
            bucket.step.store(step, Ordering::Relaxed);
        }
        // There is one writer, so nothing is lost between load and store.
        let add = |counter: &AtomicU32, more: u32| {
            counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        add(&bucket.calls, 1);
        add(&bucket.failures, u32::from(has_failed));
        add(&bucket.of_clients.0[place(client)], 1);
        if bucket.client.load(Ordering::Relaxed) != client.number() {
            bucket.has_other_clients.store(true, Ordering::Relaxed);
        }
    }

    /// The steps of the window that ends now.
    fn window(&self, now: Instant) -> RangeInclusive<u64> {
        let newest = self.step_at(now);
        (newest + 1).saturating_sub(BUCKETS.into()).max(1)..=newest
    }

    /// The client's calls in that window, from the step on that has `since` in it.
    fn of_client(&self, client: ClientKey, since: Option<Instant>, now: Instant) -> u64 {
        let window = self.window(now);
        let first = since.map_or(0, |since| self.step_at(since));
        let place = place(client);
        let buckets = self.buckets.iter().filter(|bucket| {
            let step = bucket.step.load(Ordering::Relaxed);
            step >= first && window.contains(&step)
        });
        let calls = buckets.map(|bucket| bucket.of_clients.0[place].load(Ordering::Relaxed));
        calls.map(u64::from).sum()
    }

    /// Adds what is in the window that ends now.
    fn add_to(&self, sum: &mut Sum, now: Instant) {
        let window = self.window(now);
        for bucket in &self.buckets {
            if !window.contains(&bucket.step.load(Ordering::Relaxed)) {
                continue;
            }
            let calls = bucket.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            sum.calls += u64::from(calls);
            sum.failures += u64::from(bucket.failures.load(Ordering::Relaxed));
            let client = bucket.client.load(Ordering::Relaxed);
            sum.has_several_clients |= bucket.has_other_clients.load(Ordering::Relaxed)
                || sum.client.is_some_and(|known| known != client);
            sum.client = Some(client);
        }
    }

    /// Forgets all. A call that another thread counts meanwhile may remain.
    fn clear(&self) {
        for bucket in &self.buckets {
            // The first step is 1.
            bucket.step.store(0, Ordering::Relaxed);
        }
    }

    fn step_at(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin);
        nanos(since) / self.step + 1
    }
}

impl CallCounter {
    fn new(calls: Arc<Calls>) -> Self {
        let origin = calls.origin;
        let step = Step {
            number: 0,
            begins: origin,
            ends: origin,
        };
        Self {
            calls,
            step: Cell::new(step),
        }
    }

    /// Counts a call that has ended.
    pub(crate) fn count(&self, client: ClientKey, has_failed: bool, now: Instant) {
        let Step {
            number,
            begins,
            ends,
        } = self.step.get();
        let number = if (begins..ends).contains(&now) {
            number
        } else {
            self.turn_to(now)
        };
        self.calls.count(client, has_failed, number);
    }

    #[cold]
    fn turn_to(&self, now: Instant) -> u64 {
        let number = self.calls.step_at(now);
        let length = self.calls.step.get();
        let begins = Duration::from_nanos((number - 1).saturating_mul(length));
        let begins = self.calls.origin + begins;
        self.step.set(Step {
            number,
            begins,
            ends: begins + Duration::from_nanos(length),
        });
        number
    }
}

/// Centuries fit.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const ALICE: ClientKey = ClientKey::test(1);
    const BOB: ClientKey = ClientKey::test(2);

    fn counter(start: Instant) -> CallCounter {
        CallCounter::new(Arc::new(Calls::new(start, 10 * SECOND)))
    }

    fn sum(counter: &CallCounter, now: Instant) -> Sum {
        let mut sum = Sum::default();
        counter.calls.add_to(&mut sum, now);
        sum
    }

    #[test]
    fn a_window_holds_what_has_ended_in_it() {
        let start = Instant::now();
        let calls = counter(start);
        for second in 0..25 {
            calls.count(ALICE, second % 5 == 0, start + second * SECOND);
        }
        let last = sum(&calls, start + 24 * SECOND);
        assert_eq!((last.calls, last.failures), (10, 2));
        let later = sum(&calls, start + 29 * SECOND);
        assert_eq!((later.calls, later.failures), (5, 1));
        assert_eq!(sum(&calls, start + 40 * SECOND), Sum::default());
    }

    #[test]
    fn calls_of_one_step_are_counted_together_and_those_of_the_next_are_not() {
        let start = Instant::now();
        let calls = counter(start);
        let (begin, end) = (start + SECOND, start + 2 * SECOND - Duration::from_nanos(1));
        for (time, number) in [(begin, 2), (end, 2), (end + Duration::from_nanos(1), 3)] {
            calls.count(ALICE, false, time);
            assert_eq!(calls.step.get().number, number);
            assert_eq!(calls.calls.step_at(time), number);
        }
    }

    #[test]
    fn the_calls_of_a_client_are_counted_on_all_workers_and_apart_from_those_of_others() {
        let start = Instant::now();
        let calls = AllCalls::new(start, 10 * SECOND);
        let workers = [calls.new_worker(), calls.new_worker()];
        for second in 0..3 {
            workers[0].count(ALICE, false, start + second * SECOND);
            workers[1].count(ALICE, true, start + second * SECOND);
            workers[1].count(BOB, false, start + second * SECOND);
        }
        let of = |client, since| calls.of_client(client, since, start + 3 * SECOND);
        assert_eq!((of(ALICE, None), of(BOB, None)), (6, 3));
        assert_eq!(of(ALICE, Some(start + SECOND)), 4);
        assert_eq!(calls.of_client(ALICE, None, start + 11 * SECOND), 2);
        calls.clear();
        assert_eq!(of(ALICE, None), 0);
    }

    #[test]
    fn neighbours_have_places_of_their_own() {
        let place = |host: u8| place(ClientKey::of(Some([127, 0, 0, host].into())));
        let places: std::collections::HashSet<usize> = (0..64).map(place).collect();
        assert_eq!(places.len(), 64);
    }

    #[test]
    fn one_client_is_told_from_several() {
        let start = Instant::now();
        let calls = counter(start);
        calls.count(ALICE, false, start);
        calls.count(ALICE, false, start + 3 * SECOND);
        assert!(!sum(&calls, start + 3 * SECOND).has_several_clients);
        let alone = sum(&calls, start + 3 * SECOND);
        assert!(!alone.has_others_than(ALICE) && alone.has_others_than(BOB));
        assert!(!sum(&calls, start + 20 * SECOND).has_others_than(ALICE));
        calls.count(BOB, false, start + 4 * SECOND);
        assert!(sum(&calls, start + 4 * SECOND).has_several_clients);
        assert!(sum(&calls, start + 4 * SECOND).has_others_than(ALICE));
        // The same in one step of time, and seen by two workers.
        calls.count(ALICE, false, start + 20 * SECOND);
        assert!(!sum(&calls, start + 20 * SECOND).has_several_clients);
        let other = counter(start);
        other.count(BOB, false, start + 20 * SECOND);
        let mut both = sum(&calls, start + 20 * SECOND);
        other.calls.add_to(&mut both, start + 20 * SECOND);
        assert!(both.has_several_clients);
    }
}
