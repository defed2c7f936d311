//! Logins, as far as they are about the process: the threads that verify them, and the file of
//! users, which is followed while the proxy runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::threads::{Threads, yield_to_traffic};
use crate::config::{Auth, Config, Users, UsersError, is_writable_by_others};
use crate::downstream::auth::verifier::verifier;
use crate::downstream::auth::{CurrentUsers, Logins};
use crate::error::{Causes, StartError};
use crate::flow::groups::Groups;
use crate::plugins::{Stamp, Watch};
use crate::upstream::reload::Reloads;

/// How often the file is looked at where nothing tells of its changes.
const POLL: Duration = Duration::from_secs(1);

/// How many threads verify logins: each takes a processor and the memory that a hash wants.
const MOST_THREADS: usize = 4;

/// The file of users, and the users in use.
#[derive(Clone, Debug)]
pub(super) struct UsersFile {
    file: PathBuf,
    users: CurrentUsers,
    groups: Groups,
}

/// The users of the settings; none if no client has to log in.
pub(super) fn read(auth: &Auth) -> Result<Option<Users>, UsersError> {
    auth.users.as_deref().map(Users::read).transpose()
}

/// Starts the threads that verify logins, half as many as there are workers. Nothing is started
/// where no client has to log in.
pub(super) fn start(
    config: &Config,
    users: Option<Users>,
    groups: &Groups,
    threads: &mut Threads,
) -> Result<Option<(Logins, UsersFile)>, StartError> {
    let (Some(users), Some(file)) = (users, config.auth.users.clone()) else {
        return Ok(None);
    };
    let (verifier, verifying) = verifier(config.auth.failures);
    for number in 0..(config.proxy.workers.get() / 2).clamp(1, MOST_THREADS) {
        let verifying = verifying.clone();
        let run = move || {
            yield_to_traffic();
            verifying.run();
        };
        let started = threads.start(format!("portcullis-login-{number}"), run);
        started.map_err(|source| StartError::System {
            action: "start a thread that verifies logins".into(),
            source,
        })?;
    }
    let (users, groups) = (CurrentUsers::new(users), groups.clone());
    let logins = Logins::new(&config.auth, users.clone(), verifier);
    let file = UsersFile {
        file,
        users,
        groups,
    };
    Ok(Some((logins, file)))
}

impl UsersFile {
    /// Takes up each change of the file. One that cannot be used changes nothing.
    pub(super) async fn follow(&self, reloads: &mut Reloads) {
        let folder = self.file.parent().unwrap_or(Path::new("")).to_owned();
        let mut watch = Watch::new(folder);
        let (mut known, mut told) = (None, None);
        loop {
            watch.arm();
            // Before the file is read: a change that comes meanwhile is one more.
            let stamp = Stamp::of_file(&self.file);
            if known.as_ref() != Some(&stamp) || told.is_some() {
                match self.read().await {
                    Ok(users) => {
                        self.take_over(users);
                        (known, told) = (Some(stamp), None);
                    }
                    // It may pass, so the file is read again.
                    Err(said) if told.as_ref() != Some(&said) => {
                        refused(&said);
                        told = Some(said);
                    }
                    Err(_) => {}
                }
            }
            tokio::select! {
                () = watch.changed() => {}
                () = reloads.next() => (known, told) = (None, None),
                () = sleep(POLL) => {}
            }
        }
    }

    async fn read(&self) -> Result<Users, String> {
        let file = self.file.clone();
        match spawn_blocking(move || Users::read(&file)).await {
            Ok(read) => read.map_err(|error| Causes(&error).to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn take_over(&self, users: Users) {
        let names: BTreeSet<&str> = users.names().collect();
        let absent = |(user, _): &(&str, _)| !names.contains(user);
        let absent: Vec<_> = self.groups.users().filter(absent).collect();
        let (count, file) = (users.len(), self.file.display());
        // Before the log says so.
        self.users.replace(users);
        tracing::info!(users = count, file = %file, "users in use");
        if is_writable_by_others(&self.file) {
            tracing::warn!(
                file = %file,
                "other users of this machine may write to the file of users, and so log in; `chmod go-w` takes that away"
            );
        }
        for (user, group) in absent {
            tracing::warn!(
                user,
                group,
                "a group names a user whom the file of users does not have"
            );
        }
    }
}

fn refused(error: &str) {
    tracing::error!(
        error,
        consequence = "the users in use stay as they are; the next start would fail",
        "the file of users cannot be used"
    );
}
