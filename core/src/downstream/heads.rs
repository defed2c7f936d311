//! How much a worker holds of requests' heads that have no end yet. A client can begin many and end
//! none of them; `wire` counts what it reads of each, and refuses where it is too much.

use std::cell::Cell;

/// For all of a worker, in bytes as they are sent. They take about two and a half times as much
/// memory: as they are parsed, and as they are spelled.
const BUDGET: usize = 16 << 20;

/// So much of a head is read in any case, so that ordinary requests are served whatever others do.
const ORDINARY: usize = 8 << 10;

/// What is held of all unfinished heads of a worker.
#[derive(Debug)]
pub(crate) struct Heads {
    held: Cell<usize>,
    budget: Cell<usize>,
}

impl Default for Heads {
    fn default() -> Self {
        Self {
            held: Cell::new(0),
            budget: Cell::new(BUDGET),
        }
    }
}

impl Heads {
    /// Counts more of a head, of which `head` was held before. Returns whether there is room.
    pub(super) fn hold(&self, head: &Cell<usize>, more: usize) -> bool {
        head.set(head.get() + more);
        self.held.set(self.held.get() + more);
        head.get() <= ORDINARY || self.held.get() <= self.budget.get()
    }

    /// The head has come to its end, or its connection has.
    pub(super) fn release(&self, head: &Cell<usize>) {
        self.held.set(self.held.get() - head.take());
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::{LocalSet, spawn_local};

    use super::*;
    use crate::chain::Chain;
    use crate::downstream::connection::serve;
    use crate::downstream::per_client::ConnectionPermit;
    use crate::downstream::session::{Admission, Arrival, Session};
    use crate::downstream::worker::Worker;

    const HEAD: &str = "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";

    /// A client of the worker that has sent this.
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the test, as the client does"
    )]
    async fn client(worker: &Rc<Worker>, sent: &str) -> DuplexStream {
        let (mut client, stream) = duplex(1 << 16);
        client.write_all(sent.as_bytes()).await.unwrap();
        let own = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let (arrival, permit) = (Arrival::direct(own), ConnectionPermit::of_test());
        let session = Session::new(worker.clone(), arrival, Admission::Allowed, permit);
        spawn_local(serve(session, stream));
        client
    }

    async fn status(mut client: DuplexStream) -> String {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    async fn held(worker: &Worker, bytes: usize) {
        while worker.heads.held.get() != bytes {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn unfinished_heads_have_a_budget_and_ordinary_requests_are_served_beyond_it() {
        let worker = Session::alone(Chain::default()).worker.clone();
        worker.heads.budget.set(20_000);
        let serving = async {
            let large = format!("{HEAD}{}", "x".repeat(15_000));
            let mut first = client(&worker, &large).await;
            held(&worker, large.len()).await;
            // The same in pieces.
            let mut second = client(&worker, &large[..5000]).await;
            held(&worker, large.len() + 5000).await;
            second.write_all(&large.as_bytes()[5000..]).await.unwrap();
            assert_eq!(status(second).await, "503");
            held(&worker, large.len()).await;
            let ordinary = format!("{HEAD}{}", "x".repeat(ORDINARY - 100));
            let mut third = client(&worker, &ordinary).await;
            held(&worker, large.len() + ordinary.len()).await;
            third.write_all(b"\r\n\r\n").await.unwrap();
            assert_eq!(status(third).await, "200");
            held(&worker, large.len()).await;
            first.write_all(b"\r\n\r\n").await.unwrap();
            assert_eq!(status(first).await, "200");
            held(&worker, 0).await;
        };
        LocalSet::new().run_until(serving).await;
    }
}
