//! The check of the name that a tunnel's client writes in its first bytes: in its TLS handshake
//! (SNI), or in the Host field of a request in plain text. The client's bytes are held back until
//! the name is judged; the origin's go their way meanwhile, so a protocol in which the server
//! speaks first does not wait. Names are compared and never resolved again. `repeat` goes on where
//! the server may ask for a TLS message once more.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;

use crate::chain::LocalChain;
use crate::config::{SniCheck, SniMismatch};
use crate::downstream::copy::Direction;
use crate::downstream::exchange::{Exchange, Place, ShownName};
use crate::downstream::first_request::{self, FirstRequest, MalformedRequest};
use crate::downstream::hello::{self, ClientHello, FirstMessage, MalformedHello};
use crate::downstream::session::Session;
use crate::target::{HTTP_PORT, Target, canonical_host};
use crate::upstream::policy;
use crate::verdict::{Judgement, Verdict};

/// What is held back of a client, in bytes.
pub(super) const MOST: usize = 16 << 10;

/// How much of a name that is no host is said to people, in bytes.
const LONGEST_SAID: usize = 255;

/// Holds back what a tunnel's client sends until the name in it is judged.
pub(super) struct NameGate<'a> {
    session: &'a Session,
    held: Vec<u8>,
    /// How much of it goes on already. It is not clear yet what it becomes.
    passed: usize,
    /// What the client has begun to send.
    place: Option<Place>,
    is_late: bool,
    /// A first line without a version has gone on, and fields may follow.
    is_unversioned: bool,
    seen: Option<ShownName>,
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

/// What the first bytes of a client have shown.
pub(super) struct Shown {
    /// Where it has named a server, or would have.
    pub(super) place: Option<Place>,
    pub(super) name: Option<ShownName>,
    /// What is held back of it.
    pub(super) held: Vec<u8>,
    /// Where the message in it ends that the server may ask for once more.
    pub(super) repeatable: Option<usize>,
}

/// Why a tunnel may not go on although no filter is against it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateRefusal {
    #[error("the client names {0} in {1}, and [tunnel] mismatch refuses other names")]
    OtherName(Box<str>, Place),
    #[error("the client names {0} in {1}, and {2}")]
    Denied(Box<str>, Place, policy::Refusal),
    #[error(
        "the server has asked for the client's first TLS message once more, and the second names another server"
    )]
    Renamed,
    #[error("the client names a server in {1} by what is no host: {0:?}")]
    NoHost(Box<str>, Place),
    #[error("what the client has sent cannot be judged: {0}")]
    Malformed(#[from] MalformedHello),
    #[error("what the client has sent cannot be judged: {0}")]
    MalformedRequest(#[from] MalformedRequest),
    #[error("the client's first {message} is longer than 16 KiB", message = .0.message())]
    TooLong(Place),
    #[error("the client's first {message} has not come in time", message = .0.message())]
    TooSlow(Place),
    #[error("the client has stopped in the middle of its first {message}", message = .0.message())]
    CutShort(Place),
}

impl GateRefusal {
    /// The same as an answer for the client.
    pub(super) fn into_judgement(self) -> Judgement {
        let verdict = Verdict::block(403, &self.to_string());
        Judgement {
            verdict: verdict.expect("403 is the status of an error"),
            ..Judgement::PASS
        }
    }
}

/// What is to be done with what a client has sent so far.
enum Next {
    /// Nothing more is waited for.
    Judge,
    /// More of it is, and what has come may go on meanwhile.
    Pass,
    /// The rest of it is.
    Hold(Place),
}

impl<'a> NameGate<'a> {
    /// `early` is what the client has already sent. None where nothing is looked at.
    /// `chain` has judged the host that was asked for.
    pub(super) fn new(session: &'a Session, chain: Rc<LocalChain>, early: &[u8]) -> Option<Self> {
        (session.worker.tunnel.sni != SniCheck::Off).then(|| Self {
            session,
            held: early.to_vec(),
            passed: 0,
            place: None,
            is_late: false,
            is_unversioned: false,
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

    pub(super) fn into_shown(mut self) -> Shown {
        Shown {
            place: self.place,
            name: self.seen,
            held: self.held.split_off(self.passed),
            repeatable: self.repeatable,
        }
    }

    /// Ready when it is clear whether the tunnel may go on. What goes on before is given to `up`.
    pub(super) fn poll(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        up: &mut Direction,
        exchange: &Exchange,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Conclusion>> {
        let asking = match &mut self.asking {
            Some(asking) => asking,
            None => {
                let seen = ready!(self.poll_first(client, up, exchange, cx))?;
                self.session.deadlines.end_first_message();
                let other = seen.and_then(|()| self.other_name(exchange));
                match other {
                    Ok(Some(named)) => {
                        let asking = ask(self.session, self.chain.clone(), exchange, named);
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
    fn poll_first(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        up: &mut Direction,
        exchange: &Exchange,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Result<(), GateRefusal>>> {
        let Session {
            deadlines, worker, ..
        } = self.session;
        loop {
            // A server that waits for fields says nothing before their end.
            if self.is_unversioned && exchange.bytes_down() > 0 {
                return Poll::Ready(Ok(Ok(())));
            }
            let end = match self.read() {
                Ok(Next::Judge) => return Poll::Ready(Ok(Ok(()))),
                Ok(Next::Pass) => {
                    up.push(&self.held[self.passed..]);
                    self.passed = self.held.len();
                    Ok(())
                }
                Ok(Next::Hold(place)) if self.is_late => {
                    return Poll::Ready(Ok(Err(GateRefusal::TooSlow(place))));
                }
                Ok(Next::Hold(place)) => {
                    if !self.held.is_empty() {
                        deadlines.begin_first_message();
                    }
                    Err(GateRefusal::CutShort(place))
                }
                Err(refusal) => return Poll::Ready(Ok(Err(refusal))),
            };
            if self.held.len() >= MOST {
                let place = self.place.unwrap_or(Place::Request);
                return Poll::Ready(Ok(Err(GateRefusal::TooLong(place))));
            }
            let holding = worker
                .copy_buffer
                .poll_hold(&mut self.held, MOST, client, cx);
            match ready!(holding)? {
                0 if self.held.is_empty() => return Poll::Ready(Ok(Ok(()))),
                0 => return Poll::Ready(Ok(end)),
                _ => deadlines.record_moved(),
            }
        }
    }

    /// Looks at what the client has sent so far.
    fn read(&mut self) -> Result<Next, GateRefusal> {
        match hello::read(&self.held) {
            Ok(FirstMessage::Incomplete) => return Ok(self.hold(Place::Handshake)),
            Ok(FirstMessage::Hello(hello)) => {
                self.place = Some(Place::Handshake);
                self.seen = Some(server_name(&hello));
                self.repeatable = hello.may_be_repeated.then_some(hello.length);
                return Ok(Next::Judge);
            }
            Ok(FirstMessage::NotTls) => {}
            Err(malformed) => {
                self.place = Some(Place::Handshake);
                return Err(malformed.into());
            }
        }
        match first_request::read(&self.held) {
            Ok(FirstRequest::NotHttp) => Ok(Next::Judge),
            Ok(FirstRequest::Undecided) => Ok(Next::Pass),
            Ok(FirstRequest::Unversioned) => {
                self.is_unversioned = true;
                Ok(Next::Pass)
            }
            Ok(FirstRequest::Incomplete) => Ok(self.hold(Place::Request)),
            Ok(FirstRequest::Named(host)) => {
                self.place = Some(Place::Request);
                self.seen = host.map(in_request);
                Ok(Next::Judge)
            }
            Err(malformed) => {
                self.place = Some(Place::Request);
                Err(malformed.into())
            }
        }
    }

    fn hold(&mut self, place: Place) -> Next {
        if !self.held.is_empty() {
            self.place = Some(place);
        }
        Next::Hold(place)
    }

    /// The name that still has to be judged, if the client has written one. A client that has asked
    /// for an address has named no host before.
    fn other_name(&self, exchange: &Exchange) -> Result<Option<(Target, Place)>, GateRefusal> {
        let (Some(seen), Some(asked)) = (&self.seen, exchange.target()) else {
            return Ok(None);
        };
        let Some(name) = seen.name.as_deref() else {
            return Ok(None);
        };
        let place = seen.place;
        let Ok(other) = Target::of_host(name, asked.port()) else {
            let end = name.floor_char_boundary(LONGEST_SAID);
            return Err(GateRefusal::NoHost(name[..end].into(), place));
        };
        if other.host() == asked.host() {
            return Ok(None);
        }
        let denied = self.session.worker.upstream.judge_name(&other);
        denied.map_err(|refusal| GateRefusal::Denied(other.host().into(), place, refusal))?;
        match self.session.worker.tunnel.mismatch {
            SniMismatch::Refuse if asked.ip().is_none() => {
                Err(GateRefusal::OtherName(other.host().into(), place))
            }
            SniMismatch::Refuse | SniMismatch::Judge => Ok(Some((other, place))),
        }
    }
}

/// What a message shows of the server, its name as filters see it.
fn server_name(hello: &ClientHello<'_>) -> ShownName {
    ShownName {
        place: Place::Handshake,
        name: hello.server_name.as_deref().map(canonical_name),
        has_hidden_name: hello.has_hidden_name,
        verdict: None,
    }
}

/// The same of a request, whose port says nothing: the tunnel has one already.
fn in_request(written: &[u8]) -> ShownName {
    let authority = String::from_utf8_lossy(written);
    ShownName {
        place: Place::Request,
        name: Some(match Target::parse(&authority, Some(HTTP_PORT)) {
            Ok(target) => target.host().into(),
            Err(_) => authority.into(),
        }),
        has_hidden_name: false,
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
    (name, place): (Target, Place),
) -> Asking<'a> {
    let (begin, notes) = (exchange.begin(), exchange.notes().to_vec());
    let client = exchange.client().clone();
    Box::pin(async move {
        let judging = session.judge_shown_name(chain, &client, begin, (&name, place), notes);
        judging.await
    })
}
