use std::path::Path;
use std::thread;

use super::super::digest::Key;
use super::*;
use crate::config::{PasswordHash, Users};

/// A file with the user ada, whose password is `secret`.
fn ada() -> Arc<User> {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, format!("ada:{hash}")).unwrap();
    let users = Users::read(Path::new(&file)).unwrap();
    users.find("ada").unwrap().clone()
}

struct Desk {
    verifier: Verifier,
    verifying: VerifierThread,
    key: Key,
    ada: Arc<User>,
}

impl Desk {
    /// Nothing is verified before [`Self::open`].
    fn closed(failures: u32) -> Self {
        let (verifier, verifying) = verifier(failures);
        Self {
            verifier,
            verifying,
            key: Key::random(),
            ada: ada(),
        }
    }

    fn attempt(&self, client: u64, password: &str) -> Attempt {
        let (client, hash) = (ClientKey::test(client), self.ada.hash.text());
        Attempt {
            digest: self.key.digest(client, b"ada", hash, password.as_bytes()),
            user: self.ada.clone(),
            known: Known::Yes,
            password: password.into(),
            address: None,
            client,
        }
    }

    fn submit(&self, client: u64, password: &str) -> Result<oneshot::Receiver<Outcome>, Outcome> {
        self.verifier.submit(self.attempt(client, password))
    }

    /// Verifies what waits, until there is nothing more.
    fn open(self) {
        let Self {
            verifier,
            verifying,
            ..
        } = self;
        drop(verifier);
        verifying.run();
    }
}

/// What came of an attempt that has been verified.
fn outcome(mut waiting: oneshot::Receiver<Outcome>) -> Option<Outcome> {
    waiting.try_recv().ok()
}

#[tokio::test]
async fn a_login_is_right_if_user_and_password_are() {
    let desk = Desk::closed(10);
    let verifying = desk.verifying.clone();
    let thread = thread::spawn(move || verifying.run());
    let verify = |attempt| desk.verifier.verify(attempt);
    assert_eq!(verify(desk.attempt(1, "secret")).await, Outcome::Right);
    assert_eq!(verify(desk.attempt(1, "Secret")).await, Outcome::Wrong);
    // The password is right for the user whose hash was computed in place of another.
    let unknown = Attempt {
        known: Known::No,
        ..desk.attempt(1, "secret")
    };
    assert_eq!(verify(unknown).await, Outcome::Wrong);
    drop(desk);
    thread.join().unwrap();
}

#[test]
fn a_user_who_is_not_known_takes_as_much_computing_as_one_who_is() {
    for known in [Known::Yes, Known::No] {
        for password in ["secret", "wrong"] {
            let desk = Desk::closed(10);
            let attempt = Attempt {
                known,
                ..desk.attempt(1, password)
            };
            let waiting = desk.verifier.submit(attempt).unwrap();
            let before = PasswordHash::comparisons();
            desk.open();
            assert_eq!(
                PasswordHash::comparisons() - before,
                1,
                "{known:?} {password}"
            );
            let is_right = outcome(waiting) == Some(Outcome::Right);
            assert_eq!(is_right, known == Known::Yes && password == "secret");
        }
    }
}

#[test]
fn one_login_on_many_connections_is_verified_once_and_then_known() {
    let desk = Desk::closed(10);
    let waiting: Vec<_> = (0..50).map(|_| desk.submit(1, "secret").unwrap()).collect();
    let wrong: Vec<_> = (0..50).map(|_| desk.submit(1, "wrong").unwrap()).collect();
    assert_eq!(lock(&desk.verifying.attempts).try_iter().count(), 2);
    // What has been counted is gone, so it is put there again.
    for password in ["secret", "wrong"] {
        let attempt = desk.attempt(1, password);
        desk.verifier.attempts.try_send(attempt).unwrap();
    }
    let (state, digest) = (
        desk.verifier.state.clone(),
        desk.attempt(1, "secret").digest,
    );
    desk.open();
    for waiting in waiting {
        assert_eq!(outcome(waiting), Some(Outcome::Right));
    }
    for waiting in wrong {
        assert_eq!(outcome(waiting), Some(Outcome::Wrong));
    }
    let mut state = lock(&state);
    assert!(state.verified.has(&digest, Instant::now()));
    assert!(state.waiting.is_empty());
}

#[test]
fn a_client_that_guesses_is_not_listened_to_and_another_is() {
    let desk = Desk::closed(3);
    // All of them come before the first is verified.
    let guesses: Vec<_> = (0..9)
        .map(|guess| desk.submit(1, &format!("guess {guess}")).unwrap())
        .collect();
    let other = desk.submit(2, "secret").unwrap();
    let again = [(2, "secret"), (2, "wrong"), (1, "secret")];
    let again = again.map(|(client, password)| desk.attempt(client, password));
    let unknown = Attempt {
        known: Known::No,
        ..desk.attempt(1, "secret")
    };
    let (state, reports) = (desk.verifier.state.clone(), Arc::default());
    desk.open();
    let outcomes: Vec<_> = guesses.into_iter().filter_map(outcome).collect();
    assert_eq!(outcomes[..3], [Outcome::Wrong; 3]);
    let limited = |outcome: &Outcome| matches!(outcome, Outcome::Limited(_));
    assert!(outcomes.len() == 9 && outcomes[3..].iter().all(limited));
    assert_eq!(outcome(other), Some(Outcome::Right));

    // From now on it is told so at once, even if another client has shown what it says.
    let (sender, _attempts) = sync_channel(WAITING);
    let verifier = Verifier {
        state,
        reports,
        attempts: sender,
    };
    let [known, wrong, guessed] = again;
    assert!(verifier.submit(wrong).is_ok());
    assert_eq!(verifier.submit(known).unwrap_err(), Outcome::Right);
    for refused in [guessed, unknown] {
        let refused = verifier.submit(refused).unwrap_err();
        assert!(matches!(refused, Outcome::Limited(wait) if wait <= Duration::from_secs(20)));
    }
}

#[test]
fn what_there_is_no_room_for_is_told_so_and_passes_never() {
    let desk = Desk::closed(1000);
    let mut waiting = Vec::new();
    for guess in 0..WAITING {
        waiting.push(desk.submit(guess as u64, "wrong").unwrap());
    }
    assert_eq!(desk.submit(9999, "secret").unwrap_err(), Outcome::Busy);
    assert_eq!(lock(&desk.verifier.state).waiting.len(), WAITING);
    desk.open();
    let outcomes: Vec<_> = waiting.into_iter().filter_map(outcome).collect();
    assert_eq!(outcomes, [Outcome::Wrong; WAITING]);
}

#[test]
fn a_client_with_many_guesses_leaves_room_for_another() {
    let desk = Desk::closed(1000);
    let guesses: Vec<_> = (0..WAITING)
        .map(|guess| desk.submit(1, &format!("guess {guess}")))
        .collect();
    let other = desk.submit(2, "secret").unwrap();
    let is_refused = |guess: &Result<_, _>| matches!(guess, Err(Outcome::Busy));
    assert!(guesses[WAITING_PER_CLIENT..].iter().all(is_refused));
    // More connections with a login that waits already need no more room.
    assert!(desk.submit(1, "guess 0").is_ok());
    desk.open();
    assert_eq!(outcome(other), Some(Outcome::Right));
    let verified = guesses.into_iter().flatten().filter_map(outcome);
    assert_eq!(verified.count(), WAITING_PER_CLIENT);
}

#[test]
fn an_attempt_is_printed_without_its_password() {
    let attempt = Desk::closed(1).attempt(1, "secret");
    assert_eq!(format!("{attempt:?}"), "Attempt(…)");
}

#[test]
fn a_client_that_is_gone_costs_nothing_and_has_not_failed() {
    let desk = Desk::closed(1);
    drop(desk.submit(1, "wrong"));
    let state = desk.verifier.state.clone();
    desk.open();
    let state = lock(&state);
    assert!(state.waiting.is_empty());
    let wait = state.failures.wait(ClientKey::test(1), Instant::now());
    assert_eq!(wait, None);
}
