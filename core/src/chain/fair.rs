//! Permits for the calls of one filter on one worker, given to clients in turn: a client with many
//! requests waits for its own and does not keep others from theirs. Used by `local`.

use std::cell::RefCell;
use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::flow::ClientKey;

/// A semaphore for one thread.
#[derive(Debug)]
pub(super) struct FairSemaphore(RefCell<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The clients that wait, in the order of their turns, each with its calls.
    waiting: VecDeque<(ClientKey, VecDeque<oneshot::Sender<()>>)>,
}

/// Is given back when it is dropped.
#[derive(Debug)]
pub(super) struct FairPermit<'a>(&'a FairSemaphore);

impl FairSemaphore {
    pub(super) fn new(permits: usize) -> Self {
        Self(RefCell::new(State {
            free: permits,
            waiting: VecDeque::new(),
        }))
    }

    /// A permit, if one is free.
    pub(super) fn try_acquire(&self) -> Option<FairPermit<'_>> {
        let mut state = self.0.borrow_mut();
        state.free = state.free.checked_sub(1)?;
        Some(FairPermit(self))
    }

    /// Waits for the client's turn.
    pub(super) async fn acquire(&self, client: ClientKey) -> FairPermit<'_> {
        if let Some(permit) = self.try_acquire() {
            return permit;
        }
        let (turn, is_next) = oneshot::channel();
        self.0.borrow_mut().enqueue(client, turn);
        let mut waiting = Waiting {
            semaphore: self,
            is_next,
        };
        // The sender is dropped only after it has sent.
        drop((&mut waiting.is_next).await);
        FairPermit(self)
    }

    fn give_back(&self) {
        self.0.borrow_mut().pass_on();
    }
}

impl State {
    fn enqueue(&mut self, client: ClientKey, turn: oneshot::Sender<()>) {
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|(waits, _)| *waits == client) {
            Some((_, calls)) => calls.push_back(turn),
            None => self.waiting.push_back((client, VecDeque::from([turn]))),
        }
    }

    /// Gives a permit to whose turn it is.
    fn pass_on(&mut self) {
        while let Some((client, mut calls)) = self.waiting.pop_front() {
            let turn = calls.pop_front();
            if !calls.is_empty() {
                self.waiting.push_back((client, calls));
            }
            // A call that has given up takes none.
            if turn.is_some_and(|turn| turn.send(()).is_ok()) {
                return;
            }
        }
        self.free += 1;
    }
}

impl Drop for FairPermit<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// A call that waits. A permit that comes when it has given up is passed on.
struct Waiting<'a> {
    semaphore: &'a FairSemaphore,
    is_next: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_next.try_recv().is_ok() {
            self.semaphore.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ALICE: ClientKey = ClientKey::test(1);
    const EVE: ClientKey = ClientKey::test(666);

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn clients_have_their_turns_however_many_calls_each_has() {
        let permits = FairSemaphore::new(1);
        let first = permits.try_acquire().unwrap();
        assert!(permits.try_acquire().is_none());
        let mut eves: Vec<_> = (0..10).map(|_| Box::pin(permits.acquire(EVE))).collect();
        for call in &mut eves {
            assert!(poll(call.as_mut()).is_pending());
        }
        let mut alice = pin!(permits.acquire(ALICE));
        assert!(poll(alice.as_mut()).is_pending());

        drop(first);
        assert!(poll(alice.as_mut()).is_pending(), "Eve was first");
        let Poll::Ready(first) = poll(eves[0].as_mut()) else {
            panic!("it is her turn")
        };
        drop(first);
        assert!(poll(eves[1].as_mut()).is_pending());
        assert!(poll(alice.as_mut()).is_ready());
    }

    #[test]
    fn a_permit_for_a_call_that_has_given_up_goes_to_the_next() {
        let permits = FairSemaphore::new(1);
        let first = permits.try_acquire().unwrap();
        let mut calls: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(EVE))).collect();
        for call in &mut calls {
            assert!(poll(call.as_mut()).is_pending());
        }
        // One gives up while it waits, one when its turn has come.
        drop(calls.remove(0));
        drop(first);
        drop(calls.remove(0));
        assert!(poll(calls[0].as_mut()).is_ready());
        drop(calls);
        assert!(permits.try_acquire().is_some());
    }
}
