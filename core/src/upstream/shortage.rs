//! Tells what a worker has that it could do without when file descriptors or memory are short. Said
//! by `Upstream`, heard by idle connections of clients.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// How often something was short on a worker.
#[derive(Debug, Default)]
pub(crate) struct Shortage {
    times: Cell<u64>,
    told: Notify,
}

impl Shortage {
    pub(crate) fn announce(&self) {
        self.times.set(self.times.get() + 1);
        self.told.notify_waiters();
    }

    /// What a signal waits for.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.told.notified()
    }
}

/// Wakes a task when there is a shortage. Looking costs one comparison.
pub(crate) struct ShortageSignal<'a, 's> {
    shortage: &'a Shortage,
    told: Pin<&'s mut Notified<'a>>,
    /// The waker that is registered. Once is enough.
    waker: Option<Waker>,
    seen: u64,
}

impl<'a, 's> ShortageSignal<'a, 's> {
    /// `told` comes of [`Shortage::notified`].
    pub(crate) fn new(shortage: &'a Shortage, told: Pin<&'s mut Notified<'a>>) -> Self {
        Self {
            shortage,
            told,
            waker: None,
            seen: shortage.times.get(),
        }
    }

    /// Whether there has been a shortage since this was asked last. The task is woken at the next.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let times = self.shortage.times.get();
        let is_short = times != self.seen;
        self.seen = times;
        if is_short {
            self.told.set(self.shortage.notified());
            self.waker = None;
        }
        let waker = self.waker.as_ref();
        if !waker.is_some_and(|waker| waker.will_wake(cx.waker())) {
            // Between the look and this nothing can have been said: all is on one thread.
            let _ = self.told.as_mut().poll(cx);
            self.waker = Some(cx.waker().clone());
        }
        is_short
    }
}
