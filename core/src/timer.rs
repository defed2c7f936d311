//! When a client's connection last moved, and for how long it may rest. Written by the socket and the exchanges, read by
//! the connection. Knows no protocol.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Limits;

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// A request's head. It counts from here even if single bytes trickle in.
    Head(Instant),
    /// The answer to a request; whoever works on it watches the time.
    Answer,
    /// The client, to take the answer's body.
    Body,
}

/// The clock marks of one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    phase: Cell<Phase>,
    read: Cell<Instant>,
    wrote: Cell<Instant>,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            phase: Cell::new(Phase::Head(now)),
            read: Cell::new(now),
            wrote: Cell::new(now),
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// An exchange is over. What is left of its answer is still to be written, so its time counts from the last byte.
    pub(crate) fn rest(&self) {
        self.phase.set(Phase::Head(self.moved_at()));
    }

    /// When bytes last moved in either direction.
    pub(crate) fn moved_at(&self) -> Instant {
        self.read.get().max(self.wrote.get())
    }

    /// When the connection has waited too long; none while somebody else watches.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match self.phase.get() {
            // A slow reader may still be taking the end of the previous answer.
            Phase::Head(since) => Some(since.max(self.wrote.get()) + limits.request_head),
            Phase::Answer => None,
            Phase::Body => Some(self.moved_at() + limits.idle),
        }
    }
}

/// A client's socket that marks when bytes move.
#[derive(Debug)]
pub(crate) struct Watched {
    socket: TcpStream,
    activity: Rc<Activity>,
}

impl Watched {
    pub(crate) fn new(socket: TcpStream, activity: Rc<Activity>) -> Self {
        Self { socket, activity }
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.socket
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.activity.read.set(Instant::now());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.socket).poll_write(cx, buf))?;
        self.activity.wrote.set(Instant::now());
        Poll::Ready(Ok(n))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, bufs))?;
        self.activity.wrote.set(Instant::now());
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// A timer for a deadline that keeps moving.
///
/// Deadlines nearly always move back, with every request or every byte. So the timer stays where it is, and only when it
/// fires too early it is set again: one timer a connection and minute instead of two a request.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    /// Whom the timer wakes.
    waker: Option<Waker>,
}

impl Alarm {
    pub(crate) fn at(deadline: Instant) -> Self {
        Self {
            sleep: Box::pin(sleep_until(deadline)),
            waker: None,
        }
    }

    /// Ready when `deadline` has passed. It may be another one each time.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
        let is_set = self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if is_set && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if deadline <= self.sleep.deadline() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}
