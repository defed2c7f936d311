//! Clients that are not served, for want of room or because they are not allowed: each gets an
//! answer that says so, and is gone. Run by the listener beside its accept loop.

use std::io::Write;
use std::net::Shutdown;

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use super::socket::Unwatched;
use crate::downstream::refusal;
use crate::error::Error;
use crate::timer::Step;

/// What a client has sent, which is read so that the system does not drop the answer.
const DISCARD: u64 = 64 << 10;

/// The answers that are under way.
#[derive(Debug)]
pub(super) struct TurnedAway {
    answers: JoinSet<()>,
    /// The proxy waits for at most this many clients to read their answer. Others may miss theirs.
    most: usize,
}

impl TurnedAway {
    pub(super) fn new(most: usize) -> Self {
        Self {
            answers: JoinSet::new(),
            most,
        }
    }

    /// Answers, before anything is read, and closes the connection.
    pub(super) fn answer(&mut self, client: Unwatched, why: &Error) {
        while self.answers.try_join_next().is_some() {}
        let mut socket = client.socket();
        // The system has room for so little, and a client that is gone needs no answer.
        drop(socket.write_all(&refusal::unserved(why)));
        drop(socket.shutdown(Shutdown::Write));
        if self.answers.len() >= self.most {
            return;
        }
        let Ok(socket) = client.watch() else {
            return;
        };
        self.answers.spawn(async move {
            let (mut rest, mut nowhere) = (socket.take(DISCARD), tokio::io::sink());
            let reading = tokio::io::copy(&mut rest, &mut nowhere);
            drop(Step::TurnedAway.bound(reading).await);
        });
    }
}
