//! `allow`, `deny`, `pause`, `decisions list` and `decisions remove`: what a person decides about a
//! host. They change the file that a running proxy follows.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use crate::chain::decisions::Decision;
use crate::chain::decisions::store::Store;
pub use crate::chain::decisions::{Ruling, store::StoreError};
use crate::config::{Config, Users, UsersError, did_you_mean};
use crate::error::Escaped;
use crate::flow::groups::Groups;
use crate::target::{InvalidTarget, canonical_host};

/// A decision to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDecision {
    /// What happens.
    pub verdict: Ruling,
    /// The host, in any spelling; none for a pause.
    pub host: Option<String>,
    /// The names below the host are not meant.
    pub exact: bool,
    /// For how long it holds; for ever by default.
    pub time: Option<Duration>,
    /// For whom it holds; for all by default.
    pub scope: Scope,
}

/// For whom a decision holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// For all clients.
    #[default]
    All,
    /// For the client at this address.
    Client(IpAddr),
    /// For the clients that have logged in as this user.
    User(String),
    /// For the clients in this group of the settings.
    Group(String),
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// The text is not a host.
    #[error("this is not a host")]
    Host(#[from] InvalidTarget),
    /// The settings have no such group.
    #[error("there is no group `{name}`{hint}; see [groups] in the configuration")]
    Group {
        /// The name.
        name: String,
        /// The one that may be meant, as it continues the text.
        hint: String,
    },
    /// No client logs in as that user.
    #[error(
        "there is no user `{}`{hint}; see `users` in [auth] of the configuration",
        Escaped(name)
    )]
    User {
        /// The name.
        name: String,
        /// The one that may be meant, as it continues the text.
        hint: String,
    },
    /// It is not known who may log in.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The time is none, or goes beyond the calendar.
    #[error(
        "this time from now is none or is longer than a calendar goes; leave it out for a decision that holds for ever"
    )]
    Time,
    /// There is no decision of this number.
    #[error("there is no decision {0}; see `portcullis decisions list`")]
    Unknown(u32),
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A decision that was made. By serde it is an object with `id`, `verdict` and, where they are,
/// `host`, `exact`, `client`, `user`, `group` and `until`, in seconds since 1970, and with the
/// `file` that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    #[serde(flatten)]
    decision: Decision,
    file: PathBuf,
}

/// The decisions that hold. By serde it is an object with `file`, `decisions` and `notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionList {
    file: PathBuf,
    decisions: Vec<Decision>,
    /// Why some of them hold for no client.
    notes: Vec<String>,
}

impl NewDecision {
    /// A decision about `host` that holds for ever, for all, and for the names below it.
    pub fn about(verdict: Ruling, host: impl Into<String>) -> Self {
        Self {
            verdict,
            host: Some(host.into()),
            exact: false,
            time: None,
            scope: Scope::All,
        }
    }

    /// A pause of all filters for this time.
    pub fn pause(time: Duration) -> Self {
        Self {
            verdict: Ruling::Pause,
            host: None,
            exact: false,
            time: Some(time),
            scope: Scope::All,
        }
    }
}

/// Makes a decision, in place of an earlier one about the same host for the same clients. A running
/// proxy takes it up at once.
///
/// # Errors
///
/// If the host, the group or the time makes no sense, or the file cannot be written.
pub fn decide(config: &Config, new: &NewDecision) -> Result<Decided, DecisionError> {
    let host = new.host.as_deref().map(canonical_host).transpose()?;
    let (client, user, group) = match &new.scope {
        Scope::All => (None, None, None),
        Scope::Client(address) => (Some(address.to_canonical()), None, None),
        Scope::User(name) => (None, Some(known_user(config, name)?), None),
        Scope::Group(name) => (None, None, Some(known_group(config, name)?)),
    };
    let decision = Decision {
        id: 0,
        verdict: new.verdict,
        host: host.map(|host| (*host).into()),
        exact: new.exact,
        client,
        user,
        group,
        until: new.time.map(end_of).transpose()?,
    };
    let store = Store::new(&config.state.dir);
    let decision = store.change(|all| {
        all.decisions
            .retain(|other| !other.is_about_the_same(&decision));
        all.last = all.last.saturating_add(1);
        let decision = Decision {
            id: all.last,
            ..decision
        };
        all.decisions.push(decision.clone());
        decision
    })?;
    Ok(Decided {
        decision,
        file: store.file(),
    })
}

/// The decisions that hold.
///
/// # Errors
///
/// If the file cannot be read.
pub fn list_decisions(config: &Config) -> Result<DecisionList, StoreError> {
    let store = Store::new(&config.state.dir);
    let now = SystemTime::now();
    let decisions = store.read()?.into_iter();
    let decisions: Vec<Decision> = decisions
        .filter(|decision| !decision.is_over(now))
        .collect();
    let groups = Groups::new(&config.groups);
    let notes = decisions.iter().filter_map(|decision| {
        let group = decision.missing_group(&groups)?;
        let id = decision.id;
        Some(format!(
            "decision {id} holds for no client, as [groups] has no {group}"
        ))
    });
    Ok(DecisionList {
        file: store.file(),
        notes: notes.collect(),
        decisions,
    })
}

/// Takes decisions back, all of them or none.
///
/// # Errors
///
/// If there is no decision with one of the numbers, or the file cannot be written.
pub fn remove_decisions(config: &Config, ids: &[u32]) -> Result<(), DecisionError> {
    Store::new(&config.state.dir).change(|all| {
        let is_there = |id: &u32| all.decisions.iter().any(|decision| decision.id == *id);
        if let Some(unknown) = ids.iter().find(|id| !is_there(id)) {
            return Err(DecisionError::Unknown(*unknown));
        }
        all.decisions.retain(|decision| !ids.contains(&decision.id));
        Ok(())
    })?
}

fn known_group(config: &Config, name: &str) -> Result<Box<str>, DecisionError> {
    if config.groups.contains_key(name) {
        return Ok(name.into());
    }
    Err(DecisionError::Group {
        name: name.to_owned(),
        hint: did_you_mean(name, config.groups.keys().map(String::as_str)),
    })
}

fn known_user(config: &Config, name: &str) -> Result<Box<str>, DecisionError> {
    let users = config.auth.users.as_deref().map(Users::read).transpose()?;
    let names = || users.iter().flat_map(Users::names);
    if names().any(|user| user == name) {
        return Ok(name.into());
    }
    Err(DecisionError::User {
        name: name.to_owned(),
        hint: did_you_mean(name, names()),
    })
}

/// In seconds since 1970.
fn end_of(time: Duration) -> Result<u64, DecisionError> {
    if time.is_zero() {
        return Err(DecisionError::Time);
    }
    // Not a moment less than was asked for.
    let end = SystemTime::now().checked_add(time.saturating_add(Duration::from_secs(1)));
    let end = end.and_then(|end| Timestamp::try_from(end).ok());
    let end = end.and_then(|end| u64::try_from(end.as_second()).ok());
    end.ok_or(DecisionError::Time)
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.decision)?;
        let file = Escaped(self.file.display());
        write!(
            f,
            "It is in {file}, which the proxy of these settings follows."
        )
    }
}

impl fmt::Display for DecisionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decisions.is_empty() {
            return writeln!(f, "there are no decisions");
        }
        for decision in &self.decisions {
            writeln!(f, "{decision}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}
