//! The body of a request on its way up to the origin, and how far it has come. Made by `http`, carried by `upstream`. Frames pass
//! one at a time, so a slow origin slows its client down; nothing is collected.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;

/// How far a request's body has come.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    bytes: Cell<u64>,
    state: Cell<State>,
    ended: Cell<Option<Instant>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Not asked for yet.
    #[default]
    Held,
    /// On its way.
    Flowing,
    /// On its way, and the client is the one who keeps the rest back.
    Starved,
    /// Sent, broken off or not wanted.
    Ended,
}

impl Upload {
    /// In bytes, without framing.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Whether it has begun and not ended.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state.get(), State::Flowing | State::Starved)
    }

    pub(crate) fn is_starved(&self) -> bool {
        self.state.get() == State::Starved
    }

    pub(crate) fn ended_at(&self) -> Option<Instant> {
        self.ended.get()
    }

    /// Gives up a body that has not been asked for: the origin has answered without it. Returns whether that is so.
    pub(crate) fn forgo(&self) -> bool {
        let is_held = self.state.get() == State::Held;
        if is_held {
            self.end();
        }
        is_held
    }

    fn end(&self) {
        if self.state.replace(State::Ended) != State::Ended {
            self.ended.set(Some(Instant::now()));
        }
    }
}

/// Ready when the client may be told to send its body.
pub(crate) type Gate = Pin<Box<dyn Future<Output = ()>>>;

/// The body of a request on its way to the origin.
#[derive(Debug, Default)]
pub(crate) struct RequestBody(Option<Sending>);

struct Sending {
    incoming: Incoming,
    upload: Rc<Upload>,
    gate: Option<Gate>,
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// A body that is counted in `upload`. With a gate, nothing is read before it opens: hyper sends `100 Continue` to the
    /// client as soon as its body is asked for.
    pub(crate) fn new(incoming: Incoming, upload: Rc<Upload>, gate: Option<Gate>) -> Self {
        Self(Some(Sending {
            incoming,
            upload,
            gate,
        }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(sending) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let upload = &sending.upload;
        if let Some(gate) = &mut sending.gate {
            if upload.state.get() == State::Ended {
                return Poll::Pending;
            }
            ready!(gate.as_mut().poll(cx));
            sending.gate = None;
        }
        let frame = Pin::new(&mut sending.incoming).poll_frame(cx);
        match &frame {
            Poll::Pending => upload.state.set(State::Starved),
            Poll::Ready(None) => upload.end(),
            Poll::Ready(Some(frame)) => {
                upload.state.set(State::Flowing);
                let data = frame.as_ref().ok().and_then(Frame::data_ref);
                let bytes = data.map_or(0, Bytes::len) as u64;
                upload.bytes.set(upload.bytes.get() + bytes);
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|sending| sending.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some(sending) => sending.incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.upload.end();
    }
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending")
            .field("upload", &self.upload)
            .finish_non_exhaustive()
    }
}
