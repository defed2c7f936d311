//! Has every worker of a proxy close what is idle when file descriptors or memory are short: a
//! descriptor that one worker needs may be another's. Asked by `upstream` and by `proxy`; each
//! worker's `Upstream` hears of it.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;

/// How long others are waited for. A worker that a filter keeps busy may take longer, and the
/// client is waiting.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How many requests a worker may be behind. It does not hear those before, and need not: all of
/// them want the same.
const BEHIND: usize = 16;

/// Asks all workers of a proxy. Clones ask the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Reclaimer(broadcast::Sender<Closing>);

/// Held by each worker until what it had idle is closed.
pub(super) type Closing = mpsc::Sender<Infallible>;

impl Default for Reclaimer {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl Reclaimer {
    /// Asks, and does not wait.
    pub(crate) fn ask(&self) {
        drop(self.send());
    }

    /// Asks, and waits until all workers have closed what is idle, but not for long.
    pub(super) async fn reclaim(&self) {
        let mut closed = self.send();
        // Nothing is ever sent: it ends with the last worker that holds its other end.
        let _ = timeout(LONGEST_WAIT, closed.recv()).await;
    }

    fn send(&self) -> mpsc::Receiver<Infallible> {
        let (closing, closed) = mpsc::channel(1);
        // It fails where no worker is up, and nothing is idle then.
        drop(self.0.send(closing));
        closed
    }

    pub(super) fn subscribe(&self) -> Reclaims {
        Reclaims(self.0.subscribe())
    }
}

/// Hears what a worker is asked.
#[derive(Debug)]
pub(super) struct Reclaims(broadcast::Receiver<Closing>);

impl Reclaims {
    /// Waits until something is to be closed. None if those that asked do not wait any more.
    pub(super) async fn next(&mut self) -> Option<Closing> {
        match self.0.recv().await {
            Ok(closing) => Some(closing),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_workers_are_waited_for_but_not_for_long() {
        let reclaimer = Reclaimer::default();
        let mut workers = [reclaimer.subscribe(), reclaimer.subscribe()];
        let mut reclaiming = Box::pin(reclaimer.reclaim());
        assert!(reclaiming.as_mut().now_or_never().is_none());
        for worker in &mut workers {
            let closing = worker.next().await;
            assert!(closing.is_some());
            assert!(reclaiming.as_mut().now_or_never().is_none());
        }
        assert!(reclaiming.as_mut().now_or_never().is_some());

        let begun = Instant::now();
        let (_held, ()) = tokio::join!(workers[0].next(), reclaimer.reclaim());
        assert!(begun.elapsed() >= LONGEST_WAIT, "a worker has not heard");
        drop(workers);
        let begun = Instant::now();
        reclaimer.reclaim().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "there is no worker");
    }

    #[tokio::test]
    async fn a_worker_that_is_behind_closes_what_is_idle_once_for_all_that_it_missed() {
        let reclaimer = Reclaimer::default();
        let mut worker = reclaimer.subscribe();
        for _ in 0..2 * BEHIND {
            reclaimer.ask();
        }
        assert!(worker.next().await.is_none());
        for _ in 0..BEHIND {
            assert!(worker.next().await.is_some());
        }
        assert!(worker.next().now_or_never().is_none());
    }
}
