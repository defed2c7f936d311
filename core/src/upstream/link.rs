//! One HTTP/1.1 connection to an origin, and the response that is read from it. Made and kept by `upstream`.
//!
//! A link has no task of its own: whoever holds it drives it. So a response travels from the origin's socket to the
//! client's within one task, without a wake-up in between, and a client that goes away takes the connection with it.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::timer::{Activity, Alarm};
use crate::config::Limits;
use crate::error::Error;
use crate::target::Target;
use crate::upstream::request::{RequestBody, Upload};
use crate::upstream::pool::Pool;

/// An open connection, idle or busy with one exchange.
pub(crate) struct Link {
    target: Rc<Target>,
    requests: SendRequest<RequestBody>,
    connection: Option<Connection<TokioIo<TcpStream>, RequestBody>>,
    /// The connection is closed or speaks another protocol now.
    finished: bool,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection was closed before the request was written; here it is again.
    Unsent(Box<Request<RequestBody>>),
    /// The request is lost.
    Failed(Error),
}

impl Link {
    pub(crate) async fn open(target: Rc<Target>, socket: TcpStream) -> Result<Box<Self>, Error> {
        let (requests, connection) = http1::handshake(TokioIo::new(socket))
            .await
            .map_err(Error::Upstream)?;
        Ok(Box::new(Self {
            target,
            requests,
            connection: Some(connection),
            finished: false,
        }))
    }

    pub(crate) fn target(&self) -> &Rc<Target> {
        &self.target
    }

    /// Whether the last exchange is over on both sides and the connection still open.
    pub(crate) fn is_idle(&self) -> bool {
        !self.finished && self.requests.is_ready()
    }

    /// Reads and writes what can be read and written now.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(connection) = self.connection.as_mut().filter(|_| !self.finished) else {
            return;
        };
        if let Poll::Ready(end) = Pin::new(connection).poll(cx) {
            self.finished = true;
            if let Err(error) = end {
                tracing::debug!(%error, target = %self.target, "the connection to the origin broke");
            }
        }
    }

    /// Drives the connection until `outcome`, which nothing else makes ready, is there.
    ///
    /// The first try is made with a waker that does nothing. What hyper's two halves tell each other meanwhile would only
    /// wake the task that is running anyway, twice for each request. The second try leaves the task's waker with whatever
    /// there is to wait for.
    fn advance<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut outcome: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let mut unwoken = Context::from_waker(Waker::noop());
        self.drive(&mut unwoken);
        if let Poll::Ready(outcome) = outcome(&mut unwoken) {
            return Poll::Ready(outcome);
        }
        self.drive(cx);
        outcome(&mut unwoken)
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<RequestBody>,
        patience: &mut Patience<'_>,
    ) -> Result<Response<Incoming>, Broken> {
        patience.begin();
        // `unconstrained`: out of budget it would ask to be woken, and nobody would be.
        let mut response = pin!(unconstrained(self.requests.try_send_request(request)));
        let outcome = poll_fn(|cx| {
            let mut outcome = self.advance(cx, |cx| response.as_mut().poll(cx));
            if outcome.is_pending() && self.finished {
                // A closed connection that is dropped gives the request back.
                self.connection = None;
                outcome = response.as_mut().poll(cx);
            }
            match outcome {
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                Poll::Pending => patience.poll(cx).map(Err),
            }
        })
        .await;
        match outcome {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(mut failure)) => Err(match failure.take_message() {
                Some(unsent) => Broken::Unsent(Box::new(unsent)),
                None => Broken::Failed(failed(failure.into_error())),
            }),
            Err(impatient) => Err(Broken::Failed(impatient)),
        }
    }

    /// Waits until the connection has left HTTP after a 101 response, and takes its socket and what was read too far.
    pub(crate) async fn into_socket(mut self) -> Option<(TcpStream, Bytes)> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.finished {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let parts = self.connection?.into_parts();
        Some((parts.io.into_inner(), parts.read_buf))
    }

    /// Lets a connection finish on its own what is still being uploaded, for as long as something of it moves.
    fn detach(mut self: Box<Self>, upload: Rc<Upload>, idle: Duration, tasks: &TaskTracker) {
        let (mut bytes, mut moved) = (upload.bytes(), Instant::now());
        let mut alarm = Alarm::at(moved + idle);
        tasks.spawn_local(poll_fn(move |cx| {
            self.drive(cx);
            if self.finished || self.requests.is_ready() {
                return Poll::Ready(());
            }
            if upload.bytes() != bytes {
                (bytes, moved) = (upload.bytes(), Instant::now());
            }
            alarm.poll(moved + idle, cx)
        }));
    }
}

fn failed(error: hyper::Error) -> Error {
    // hyper's user here is the request's body, and that is the client.
    if error.is_user() {
        Error::MalformedRequest("its body broke off or is not framed as it says")
    } else {
        Error::Upstream(error)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// A response's body. Reading it drives the link; at its end the link goes back to the pool.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    incoming: Incoming,
    link: Option<Box<Link>>,
    pool: Rc<Pool>,
}

impl ResponseBody {
    /// `upload` is the body of the request, if it has one; it may go on without the response until it rests for `idle`.
    pub(crate) fn new(
        incoming: Incoming,
        link: Box<Link>,
        pool: &Rc<Pool>,
        upload: Option<Rc<Upload>>,
        idle: Duration,
        tasks: &TaskTracker,
    ) -> Self {
        // An origin may answer while it still reads. Then neither direction may wait for the other.
        let link = match upload.filter(|upload| upload.is_running()) {
            Some(upload) => {
                link.detach(upload, idle, tasks);
                None
            }
            None => Some(link),
        };
        Self {
            incoming,
            link,
            pool: pool.clone(),
        }
    }

    fn give_back(&mut self) {
        if let Some(link) = self.link.take()
            && link.is_idle()
        {
            self.pool.put(link);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut incoming = Pin::new(&mut this.incoming);
        let frame = match &mut this.link {
            None => ready!(incoming.poll_frame(cx)),
            Some(link) => {
                let mut unwoken = Context::from_waker(Waker::noop());
                match incoming.as_mut().poll_frame(&mut unwoken) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        ready!(link.advance(cx, |cx| incoming.as_mut().poll_frame(cx)))
                    }
                }
            }
        };
        if frame.as_ref().is_none_or(is_last) {
            this.give_back();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }
}

/// Trailers are the last frame: nobody asks for another.
pub(crate) fn is_last(frame: &Result<Frame<Bytes>, hyper::Error>) -> bool {
    frame.as_ref().is_ok_and(Frame::is_trailers)
}

/// How long the head of a response is waited for.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    alarm: &'a RefCell<Alarm>,
    client: &'a Activity,
    limits: &'a Limits,
    upload: Option<Rc<Upload>>,
    since: Instant,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(
        alarm: &'a RefCell<Alarm>,
        client: &'a Activity,
        limits: &'a Limits,
        upload: Option<Rc<Upload>>,
    ) -> Self {
        Self {
            alarm,
            client,
            limits,
            upload,
            since: client.moved_at(),
        }
    }

    fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// Ready when the origin or, during an upload, the client has taken too long.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Error> {
        ready!(self.alarm.borrow_mut().poll(self.deadline(), cx));
        Poll::Ready(match &self.upload {
            Some(upload) if upload.is_starved() => Error::RequestTimeout,
            _ => Error::ResponseTimeout,
        })
    }

    fn deadline(&self) -> Instant {
        match &self.upload {
            Some(upload) if upload.is_running() => {
                self.client.moved_at().max(self.since) + self.limits.idle
            }
            Some(upload) => {
                upload.ended_at().unwrap_or(self.since).max(self.since) + self.limits.response_head
            }
            None => self.since + self.limits.response_head,
        }
    }
}
