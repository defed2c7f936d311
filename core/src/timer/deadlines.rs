//! All deadlines of one client connection in one place: who is waited for, since when, and for how
//! long.
//!
//! The connection's task polls `Deadlines` and nothing else does. An exchange says what it is
//! waiting for; when that takes too long, the connection ends, or the exchange finds the failure
//! that was recorded for it. Steps whose time nothing moves back have theirs in `Step`; filters,
//! logins, resolving and connecting have settings of their own; and an upload that outlives its
//! response is bounded by the connection that finishes it, as no other task is left for that.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use super::resettable::ResettableTimer;
use super::speaker::Speaker;
use super::upload::UploadProgress;
use crate::config::Limits;
use crate::error::Error;

/// A reset does not wake a connection whose client has closed its sending side, so such a
/// connection is looked at this often.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A tunnel that is quiet for this long when the proxy begins to stop is idle, and ends at once,
/// unless its client has spoken last.
const QUIET: Duration = Duration::from_secs(1);

/// The deadlines of one client connection.
#[derive(Debug)]
pub(crate) struct Deadlines {
    limits: Rc<Limits>,
    timer: RefCell<ResettableTimer>,
    phase: Cell<Phase>,
    read_at: Cell<Instant>,
    wrote_at: Cell<Instant>,
    /// When the client closed its sending side, or either side of a tunnel did.
    half_closed_at: Cell<Option<Instant>>,
    looked_at: Cell<Instant>,
    /// Whether the client has been sent the head of the running response.
    flushed: Cell<Flushed>,
    /// The body of the last request. It may outlive the response.
    upload: RefCell<Option<Rc<UploadProgress>>>,
    /// How slowly that body may come.
    pace: Pace,
    /// Why the running exchange gets no response, or not all of it.
    failure: RefCell<Option<Error>>,
}

/// How far a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flushed {
    No,
    /// Something waits until it has.
    Awaited,
    Yes,
}

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The client, to send its first request.
    FirstHead(Instant),
    /// The client, to send another request.
    KeepAlive(Instant),
    /// The client, to send the rest of a head that has begun.
    Head(Instant),
    /// A filter or a step on the way to the origin, each of which has a limit of its own.
    Working,
    /// The origin, to send the head of its response.
    ResponseHead(Instant),
    /// Either side, to move the body of the response, which has begun at this time.
    Body(Instant),
    /// The client, to take the end of the response that hyper still holds.
    Flushing(Instant),
    /// Either side, to move bytes through a tunnel.
    Tunnel,
    /// The tunnel's client, to send the rest of a first message that has begun at this time.
    FirstMessage(Instant),
    /// The same while the proxy is stopping.
    TunnelDrain,
    /// The same for a tunnel that was idle when the proxy began to stop, at this time.
    IdleTunnelDrain(Instant),
}

/// What has to happen because a deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The connection has to be closed.
    Connection,
    /// The exchange has failed: it has to be polled, and will find out.
    Exchange,
    /// The client's stream has to be read once more, to see whether the client has gone.
    Look,
    /// The first message of the tunnel's client does not come.
    FirstMessage,
}

impl Deadlines {
    /// Those of a connection that was accepted at this time.
    pub(crate) fn since(accepted: Instant, limits: Rc<Limits>) -> Self {
        Self {
            timer: RefCell::new(ResettableTimer::at(accepted + limits.request_head)),
            limits,
            phase: Cell::new(Phase::FirstHead(accepted)),
            read_at: Cell::new(accepted),
            wrote_at: Cell::new(accepted),
            half_closed_at: Cell::new(None),
            looked_at: Cell::new(accepted),
            flushed: Cell::new(Flushed::No),
            upload: RefCell::default(),
            pace: Pace::default(),
            failure: RefCell::default(),
        }
    }

    /// A request has come. Returns when its last bytes did: one that was sent early has waited for
    /// its turn.
    pub(crate) fn begin_exchange(&self) -> Instant {
        self.phase.set(Phase::Working);
        self.upload.take();
        self.failure.take();
        self.moved_at()
    }

    /// The running exchange has a body that moves on its own.
    pub(crate) fn track_upload(&self, upload: Rc<UploadProgress>) {
        self.pace.begin(&upload, &self.limits);
        self.upload.replace(Some(upload));
    }

    /// The request is on its way to the origin. Until [`Self::begin_body`] or [`Self::begin_work`]
    /// the origin is waited for.
    pub(crate) fn begin_response_head(&self) {
        self.phase.set(Phase::ResponseHead(Instant::now()));
    }

    /// Whether no exchange is open, and the client has been sent all of the response before.
    pub(crate) fn is_between_exchanges(&self) -> bool {
        matches!(
            self.phase.get(),
            Phase::FirstHead(_) | Phase::KeepAlive(_) | Phase::Head(_)
        )
    }

    /// Whether the client has asked for nothing yet.
    pub(crate) fn is_first_head(&self) -> bool {
        matches!(self.phase.get(), Phase::FirstHead(_))
    }

    /// The exchange goes on with a step that has a limit of its own.
    pub(crate) fn begin_work(&self) {
        self.phase.set(Phase::Working);
    }

    /// The head of the response goes to the client, its body follows.
    pub(crate) fn begin_body(&self) {
        self.phase.set(Phase::Body(Instant::now()));
        self.flushed.set(Flushed::No);
    }

    /// Whether hyper has given the system the head of the response, and what it had of the body. If
    /// not, the connection's task is woken when it has.
    pub(crate) fn has_flushed(&self) -> bool {
        if self.flushed.get() == Flushed::No {
            self.flushed.set(Flushed::Awaited);
        }
        self.flushed.get() == Flushed::Yes
    }

    /// The connection is a tunnel from here on.
    pub(crate) fn begin_tunnel(&self) {
        self.record_moved();
        self.phase.set(Phase::Tunnel);
    }

    /// The tunnel's client has sent a part of its first message, which is held back.
    pub(crate) fn begin_first_message(&self) {
        if let Phase::Tunnel = self.phase.get() {
            self.phase.set(Phase::FirstMessage(Instant::now()));
        }
    }

    /// What the tunnel's client has sent need not be held back any more.
    pub(crate) fn end_first_message(&self) {
        if let Phase::FirstMessage(_) = self.phase.get() {
            self.phase.set(Phase::Tunnel);
        }
    }

    /// The proxy is stopping: an idle tunnel ends now, and any other may go on until the bound of
    /// the stop.
    pub(crate) fn begin_tunnel_drain(&self, last: Speaker) {
        if let Phase::Tunnel | Phase::FirstMessage(_) = self.phase.get() {
            let now = Instant::now();
            let is_busy = last == Speaker::Client || now < self.moved_at() + QUIET;
            let idle = Phase::IdleTunnelDrain(now);
            self.phase
                .set(if is_busy { Phase::TunnelDrain } else { idle });
        }
    }

    /// One side of the tunnel has closed its sending side.
    pub(crate) fn record_half_closed_tunnel(&self) {
        if self.half_closed_at.get().is_none() {
            self.half_closed_at.set(Some(Instant::now()));
        }
    }

    /// Bytes were written to the client, or have moved through the tunnel.
    pub(crate) fn record_moved(&self) {
        self.wrote_at.set(Instant::now());
    }

    /// The exchange is over. The end of its response may still have to be written, so the time
    /// counts from the last byte.
    pub(crate) fn end_exchange(&self) {
        if let Some(upload) = &*self.upload.borrow() {
            self.pace.begin(upload, &self.limits);
        }
        self.phase.set(Phase::Flushing(self.moved_at()));
    }

    /// All that was to be written is written. Returns whether the connection has to be polled
    /// again: something has waited for this, or the end of the client's stream, which was held
    /// back, has to be read now.
    pub(super) fn record_flushed(&self) -> bool {
        if self.flushed.replace(Flushed::Yes) == Flushed::Awaited {
            return true;
        }
        if let Phase::Flushing(_) = self.phase.get() {
            self.phase.set(Phase::KeepAlive(self.moved_at()));
            return self.half_closed_at.get().is_some();
        }
        false
    }

    /// Why the running exchange gets no response, or not all of it, if its deadline has passed.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.failure.take()
    }

    pub(super) fn record_read(&self) {
        let now = Instant::now();
        self.read_at.set(now);
        if let Phase::KeepAlive(_) = self.phase.get()
            && !self.is_uploading()
        {
            self.phase.set(Phase::Head(now));
        }
    }

    /// The client has closed its sending side. Returns whether the exchange goes on without it.
    pub(super) fn holds_back_end(&self) -> bool {
        let is_running = matches!(
            self.phase.get(),
            Phase::Working | Phase::ResponseHead(_) | Phase::Body(_) | Phase::Flushing(_)
        );
        let owes_body = self
            .upload
            .borrow()
            .as_ref()
            .is_some_and(|upload| !upload.has_ended());
        if !is_running || owes_body {
            return false;
        }
        if self.half_closed_at.get().is_none() {
            let now = Instant::now();
            self.half_closed_at.set(Some(now));
            self.looked_at.set(now);
        }
        true
    }

    /// Ready when a deadline has passed. Only the connection's own task may poll this.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Expired> {
        let Some((deadline, expired)) = self.next() else {
            return Poll::Pending;
        };
        // A peer that sends without end keeps this task from ever resting, and then the timer hears
        // of the time too late.
        let is_timed =
            matches!(self.phase.get(), Phase::Body(_) if self.limits.body_time.is_some());
        let is_fed = matches!(self.phase.get(), Phase::ResponseHead(_)) || self.is_uploading();
        let is_over = (is_fed || is_timed) && Instant::now() >= deadline;
        if !is_over {
            ready!(self.timer.borrow_mut().poll(deadline, cx));
        }
        match expired {
            Expired::Exchange => {
                self.failure.replace(Some(self.late_response()));
                self.phase.set(Phase::Working);
            }
            Expired::Look => self.looked_at.set(Instant::now()),
            Expired::Connection => {
                self.failure.replace(self.late_body());
            }
            Expired::FirstMessage => self.phase.set(Phase::Tunnel),
        }
        Poll::Ready(expired)
    }

    /// The next deadline, and what follows when it passes.
    fn next(&self) -> Option<(Instant, Expired)> {
        let limits = &*self.limits;
        let wrote = self.wrote_at.get();
        let (deadline, expired) = match self.phase.get() {
            Phase::FirstHead(since) => (since + limits.request_head, Expired::Connection),
            // A slow reader may still be taking the end of the previous response.
            Phase::Head(since) => (since.max(wrote) + limits.request_head, Expired::Connection),
            Phase::Flushing(since) | Phase::KeepAlive(since) => {
                (self.keep_alive(since), Expired::Connection)
            }
            Phase::Working => return None,
            Phase::ResponseHead(since) => (self.response_head(since), Expired::Exchange),
            Phase::Body(since) => (self.body(since), Expired::Connection),
            Phase::FirstMessage(since) if since + limits.client_hello < self.tunnel() => {
                (since + limits.client_hello, Expired::FirstMessage)
            }
            Phase::Tunnel | Phase::FirstMessage(_) | Phase::TunnelDrain => {
                (self.tunnel(), Expired::Connection)
            }
            Phase::IdleTunnelDrain(since) => (since, Expired::Connection),
        };
        let upload = self.upload_limit().map(|(limit, _)| limit);
        let deadline = upload.map_or(deadline, |limit| limit.min(deadline));
        let next = (deadline, expired);
        Some(match (self.half_closed_at.get(), self.phase.get()) {
            (Some(since), Phase::ResponseHead(_) | Phase::Body(_) | Phase::Flushing(_)) => {
                self.half_closed(since, next)
            }
            _ => next,
        })
    }

    fn body(&self, since: Instant) -> Instant {
        let idle = self.moved_at() + self.limits.idle;
        match self.limits.body_time {
            Some(most) => idle.min(since + most),
            None => idle,
        }
    }

    /// When the body of the request comes too late although it moves, and what is to be said then.
    fn upload_limit(&self) -> Option<(Instant, Error)> {
        let upload = self.upload.borrow();
        let upload = upload.as_ref().filter(|upload| upload.is_running())?;
        // A response that is under way may be one half of a conversation, whose other half says
        // little. The idle time counts both halves.
        let is_answered = matches!(self.phase.get(), Phase::Body(_));
        let slow = (!is_answered).then(|| self.pace.deadline(upload, &self.limits));
        let slow = slow.flatten();
        let total = self.limits.body_time;
        let total = upload.begun_at().and_then(|begun| Some(begun + total?));
        match (slow, total) {
            (Some(slow), total) if total.is_none_or(|total| slow <= total) => {
                Some((slow, Error::RequestTooSlow))
            }
            (_, total) => Some((total?, Error::RequestTimeout)),
        }
    }

    fn tunnel(&self) -> Instant {
        let idle = self.moved_at() + self.limits.idle;
        match self.half_closed_at.get() {
            Some(since) => idle.min(since.max(self.moved_at()) + self.limits.half_closed),
            None => idle,
        }
    }

    fn keep_alive(&self, since: Instant) -> Instant {
        let upload = self.upload.borrow();
        match upload.as_ref() {
            // The origin has responded early and the client is still sending.
            Some(upload) if upload.is_running() => self.moved_at() + self.limits.idle,
            Some(upload) => {
                let ended = upload.ended_at().unwrap_or(since);
                since.max(ended).max(self.wrote_at.get()) + self.limits.keep_alive
            }
            None => since.max(self.wrote_at.get()) + self.limits.keep_alive,
        }
    }

    fn response_head(&self, since: Instant) -> Instant {
        let upload = self.upload.borrow();
        match upload.as_ref() {
            Some(upload) if upload.is_running() => self.moved_at().max(since) + self.limits.idle,
            Some(upload) => {
                let ended = upload.ended_at().unwrap_or(since);
                ended.max(since) + self.limits.response_head
            }
            None => since + self.limits.response_head,
        }
    }

    /// Whether the client still reads can only be seen from a reset or from bytes that it takes.
    fn half_closed(&self, since: Instant, next: (Instant, Expired)) -> (Instant, Expired) {
        let limit = since.max(self.moved_at()) + self.limits.half_closed;
        let look = self.looked_at.get() + LOOK_INTERVAL;
        [next, (limit, Expired::Connection), (look, Expired::Look)]
            .into_iter()
            .min_by_key(|(deadline, _)| *deadline)
            .expect("there are three")
    }

    fn late_response(&self) -> Error {
        let is_silent = self.moved_at() + self.limits.idle <= Instant::now();
        if let Some(error) = self.late_upload().filter(|_| !is_silent) {
            return error;
        }
        let upload = self.upload.borrow();
        match upload.as_ref() {
            Some(upload) if upload.is_waiting_for_client() => Error::RequestTimeout,
            _ => Error::ResponseTimeout,
        }
    }

    fn late_upload(&self) -> Option<Error> {
        let (limit, error) = self.upload_limit()?;
        (limit <= Instant::now()).then_some(error)
    }

    /// Why a connection is closed in the middle of a response, where that is not because nothing
    /// moves.
    fn late_body(&self) -> Option<Error> {
        let Phase::Body(since) = self.phase.get() else {
            return None;
        };
        self.late_upload().or_else(|| {
            let limit = since + self.limits.body_time?;
            (limit <= Instant::now()).then_some(Error::ResponseTooSlow)
        })
    }

    fn is_uploading(&self) -> bool {
        let upload = self.upload.borrow();
        upload.as_ref().is_some_and(|upload| upload.is_running())
    }

    /// When bytes last moved in either direction.
    fn moved_at(&self) -> Instant {
        self.read_at.get().max(self.wrote_at.get())
    }
}
