//! Two streams joined: bytes both ways, each direction closed on its own, until both have ended or
//! nothing moves any more. Used for CONNECT and for upgrades, run by the connection; knows nothing
//! of what the bytes mean.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::Instrument;

use super::copy::Direction;
use super::exchange::Exchange;
use super::reply::Upgrade;
use super::session::Session;
use super::worker::StopSignal;

/// A tunnel that waits for the client's stream.
#[derive(Debug)]
pub(crate) struct Tunnel {
    upgrade: Upgrade,
    exchange: Exchange,
}

/// Why a tunnel ended.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("nothing was sent for too long")]
    Idle,
    #[error("nothing was sent for too long after one side had closed its sending side")]
    HalfClosed,
    #[error("the proxy is stopping")]
    Shutdown,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
}

impl Tunnel {
    pub(crate) fn new(upgrade: Upgrade, exchange: Exchange) -> Self {
        Self { upgrade, exchange }
    }

    /// Joins both sides until the tunnel ends. `early` is what the client has already sent.
    pub(crate) async fn run<S>(mut self, client: S, early: Bytes, session: &Session)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let span = tracing::debug_span!("tunnel", exchange = self.exchange.id());
        session.deadlines.begin_tunnel();
        let up = Direction::new(early);
        let down = Direction::new(self.upgrade.early);
        let joined = Joined {
            client,
            origin: self.upgrade.stream,
            up,
            down,
            exchange: &self.exchange,
            session,
        };
        match joined.run().instrument(span).await {
            Ok(()) => self.exchange.complete(),
            Err(cut) => self.exchange.fail(&cut),
        }
    }
}

/// Both sides of a tunnel.
struct Joined<'a, S> {
    client: S,
    origin: TcpStream,
    /// From the client to the origin.
    up: Direction,
    /// From the origin to the client.
    down: Direction,
    exchange: &'a Exchange,
    session: &'a Session,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Joined<'_, S> {
    async fn run(mut self) -> Result<(), Cut> {
        let session = self.session;
        let cancelled = pin!(session.worker.shutdown.cancelled());
        let mut stop = StopSignal::new(&session.worker, cancelled);
        poll_fn(|cx| {
            let is_stopping = stop.poll(cx);
            if let Poll::Ready(done) = self.poll_copy(cx) {
                return Poll::Ready(done.map_err(Cut::from));
            }
            if is_stopping {
                session.deadlines.begin_tunnel_drain();
            }
            let is_half_closed = self.up.has_ended() || self.down.has_ended();
            if is_half_closed {
                session.deadlines.record_half_closed_tunnel();
            }
            session.deadlines.poll(cx).map(|_| {
                Err(if is_stopping {
                    Cut::Shutdown
                } else if is_half_closed {
                    Cut::HalfClosed
                } else {
                    Cut::Idle
                })
            })
        })
        .await
    }

    fn poll_copy(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (exchange, session) = (self.exchange, self.session);
        let buffer = &session.worker.copy_buffer;
        let up = |bytes| {
            session.deadlines.record_moved();
            exchange.add_bytes_up(bytes);
        };
        let down = |bytes| {
            session.deadlines.record_moved();
            exchange.add_bytes_down(bytes);
        };
        let (client, origin) = (&mut self.client, &mut self.origin);
        if let Poll::Ready(Err(error)) = buffer.poll_copy(&mut self.up, client, origin, cx, up) {
            return Poll::Ready(Err(error));
        }
        if let Poll::Ready(Err(error)) = buffer.poll_copy(&mut self.down, origin, client, cx, down)
        {
            return Poll::Ready(Err(error));
        }
        if self.up.is_closed() && self.down.is_closed() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}
