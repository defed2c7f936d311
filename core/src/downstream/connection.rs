//! One client's connection: owns its span, speaks HTTP/1.1 and hands each request to `http` or `connect`. Started by the
//! worker; lives and dies on its thread.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::downstream::body::AnswerBody;
use crate::downstream::exchange::{Exchange, Refusal};
use crate::downstream::respond::{self, Form};
use crate::downstream::tunnel::Tunnel;
use crate::downstream::worker::Worker;
use crate::downstream::{connect, forward};
use crate::error::{Causes, Error};
use crate::flow::Protocol;
use crate::target::Target;
use crate::timer::{Activity, Alarm, Watched};
use crate::upstream::deadline::ResponseDeadline;
use crate::upstream::request::Upload;
use crate::upstream::response::ResponseBody;

/// How long the rest of what a client sends is thrown away before its connection is closed. Closed at once, the system
/// would take back the answer that is still on its way (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// What all exchanges of one connection share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) worker: Rc<Worker>,
    /// The address that the client came from, IPv4 in its own spelling; none if it is gone already.
    pub(crate) client: Option<IpAddr>,
    activity: Rc<Activity>,
    alarm: RefCell<Alarm>,
    /// The destination of the last request. A client sends many to one place, and reading an authority takes time.
    destination: RefCell<Option<Rc<Destination>>>,
    /// What the connection becomes when hyper is done with it.
    tunnel: RefCell<Option<Tunnel>>,
}

/// A place that a client has named.
#[derive(Debug)]
pub(crate) struct Destination {
    authority: Box<str>,
    pub(crate) target: Rc<Target>,
    /// What the Host field says there.
    pub(crate) host: HeaderValue,
}

impl Destination {
    /// Reads the authority of an `http` URL.
    fn parse(authority: &str) -> Result<Self, Error> {
        let target = Target::parse(authority, Some(80))?;
        let host = HeaderValue::try_from(target.authority(80));
        Ok(Self {
            authority: authority.into(),
            host: host.expect("a canonical host is printable ASCII"),
            target: Rc::new(target),
        })
    }
}

/// What an exchange leads to if nothing stands against it.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The origin's response.
    Origin(Response<ResponseBody>),
    /// An answer of the proxy's own.
    Page(Response<Bytes>),
    /// The connection stops being HTTP and is joined with `socket`, which has already sent `early`.
    Tunnel {
        head: Response<()>,
        socket: TcpStream,
        early: Bytes,
    },
}

/// Why a connection ended before its time.
enum End {
    Broken(hyper::Error),
    TimedOut,
}

/// Serves one client until it leaves, rests too long, or the worker stops.
pub(crate) async fn serve(worker: Rc<Worker>, socket: TcpStream) {
    let activity = Rc::new(Activity::new());
    let deadline = Instant::now() + worker.limits.request_head;
    let connection = Rc::new(Connection {
        worker: worker.clone(),
        client: socket.peer_addr().ok().map(|peer| peer.ip().to_canonical()),
        activity: activity.clone(),
        alarm: RefCell::new(Alarm::at(deadline)),
        destination: RefCell::default(),
        tunnel: RefCell::default(),
    });
    let service = {
        let connection = connection.clone();
        service_fn(move |request| answer(connection.clone(), request))
    };
    let io = TokioIo::new(Watched::new(socket, activity));
    let mut http = worker.server.serve_connection(io, service);
    let end = drive(&mut http, &connection).await;
    let parts = http.into_parts();
    let socket = parts.io.into_inner().into_inner();
    let tunnel = connection.tunnel.take();
    match (end, tunnel) {
        (Ok(()), Some(tunnel)) => tunnel.run(socket, parts.read_buf, &worker).await,
        (Ok(()), None) => linger(socket, &worker).await,
        (Err(End::Broken(error)), _) => {
            tracing::debug!(error = %Causes(&error), "the client broke off or sent no valid HTTP");
            if error.is_parse() {
                linger(socket, &worker).await;
            }
        }
        (Err(End::TimedOut), _) => tracing::debug!("the client was idle for too long"),
    }
}

/// Runs hyper's side, watches the time and passes on the signal to leave.
async fn drive<S>(
    http: &mut http1::Connection<TokioIo<Watched>, S>,
    connection: &Connection,
) -> Result<(), End>
where
    S: HttpService<Incoming, ResBody = AnswerBody>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let worker = &connection.worker;
    let mut shutdown = pin!(worker.shutdown.cancelled());
    let mut waker: Option<Waker> = None;
    let mut is_leaving = false;
    poll_fn(|cx| {
        if worker.is_stopping() && !is_leaving {
            is_leaving = true;
            Pin::new(&mut *http).graceful_shutdown();
        }
        // Once is enough to be woken by the signal.
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            waker = Some(cx.waker().clone());
            let _ = shutdown.as_mut().poll(cx);
        }
        if let Poll::Ready(end) = Pin::new(&mut *http).poll(cx) {
            return Poll::Ready(end.map_err(End::Broken));
        }
        connection.poll_rest(cx).map(|()| Err(End::TimedOut))
    })
    .await
}

impl Connection {
    /// Ready when the client has rested for too long.
    fn poll_rest(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.activity.deadline(&self.worker.limits) {
            Some(deadline) => self.alarm.borrow_mut().poll(deadline, cx),
            None => Poll::Pending,
        }
    }

    /// The destination that the authority of an `http` URL names.
    pub(crate) fn destination(&self, authority: &str) -> Result<Rc<Destination>, Error> {
        let mut last = self.destination.borrow_mut();
        match &*last {
            Some(destination) if *destination.authority == *authority => Ok(destination.clone()),
            _ => {
                let destination = Rc::new(Destination::parse(authority)?);
                *last = Some(destination.clone());
                Ok(destination)
            }
        }
    }

    /// How long an exchange may wait for the origin.
    pub(crate) fn patience(&self, upload: Option<Rc<Upload>>) -> ResponseDeadline<'_> {
        ResponseDeadline::new(&self.alarm, &self.activity, &self.worker.limits, upload)
    }
}

/// One exchange, from the request's head to the answer's.
async fn answer(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let protocol = match *request.method() {
        Method::CONNECT => Protocol::Connect,
        _ => Protocol::Http,
    };
    let id = connection.worker.next_id();
    let (activity, client) = (&connection.activity, connection.client);
    let mut exchange = Exchange::begin(id, activity, client, request.method(), protocol);
    let form = Form::wanted(request.headers());
    let span = exchange.span().clone();
    let reply = async {
        match protocol {
            Protocol::Connect => connect::open(&connection, request, form, &mut exchange).await,
            Protocol::Http => forward::forward(&connection, request, form, &mut exchange).await,
        }
    };
    let reply = reply.instrument(span).await;
    Ok(match reply {
        Ok(Reply::Origin(response)) => {
            exchange.answered(response.status());
            response.map(|body| AnswerBody::origin(body, exchange))
        }
        Ok(Reply::Page(response)) => page(response, exchange),
        Ok(Reply::Tunnel {
            head,
            socket,
            early,
        }) => {
            exchange.answered(head.status());
            let tunnel = Tunnel::new(socket, early, exchange);
            connection.tunnel.replace(Some(tunnel));
            head.map(|()| AnswerBody::none())
        }
        Err(refusal) => refuse(refusal, form, exchange),
    })
}

fn page(response: Response<Bytes>, mut exchange: Exchange) -> Response<AnswerBody> {
    exchange.answered(response.status());
    response.map(|page| AnswerBody::page(page, exchange))
}

fn refuse(refusal: Refusal, form: Form, mut exchange: Exchange) -> Response<AnswerBody> {
    let mut response = match refusal {
        Refusal::Failed(error) => {
            exchange.fail(&error);
            respond::error(&error, form)
        }
        Refusal::Judged(page) => *page,
    };
    if exchange.protocol() == Protocol::Connect {
        // What was sent ahead is meant for someone else: nothing more is read (RFC 9931, section 8).
        respond::close(&mut response);
    }
    page(response, exchange)
}

/// Says goodbye and throws away what still comes, for a while.
async fn linger(mut socket: TcpStream, worker: &Worker) {
    if socket.shutdown().await.is_ok() {
        let _ = timeout(LINGER, worker.copy_buffer.drain(&mut socket)).await;
    }
}
