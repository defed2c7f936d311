//! Clients of SOCKS, on the same port as those of HTTP: the handshake, the answer, and the tunnel
//! that follows. Called by the connection when the first byte of a client is none of HTTP's;
//! `message` has the bytes.

pub(crate) mod message;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use self::message::{Malformed, Method, Reply, Request, Version};
use super::exchange::Exchange;
use super::reply::{Rejection, Upgrade};
use super::session::{Admitted, Session};
use super::tunnel::Tunnel;
use super::unserved::Unserved;
use crate::error::Error;
use crate::flow::Protocol;
use crate::target::Target;
use crate::timer::Step;
use crate::verdict::Verdict;

/// What is read ahead of a client before it has its answer, in bytes.
const AHEAD: usize = 16 << 10;

/// What became of a client.
pub(super) enum Outcome<S> {
    /// Its stream is to be joined with the origin's. The bytes are what it has already sent.
    Tunnel(Box<Tunnel>, S, Bytes),
    /// It was refused, and told so.
    Refused(S),
    /// It is not there any more, or gets no answer.
    Gone,
}

/// Why there is no request.
enum NoRequest {
    /// What is wrong, and the bytes that say so to the client.
    Malformed(Malformed, Vec<u8>),
    /// Why the client may not ask, and the bytes that say so.
    Refused(Error, Vec<u8>),
    /// The rest of what the client has begun has not come in time.
    Late,
    /// The client has closed the connection.
    BrokenOff,
    /// The proxy is stopping.
    Gone,
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::BrokenOff
    }
}

/// Whether what a client sends first is of a version of SOCKS. Nothing of HTTP begins like that.
pub(super) fn is_first_byte(byte: u8) -> bool {
    version(byte).is_some()
}

fn version(byte: u8) -> Option<Version> {
    match byte {
        message::VERSION_4 => Some(Version::V4),
        message::VERSION_5 => Some(Version::V5),
        _ => None,
    }
}

/// Serves a client that has begun with `sent`.
pub(super) async fn serve<S>(session: &Session, mut stream: S, mut sent: Vec<u8>) -> Outcome<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(version) = sent.first().copied().and_then(version) else {
        return Outcome::Gone;
    };
    let (client, request) = match request(session, version, &mut stream, &mut sent).await {
        Ok(request) => request,
        Err(NoRequest::Gone) => return Outcome::Gone,
        Err(NoRequest::BrokenOff) => {
            session.worker.unserved.add(Unserved::BrokenOff);
            return Outcome::Gone;
        }
        Err(NoRequest::Late) => {
            exchange(session, version).fail(&Error::RequestTimeout);
            return Outcome::Gone;
        }
        Err(NoRequest::Malformed(malformed, reply)) => {
            exchange(session, version).fail(&malformed);
            return turn_down(stream, &reply).await;
        }
        Err(NoRequest::Refused(error, reply)) => {
            exchange(session, version).fail(&error);
            return turn_down(stream, &reply).await;
        }
    };
    sent.drain(..request.bytes);
    let mut exchange = exchange(session, version);
    match connect(session, client, request.target, &mut exchange).await {
        Ok((upgrade, connected)) => {
            if tell(&mut stream, &connected.to_bytes(version))
                .await
                .is_err()
            {
                return Outcome::Gone;
            }
            exchange.record_granted();
            let tunnel = Box::new(Tunnel::new(upgrade, exchange));
            Outcome::Tunnel(tunnel, stream, sent.into())
        }
        Err(Some(refused)) => turn_down(stream, &refused.to_bytes(version)).await,
        Err(None) => Outcome::Gone,
    }
}

async fn turn_down<S: AsyncWrite + Unpin>(mut stream: S, reply: &[u8]) -> Outcome<S> {
    match tell(&mut stream, reply).await {
        Ok(()) => Outcome::Refused(stream),
        Err(_) => Outcome::Gone,
    }
}

fn exchange(session: &Session, version: Version) -> Box<Exchange> {
    let protocol = match version {
        Version::V4 => Protocol::Socks4,
        Version::V5 => Protocol::Socks5,
    };
    let started = session.deadlines.begin_exchange();
    session.exchange(started, None, protocol)
}

/// Connects to the target, if nothing stands against it. An error is what the client is told; none
/// if it gets no answer.
async fn connect(
    session: &Session,
    client: Option<Admitted>,
    target: Target,
    exchange: &mut Exchange,
) -> Result<(Upgrade, Reply), Option<Reply>> {
    let target = Rc::new(target);
    exchange.set_target(&target);
    let opening = async {
        let client = match client {
            Some(client) => client,
            None => session.login(|| Ok(None)).await?,
        };
        session.open(&client, &target, None, exchange).await
    };
    match opening.await {
        Ok(upgrade) => {
            let from = upgrade.stream.local_addr();
            let from = from.map_err(|_| Some(Reply::Failed))?;
            Ok((upgrade, Reply::Connected(from)))
        }
        Err(rejection) => Err(refuse(&rejection, exchange)),
    }
}

/// Records a rejection. None if the client gets no answer.
fn refuse(rejection: &Rejection, exchange: &mut Exchange) -> Option<Reply> {
    match rejection {
        Rejection::Judged(judgement) => {
            exchange.complete();
            (judgement.verdict != Verdict::Drop).then_some(Reply::NotAllowed)
        }
        Rejection::Failed(error) => {
            exchange.fail(error);
            Some(reply_to(error))
        }
    }
}

pub(super) fn reply_to(error: &Error) -> Reply {
    match error {
        Error::Dns { .. } => Reply::HostUnreachable,
        Error::DnsTimeout { .. } | Error::ConnectTimeout { .. } => Reply::TimedOut,
        Error::Connect { source, .. } => match source.kind() {
            io::ErrorKind::ConnectionRefused => Reply::Refused,
            io::ErrorKind::HostUnreachable => Reply::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => Reply::NetworkUnreachable,
            io::ErrorKind::TimedOut => Reply::TimedOut,
            _ => Reply::Failed,
        },
        Error::Loop
        | Error::ClientNotAllowed
        | Error::Unauthenticated(_)
        | Error::TooManyLogins(_)
        | Error::Prohibited(_)
        | Error::AddressProhibited(_) => Reply::NotAllowed,
        Error::MalformedRequest(_)
        | Error::InvalidTarget(_)
        | Error::UnsupportedScheme
        | Error::MethodNotAllowed
        | Error::ExpectationFailed
        | Error::NotHttp(_)
        | Error::VersionNotSupported
        | Error::TargetTooLong
        | Error::HeadTooLarge
        | Error::RequestTimeout
        | Error::RequestTooSlow
        | Error::Upstream(_)
        | Error::ResponseHeadTooLarge
        | Error::Closed
        | Error::InvalidResponse(_)
        | Error::ResponseTimeout
        | Error::ResponseTooSlow
        | Error::Parent(_)
        | Error::NoRoom(_) => Reply::Failed,
    }
}

async fn tell(stream: &mut (impl AsyncWrite + Unpin), answer: &[u8]) -> io::Result<()> {
    Step::SocksAnswer.bound(stream.write_all(answer)).await?
}

/// Leads the client to its request, of which `sent` is the beginning and then all. Says who asks if
/// the client has logged in.
async fn request(
    session: &Session,
    version: Version,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    sent: &mut Vec<u8>,
) -> Result<(Option<Admitted>, Request), NoRequest> {
    let client = match version {
        Version::V5 => greet(session, stream, sent).await?,
        Version::V4 if session.worker.gate.is_some() => {
            let reply = Malformed::Version4.reply().to_bytes(version);
            return Err(NoRequest::Malformed(Malformed::Version4, reply));
        }
        Version::V4 => None,
    };
    let request = |sent: &[u8]| {
        message::request(version, sent).map_err(|malformed| {
            let reply = malformed.reply().to_bytes(version);
            NoRequest::Malformed(malformed, reply)
        })
    };
    let request = read(session, stream, sent, request).await?;
    Ok((client, request))
}

/// Agrees with a client of version 5 upon a way to log in, and has it log in if it has to.
async fn greet(
    session: &Session,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    sent: &mut Vec<u8>,
) -> Result<Option<Admitted>, NoRequest> {
    let way = match session.worker.gate {
        Some(_) => Method::Password,
        None => Method::NoLogin,
    };
    let greeting = |sent: &[u8]| {
        let no_way = || message::greeting_answer(None).to_vec();
        let read = message::greeting(way, sent);
        read.map_err(|malformed| NoRequest::Malformed(malformed, no_way()))
    };
    let bytes = read(session, stream, sent, greeting).await?;
    sent.drain(..bytes);
    tell(stream, &message::greeting_answer(Some(way))).await?;
    if way == Method::NoLogin {
        return Ok(None);
    }
    let no = || message::login_answer(false).to_vec();
    let login = |sent: &[u8]| {
        let read = message::login(sent);
        read.map_err(|malformed| NoRequest::Malformed(malformed, no()))
    };
    let (credentials, bytes) = read(session, stream, sent, login).await?;
    sent.drain(..bytes);
    let client = session.login(|| Ok(Some(credentials))).await;
    let client = client.map_err(|error| NoRequest::Refused(error, no()))?;
    tell(stream, &message::login_answer(true)).await?;
    Ok(Some(client))
}

/// Reads until `sent` begins with a whole message.
async fn read<T>(
    session: &Session,
    stream: &mut (impl AsyncRead + Unpin),
    sent: &mut Vec<u8>,
    parse: impl Fn(&[u8]) -> Result<Option<T>, NoRequest>,
) -> Result<T, NoRequest> {
    let reading = poll_fn(|cx| {
        loop {
            if let Some(message) = parse(sent)? {
                return Poll::Ready(Ok(message));
            }
            let buffer = &session.worker.copy_buffer;
            match buffer.poll_hold(sent, AHEAD, stream, cx)? {
                Poll::Ready(0) => return Poll::Ready(Err(NoRequest::BrokenOff)),
                Poll::Ready(_) => session.deadlines.record_moved(),
                Poll::Pending => {
                    ready!(session.deadlines.poll(cx));
                    return Poll::Ready(Err(NoRequest::Late));
                }
            }
        }
    });
    tokio::select! {
        biased;
        () = session.worker.shutdown.cancelled() => Err(NoRequest::Gone),
        read = reading => read,
    }
}
