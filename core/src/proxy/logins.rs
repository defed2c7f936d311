//! Logins, as far as they are about the process: the threads that verify them, and the file of
//! users, which is followed while the proxy runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::follow::{Followed, Reader};
use super::threads::{Threads, yield_to_traffic};
use crate::config::file::is_writable_by_others;
use crate::config::{Auth, Config, Users, UsersError};
use crate::downstream::auth::verifier::verifier;
use crate::downstream::auth::{CurrentUsers, Logins};
use crate::error::{ErrorChain, StartError};
use crate::flow::groups::Groups;

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
    let (verifier, thread) = verifier(config.auth.failures);
    for number in 0..(config.proxy.workers.get() / 2).clamp(1, MOST_THREADS) {
        let thread = thread.clone();
        let run = move || {
            yield_to_traffic();
            thread.run();
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

/// What the file of users says, and whether other users of the machine may write to it.
pub(super) struct ReadUsers {
    users: Users,
    is_exposed: bool,
}

impl Followed for UsersFile {
    type Content = ReadUsers;

    fn file(&self) -> &Path {
        &self.file
    }

    fn reader(&self) -> Reader<ReadUsers> {
        let file = self.file.clone();
        Box::new(move || {
            let users = Users::read(&file).map_err(|error| ErrorChain(&error).to_string())?;
            let is_exposed = fs::metadata(&file).is_ok_and(|found| is_writable_by_others(&found));
            Ok(ReadUsers { users, is_exposed })
        })
    }

    fn take_over(&mut self, ReadUsers { users, is_exposed }: ReadUsers) {
        let names: BTreeSet<&str> = users.names().collect();
        let absent = |(user, _): &(&str, _)| !names.contains(user);
        let absent: Vec<_> = self.groups.users().filter(absent).collect();
        let (count, file) = (users.len(), self.file.display());
        // Before the log says so.
        self.users.replace(users);
        tracing::info!(users = count, file = %file, "users in use");
        if is_exposed {
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

    fn refuse(&self, reason: &str) {
        tracing::error!(
            error = reason,
            consequence = "the users in use stay as they are; the next start would fail",
            "the file of users cannot be used"
        );
    }
}
