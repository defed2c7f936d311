//! One HTTP/1.1 connection to an origin. Made by `upstream`, kept by its pool.
//!
//! A connection has no task of its own: its holder drives it. So a response travels from the
//! origin's socket to the client's within one task, without a wake-up in between, and a client that
//! goes away takes the connection with it.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::unconstrained;
use tokio::time::Instant;

use super::dial::Connected;
use super::login;
use super::request::{self, OutlivingUpload, RequestBody};
use super::route::Route;
use super::socket::OriginSocket;
use super::spelling::Spellings;
use super::stream::{Gauge, OriginStream};
use super::written::{Recorded, WrittenHead};
use crate::config::MAX_FIELDS;
use crate::error::Error;
use crate::timer::{Deadlines, ResettableTimer};

/// An open connection, idle or busy with one exchange.
pub(crate) struct UpstreamConnection {
    route: Rc<Route>,
    peer: SocketAddr,
    requests: SendRequest<RequestBody>,
    driver: Option<Connection<TokioIo<Recorded<OriginStream>>, RequestBody>>,
    gauge: Rc<Gauge>,
    /// The head of a response may have this many bytes.
    head_size: usize,
    /// Whose login the connection carries. Where there is one, no other client gets it.
    owner: Option<Weak<dyn Keeper>>,
    head: Rc<WrittenHead>,
    /// The origin has answered before, so it may have closed the connection since.
    is_reused: bool,
    /// The connection is closed or speaks another protocol now.
    finished: bool,
}

/// What keeps idle connections.
pub(super) trait Keeper {
    fn put(&self, connection: Box<UpstreamConnection>);
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum SendError {
    /// The connection was closed before the request was written; here it is again.
    NotSent(Box<Request<RequestBody>>),
    /// The connection was closed before a response came. The request has no effect but its
    /// response, so it may be sent again (RFC 9110, section 9.2.2).
    Repeatable(Box<Request<RequestBody>>),
    /// The request is lost.
    Failed(Error),
}

impl SendError {
    /// Whether the connection ended without a word from the other side.
    pub(super) fn is_broken_connection(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Repeatable(_) => true,
            Self::Failed(error) => error.is_broken_connection(),
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Failed(error) => error,
            SendError::NotSent(_) | SendError::Repeatable(_) => Self::Closed,
        }
    }
}

impl UpstreamConnection {
    pub(super) async fn open(
        route: Rc<Route>,
        connected: Connected,
        head_size: usize,
    ) -> Result<Box<Self>, Error> {
        let (stream, gauge) = OriginStream::new(connected.stream, head_size);
        let head = Rc::<WrittenHead>::default();
        let stream = Recorded::new(stream, head.clone());
        let mut client = http1::Builder::new();
        client.max_headers(MAX_FIELDS).max_header_size(head_size);
        let handshake = client.handshake(TokioIo::new(stream));
        let (requests, driver) = handshake.await.map_err(Error::Upstream)?;
        Ok(Box::new(Self {
            route,
            peer: connected.peer,
            requests,
            driver: Some(driver),
            gauge,
            head_size,
            owner: None,
            head,
            is_reused: false,
            finished: false,
        }))
    }

    pub(crate) fn route(&self) -> &Rc<Route> {
        &self.route
    }

    /// The address that was dialled.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether the last exchange is over on both sides and the connection still open. An origin may
    /// answer before it has read the head of the request.
    pub(crate) fn is_idle(&self) -> bool {
        !self.finished && self.requests.is_ready() && !self.gauge.is_mid_write()
    }

    /// Whether the connection is idle, and the system knows nothing else of it. A request that
    /// cannot be repeated is not written to a connection that its origin has closed.
    pub(super) fn is_open(&mut self) -> bool {
        self.gauge.ask_system();
        self.gauge.begin_turn();
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.is_idle()
    }

    /// Whether the connection carries a client's login.
    pub(crate) fn has_owner(&self) -> bool {
        self.owner.is_some()
    }

    /// Keeps the connection for the next request, if there can be one.
    pub(super) fn release(self: Box<Self>, pool: &impl Keeper) {
        if !self.is_idle() {
            return;
        }
        match &self.owner {
            None => pool.put(self),
            Some(owner) => {
                if let Some(owner) = owner.upgrade() {
                    owner.put(self);
                }
            }
        }
    }

    /// Reads and writes what can be read and written now.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(driver) = self.driver.as_mut().filter(|_| !self.finished) else {
            return;
        };
        if let Poll::Ready(end) = Pin::new(driver).poll(cx) {
            self.finished = true;
            if let Err(error) = end {
                tracing::debug!(%error, target = %self.route.target, "the connection to the origin broke");
            }
        }
    }

    /// Drives the connection until `outcome`, which nothing else makes ready, is there.
    ///
    /// The first try is made with a waker that does nothing. What hyper's two halves tell each
    /// other meanwhile would only wake the task that is running anyway, twice for each request. The
    /// second try leaves the task's waker with whatever there is to wait for.
    pub(super) fn advance<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut outcome: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.gauge.begin_turn();
        let mut unwoken = Context::from_waker(Waker::noop());
        self.drive(&mut unwoken);
        if let Poll::Ready(outcome) = outcome(&mut unwoken) {
            return Poll::Ready(outcome);
        }
        self.drive(cx);
        outcome(&mut unwoken)
    }

    /// Sends a request and waits for the head of its response. If either of them is about a login
    /// for the connection, the connection belongs to `client` from then on.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
        client: &Rc<impl Keeper + 'static>,
        spellings: &Rc<Spellings>,
        deadlines: &Deadlines,
    ) -> Result<Response<Incoming>, SendError> {
        if login::logs_in(request.headers()) {
            self.owner = Some(own(client));
        }
        let response = self.exchange(request, spellings, deadlines).await?;
        if login::invites(&response) {
            self.owner = Some(own(client));
        }
        Ok(response)
    }

    async fn exchange(
        &mut self,
        request: Request<RequestBody>,
        spellings: &Rc<Spellings>,
        deadlines: &Deadlines,
    ) -> Result<Response<Incoming>, SendError> {
        deadlines.begin_response_head();
        self.gauge.begin_request(spellings);
        // Where a parent proxy breaks off, another one can take its place.
        let has_others = self.is_reused || self.route.is_absolute();
        // It is not written as hyper has it, see `absolute`.
        let is_whole = self.route.is_absolute() && request.uri().path() == "*";
        if has_others && !is_whole && request::is_repeatable(&request) {
            self.head.begin();
        }
        // `unconstrained`: without budget it would wake the waker that it gets, which does nothing.
        let mut response = pin!(unconstrained(self.requests.try_send_request(request)));
        let outcome = poll_fn(|cx| {
            let mut outcome = self.advance(cx, |cx| response.as_mut().poll(cx));
            if outcome.is_pending() && self.finished {
                // A closed connection that is dropped gives the request back.
                self.driver = None;
                outcome = response.as_mut().poll(cx);
            }
            match outcome {
                _ if self.gauge.has_too_many_interims() => {
                    Poll::Ready(Err(Error::InvalidResponse("too many interim responses")))
                }
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                // The connection's task looks at the clock and polls this again when time is up.
                Poll::Pending => match deadlines.take_failure() {
                    Some(late) => Poll::Ready(Err(late)),
                    None if self.gauge.is_endless(self.head_size) => {
                        Poll::Ready(Err(Error::InvalidResponse("its head does not end")))
                    }
                    None => Poll::Pending,
                },
            }
        })
        .await;
        deadlines.begin_work();
        match outcome {
            Ok(Ok(response)) => {
                self.head.forget();
                self.is_reused = true;
                Ok(response)
            }
            Ok(Err(mut failure)) => Err(match failure.take_message() {
                Some(unsent) => SendError::NotSent(Box::new(unsent)),
                None => self.lost(failed(failure.into_error())),
            }),
            Err(failure) => Err(SendError::Failed(failure)),
        }
    }

    /// A request was written and gets no response.
    fn lost(&self, error: Error) -> SendError {
        let again = if error.is_broken_connection() {
            self.head.request()
        } else {
            None
        };
        match again {
            Some(again) => SendError::Repeatable(Box::new(again)),
            None => SendError::Failed(error),
        }
    }

    /// Waits until the connection has left HTTP after a 101 response, and takes its stream and what
    /// was read too far.
    pub(crate) async fn into_stream(mut self) -> Option<(OriginSocket, Bytes)> {
        poll_fn(|cx| {
            self.gauge.begin_turn();
            self.drive(cx);
            if self.finished {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let parts = self.driver?.into_parts();
        let (stream, held) = parts.io.into_inner().into_inner().into_parts();
        let early = if held.is_empty() {
            parts.read_buf
        } else {
            [&parts.read_buf[..], &held].concat().into()
        };
        Some((stream, early))
    }

    /// Lets a connection finish on its own what is still being uploaded, for as long as the upload
    /// or the response moves. The response tells by the time that is returned.
    pub(super) fn detach<R: 'static>(
        mut self: Box<Self>,
        upload: OutlivingUpload<'_, R>,
    ) -> Rc<Cell<Instant>> {
        let OutlivingUpload {
            progress,
            room,
            idle,
            tasks,
        } = upload;
        let (mut bytes, mut moved) = (progress.bytes(), Instant::now());
        let response_moved = Rc::new(Cell::new(moved));
        let response = response_moved.clone();
        let mut timer = ResettableTimer::at(moved + idle);
        tasks.spawn_local(async move {
            poll_fn(|cx| {
                self.gauge.begin_turn();
                self.drive(cx);
                if self.finished || self.requests.is_ready() {
                    return Poll::Ready(());
                }
                if progress.bytes() != bytes {
                    (bytes, moved) = (progress.bytes(), Instant::now());
                }
                timer.poll(moved.max(response.get()) + idle, cx)
            })
            .await;
            // The connection is closed before its room is free.
            drop((self, room));
        });
        response_moved
    }
}

fn own(client: &Rc<impl Keeper + 'static>) -> Weak<dyn Keeper> {
    let client: Rc<dyn Keeper> = client.clone();
    Rc::downgrade(&client)
}

fn failed(error: hyper::Error) -> Error {
    // hyper's user here is the request's body, and that is the client.
    if error.is_user() {
        Error::MalformedRequest("its body broke off or is not framed as it says")
    } else if error.is_parse_too_large() {
        Error::ResponseHeadTooLarge
    } else {
        Error::Upstream(error)
    }
}

impl fmt::Debug for UpstreamConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamConnection")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
