//! Serves one client's stream: HTTP/1.1, request by request, and then a tunnel if a request asks
//! for one. It is the owner of hyper's server. Started by a worker thread, on which it lives and
//! dies.

use std::cell::Cell;
use std::error::Error as _;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, EXPECT};
use http::{Method, Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tracing::Instrument;

use super::body::ReplyBody;
use super::exchange::Exchange;
use super::headers::has_token;
use super::rate_limited::RateLimited;
use super::refusal;
use super::reply::{Rejection, Reply};
use super::respond::{self, PageFormat};
use super::session::{Admission, Session};
use super::tunnel::Tunnel;
use super::unread::{Expects, discard};
use super::unserved::Unserved;
use super::wire::{NO_ROOM, Turn, Wire};
use super::worker::StopSignal;
use super::{connect, forward, socks};
use crate::config::MAX_FIELDS;
use crate::error::{Error, ErrorChain};
use crate::flow::Protocol;
use crate::timer::{ClientStream, Expired, Step};
use crate::upstream::request::ClientBody;
use crate::upstream::shortage::ShortageSignal;
use crate::verdict::Verdict;

/// How much of it, in bytes. Some clients read the answer only when they have sent all.
const LINGER_BYTES: u64 = 16 << 20;

/// hyper reads and writes at most this much ahead, or the largest head if that is more.
const BUFFER: usize = 128 * 1024;

/// How HTTP on a stream has ended.
enum Served<S> {
    /// The last response is written.
    Done(S),
    /// The stream is not HTTP any more. The bytes are what the client has already sent.
    Tunnel(Box<Tunnel>, S, Bytes),
    /// The client has sent what is not HTTP. It has no answer yet.
    Refused(Error, S),
    /// The client speaks SOCKS, of which these are the first bytes.
    Socks(S, Vec<u8>),
    /// The client gets no answer.
    Dropped,
    Broken(hyper::Error),
    /// In the middle of an exchange.
    TimedOut,
    /// The client has asked for nothing.
    Unserved(Unserved),
}

/// What tells hyper to close a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the filters want no answer")]
struct Dropped;

/// Why HTTP on a stream has ended before its time.
enum ServeError {
    Broken(hyper::Error),
    TimedOut,
    /// The connection was idle, and others need its descriptor.
    Spared,
}

/// Serves one client until it leaves, rests too long, or the worker stops.
pub(crate) async fn serve<S: ClientStream>(session: Session, stream: S) {
    let arrival = &session.arrival;
    let span = tracing::debug_span!(
        "connection",
        client = arrival.client.map(tracing::field::display),
        listener = %session.listener(),
        ingress = ?arrival.ingress
    );
    let stream = RateLimited::new(stream, session.allowance.clone());
    let serving = async {
        let served = match http1(&session, stream).await {
            Served::Socks(stream, sent) => Box::pin(socks(&session, stream, sent)).await,
            served => served,
        };
        match served {
            // Boxed because a connection that is no tunnel should not hold the room for one.
            Served::Tunnel(tunnel, stream, early) => {
                let refused = Box::pin(tunnel.run(stream, early, &session)).await;
                if let Some(stream) = refused {
                    linger(stream, &session).await;
                }
            }
            Served::Done(stream) => linger(stream, &session).await,
            // RFC 9110, section 15.5.9, where its head is late.
            Served::Refused(error, mut stream) => {
                // The client may not read.
                let refusal = refusal::answer(&session, error, &mut stream);
                let _ = Step::Refusal.bound(refusal).await;
                linger(stream, &session).await;
            }
            Served::Socks(..) | Served::Dropped => {}
            Served::Broken(error) => {
                tracing::debug!(error = %ErrorChain(&error), "the client broke off");
            }
            Served::TimedOut => tracing::debug!("nothing has moved for too long"),
            Served::Unserved(why) => {
                session.worker.unserved.add(why);
                tracing::debug!(?why, "the connection ends without a request");
            }
        }
    };
    serving.instrument(span).await;
}

/// Speaks SOCKS until the client has its tunnel, or its refusal.
async fn socks<S: ClientStream>(session: &Session, stream: S, sent: Vec<u8>) -> Served<S> {
    match socks::serve(session, stream, sent).await {
        socks::Outcome::Tunnel(tunnel, stream, early) => Served::Tunnel(tunnel, stream, early),
        socks::Outcome::Refused(stream) => Served::Done(stream),
        socks::Outcome::Gone => Served::Dropped,
    }
}

/// Speaks HTTP/1.1 until the stream ends or becomes a tunnel.
async fn http1<S: ClientStream>(session: &Session, stream: S) -> Served<S> {
    let tunnel = Cell::new(None);
    let turn = Turn::new(session);
    let service = service_fn(|request: Request<Incoming>| {
        // Not only when the future is polled: hyper may read on before that.
        let started = session.deadlines.begin_exchange();
        turn.begin_exchange(request.body());
        answer(session, request, started, &turn, &tunnel)
    });
    let head_size = session.worker.limits.head_size;
    let cancelled = pin!(session.worker.shutdown.cancelled());
    let mut stop = StopSignal::new(&session.worker, cancelled);
    let mut wire = Wire::new(stream, turn.clone(), head_size);
    first_head(&mut wire, &turn, &mut stop, session).await;
    let mut server = http1::Builder::new();
    // `Deadlines` has the clocks, with one timer for all requests of the connection.
    server
        .header_read_timeout(None)
        .max_headers(MAX_FIELDS)
        .max_header_size(head_size)
        .max_buf_size(BUFFER.max(head_size));
    let mut http = server.serve_connection(TokioIo::new(wire), service);
    let end = drive(&mut http, &turn, &mut stop, session).await;
    let parts = http.into_parts();
    let (stream, early) = parts.io.into_inner().into_parts();
    if turn.is_socks() {
        return Served::Socks(stream, early);
    }
    match (end, tunnel.take()) {
        (Ok(()), Some(tunnel)) => Served::Tunnel(tunnel, stream, early.into()),
        // To hyper, a connection of which it has read nothing ends well, whatever happens.
        (Ok(()), None) if turn.lacks_room() => Served::Refused(NO_ROOM, stream),
        (Ok(()), None) if turn.has_begun_head() && !session.worker.is_stopping() => {
            Served::Unserved(Unserved::BrokenOff)
        }
        (Ok(()), None) => Served::Done(stream),
        (Err(ServeError::Broken(error)), _)
            if error.source().is_some_and(|it| it.is::<Dropped>()) =>
        {
            Served::Dropped
        }
        (Err(ServeError::Broken(error)), _) => match turn.refusal(error) {
            Ok(error) => Served::Refused(error, stream),
            Err(_) if turn.has_begun_head() => Served::Unserved(Unserved::BrokenOff),
            Err(error) => Served::Broken(error),
        },
        (Err(ServeError::TimedOut), _) if turn.has_begun_head() => {
            Served::Refused(Error::RequestTimeout, stream)
        }
        (Err(ServeError::TimedOut), _) => {
            turn.unserved().map_or(Served::TimedOut, Served::Unserved)
        }
        (Err(ServeError::Spared), _) => Served::Unserved(Unserved::Spared),
    }
}

/// Waits until hyper has something to do: with the client's first head, with its end, or as time is
/// up or the worker stops.
async fn first_head<T: ClientStream>(
    wire: &mut Wire<T>,
    turn: &Turn,
    stop: &mut StopSignal<'_, '_>,
    session: &Session,
) {
    poll_fn(|cx| {
        turn.share.begin_turn();
        // What has begun may be finished while the worker stops.
        if stop.poll(cx) && !turn.has_begun_head() {
            return Poll::Ready(());
        }
        if wire.poll_first_head(cx).is_ready() {
            return Poll::Ready(());
        }
        // `drive` finds out what is to be done.
        session.deadlines.poll(cx).map(|_| ())
    })
    .await;
}

/// Runs hyper's side, watches the clocks and passes on the signal to stop.
async fn drive<T, S>(
    http: &mut http1::Connection<TokioIo<Wire<T>>, S>,
    turn: &Turn,
    stop: &mut StopSignal<'_, '_>,
    session: &Session,
) -> Result<(), ServeError>
where
    T: ClientStream,
    S: HttpService<Incoming, ResBody = ReplyBody>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let shortage = &session.worker.upstream.shortage;
    let told = pin!(shortage.notified());
    let mut shortage = ShortageSignal::new(shortage, told);
    let mut is_leaving = false;
    poll_fn(|cx| {
        turn.share.begin_turn();
        let was_idle = turn.is_idle();
        let is_stopping = stop.poll(cx);
        loop {
            if let Poll::Ready(end) = Pin::new(&mut *http).poll(cx) {
                return Poll::Ready(end.map_err(ServeError::Broken));
            }
            // After hyper has had what is there: it would close a connection of which it has read
            // nothing.
            if is_stopping && !is_leaving {
                is_leaving = true;
                Pin::new(&mut *http).graceful_shutdown();
                continue;
            }
            // hyper has just seen that the client has sent nothing. A client that was not idle
            // before may have asked for room itself.
            if turn.is_idle() && shortage.poll(cx) && was_idle {
                return Poll::Ready(Err(ServeError::Spared));
            }
            match session.deadlines.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Expired::Connection) => return Poll::Ready(Err(ServeError::TimedOut)),
                // Whatever has happened is found by polling once more.
                Poll::Ready(Expired::Exchange | Expired::Look | Expired::FirstMessage) => {}
            }
        }
    })
    .await
}

/// One exchange, from the request's head to the response's. A tunnel is left in `tunnel` for when
/// hyper has written the response.
async fn answer(
    session: &Session,
    request: Request<Incoming>,
    started: Instant,
    turn: &Turn,
    tunnel: &Cell<Option<Box<Tunnel>>>,
) -> Result<Response<ReplyBody>, Dropped> {
    let mut exchange = begin(session, request.method(), started);
    // What an old client says of keeping its connection may be meant for another proxy before this
    // one (RFC 9112, section 9.3 and appendix C.2.2).
    let is_old = request.version() == Version::HTTP_10;
    // hyper does not look into a field with bytes that are not text.
    let asks_for_end = has_token(request.headers(), &CONNECTION, "close");
    // Parsed only if the proxy has to answer itself.
    let accept = request.headers().get(ACCEPT).cloned();
    let has_body = !request.body().is_end_stream();
    let expects = (has_body && request.headers().contains_key(EXPECT)).then_some(Expects);
    let request = request.map(ClientBody::from);
    let body = request.body().clone();
    let span = tracing::debug_span!("exchange", id = exchange.id());
    let reply = reply(session, request, &mut exchange);
    // hyper keeps room for all that is not in a box, also while the connection is idle.
    let reply = Box::pin(reply.instrument(span)).await;
    if let Err(Rejection::Judged(judgement)) = &reply
        && judgement.verdict == Verdict::Drop
    {
        exchange.complete();
        return Err(Dropped);
    }
    let is_local = matches!(reply, Ok(Reply::Local(_)) | Err(_));
    let is_unread = is_local && !discard(body, expects).await;
    let is_last = session.count_request();
    if is_last {
        exchange.record_last();
    }
    turn.begin_answer();
    let deadlines = session.deadlines.clone();
    let mut response = match reply {
        Ok(Reply::Origin(response)) => {
            exchange.record_status(response.status());
            response.map(|body| ReplyBody::origin(body, exchange, deadlines))
        }
        Ok(Reply::Local(response)) => {
            exchange.record_status(response.status());
            response.map(|page| ReplyBody::local(page, exchange, deadlines))
        }
        Ok(Reply::Tunnel(head, upgrade)) => {
            exchange.record_status(head.status());
            deadlines.begin_body();
            tunnel.set(Some(Box::new(Tunnel::new(upgrade, exchange))));
            return Ok(head.map(|()| ReplyBody::none()));
        }
        Err(rejection) => {
            let format = PageFormat::negotiate(accept.as_ref());
            let response = refusal::reject(session, &rejection, &mut exchange, format);
            response.map(|page| ReplyBody::local(page, exchange, deadlines))
        }
    };
    if is_unread || is_last || is_old || asks_for_end {
        respond::close(&mut response);
    }
    Ok(response)
}

fn begin(session: &Session, method: &Method, started: Instant) -> Box<Exchange> {
    let protocol = match *method {
        Method::CONNECT => Protocol::Connect,
        _ => Protocol::Http,
    };
    session.exchange(started, Some(method), protocol)
}

async fn reply(
    session: &Session,
    request: Request<ClientBody>,
    exchange: &mut Exchange,
) -> Result<Reply, Rejection> {
    let is_connect = request.method() == Method::CONNECT;
    // The proxy asks itself for nothing that reaches an origin.
    let pseudonym = &session.worker.pseudonym;
    let is_health_check = || !is_connect && pseudonym.is_asked_by_itself(request.headers());
    if session.admission == Admission::Refused && !is_health_check() {
        return Err(Error::ClientNotAllowed.into());
    }
    if is_connect {
        Box::pin(connect::connect(session, request, exchange)).await
    } else {
        forward::forward(session, request, exchange).await
    }
}

/// Says goodbye and throws away what still comes, for a while.
async fn linger(mut stream: impl ClientStream, session: &Session) {
    if stream.shutdown().await.is_ok() {
        let drained = session.worker.copy_buffer.drain(&mut stream, LINGER_BYTES);
        let _ = Step::Linger.bound(drained).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, DuplexStream, duplex};
    use tokio::sync::watch;
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::chain::Chain;
    use crate::downstream::worker::WorkerConfig;

    impl ClientStream for DuplexStream {
        fn take_error(&self) -> io::Result<Option<io::Error>> {
            Ok(None)
        }
    }

    /// RFC 9931, section 8, has a proxy hold what comes before there is a tunnel, and sets no
    /// bound.
    #[tokio::test(start_paused = true)]
    async fn what_is_sent_ahead_of_a_tunnel_is_not_collected() {
        const ROOM: usize = 1 << 20;
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let own = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let chains = watch::channel(Arc::new(Chain::default())).1;
        let mut config = WorkerConfig::of_test(own, chains, CancellationToken::new());
        config.egress.resolvers = vec![silent.local_addr().unwrap().into()];
        let session = Session::of_test(config);
        let (mut client, stream) = duplex(ROOM);
        let sending = async {
            let head = b"CONNECT silent.test:443 HTTP/1.1\r\nHost: silent.test:443\r\n\r\n";
            client.write_all(head).await.unwrap();
            let mut sent = head.len();
            let piece = [b'x'; 1000];
            // What the proxy has not read is in the way of more.
            while let Ok(written) = timeout(Duration::from_millis(100), client.write(&piece)).await
            {
                sent += written.unwrap();
            }
            sent - ROOM
        };
        let taken = tokio::select! {
            taken = sending => taken,
            () = serve(session, stream) => panic!("the name is still looked up"),
        };
        assert!((1000..=64 << 10).contains(&taken), "{taken} bytes are held");
    }

    #[tokio::test]
    async fn a_slow_reader_that_has_half_closed_gets_the_end_of_its_response() {
        // The response is longer than what is under way at a time, so its end waits in hyper while
        // the end of the request is read.
        let (mut client, stream) = duplex(16);
        let asking = async {
            let request = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
            client.write_all(request).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let (answer, ()) = tokio::join!(asking, serve(Session::alone(Chain::default()), stream));
        assert!(answer.ends_with("\r\n\r\n"), "{answer:?}");
    }
}
