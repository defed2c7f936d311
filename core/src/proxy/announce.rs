//! Waits for what load balancers say about their clients, before the clients' own bytes. Run where
//! connections are accepted, beside the accept loop; a connection whose header is wrong or late is
//! closed without an answer.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::socket::ClientSocket;
use crate::downstream::proxy_protocol::{self, Malformed};
use crate::downstream::session::{Arrival, Ingress};

/// The connections whose clients are not known yet.
#[derive(Debug, Default)]
pub(super) struct Announcing(JoinSet<Announcement>);

/// A connection whose client is known, or will not be.
#[derive(Debug)]
pub(super) struct Announcement {
    /// The balancer's, as it came.
    pub(super) arrival: Arrival,
    /// Room for a connection.
    pub(super) permit: OwnedSemaphorePermit,
    /// The socket, from which the header is read, and the client.
    pub(super) outcome: Result<(ClientSocket, Arrival), NoHeader>,
}

/// Why a client is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHeader {
    #[error("what came is not a PROXY header: {0}")]
    Malformed(#[from] Malformed),
    #[error("its PROXY header did not come in time")]
    Late,
    #[error("the connection ended before its PROXY header")]
    Ended,
    #[error("the connection broke before its PROXY header: {0}")]
    Broken(#[from] io::Error),
}

impl Announcing {
    /// Waits for the header of a connection until `end`.
    pub(super) fn wait(
        &mut self,
        mut socket: ClientSocket,
        arrival: Arrival,
        permit: OwnedSemaphorePermit,
        end: Instant,
    ) {
        self.0.spawn(async move {
            let read = timeout_at(end, read(&mut socket)).await;
            let outcome = read.unwrap_or(Err(NoHeader::Late)).map(|client| {
                let ingress = match client {
                    Some(_) => Ingress::Announced,
                    None => Ingress::Balancer,
                };
                let client = client.or(arrival.client);
                let arrival = Arrival {
                    client,
                    ingress,
                    ..arrival
                };
                (socket, arrival)
            });
            Announcement {
                arrival,
                permit,
                outcome,
            }
        });
    }

    /// The next one that is decided.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Announcement> {
        loop {
            match self.0.poll_join_next(cx) {
                Poll::Ready(Some(Ok(announcement))) => return Poll::Ready(announcement),
                // A panic has closed that connection, and is in the log.
                Poll::Ready(Some(Err(_panic))) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Whose connection it is. What was read behind the header is given back to the socket.
async fn read(socket: &mut ClientSocket) -> Result<Option<SocketAddr>, NoHeader> {
    let mut read = Vec::new();
    loop {
        if socket.read_buf(&mut read).await? == 0 {
            return Err(NoHeader::Ended);
        }
        if let Some(header) = proxy_protocol::read(&read)? {
            socket.give_back(&read[header.bytes..]);
            return Ok(header.client);
        }
    }
}
