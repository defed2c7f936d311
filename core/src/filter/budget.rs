//! The computing time of one call. It is looked at when the engine's epoch ticks and not before:
//! most calls end before their first tick. A guest notices a tick where it loops or calls a
//! function of its own, and when it calls the proxy. `instance` begins and ends it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cpu_time::ThreadTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ticker::{Computing, EpochTicker};

/// What is left of a call's computing time, and since when the guest has been running.
#[derive(Debug)]
pub(super) struct CpuBudget {
    left: Duration,
    clock: ThreadClock,
    slice: Arc<Slice>,
    measure: Measure,
    /// The last tick that the call has noticed.
    tick: u64,
    /// Present from the call's first tick on.
    computing: Option<Computing>,
}

/// The time between two pauses of a guest.
#[derive(Debug, Default)]
struct Slice {
    /// The thread's computing time when the guest went on last, in nanoseconds, or [`UNKNOWN`].
    resumed: AtomicU64,
    /// Present from the guest's first pause on, while it runs.
    turn: Mutex<Option<OwnedSemaphorePermit>>,
}

thread_local! {
    /// Of the guests that compute for long on one thread, one has its turn after each look at the
    /// sockets. However many there are, other requests wait for one slice and not for all of them.
    static TURN: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

/// How long the calling thread has computed, in nanoseconds.
type ThreadClock = fn() -> u64;

/// At the beginning of a call the clock is not read, which would cost as much as a small filter.
const UNKNOWN: u64 = 0;

/// From when on the computing of a call is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Which costs most calls nothing.
    FromTheFirstTick,
    Exactly,
}

impl Default for CpuBudget {
    fn default() -> Self {
        Self {
            left: Duration::ZERO,
            clock: thread_time,
            slice: Arc::default(),
            measure: Measure::FromTheFirstTick,
            tick: 0,
            computing: None,
        }
    }
}

impl CpuBudget {
    /// Begins a call.
    pub(super) fn begin(&mut self, budget: Duration, measure: Measure, ticker: &EpochTicker) {
        self.left = budget;
        self.measure = measure;
        self.tick = ticker.ticks();
        let resumed = match measure {
            Measure::FromTheFirstTick => UNKNOWN,
            Measure::Exactly => (self.clock)(),
        };
        self.slice.resumed.store(resumed, Ordering::Relaxed);
    }

    /// Must be asked at each tick while the guest runs. It answers what must be awaited before the
    /// guest goes on, or none if the guest's time is up.
    ///
    /// Only the thread's own computing counts. A thread that waits for a page or for its turn has
    /// spent none, and the filter is not to blame.
    pub(super) fn at_tick(
        &mut self,
        ticker: &EpochTicker,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        self.tick = ticker.ticks();
        // Most calls that a tick meets are short ones that have just begun.
        let computes_for_long = self.computing.is_some();
        self.computing.get_or_insert_with(|| ticker.computing());
        if !self.has_time_left() {
            return None;
        }
        self.slice.end();
        // What others compute meanwhile is not this guest's.
        self.slice.resumed.store(UNKNOWN, Ordering::Relaxed);
        let (slice, clock) = (self.slice.clone(), self.clock);
        Some(async move {
            if computes_for_long {
                let turn = TURN.with(Arc::clone).acquire_owned().await;
                *slice.turn() = turn.ok();
            }
            tokio::task::yield_now().await;
            // By now another thread may have taken over.
            slice.resumed.store(clock(), Ordering::Relaxed);
        })
    }

    /// Must be asked when the guest calls the proxy. Says whether it may go on.
    pub(super) fn at_host_call(&mut self, ticker: &EpochTicker) -> bool {
        let tick = ticker.ticks();
        if tick == self.tick {
            return true;
        }
        self.tick = tick;
        self.computing.get_or_insert_with(|| ticker.computing());
        self.has_time_left()
    }

    /// Takes off what was used since the guest went on last.
    fn has_time_left(&mut self) -> bool {
        let now = (self.clock)();
        let used = match self.slice.resumed.swap(now, Ordering::Relaxed) {
            // The call began at some time before this tick, perhaps a moment ago.
            UNKNOWN => 0,
            resumed => now.saturating_sub(resumed),
        };
        self.left = self.left.saturating_sub(Duration::from_nanos(used));
        !self.left.is_zero()
    }

    /// Whether a call that has ended has used more than its time, as far as that was measured.
    pub(super) fn is_exceeded(&mut self) -> bool {
        let is_measured = self.slice.resumed.load(Ordering::Relaxed) != UNKNOWN;
        is_measured && !self.has_time_left()
    }

    /// Whether all of the call was measured.
    pub(super) fn is_exact(&self) -> bool {
        self.measure == Measure::Exactly
    }

    /// What the running call had left when the epoch ticked last.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// Ends a call.
    pub(super) fn end(&mut self) {
        if self.computing.take().is_some() {
            self.slice.end();
        }
    }
}

impl Slice {
    /// The next guest has its turn.
    fn end(&self) {
        *self.turn() = None;
    }

    fn turn(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn thread_time() -> u64 {
    let time = ThreadTime::now().as_duration().as_nanos();
    u64::try_from(time).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    thread_local! {
        static COMPUTED: Cell<Duration> = const { Cell::new(Duration::from_secs(1)) };
    }

    fn compute(time: Duration) {
        COMPUTED.set(COMPUTED.get() + time);
    }

    fn budget(time: Duration) -> CpuBudget {
        let mut budget = CpuBudget {
            clock: || u64::try_from(COMPUTED.get().as_nanos()).unwrap(),
            ..CpuBudget::default()
        };
        budget.begin(time, Measure::FromTheFirstTick, &ticker());
        budget
    }

    fn ticker() -> EpochTicker {
        EpochTicker::start(|| ()).unwrap()
    }

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let (ticker, mut budget) = (ticker(), budget(5 * MILLISECOND));
        budget.at_tick(&ticker).expect("it has just begun").await;
        for _ in 0..100 {
            let pause = budget.at_tick(&ticker).expect("it has used no more");
            // Other requests compute meanwhile.
            compute(MILLISECOND);
            pause.await;
        }
        compute(3 * MILLISECOND);
        budget
            .at_tick(&ticker)
            .expect("it has used most of it")
            .await;
        compute(2 * MILLISECOND);
        assert!(budget.at_tick(&ticker).is_none());

        budget.begin(MILLISECOND, Measure::FromTheFirstTick, &ticker);
        assert!(
            budget.at_tick(&ticker).is_some(),
            "another call begins anew"
        );
    }

    #[tokio::test]
    async fn guests_that_compute_for_long_take_turns() {
        let ticker = ticker();
        let [mut first, mut second] = [(); 2].map(|()| budget(50 * MILLISECOND));
        for budget in [&mut first, &mut second] {
            budget.at_tick(&ticker).unwrap().await;
        }
        first.at_tick(&ticker).unwrap().await;

        let mut second_turn = pin!(second.at_tick(&ticker).unwrap());
        assert!(is_kept_waiting(second_turn.as_mut()).await);
        let mut first_turn = pin!(first.at_tick(&ticker).unwrap());
        assert!(
            is_kept_waiting(first_turn.as_mut()).await,
            "the second waits longer"
        );
        second_turn.await;
        assert!(is_kept_waiting(first_turn.as_mut()).await);
        second.end();
        first_turn.await;

        second.at_tick(&ticker).unwrap().await;
        let mut second_turn = pin!(second.at_tick(&ticker).unwrap());
        assert!(is_kept_waiting(second_turn.as_mut()).await);
        drop(first);
        second_turn.await;
    }

    /// Whether it is pending, and still is when everything else has had its turn.
    async fn is_kept_waiting(mut pause: Pin<&mut impl Future<Output = ()>>) -> bool {
        let mut turns = 0;
        poll_fn(|cx| {
            turns += 1;
            if pause.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            cx.waker().wake_by_ref();
            if turns < 10 {
                Poll::Pending
            } else {
                Poll::Ready(true)
            }
        })
        .await
    }

    #[test]
    fn a_call_that_returns_late_is_told_from_one_that_was_kept_waiting() {
        let (ticker, mut budget) = (ticker(), budget(5 * MILLISECOND));
        compute(10 * MILLISECOND);
        assert!(!budget.is_exceeded() && !budget.is_exact());
        for (used, exceeded) in [(4, false), (5, true), (100, true)] {
            budget.begin(5 * MILLISECOND, Measure::Exactly, &ticker);
            compute(used * MILLISECOND);
            assert!(budget.is_exact());
            assert_eq!(budget.is_exceeded(), exceeded, "{used}");
        }
    }

    #[tokio::test]
    async fn what_others_compute_while_a_guest_waits_for_its_turn_is_not_its_own() {
        let (ticker, mut budget) = (ticker(), budget(5 * MILLISECOND));
        budget.at_tick(&ticker).unwrap().await;
        let waiting = budget.at_tick(&ticker).unwrap();
        compute(10 * MILLISECOND);
        drop(waiting);
        assert!(!budget.is_exceeded());
        assert!(budget.left() > MILLISECOND);
    }

    #[test]
    fn a_guest_that_only_calls_the_proxy_is_ended_too() {
        let (ticker, mut budget) = (ticker(), budget(2 * MILLISECOND));
        // Without a tick, no clock is read.
        compute(10 * MILLISECOND);
        assert!(budget.at_host_call(&ticker));
        let tick = |budget: &mut CpuBudget| budget.tick = budget.tick.wrapping_sub(1);
        tick(&mut budget);
        assert!(budget.at_host_call(&ticker), "it has just been noticed");
        compute(MILLISECOND);
        tick(&mut budget);
        assert!(budget.at_host_call(&ticker));
        compute(MILLISECOND);
        tick(&mut budget);
        assert!(!budget.at_host_call(&ticker));
    }

    #[test]
    fn a_budget_of_less_than_a_tick_is_no_reason_to_fail_at_the_first() {
        assert!(budget(MILLISECOND / 10).at_tick(&ticker()).is_some());
    }

    #[test]
    fn the_clock_goes_on_while_a_thread_computes() {
        let begun = thread_time();
        assert!(begun > 0);
        // A test that hangs has failed.
        while thread_time() == begun {
            std::hint::spin_loop();
        }
    }
}
