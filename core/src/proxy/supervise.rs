//! Starts again what panics. `control` runs its tasks this way and `workers` their threads and
//! background tasks; what a task is for is not known here.
//!
//! Where it panicked is told by the application's panic hook, at once.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use crate::error::panic_message;

/// The pause before the first restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause: what panics at each start costs next to nothing, and is tried again soon
/// enough after its cause is gone.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What has run this long did not panic because of its start, so its next pause is the first one
/// again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// Runs `task` until it ends. If it panics, the panic is logged at once and the task is started
/// again after a pause.
pub(super) async fn supervise(name: &'static str, mut task: impl AsyncFnMut()) {
    let mut backoff = Backoff::new(Instant::now());
    while let Err(panic) = AssertUnwindSafe(task()).catch_unwind().await {
        let pause = backoff.pause(Instant::now());
        tracing::error!(
            task = name,
            panic = panic_message(&*panic),
            restart_in = ?pause,
            "a background task panicked and is started again"
        );
        sleep(pause).await;
    }
}

/// The pauses between restarts of one task: each twice as long as the one before, unless the task
/// ran well meanwhile.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    started: Instant,
}

impl Backoff {
    /// For a task that starts now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: FIRST_PAUSE,
            started: now,
        }
    }

    /// The pause after a panic. The task starts again when it is over.
    pub(super) fn pause(&mut self, now: Instant) -> Duration {
        let pause = if now.duration_since(self.started) >= HEALTHY_AFTER {
            FIRST_PAUSE
        } else {
            self.next
        };
        self.next = (2 * pause).min(LONGEST_PAUSE);
        self.started = now + pause;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_started_again_until_it_ends() {
        let mut runs = 0;
        supervise("test", async || {
            runs += 1;
            assert!(runs == 3, "run {runs} panics");
        })
        .await;
        assert_eq!(runs, 3);
    }

    #[test]
    fn pauses_grow_while_a_task_panics_at_its_start() {
        let mut now = Instant::now();
        let mut backoff = Backoff::new(now);
        let mut pauses = Vec::new();
        for _ in 0..11 {
            let pause = backoff.pause(now);
            pauses.push(pause.as_millis());
            now += pause;
        }
        assert_eq!(
            pauses,
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000
            ]
        );
    }

    #[test]
    fn a_task_that_ran_well_starts_again_soon() {
        let mut now = Instant::now();
        let mut backoff = Backoff::new(now);
        for _ in 0..5 {
            now += backoff.pause(now);
        }
        now += HEALTHY_AFTER;
        assert_eq!(backoff.pause(now), FIRST_PAUSE);
        assert_eq!(backoff.pause(now + FIRST_PAUSE), 2 * FIRST_PAUSE);
    }
}
