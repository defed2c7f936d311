//! The check of the name that a tunnel's client writes in its TLS handshake (SNI). The client's
//! bytes are held back until the name is judged; the origin's go their way meanwhile, so a protocol
//! in which the server speaks first does not wait. Names are compared and never resolved again.
//! `repeat` goes on where the server may ask for the name once more.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;

use crate::chain::LocalChain;
use crate::config::{SniCheck, SniMismatch};
use crate::downstream::exchange::{Exchange, ServerName};
use crate::downstream::hello::{self, ClientHello, FirstMessage, MalformedHello};
use crate::downstream::session::Session;
use crate::target::{Target, canonical_host};
use crate::upstream::policy;
use crate::verdict::Judgement;

/// What is held back of a client, in bytes.
pub(super) const MOST: usize = 16 << 10;

/// How much of a name that is no host is said to people, in bytes.
const LONGEST_SAID: usize = 255;

/// A fatal alert of TLS: access denied (RFC 8446, section 6). A client that has sent its first
/// message understands it.
pub(super) const ACCESS_DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];

/// Holds back what a tunnel's client sends until the name in its handshake is judged.
pub(super) struct SniGate<'a> {
    session: &'a Session,
    held: Vec<u8>,
    is_late: bool,
    seen: Option<ServerName>,
    /// Where the message ends that the server may ask for once more.
    repeatable: Option<usize>,
    /// Has judged the host that was asked for, and judges the other name.
    chain: Rc<LocalChain>,
    asking: Option<Asking<'a>>,
}

/// The filters are asked about a name.
type Asking<'a> = Pin<Box<dyn Future<Output = Judgement> + 'a>>;

/// What follows for a tunnel from the first bytes of its client.
#[derive(Debug)]
pub(super) enum Conclusion {
    /// It stands on the verdict about the host that was asked for.
    SameAsBefore,
    /// The filters have judged another name.
    Judged(Judgement),
    /// It may not go on although no filter is against it.
    Refused(GateRefusal),
}

/// Why a tunnel may not go on although no filter is against it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateRefusal {
    #[error("the client names {0} in its TLS handshake, and [tunnel] mismatch refuses other names")]
    OtherName(Box<str>),
    #[error("the client names {0} in its TLS handshake, and {1}")]
    Denied(Box<str>, policy::Refusal),
    #[error(
        "the server has asked for the client's first TLS message once more, and the second names another server"
    )]
    Renamed,
    #[error("the client names a server in its TLS handshake by what is no host: {0:?}")]
    NoHost(Box<str>),
    #[error("what the client has sent cannot be judged: {0}")]
    Malformed(#[from] MalformedHello),
    #[error("the first message of the client's TLS handshake is longer than 16 KiB")]
    TooLong,
    #[error("the first message of the client's TLS handshake has not come in time")]
    TooSlow,
    #[error("the client has stopped in the middle of the first message of its TLS handshake")]
    CutShort,
}

impl<'a> SniGate<'a> {
    /// `early` is what the client has already sent. None where nothing is looked at.
    /// `chain` has judged the host that was asked for.
    pub(super) fn new(session: &'a Session, chain: Rc<LocalChain>, early: &[u8]) -> Option<Self> {
        (session.worker.tunnel.sni != SniCheck::Off).then(|| Self {
            session,
            held: early.to_vec(),
            is_late: false,
            seen: None,
            repeatable: None,
            chain,
            asking: None,
        })
    }

    /// Too much time has passed since the client began to send its first message.
    pub(super) fn expire(&mut self) {
        self.is_late = true;
    }

    /// What the client has shown, its bytes so far, and where the message in them ends if the
    /// server may ask for it once more.
    pub(super) fn into_parts(self) -> (Option<ServerName>, Vec<u8>, Option<usize>) {
        (self.seen, self.held, self.repeatable)
    }

    /// Ready when it is clear whether the tunnel may go on.
    pub(super) fn poll(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        exchange: &Exchange,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Conclusion>> {
        let asking = match &mut self.asking {
            Some(asking) => asking,
            None => {
                let seen = ready!(self.poll_hello(client, cx))?;
                self.session.deadlines.end_client_hello();
                let other = seen.and_then(|()| self.other_name(exchange));
                match other {
                    Ok(Some(name)) => {
                        let asking = ask(self.session, self.chain.clone(), exchange, name);
                        self.asking.insert(asking)
                    }
                    Ok(None) => return Poll::Ready(Ok(Conclusion::SameAsBefore)),
                    Err(refusal) => return Poll::Ready(Ok(Conclusion::Refused(refusal))),
                }
            }
        };
        asking
            .as_mut()
            .poll(cx)
            .map(|judgement| Ok(Conclusion::Judged(judgement)))
    }

    /// Reads until the client has shown what server it wants, or will not.
    fn poll_hello(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Result<(), GateRefusal>>> {
        let Session {
            deadlines, worker, ..
        } = self.session;
        loop {
            match hello::read(&self.held) {
                Ok(FirstMessage::NotTls) => return Poll::Ready(Ok(Ok(()))),
                Ok(FirstMessage::Hello(hello)) => {
                    self.seen = Some(server_name(&hello));
                    self.repeatable = hello.may_be_repeated.then_some(hello.length);
                    return Poll::Ready(Ok(Ok(())));
                }
                Ok(FirstMessage::Incomplete) => {}
                Err(malformed) => return Poll::Ready(Ok(Err(malformed.into()))),
            }
            if self.is_late {
                return Poll::Ready(Ok(Err(GateRefusal::TooSlow)));
            }
            if self.held.len() >= MOST {
                return Poll::Ready(Ok(Err(GateRefusal::TooLong)));
            }
            if !self.held.is_empty() {
                deadlines.begin_client_hello();
            }
            let holding = worker
                .copy_buffer
                .poll_hold(&mut self.held, MOST, client, cx);
            match ready!(holding)? {
                0 if self.held.is_empty() => return Poll::Ready(Ok(Ok(()))),
                0 => return Poll::Ready(Ok(Err(GateRefusal::CutShort))),
                _ => deadlines.record_moved(),
            }
        }
    }

    /// The name that still has to be judged, if the client has written one. A client that has asked
    /// for an address has named no host before.
    fn other_name(&self, exchange: &Exchange) -> Result<Option<Target>, GateRefusal> {
        let seen = self.seen.as_ref().and_then(|seen| seen.name.as_deref());
        let (Some(name), Some(asked)) = (seen, exchange.target()) else {
            return Ok(None);
        };
        let Ok(other) = Target::of_host(name, asked.port()) else {
            let end = name.floor_char_boundary(LONGEST_SAID);
            return Err(GateRefusal::NoHost(name[..end].into()));
        };
        if other.host() == asked.host() {
            return Ok(None);
        }
        let denied = self.session.worker.upstream.judge_name(&other);
        denied.map_err(|refusal| GateRefusal::Denied(other.host().into(), refusal))?;
        match self.session.worker.tunnel.mismatch {
            SniMismatch::Refuse if asked.ip().is_none() => {
                Err(GateRefusal::OtherName(other.host().into()))
            }
            SniMismatch::Refuse | SniMismatch::Judge => Ok(Some(other)),
        }
    }
}

/// What a message shows of the server, its name as filters see it.
fn server_name(hello: &ClientHello<'_>) -> ServerName {
    ServerName {
        name: hello.server_name.as_deref().map(canonical_name),
        has_hidden_name: hello.has_hidden_name,
        verdict: None,
    }
}

/// A name as filters see it, or as it is written if it is no host.
pub(super) fn canonical_name(written: &[u8]) -> Box<str> {
    let name = String::from_utf8_lossy(written);
    match canonical_host(&name) {
        Ok(host) => host.into(),
        Err(_) => name.into(),
    }
}

fn ask<'a>(
    session: &'a Session,
    chain: Rc<LocalChain>,
    exchange: &Exchange,
    name: Target,
) -> Asking<'a> {
    let (begin, notes) = (exchange.begin(), exchange.notes().to_vec());
    let client = exchange.client().clone();
    Box::pin(async move {
        let judging = session.judge_server_name(chain, &client, begin, &name, notes);
        judging.await
    })
}
