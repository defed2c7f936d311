//! How slowly a client may send the body of a request. `Deadlines` asks how long a client that is
//! waited for still has; this file keeps the account and knows no timer.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use super::upload::UploadProgress;
use crate::config::Limits;

/// The time that the client is still waited for, as an account: waiting spends it, each byte pays
/// into it what the lowest rate takes for a byte, and it never holds more than the idle time, with
/// which it begins.
///
/// So a pause may be as long as it may without this rule, but a client that pauses for long, or
/// sends little at a time, has to make up for it before the next pause. Time in which the origin
/// takes nothing costs nothing.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How long the client may have been waited for, all pauses together.
    allowed: Cell<Duration>,
    /// How many bytes have been paid in.
    bytes: Cell<u64>,
}

impl Pace {
    /// Begins with what comes from now on.
    pub(super) fn begin(&self, upload: &UploadProgress, limits: &Limits) {
        let waited = upload.waited(Instant::now());
        self.allowed.set(waited + limits.idle);
        self.bytes.set(upload.bytes());
    }

    /// When the time is used up if nothing comes until then. None while the client is not waited
    /// for.
    pub(super) fn deadline(&self, upload: &UploadProgress, limits: &Limits) -> Option<Instant> {
        let now = Instant::now();
        let waited = upload.waited(now);
        let sent = upload.bytes() - self.bytes.replace(upload.bytes());
        let allowed = self.allowed.get() + worth(sent, limits);
        let allowed = allowed.min(waited + limits.idle);
        self.allowed.set(allowed);
        // The same point in time throughout a pause, also when it has passed.
        let deadline = (now + allowed).checked_sub(waited).unwrap_or(now);
        upload.is_waiting_for_client().then_some(deadline)
    }
}

/// What the lowest rate takes for so many bytes, or the idle time if that is less.
fn worth(bytes: u64, limits: &Limits) -> Duration {
    let most = limits.idle.as_secs_f64();
    let time = bytes as f64 / limits.body_rate as f64;
    Duration::from_secs_f64(time.min(most))
}
