//! Two streams joined: bytes both ways, each direction closed on its own, until both have ended or
//! nothing moves any more. Used for CONNECT and for upgrades, run by the connection; of what the
//! bytes mean, only `gate` and `repeat` know a little.

mod gate;
mod repeat;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tracing::Instrument;

use self::gate::{Conclusion, GateRefusal, NameGate, Shown};
use self::repeat::RepeatGate;
use super::copy::{Direction, ReadElsewhere};
use super::encode;
use super::exchange::{Exchange, Place};
use super::hello;
use super::reply::{Rejection, Upgrade};
use super::respond::{self, PageFormat};
use super::session::Session;
use super::worker::StopSignal;
use crate::config::SniCheck;
use crate::flow::Protocol;
use crate::timer::{Expired, Speaker, Step};
use crate::upstream::OriginSocket;
use crate::verdict::{Judgement, Verdict};

/// A fatal alert of TLS: access denied (RFC 8446, section 6). A client that has sent its first
/// message understands it.
pub(crate) const ACCESS_DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];

/// A tunnel that waits for the client's stream.
#[derive(Debug)]
pub(crate) struct Tunnel {
    upgrade: Upgrade,
    exchange: Box<Exchange>,
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
    /// The filters are against the server that the client has named.
    #[error("the filters have refused the server that the client names")]
    Judged(Rc<Judgement>),
    /// They want the client to get no answer.
    #[error("the filters have closed the connection to the server that the client names")]
    Dropped,
    #[error(transparent)]
    GateRefusal(#[from] GateRefusal),
}

impl Tunnel {
    pub(crate) fn new(upgrade: Upgrade, exchange: Box<Exchange>) -> Self {
        Self { upgrade, exchange }
    }

    /// Joins both sides until the tunnel ends. `early` is what the client has already sent. Returns
    /// the client's stream if the client is refused.
    pub(crate) async fn run<S>(mut self, client: S, early: Bytes, session: &Session) -> Option<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let span = tracing::debug_span!("tunnel", exchange = self.exchange.id());
        session.deadlines.begin_tunnel();
        let chain = self.upgrade.chain.take();
        let gate = chain.and_then(|chain| NameGate::new(session, chain, &early));
        let early = if gate.is_some() { Bytes::new() } else { early };
        let mut joined = Joined {
            client,
            origin: self.upgrade.stream,
            up: Direction::new(early),
            down: Direction::new(self.upgrade.early),
            last: Cell::new(Speaker::Origin),
            gate: gate.map_or(Gate::Open, |gate| Gate::Name(Box::new(gate))),
            place: None,
            exchange: &mut self.exchange,
            session,
        };
        let end = joined.run().instrument(span).await;
        joined.finish(end).await
    }
}

/// What holds back a client's bytes.
enum Gate<'a> {
    Open,
    Name(Box<NameGate<'a>>),
    Repeat(Box<RepeatGate>),
}

impl Gate<'_> {
    /// What the client has begun to send takes too long. False if nothing is held back.
    fn expire(&mut self) -> bool {
        match self {
            Self::Open => return false,
            Self::Name(gate) => gate.expire(),
            Self::Repeat(gate) => gate.expire(),
        }
        true
    }

    /// Whether the client has closed its sending side behind what is held back.
    fn has_ended(&self) -> bool {
        matches!(self, Self::Repeat(gate) if gate.has_ended())
    }
}

/// Both sides of a tunnel.
struct Joined<'a, S> {
    client: S,
    origin: OriginSocket,
    /// From the client to the origin.
    up: Direction,
    /// From the origin to the client.
    down: Direction,
    last: Cell<Speaker>,
    gate: Gate<'a>,
    /// Where the client has named a server, or would have.
    place: Option<Place>,
    exchange: &'a mut Exchange,
    session: &'a Session,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Joined<'_, S> {
    async fn run(&mut self) -> Result<(), Cut> {
        let session = self.session;
        let cancelled = pin!(session.worker.shutdown.cancelled());
        let mut stop = StopSignal::new(&session.worker, cancelled);
        poll_fn(|cx| {
            loop {
                let is_stopping = stop.poll(cx);
                if let Poll::Ready(done) = self.poll_joined(cx) {
                    return Poll::Ready(done);
                }
                if is_stopping {
                    session.deadlines.begin_tunnel_drain(self.last.get());
                }
                let is_half_closed =
                    self.up.has_ended() || self.down.has_ended() || self.gate.has_ended();
                if is_half_closed {
                    session.deadlines.record_half_closed_tunnel();
                }
                let expired = ready!(session.deadlines.poll(cx));
                if matches!(expired, Expired::FirstMessage) && self.gate.expire() {
                    continue;
                }
                return Poll::Ready(Err(if is_stopping {
                    Cut::Shutdown
                } else if is_half_closed {
                    Cut::HalfClosed
                } else {
                    Cut::Idle
                }));
            }
        })
        .await
    }

    fn poll_joined(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        if let Gate::Name(gate) = &mut self.gate
            && let Poll::Ready(conclusion) =
                gate.poll(&mut self.client, &mut self.up, self.exchange, cx)?
        {
            self.conclude(conclusion)?;
        }
        if let Poll::Ready(Err(cut)) = self.poll_repeat(cx) {
            return Poll::Ready(Err(cut));
        }
        self.poll_copy(cx).map_err(Cut::from)
    }

    /// Ready when nothing waits for a second first message. The client is read while the origin
    /// takes what it sends early.
    fn poll_repeat(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        loop {
            if !matches!(self.gate, Gate::Repeat(_)) {
                return Poll::Ready(Ok(()));
            }
            if let Poll::Ready(Err(error)) = self.poll_copy(cx) {
                return Poll::Ready(Err(error.into()));
            }
            let is_stuck = !self.up.is_written();
            let Gate::Repeat(gate) = &mut self.gate else {
                return Poll::Ready(Ok(()));
            };
            let (client, origin) = (&mut self.client, &mut self.origin);
            let directions = (&mut self.up, &mut self.down);
            match gate.poll(client, origin, directions, self.session, cx)? {
                Poll::Ready(end) => {
                    end.or_else(|refusal| self.refuse(refusal))?;
                    self.open();
                }
                Poll::Pending if is_stuck || self.up.is_written() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Lets the client's message go, unless the name that it has shown stands against it.
    fn conclude(&mut self, conclusion: Conclusion) -> Result<(), Cut> {
        let Gate::Name(gate) = mem::replace(&mut self.gate, Gate::Open) else {
            return Ok(());
        };
        let Shown {
            place,
            mut name,
            mut held,
            repeatable,
        } = gate.into_shown();
        self.place = place;
        if let (Some(name), Conclusion::Judged(judgement)) = (&mut name, &conclusion) {
            name.verdict = Some(judgement.verdict.parts().kind);
        }
        if let Some(name) = name {
            self.exchange.record_shown_name(name);
        }
        match conclusion {
            Conclusion::SameAsBefore => {}
            Conclusion::Judged(judgement) => self.obey(judgement)?,
            Conclusion::Refused(refusal) => self.refuse(refusal)?,
        }
        if let Some(end) = repeatable {
            let early = hello::other_records(&held[end..]).map_err(GateRefusal::from);
            let early = early.or_else(|refusal| self.refuse(refusal).map(|()| 0))?;
            let behind = held.split_off(end + early);
            let name = self.exchange.shown_name().map(Box::from);
            self.gate = Gate::Repeat(Box::new(RepeatGate::new(name, behind)));
        }
        self.up.push(&held);
        Ok(())
    }

    /// What the filters say about the name that the client has shown.
    fn obey(&mut self, judgement: Judgement) -> Result<(), Cut> {
        if self.session.worker.tunnel.sni != SniCheck::Enforce {
            return Ok(());
        }
        let recorded = self.exchange.record_judgement(judgement);
        recorded.map_err(|rejection| match rejection {
            Rejection::Judged(judgement) if judgement.verdict == Verdict::Drop => Cut::Dropped,
            Rejection::Judged(judgement) => Cut::Judged(judgement),
            Rejection::Failed(_) => Cut::Dropped,
        })
    }

    fn refuse(&self, refusal: GateRefusal) -> Result<(), Cut> {
        if self.session.worker.tunnel.sni == SniCheck::Enforce {
            return Err(refusal.into());
        }
        tracing::debug!(
            exchange = self.exchange.id(),
            "a tunnel goes on because [tunnel] sni = \"log\": {refusal}"
        );
        Ok(())
    }

    /// Nothing of the client is held back any more.
    fn open(&mut self) {
        if let Gate::Repeat(gate) = mem::replace(&mut self.gate, Gate::Open) {
            self.up.push(&gate.into_held());
        }
    }

    /// Records how the tunnel has ended. A client that is refused is told so, unless the origin has
    /// spoken to it: it would take that for the origin's word.
    async fn finish(mut self, end: Result<(), Cut>) -> Option<S> {
        match &end {
            Ok(()) | Err(Cut::Judged(_) | Cut::Dropped) => self.exchange.complete(),
            Err(cut) => self.exchange.fail(cut),
        }
        let refusal = match end {
            Err(Cut::Judged(judgement)) => judgement,
            Err(Cut::GateRefusal(refusal)) => Rc::new(refusal.into_judgement()),
            Ok(()) | Err(_) => return None,
        };
        if self.exchange.bytes_down() == 0 {
            let last_word = self.last_word(&refusal);
            let _ = Step::LastWord
                .bound(self.client.write_all(&last_word))
                .await;
        }
        Some(self.client)
    }

    /// What a client understands that has named a server in this way.
    fn last_word(&self, refusal: &Judgement) -> Vec<u8> {
        match self.place {
            None => Vec::new(),
            Some(Place::Handshake) => ACCESS_DENIED.to_vec(),
            Some(Place::Request) => {
                let host = self.exchange.shown_name().unwrap_or("this request");
                let (protocol, format) = (Protocol::Connect, PageFormat::Text);
                let mut response = respond::judgement(refusal, host, protocol, format, None);
                respond::close(&mut response);
                encode::response(&response)
            }
        }
    }

    fn poll_copy(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (exchange, session, last) = (&*self.exchange, self.session, &self.last);
        let buffer = &session.worker.copy_buffer;
        let up = |bytes| {
            session.deadlines.record_moved();
            last.set(Speaker::Client);
            exchange.add_bytes_up(bytes);
        };
        let down = |bytes| {
            session.deadlines.record_moved();
            last.set(Speaker::Origin);
            exchange.add_bytes_down(bytes);
        };
        let (client, origin) = (&mut self.client, &mut self.origin);
        let copied = match &self.gate {
            Gate::Open => buffer.poll_copy(&mut self.up, client, origin, cx, up),
            // What is known to be harmless goes, and what follows does not.
            Gate::Name(_) | Gate::Repeat(_) => {
                buffer.poll_copy(&mut self.up, &mut ReadElsewhere, origin, cx, up)
            }
        };
        if let Poll::Ready(Err(error)) = copied {
            return Poll::Ready(Err(error));
        }
        let copied = match &self.gate {
            Gate::Repeat(gate) if !gate.is_answered() => {
                buffer.poll_copy(&mut self.down, &mut ReadElsewhere, client, cx, down)
            }
            _ => buffer.poll_copy(&mut self.down, origin, client, cx, down),
        };
        if let Poll::Ready(Err(error)) = copied {
            return Poll::Ready(Err(error));
        }
        if self.up.is_closed() && self.down.is_closed() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}
