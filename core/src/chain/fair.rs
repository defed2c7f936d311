//! Permits for the calls of one filter on one worker, given to clients in turn: a client with many
//! requests waits for its own and does not keep others from theirs. Used by `local`.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::flow::ClientKey;

/// A semaphore for one thread.
#[derive(Debug)]
pub(super) struct FairSemaphore(RefCell<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The clients that wait, in the order of their turns, each with its calls in the order in
    /// which they came. A call that gives up is taken out.
    waiting: VecDeque<(ClientKey, BTreeMap<u64, oneshot::Sender<()>>)>,
    /// How many calls have waited so far.
    calls: u64,
}

/// Is given back when it is dropped.
#[derive(Debug)]
pub(super) struct FairPermit<'a>(&'a FairSemaphore);

impl FairSemaphore {
    pub(super) fn new(permits: usize) -> Self {
        Self(RefCell::new(State {
            free: permits,
            waiting: VecDeque::new(),
            calls: 0,
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
        let call = self.0.borrow_mut().enqueue(client, turn);
        let mut waiting = Waiting {
            semaphore: self,
            client,
            call,
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
    /// Returns the number of the call.
    fn enqueue(&mut self, client: ClientKey, turn: oneshot::Sender<()>) -> u64 {
        let call = self.calls;
        self.calls += 1;
        match self.place(client) {
            Some(place) => {
                self.waiting[place].1.insert(call, turn);
            }
            None => self
                .waiting
                .push_back((client, BTreeMap::from([(call, turn)]))),
        }
        call
    }

    /// Takes out a call that has given up, so that it costs its client no turn.
    fn remove(&mut self, client: ClientKey, call: u64) {
        let Some(place) = self.place(client) else {
            return;
        };
        let calls = &mut self.waiting[place].1;
        calls.remove(&call);
        if calls.is_empty() {
            self.waiting.remove(place);
        }
    }

    /// Where a client is among those that wait.
    fn place(&self, client: ClientKey) -> Option<usize> {
        self.waiting.iter().position(|(waits, _)| *waits == client)
    }

    /// Gives a permit to whose turn it is.
    fn pass_on(&mut self) {
        while let Some((client, mut calls)) = self.waiting.pop_front() {
            let next = calls.pop_first();
            if !calls.is_empty() {
                self.waiting.push_back((client, calls));
            }
            if next.is_some_and(|(_, turn)| turn.send(()).is_ok()) {
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

/// A call that waits. When it gives up, it leaves the queue, and a permit that has come is passed
/// on.
struct Waiting<'a> {
    semaphore: &'a FairSemaphore,
    client: ClientKey,
    call: u64,
    is_next: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        match self.is_next.try_recv() {
            Ok(()) => self.semaphore.give_back(),
            Err(TryRecvError::Empty) => {
                self.semaphore.0.borrow_mut().remove(self.client, self.call);
            }
            // The call has its permit.
            Err(TryRecvError::Closed) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ALICE: ClientKey = ClientKey::test(1);
    const EVE: ClientKey = ClientKey::test(666);

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A call of the client that waits for its turn.
    fn waits(
        permits: &FairSemaphore,
        client: ClientKey,
    ) -> Pin<Box<impl Future<Output = FairPermit<'_>>>> {
        let mut call = Box::pin(permits.acquire(client));
        assert!(poll(call.as_mut()).is_pending());
        call
    }

    #[test]
    fn clients_have_their_turns_however_many_calls_each_has() {
        let permits = FairSemaphore::new(1);
        let first = permits.try_acquire().unwrap();
        assert!(permits.try_acquire().is_none());
        let mut eves: Vec<_> = (0..10).map(|_| waits(&permits, EVE)).collect();
        let mut alice = waits(&permits, ALICE);

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
        let mut calls: Vec<_> = (0..3).map(|_| waits(&permits, EVE)).collect();
        // One gives up while it waits, one when its turn has come.
        drop(calls.remove(0));
        drop(first);
        drop(calls.remove(0));
        assert!(poll(calls[0].as_mut()).is_ready());
        drop(calls);
        assert!(permits.try_acquire().is_some());
    }

    #[test]
    fn calls_that_have_given_up_cost_their_client_no_turn() {
        let permits = FairSemaphore::new(1);
        let first = permits.try_acquire().unwrap();
        let gone: Vec<_> = (0..1000).map(|_| waits(&permits, ALICE)).collect();
        let mut alices = [waits(&permits, ALICE), waits(&permits, ALICE)];
        let mut eves = [waits(&permits, EVE), waits(&permits, EVE)];
        drop(gone);

        drop(first);
        let [alice, next_alice] = &mut alices;
        let Poll::Ready(permit) = poll(alice.as_mut()) else {
            panic!("Alice was first")
        };
        drop(permit);
        assert!(poll(next_alice.as_mut()).is_pending(), "it is Eve's turn");
        let [eve, next_eve] = &mut eves;
        let Poll::Ready(permit) = poll(eve.as_mut()) else {
            panic!("it is her turn")
        };
        drop(permit);
        assert!(poll(next_eve.as_mut()).is_pending(), "it is Alice's turn");
        assert!(poll(next_alice.as_mut()).is_ready());
    }

    #[test]
    fn calls_that_have_given_up_are_not_kept() {
        let permits = FairSemaphore::new(1);
        let first = permits.try_acquire().unwrap();
        let kept = [waits(&permits, ALICE), waits(&permits, EVE)];
        for _ in 0..1000 {
            drop((waits(&permits, ALICE), waits(&permits, EVE)));
        }
        let lengths = |permits: &FairSemaphore| -> Vec<usize> {
            let state = permits.0.borrow();
            state.waiting.iter().map(|(_, calls)| calls.len()).collect()
        };
        assert_eq!(lengths(&permits), [1, 1]);
        drop(kept);
        assert!(lengths(&permits).is_empty());
        drop(first);
        assert!(permits.try_acquire().is_some());
    }
}
