//! Two sockets joined: bytes both ways, each direction closed on its own, until both have ended or nothing moves any more.
//! Used for CONNECT and for upgrades; knows nothing of what the bytes mean.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use crate::downstream::exchange::Exchange;
use crate::downstream::worker::Worker;

/// A tunnel that was quiet for this long may be cut when the proxy stops.
const QUIET: Duration = Duration::from_secs(1);

/// The far side of a tunnel, waiting for the near one.
#[derive(Debug)]
pub(crate) struct Tunnel {
    upstream: TcpStream,
    early: Bytes,
    exchange: Exchange,
}

/// Why a tunnel ended.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("nothing was sent for too long")]
    Idle,
    #[error("the proxy is stopping")]
    Shutdown,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
}

impl Tunnel {
    /// `early` is what the far side has already sent.
    pub(crate) fn new(upstream: TcpStream, early: Bytes, exchange: Exchange) -> Self {
        Self {
            upstream,
            early,
            exchange,
        }
    }

    /// Joins both sides until the tunnel ends. `early` is what the client has already sent.
    pub(crate) async fn run(mut self, client: TcpStream, early: Bytes, worker: &Worker) {
        let span = self.exchange.span().clone();
        let joined = join(
            (client, early),
            (self.upstream, self.early),
            &self.exchange,
            worker,
        );
        match joined.instrument(span).await {
            Ok(()) => self.exchange.complete(),
            Err(cut) => self.exchange.fail(&cut),
        }
    }
}

async fn join(
    (mut client, from_client): (TcpStream, Bytes),
    (mut upstream, from_upstream): (TcpStream, Bytes),
    exchange: &Exchange,
    worker: &Worker,
) -> Result<(), Cut> {
    let (client_read, client_write) = client.split();
    let (upstream_read, upstream_write) = upstream.split();
    let moved_at = Cell::new(Instant::now());
    let up = worker
        .copy_buffer
        .copy(client_read, upstream_write, from_client, |bytes| {
            moved_at.set(Instant::now());
            exchange.sent(bytes);
        });
    let down = worker
        .copy_buffer
        .copy(upstream_read, client_write, from_upstream, |bytes| {
            moved_at.set(Instant::now());
            exchange.received(bytes);
        });
    let stopping = async {
        worker.shutdown.cancelled().await;
        quiet(&moved_at, QUIET).await;
    };
    tokio::select! {
        done = async { tokio::try_join!(up, down) } => done.map(|_| ()).map_err(Cut::from),
        () = quiet(&moved_at, worker.limits.idle) => Err(Cut::Idle),
        () = stopping => Err(Cut::Shutdown),
    }
}

/// Waits until nothing has moved for `patience`.
async fn quiet(moved_at: &Cell<Instant>, patience: Duration) {
    loop {
        let deadline = moved_at.get() + patience;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}
