//! Which client may take another descriptor, besides the one for a connection. There is a limit,
//! and each client has at most half of it: otherwise a client that asks for names whose servers or
//! addresses do not answer would use up all of it. `resolve` takes a turn for each lookup, `dial`
//! for each address that is tried beside another one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::flow::ClientKey;

/// Turns of a worker. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    of_all: Arc<Semaphore>,
    each: usize,
    /// The clients that have a turn or wait for one.
    clients: Arc<Mutex<HashMap<ClientKey, Arc<Semaphore>>>>,
}

/// Is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _of_client: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new(most: usize) -> Self {
        Self {
            of_all: Arc::new(Semaphore::new(most)),
            each: most.div_ceil(2),
            clients: Arc::default(),
        }
    }

    /// Waits until it is the client's turn.
    pub(super) async fn take(&self, client: ClientKey) -> Turn {
        // What a client waits for in vain takes none of the turns of all.
        let of_client = acquire(self.of(client)).await;
        Turn {
            _of_client: of_client,
            _of_all: acquire(self.of_all.clone()).await,
        }
    }

    fn of(&self, client: ClientKey) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        // Each turn, and each wait for one, has its own hold of them.
        clients.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = || Arc::new(Semaphore::new(self.each));
        clients.entry(client).or_insert_with(turns).clone()
    }
}

async fn acquire(turns: Arc<Semaphore>) -> OwnedSemaphorePermit {
    turns.acquire_owned().await.expect("it is never closed")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ALICE: ClientKey = ClientKey::test(1);
    const EVE: ClientKey = ClientKey::test(666);

    #[test]
    fn one_client_has_half_of_the_turns_and_is_forgotten_with_the_last() {
        let turns = Turns::new(4);
        let take = |client| turns.take(client).now_or_never();
        let eves = [take(EVE), take(EVE)];
        assert!(eves.iter().all(Option::is_some));
        assert!(take(EVE).is_none());
        let alices = [take(ALICE), take(ALICE)];
        assert!(alices.iter().all(Option::is_some));
        drop(eves);
        assert!(take(EVE).is_some());
        drop(alices);
        assert!(take(EVE).is_some());
        assert_eq!(turns.clients.lock().unwrap().len(), 1);
    }
}
