//! Compares passwords with their hashes, on threads that do nothing else: it takes tens of
//! milliseconds by design. Workers wait without a thread; what no thread has room for is told so.

mod reports;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use self::reports::{Reports, Unverified};
use super::digest::Digest;
use super::failures::Failures;
use super::verified::Verified;
use crate::config::User;
use crate::flow::ClientKey;

/// Logins that wait for a thread.
const WAITING: usize = 128;

/// Logins of one client that wait for a thread. One that guesses leaves room for others.
const WAITING_PER_CLIENT: usize = WAITING / 4;

/// How long a login may wait for a thread.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that says it is a user.
pub(super) struct Attempt {
    pub(super) digest: Digest,
    /// Whose hash is computed.
    pub(super) user: Arc<User>,
    /// Whether that is the user who is meant.
    pub(super) known: Known,
    pub(super) password: Vec<u8>,
    /// The client's.
    pub(super) address: Option<IpAddr>,
    pub(super) client: ClientKey,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(…)")
    }
}

/// A login that is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure<'a> {
    /// Whose it would be. A name that is not in the file is left out: it may be a password.
    pub(super) user: Option<&'a str>,
    pub(super) reason: &'static str,
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
    reports: Arc<Reports>,
    attempts: SyncSender<Attempt>,
}

/// The side of the threads.
#[derive(Clone, Debug)]
pub(crate) struct VerifierThread {
    state: Arc<Mutex<State>>,
    reports: Arc<Reports>,
    attempts: Arc<Mutex<Receiver<Attempt>>>,
}

#[derive(Debug)]
struct State {
    verified: Verified,
    failures: Failures,
    /// Who waits for which attempt.
    waiting: HashMap<Digest, Waiting>,
}

/// Connections that wait for one attempt. Browsers make many at once, with one login.
#[derive(Debug)]
struct Waiting {
    client: ClientKey,
    connections: Vec<oneshot::Sender<Outcome>>,
}

/// `failures` wrong logins of a client in a minute are listened to. The threads end when there is
/// no [`Verifier`] any more.
pub(crate) fn verifier(failures: u32) -> (Verifier, VerifierThread) {
    let state = Arc::new(Mutex::new(State {
        verified: Verified::default(),
        failures: Failures::new(failures),
        waiting: HashMap::new(),
    }));
    let reports = Arc::new(Reports::default());
    let (sender, attempts) = sync_channel(WAITING);
    let verifier = Verifier {
        state: state.clone(),
        reports: reports.clone(),
        attempts: sender,
    };
    let verifying = VerifierThread {
        state,
        reports,
        attempts: Arc::new(Mutex::new(attempts)),
    };
    (verifier, verifying)
}

impl Verifier {
    pub(super) async fn verify(&self, attempt: Attempt) -> Outcome {
        let outcome = match self.submit(attempt) {
            Ok(outcome) => outcome,
            Err(decided) => return decided,
        };
        match timeout(TIMEOUT, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Outcome::Busy,
        }
    }

    /// Counts and reports a login that is wrong without a comparison. If its client has failed too
    /// often before, only says how long it has to wait.
    pub(super) fn fail(&self, failure: Failure<'_>, address: Option<IpAddr>) -> Option<Duration> {
        let (client, now) = (ClientKey::of(address), Instant::now());
        let mut state = lock(&self.state);
        let wait = state.failures.wait(client, now);
        if wait.is_none() {
            state.failures.add(client, now);
        }
        // Others need not wait for the log.
        drop(state);
        match wait {
            Some(wait) => self.reports.tell(Unverified::Limited(wait), address),
            None => failure.log(address),
        }
        wait
    }

    /// Where the outcome will be, or the outcome if it is known already.
    fn submit(&self, attempt: Attempt) -> Result<oneshot::Receiver<Outcome>, Outcome> {
        let address = attempt.address;
        let entered = lock(&self.state).enter(attempt, &self.attempts);
        entered.map_err(|why| {
            self.reports.tell(why, address);
            match why {
                Unverified::Known => Outcome::Right,
                Unverified::Limited(wait) => Outcome::Limited(wait),
                Unverified::Crowding | Unverified::Full => Outcome::Busy,
            }
        })
    }
}

impl State {
    /// Has an attempt wait for a thread, unless there is no need or no room.
    fn enter(
        &mut self,
        attempt: Attempt,
        queue: &SyncSender<Attempt>,
    ) -> Result<oneshot::Receiver<Outcome>, Unverified> {
        let (now, digest, client) = (Instant::now(), attempt.digest, attempt.client);
        if attempt.known == Known::Yes && self.verified.has(&digest, now) {
            return Err(Unverified::Known);
        }
        let (sender, outcome) = oneshot::channel();
        if let Some(waiting) = self.waiting.get_mut(&digest) {
            waiting.connections.push(sender);
            return Ok(outcome);
        }
        if let Some(wait) = self.failures.wait(client, now) {
            return Err(Unverified::Limited(wait));
        }
        let is_its = |waiting: &&Waiting| waiting.client == client;
        if self.waiting.values().filter(is_its).count() >= WAITING_PER_CLIENT {
            return Err(Unverified::Crowding);
        }
        if queue.try_send(attempt).is_err() {
            return Err(Unverified::Full);
        }
        let connections = vec![sender];
        self.waiting.insert(
            digest,
            Waiting {
                client,
                connections,
            },
        );
        Ok(outcome)
    }
}

impl VerifierThread {
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
            let waiting = state.waiting.get(&attempt.digest);
            let mut connections = waiting.into_iter().flat_map(|it| &it.connections);
            if connections.all(oneshot::Sender::is_closed) {
                state.waiting.remove(&attempt.digest);
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
        let waiting = state.waiting.remove(&attempt.digest);
        match outcome {
            Outcome::Right => state.verified.add(attempt.digest, now),
            Outcome::Wrong => state.failures.add(attempt.client, now),
            Outcome::Limited(_) | Outcome::Busy => {}
        }
        // Others need not wait for the log.
        drop(state);
        match outcome {
            Outcome::Wrong => attempt.failure().log(attempt.address),
            Outcome::Limited(wait) => {
                let why = Unverified::Limited(wait);
                self.reports.tell(why, attempt.address);
            }
            Outcome::Right | Outcome::Busy => {}
        }
        for connection in waiting.into_iter().flat_map(|it| it.connections) {
            // A client that is gone needs no answer.
            let _ = connection.send(outcome);
        }
    }
}

impl Attempt {
    fn failure(&self) -> Failure<'_> {
        match self.known {
            Known::Yes => Failure {
                user: Some(&*self.user.name),
                reason: "wrong password",
            },
            Known::No => Failure {
                user: None,
                reason: "unknown user",
            },
        }
    }
}

impl Failure<'_> {
    /// fail2ban reads this line; README.md has the expression that it is matched by.
    fn log(self, address: Option<IpAddr>) {
        tracing::warn!(
            target: "portcullis::login",
            client = %Client(address),
            user = self.user,
            reason = self.reason,
            "login failed"
        );
    }
}

/// The address of a client in a line of the log.
struct Client(Option<IpAddr>);

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
