//! How much one task moves before the other tasks of its worker have their turn. A peer that is as
//! fast as this machine would otherwise hold the worker for as long as it sends, or until the
//! system holds no more for a peer that reads slowly, which is some megabytes.

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::task::yield_now;

/// In bytes. Few enough that a task is not kept for long by others that all want more, and enough
/// that a large body takes few turns.
const PER_TURN: usize = 128 * 1024;

/// What a task has moved since it was polled last.
#[derive(Debug, Default)]
pub(crate) struct Share(Cell<usize>);

impl Share {
    /// The task is polled.
    pub(crate) fn begin_turn(&self) {
        self.0.set(0);
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.set(self.0.get() + bytes);
    }

    /// Ready while the task may move more. When it may not, it is woken to go on after all tasks
    /// that are ready and those for which something has come meanwhile.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.get() < PER_TURN {
            return Poll::Ready(());
        }
        // A plain wake-up would put it before the runtime's look at the sockets.
        pin!(yield_now()).poll(cx)
    }

    #[cfg(test)]
    pub(crate) fn use_up(&self) {
        self.0.set(PER_TURN);
    }
}
