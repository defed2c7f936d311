//! A timer for a deadline that moves. `Deadlines` has one for each client connection, and a
//! connection to an origin that goes on without its exchange has one of its own.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for a deadline that keeps moving.
///
/// Deadlines nearly always move back, with every request or every byte. So the timer stays where it
/// is and is set again only when it fires too early: one registration per connection and minute
/// instead of two per request.
#[derive(Debug)]
pub(crate) struct ResettableTimer {
    sleep: Pin<Box<Sleep>>,
    /// The waker that is registered with the timer.
    waker: Option<Waker>,
}

impl ResettableTimer {
    pub(crate) fn at(deadline: Instant) -> Self {
        Self {
            sleep: Box::pin(sleep_until(deadline)),
            waker: None,
        }
    }

    /// Ready when `deadline` has passed. Each call may name another deadline.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
        let is_registered = self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if is_registered && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        loop {
            // A task that has used up its budget gets `Pending` from a `Sleep` that was not even
            // registered. Without a budget, `Pending` always means that the timer will wake this
            // task.
            let mut sleep = unconstrained(self.sleep.as_mut());
            if Pin::new(&mut sleep).poll(cx).is_pending() {
                self.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.waker = None;
            if deadline <= self.sleep.deadline() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::ready;
    use std::time::Duration;

    use tokio::task::coop::{has_budget_remaining, poll_proceed};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_back_is_waited_for() {
        let start = Instant::now();
        let mut timer = ResettableTimer::at(start + SECOND);
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            timer.poll(start + 5 * SECOND, cx)
        })
        .await;
        assert_eq!((start.elapsed(), polls), (5 * SECOND, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_forward_is_met() {
        let start = Instant::now();
        let mut timer = ResettableTimer::at(start + 60 * SECOND);
        poll_fn(|cx| timer.poll(start + SECOND, cx)).await;
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_without_budget_is_woken_all_the_same() {
        let start = Instant::now();
        let mut timer = ResettableTimer::at(start + SECOND);
        poll_fn(|cx| {
            while has_budget_remaining() {
                ready!(poll_proceed(cx)).made_progress();
            }
            timer.poll(start + SECOND, cx)
        })
        .await;
        assert_eq!(start.elapsed(), SECOND);
    }
}
