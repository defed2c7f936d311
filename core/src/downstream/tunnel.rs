//! Two sockets joined: bytes both ways, each direction closed on its own, until both have ended or nothing moves any more.
//! Used for CONNECT and for upgrades; knows nothing of what the bytes mean.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
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
        .scratch
        .pump(client_read, upstream_write, from_client, |bytes| {
            moved_at.set(Instant::now());
            exchange.sent(bytes);
        });
    let down = worker
        .scratch
        .pump(upstream_read, client_write, from_upstream, |bytes| {
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

/// A worker's buffer for bytes that pass through. One is enough, because it is empty again before anybody waits: a tunnel
/// at rest holds no memory, and a busy one moves large pieces.
pub(crate) struct Scratch(RefCell<Box<[u8]>>);

/// One step of a direction.
enum Step {
    End,
    /// All that was read is written.
    Moved(usize),
    /// The receiver is slow: this much is written, and this is left.
    Stuck(usize, Vec<u8>),
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(vec![0; 64 * 1024].into_boxed_slice()))
    }

    /// Copies until `from` ends, then closes `to` in that direction.
    async fn pump(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        early: Bytes,
        moved: impl Fn(u64),
    ) -> io::Result<()> {
        let mut left = early.to_vec();
        loop {
            let mut rest = left.as_slice();
            while !rest.is_empty() {
                let written = to.write(rest).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                moved(written as u64);
                rest = &rest[written..];
            }
            left = Vec::new();
            match poll_fn(|cx| self.step(&mut from, &to, cx)).await? {
                Step::End => return to.shutdown().await,
                Step::Moved(bytes) => moved(bytes as u64),
                Step::Stuck(bytes, unwritten) => {
                    moved(bytes as u64);
                    left = unwritten;
                }
            }
        }
    }

    fn step(
        &self,
        from: &mut ReadHalf<'_>,
        to: &WriteHalf<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Step>> {
        let mut scratch = self.0.borrow_mut();
        let mut buf = ReadBuf::new(&mut scratch);
        ready!(Pin::new(from).poll_read(cx, &mut buf))?;
        let data = buf.filled();
        if data.is_empty() {
            return Poll::Ready(Ok(Step::End));
        }
        let written = match to.try_write(data) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        Poll::Ready(Ok(if written == data.len() {
            Step::Moved(written)
        } else {
            Step::Stuck(written, data[written..].to_vec())
        }))
    }

    /// Reads a socket to its end and keeps nothing.
    pub(crate) async fn drain(&self, socket: &mut TcpStream) -> io::Result<()> {
        let (mut from, _to) = socket.split();
        poll_fn(|cx| {
            let mut scratch = self.0.borrow_mut();
            loop {
                let mut buf = ReadBuf::new(&mut scratch);
                ready!(Pin::new(&mut from).poll_read(cx, &mut buf))?;
                if buf.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}
