//! How far the body of a request has come on its way to the origin. `upstream` writes it as frames
//! pass; the clocks of the connection and the access line read it.

use std::cell::Cell;

use tokio::time::Instant;

/// The progress of one request body.
#[derive(Debug, Default)]
pub(crate) struct UploadProgress {
    bytes: Cell<u64>,
    state: Cell<State>,
    ended: Cell<Option<Instant>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The origin has not asked for the body yet.
    #[default]
    NotStarted,
    /// Frames are passing.
    Flowing,
    /// The client has not sent the next frame yet.
    WaitingForClient,
    /// The body was sent, was broken off or is not wanted.
    Ended,
}

impl UploadProgress {
    /// In bytes, without framing.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Whether the body has begun and not ended.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state.get(), State::Flowing | State::WaitingForClient)
    }

    /// Whether the next frame has to come from the client.
    pub(crate) fn is_waiting_for_client(&self) -> bool {
        self.state.get() == State::WaitingForClient
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.get() == State::Ended
    }

    pub(crate) fn ended_at(&self) -> Option<Instant> {
        self.ended.get()
    }

    /// A frame with this many bytes of data has come from the client.
    pub(crate) fn add(&self, bytes: u64) {
        self.state.set(State::Flowing);
        self.bytes.set(self.bytes.get() + bytes);
    }

    pub(crate) fn wait_for_client(&self) {
        self.state.set(State::WaitingForClient);
    }

    pub(crate) fn end(&self) {
        if self.state.replace(State::Ended) != State::Ended {
            self.ended.set(Some(Instant::now()));
        }
    }

    /// Cancels a body that the origin has not asked for before it answered. Returns whether the
    /// body was cancelled.
    pub(crate) fn cancel_if_not_started(&self) -> bool {
        let is_cancelled = self.state.get() == State::NotStarted;
        if is_cancelled {
            self.end();
        }
        is_cancelled
    }
}
