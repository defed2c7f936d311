//! The computing time of one call. It is looked at when the engine's epoch ticks and not before:
//! most calls end before their first tick. `instance` begins and ends it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

use super::ticker::{Computing, EpochTicker};

/// What is left of a call's computing time, and since when the guest has been running.
#[derive(Debug)]
pub(super) struct CpuBudget {
    left: Duration,
    clock: ThreadClock,
    /// The thread's computing time when the guest went on last, in nanoseconds, or [`UNKNOWN`].
    resumed: Arc<AtomicU64>,
    /// Present from the call's first tick on.
    computing: Option<Computing>,
}

/// How long the calling thread has computed, in nanoseconds.
type ThreadClock = fn() -> u64;

/// At the beginning of a call the clock is not read, which would cost as much as a small filter.
const UNKNOWN: u64 = 0;

impl Default for CpuBudget {
    fn default() -> Self {
        Self {
            left: Duration::ZERO,
            clock: thread_time,
            resumed: Arc::new(AtomicU64::new(UNKNOWN)),
            computing: None,
        }
    }
}

impl CpuBudget {
    /// Begins a call.
    pub(super) fn begin(&mut self, budget: Duration) {
        self.left = budget;
        self.resumed.store(UNKNOWN, Ordering::Relaxed);
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
        self.computing.get_or_insert_with(|| ticker.computing());
        let used = match self.resumed.load(Ordering::Relaxed) {
            // The call began at some time before this tick, perhaps a moment ago.
            UNKNOWN => Duration::ZERO,
            resumed => Duration::from_nanos((self.clock)().saturating_sub(resumed)),
        };
        self.left = self.left.saturating_sub(used);
        if self.left.is_zero() {
            return None;
        }
        let (resumed, clock) = (self.resumed.clone(), self.clock);
        Some(async move {
            tokio::task::yield_now().await;
            // By now another thread may have taken over.
            resumed.store(clock(), Ordering::Relaxed);
        })
    }

    /// What the running call had left when the epoch ticked last.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// Ends a call.
    pub(super) fn end(&mut self) {
        self.computing = None;
    }
}

fn thread_time() -> u64 {
    let time = ThreadTime::now().as_duration().as_nanos();
    u64::try_from(time).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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
        budget.begin(time);
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

        budget.begin(MILLISECOND);
        assert!(
            budget.at_tick(&ticker).is_some(),
            "another call begins anew"
        );
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
