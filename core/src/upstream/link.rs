//! One HTTP/1.1 connection to an origin. Made and kept by `upstream`.
//!
//! A link has no task of its own: whoever holds it drives it. So a response travels from the origin's socket to the
//! client's within one task, without a wake-up in between, and a client that goes away takes the connection with it.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::error::Error;
use crate::target::Target;
use crate::timer::Alarm;
use crate::upstream::deadline::ResponseDeadline;
use crate::upstream::request::{RequestBody, Upload};

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
    pub(super) fn advance<T>(
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
        deadline: &mut ResponseDeadline<'_>,
    ) -> Result<Response<Incoming>, Broken> {
        deadline.begin();
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
                Poll::Pending => deadline.poll(cx).map(Err),
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
    pub(super) fn detach(
        mut self: Box<Self>,
        upload: Rc<Upload>,
        idle: Duration,
        tasks: &TaskTracker,
    ) {
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
