//! How far the body of a request has come on its way to the origin. `upstream` writes it as frames
//! pass; the clocks of the connection and the access line read it.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// The progress of one request body.
#[derive(Debug, Default)]
pub(crate) struct UploadProgress {
    bytes: Cell<u64>,
    state: Cell<State>,
    begun: Cell<Option<Instant>>,
    /// When the client was last asked for a frame that was not there.
    asked: Cell<Option<Instant>>,
    /// How long the client was waited for before that.
    waited: Cell<Duration>,
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

    pub(super) fn begun_at(&self) -> Option<Instant> {
        self.begun.get()
    }

    /// How long the client has been waited for, all pauses together.
    pub(super) fn waited(&self, now: Instant) -> Duration {
        let pause = self.asked.get().map(|asked| now - asked);
        self.waited.get() + pause.unwrap_or_default()
    }

    pub(crate) fn ended_at(&self) -> Option<Instant> {
        self.ended.get()
    }

    /// A frame with this many bytes of data has come from the client.
    pub(crate) fn add(&self, bytes: u64) {
        self.begin();
        if let Some(asked) = self.asked.take() {
            self.waited.set(self.waited.get() + asked.elapsed());
        }
        self.state.set(State::Flowing);
        self.bytes.set(self.bytes.get() + bytes);
    }

    pub(crate) fn wait_for_client(&self) {
        self.begin();
        if self.state.replace(State::WaitingForClient) != State::WaitingForClient {
            self.asked.set(Some(Instant::now()));
        }
    }

    fn begin(&self) {
        if self.state.get() == State::NotStarted {
            self.begun.set(Some(Instant::now()));
        }
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
