//! Who a client is: its name and password are compared with those in the file of users. `session`
//! asks for each request anew, whatever the protocol; nothing here knows how a client has sent
//! them, but for [`basic`]. `proxy` starts the threads that compare.

pub(crate) mod basic;
mod digest;
mod failures;
mod verified;
pub(crate) mod verifier;

use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::HeaderValue;

use self::digest::Key;
use self::verified::Verified;
use self::verifier::{Attempt, Failure, Known, Outcome, Verifier};
use crate::config::{Auth, User, Users};
use crate::error::Error;
use crate::flow::ClientKey;

const NEEDED: Error = Error::Unauthenticated("this proxy wants a login, and there was none");

const WRONG: Error = Error::Unauthenticated("the login is wrong");

/// As long as none of those that can be right is: clients of SOCKS and most files end before that.
/// In bytes.
const LONGEST_PASSWORD: usize = 1024;

/// A name and a password, as a client has sent them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The users of this moment. Clones see each change.
#[derive(Clone, Debug)]
pub(crate) struct CurrentUsers(Arc<ArcSwap<Users>>);

impl CurrentUsers {
    pub(crate) fn new(users: Users) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(users)))
    }

    /// These may log in from now on.
    pub(crate) fn replace(&self, users: Users) {
        self.0.store(Arc::new(users));
    }
}

/// What all workers know of logins.
#[derive(Clone, Debug)]
pub(crate) struct Logins {
    users: CurrentUsers,
    verifier: Verifier,
    key: Key,
    challenge: HeaderValue,
}

impl Logins {
    pub(crate) fn new(auth: &Auth, users: CurrentUsers, verifier: Verifier) -> Self {
        // RFC 7617, section 2.1.
        let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", auth.realm);
        Self {
            users,
            verifier,
            key: Key::random(),
            challenge: HeaderValue::try_from(challenge)
                .unwrap_or(HeaderValue::from_static("Basic realm=\"portcullis\"")),
        }
    }
}

/// A worker's side: it knows those who have logged in before.
#[derive(Debug)]
pub(crate) struct Gate {
    logins: Logins,
    verified: RefCell<Verified>,
}

impl Gate {
    pub(crate) fn new(logins: Logins) -> Self {
        Self {
            logins,
            verified: RefCell::default(),
        }
    }

    /// The value of Proxy-Authenticate.
    pub(crate) fn challenge(&self) -> HeaderValue {
        self.logins.challenge.clone()
    }

    /// The name of the user that the credentials are of. `address` is the client's.
    pub(crate) async fn login(
        &self,
        credentials: Result<Option<Credentials>, Error>,
        address: Option<IpAddr>,
    ) -> Result<Arc<str>, Error> {
        let Credentials { name, password } = match credentials {
            Ok(credentials) => credentials.ok_or(NEEDED)?,
            Err(Error::Unauthenticated(reason)) => {
                let failure = Failure { user: None, reason };
                return Err(self.fail(Error::Unauthenticated(reason), failure, address));
            }
            Err(error) => return Err(error),
        };
        let (user, known) = self.user(&name);
        if password.len() > LONGEST_PASSWORD {
            let failure = Failure {
                user: (known == Known::Yes).then_some(&*user.name),
                reason: "a password that is too long",
            };
            return Err(self.fail(WRONG, failure, address));
        }
        let client = ClientKey::of(address);
        let key = &self.logins.key;
        let digest = key.digest(client, &name, user.hash.text(), &password);
        if known == Known::Yes && self.verified.borrow_mut().has(&digest, Instant::now()) {
            return Ok(user.name.clone());
        }
        let attempt = Attempt {
            digest,
            user: user.clone(),
            known,
            password,
            address,
            client,
        };
        match self.logins.verifier.verify(attempt).await {
            Outcome::Right => {
                self.verified.borrow_mut().add(digest, Instant::now());
                Ok(user.name.clone())
            }
            Outcome::Wrong => Err(WRONG),
            Outcome::Limited(wait) => Err(Error::TooManyLogins(whole_seconds(wait))),
            Outcome::Busy => Err(Error::NoRoom(
                "the proxy has as many logins to verify as it can",
            )),
        }
    }

    /// What a client is told whose login is wrong without a comparison.
    fn fail(&self, error: Error, failure: Failure<'_>, address: Option<IpAddr>) -> Error {
        match self.logins.verifier.fail(failure, address) {
            Some(wait) => Error::TooManyLogins(whole_seconds(wait)),
            None => error,
        }
    }

    /// The user of that name, or one whose hash is computed in place of one.
    fn user(&self, name: &[u8]) -> (Arc<User>, Known) {
        let users = self.logins.users.0.load();
        let found = str::from_utf8(name).ok().and_then(|name| users.find(name));
        match found {
            Some(user) => (user.clone(), Known::Yes),
            None => {
                let choice = self.logins.key.number(name);
                (users.stand_in(choice).clone(), Known::No)
            }
        }
    }
}

/// A client that comes back after these is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_not_told_to_come_back_too_early() {
        for (millis, seconds) in [(1, 1), (1000, 1), (1001, 2), (5999, 6), (6000, 6)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
