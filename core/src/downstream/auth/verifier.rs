//! Compares passwords with their hashes, on threads that do nothing else: it takes tens of
//! milliseconds by design. Workers wait without a thread; what no thread has room for is told so.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::failures::Failures;
use super::mark::Mark;
use super::verified::Verified;
use crate::config::User;
use crate::flow::ClientKey;
use crate::log::Throttle;

/// Logins that wait for a thread.
const WAITING: usize = 128;

/// How long a login may wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between two log lines about clients that are not listened to.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// A client that says it is a user.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) mark: Mark,
    /// Whose hash is computed.
    pub(super) user: Arc<User>,
    /// Whether that is the user who is meant.
    pub(super) known: Known,
    pub(super) password: Vec<u8>,
    /// The client's.
    pub(super) address: Option<IpAddr>,
    pub(super) client: ClientKey,
}

/// Whether the file has the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Yes,
    No,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Right,
    Wrong,
    /// The client has failed too often, and has to wait.
    Limited(Duration),
    /// Too much waits already.
    Busy,
}

/// The side of those who wait.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    state: Arc<Mutex<State>>,
    attempts: SyncSender<Attempt>,
}

/// The side of the threads.
#[derive(Clone, Debug)]
pub(crate) struct Verifying {
    state: Arc<Mutex<State>>,
    attempts: Arc<Mutex<Receiver<Attempt>>>,
}

#[derive(Debug)]
struct State {
    verified: Verified,
    failures: Failures,
    /// Who waits for which attempt. Browsers make many connections at once, with one login.
    waiting: HashMap<(Mark, ClientKey), Vec<oneshot::Sender<Outcome>>>,
    log: Throttle,
}

/// `failures` wrong logins of a client in a minute are listened to. The threads end when there is
/// no [`Verifier`] any more.
pub(crate) fn verifier(failures: u32) -> (Verifier, Verifying) {
    let state = Arc::new(Mutex::new(State {
        verified: Verified::default(),
        failures: Failures::new(failures),
        waiting: HashMap::new(),
        log: Throttle::new(REPORT_INTERVAL, 3),
    }));
    let (sender, attempts) = sync_channel(WAITING);
    let verifier = Verifier {
        state: state.clone(),
        attempts: sender,
    };
    let attempts = Arc::new(Mutex::new(attempts));
    (verifier, Verifying { state, attempts })
}

impl Verifier {
    pub(super) async fn verify(&self, attempt: Attempt) -> Outcome {
        let outcome = match self.submit(attempt) {
            Ok(outcome) => outcome,
            Err(decided) => return decided,
        };
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Outcome::Busy,
        }
    }

    /// Where the outcome will be, or the outcome if it is known already.
    fn submit(&self, attempt: Attempt) -> Result<oneshot::Receiver<Outcome>, Outcome> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        if attempt.known == Known::Yes && state.verified.has(&attempt.mark, now) {
            return Err(Outcome::Right);
        }
        let (sender, outcome) = oneshot::channel();
        let key = (attempt.mark, attempt.client);
        if let Some(waiting) = state.waiting.get_mut(&key) {
            waiting.push(sender);
            return Ok(outcome);
        }
        if let Some(wait) = state.failures.wait(attempt.client, now) {
            state.report_limited(attempt.address);
            return Err(Outcome::Limited(wait));
        }
        if self.attempts.try_send(attempt).is_err() {
            state.report_busy();
            return Err(Outcome::Busy);
        }
        state.waiting.insert(key, vec![sender]);
        Ok(outcome)
    }
}

impl Verifying {
    /// Compares what waits, one after the other, until there is no [`Verifier`] any more.
    pub(crate) fn run(&self) {
        loop {
            // The lock is held while there is nothing to do: one thread waits for the others.
            let next = lock(&self.attempts).recv();
            let Ok(attempt) = next else {
                return;
            };
            if let Some(outcome) = self.outcome(&attempt) {
                self.conclude(&attempt, outcome);
            }
        }
    }

    /// None if it makes no difference any more.
    fn outcome(&self, attempt: &Attempt) -> Option<Outcome> {
        {
            let mut state = lock(&self.state);
            let key = (attempt.mark, attempt.client);
            let waiting = state.waiting.get(&key).into_iter().flatten();
            if waiting.into_iter().all(oneshot::Sender::is_closed) {
                state.waiting.remove(&key);
                return None;
            }
            // Others of the same client have failed meanwhile.
            if let Some(wait) = state.failures.wait(attempt.client, Instant::now()) {
                return Some(Outcome::Limited(wait));
            }
        }
        let compare = || attempt.user.hash.is_of(&attempt.password);
        let is_right = catch_unwind(AssertUnwindSafe(compare)).unwrap_or_else(|_panic| {
            tracing::error!(
                "comparing a password with its hash panicked; the login counts as wrong"
            );
            false
        });
        let is_right = is_right && attempt.known == Known::Yes;
        Some(if is_right {
            Outcome::Right
        } else {
            Outcome::Wrong
        })
    }

    fn conclude(&self, attempt: &Attempt, outcome: Outcome) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let waiting = state.waiting.remove(&(attempt.mark, attempt.client));
        match outcome {
            Outcome::Right => state.verified.add(attempt.mark, now),
            Outcome::Wrong => state.failures.add(attempt.client, now),
            Outcome::Limited(_) => state.report_limited(attempt.address),
            Outcome::Busy => {}
        }
        drop(state);
        if outcome == Outcome::Wrong {
            attempt.tell_failure();
        }
        for waiting in waiting.into_iter().flatten() {
            // A client that is gone needs no answer.
            let _ = waiting.send(outcome);
        }
    }
}

impl Attempt {
    /// fail2ban reads this line; README.md has the expression that it is matched by. Who is not in
    /// the file is not named: what stands there may be a password.
    fn tell_failure(&self) {
        let client = Client(self.address);
        match self.known {
            Known::Yes => tracing::warn!(
                target: "portcullis::login",
                %client,
                user = &*self.user.name,
                reason = "wrong password",
                "login failed"
            ),
            Known::No => tracing::warn!(
                target: "portcullis::login",
                %client,
                reason = "unknown user",
                "login failed"
            ),
        }
    }
}

impl State {
    fn report_limited(&self, address: Option<IpAddr>) {
        let client = Client(address);
        if let Some(suppressed) = self.log.admit(&format!("limited {client}")) {
            tracing::warn!(
                %client,
                suppressed,
                "a client has failed to log in too often; its logins are answered with 429 for a while. If that is too \
                 strict, raise [auth] failures"
            );
        }
    }

    fn report_busy(&self) {
        if let Some(suppressed) = self.log.admit("busy") {
            tracing::warn!(
                waiting = WAITING,
                suppressed,
                "as many logins wait to be verified as may; further ones are answered with 503. Clients that have logged \
                 in before are served"
            );
        }
    }
}

/// The address of a client in a line of the log.
struct Client(Option<IpAddr>);

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("-"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
