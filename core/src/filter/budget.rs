//! The computing time of one call. Looked at when the engine's clock ticks, and not before: most calls end within their first tick.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

/// What is left, and since when the guest has been running.
#[derive(Debug, Default)]
pub(super) struct CpuBudget {
    left: Duration,
    /// The thread's computing time when the guest went on last, in nanoseconds, or [`UNKNOWN`].
    resumed: Arc<AtomicU64>,
}

/// At the beginning of a call nobody looks at the clock, which would cost as much as a small filter.
const UNKNOWN: u64 = 0;

impl CpuBudget {
    /// For the next call.
    pub(super) fn begin(&mut self, budget: Duration) {
        self.left = budget;
        self.resumed.store(UNKNOWN, Ordering::Relaxed);
    }

    /// To be asked whenever the clock ticks while the guest runs: what must be awaited before it goes on, or none if its time is up. Only the
    /// thread's own computing counts. A thread that waits for a page or for its turn has spent none, and the filter is not to blame.
    pub(super) fn at_tick(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let used = match self.resumed.load(Ordering::Relaxed) {
            // Less than a tick, and perhaps next to nothing: the clock does not begin with the call.
            UNKNOWN => Duration::ZERO,
            resumed => Duration::from_nanos(thread_time().saturating_sub(resumed)),
        };
        self.left = self.left.saturating_sub(used);
        if self.left.is_zero() {
            return None;
        }
        let resumed = self.resumed.clone();
        Some(async move {
            tokio::task::yield_now().await;
            // By now another thread may have taken over.
            resumed.store(thread_time(), Ordering::Relaxed);
        })
    }
}

fn thread_time() -> u64 {
    let time = ThreadTime::now().as_duration().as_nanos();
    u64::try_from(time).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::engine::TICK;

    /// Computes for so long.
    fn compute(time: Duration) {
        let begun = ThreadTime::now();
        while begun.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let mut budget = CpuBudget::default();
        budget.begin(5 * TICK);
        budget.at_tick().expect("it has just begun").await;
        // Nothing is computed in between, however long that takes.
        for _ in 0..100 {
            std::thread::park_timeout(Duration::from_micros(200));
            budget.at_tick().expect("it has used no more").await;
        }
        compute(2 * TICK);
        budget.at_tick().expect("it has used half of it").await;
        compute(3 * TICK);
        assert!(budget.at_tick().is_none());

        budget.begin(TICK / 2);
        assert!(budget.at_tick().is_some(), "another call begins anew");
    }
}
