//! Clients for whom there is no room: each gets an answer that says so, and is gone. Run by the
//! listener beside its accept loop.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Clients that are waited for at a time, until they have read their answer. Who comes on top of
/// that may miss it.
const AT_A_TIME: usize = 64;

/// How long a client may take to read its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a client has sent, which is read so that the system does not drop the answer.
const DISCARD: u64 = 64 << 10;

/// The answers that are under way.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(JoinSet<()>);

impl TurnedAway {
    /// Answers with 503 (RFC 9110, section 15.6.4) and closes the connection. `why` is one line.
    pub(super) fn answer(&mut self, socket: TcpStream, why: &str) {
        while self.0.try_join_next().is_some() {}
        // The system has room for so little, and a client that is gone needs no answer.
        drop((&socket).write_all(response(why).as_bytes()));
        drop(socket.shutdown(Shutdown::Write));
        if self.0.len() >= AT_A_TIME {
            return;
        }
        let Ok(socket) = tokio::net::TcpStream::from_std(socket) else {
            return;
        };
        self.0.spawn(async move {
            let mut rest = socket.take(DISCARD);
            drop(timeout(PATIENCE, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await);
        });
    }
}

fn response(why: &str) -> String {
    let body = format!(
        "The proxy cannot take this connection\n\nReason: {why}\nWhat to do: try again in a moment\n"
    );
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
         cache-control: no-store\r\nproxy-status: portcullis;error=connection_limit_reached;details=\"{why}\"\r\n\
         retry-after: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
