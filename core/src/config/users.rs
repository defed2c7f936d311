//! The file of users: `NAME:HASH` a line. Read at the start and again when it has changed; a file
//! that has one wrong line is not used.

mod hash;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use self::hash::PasswordHash;
use super::file;
use super::value::name_problem;
use portcullis_contract::Escaped;

/// A file is not longer, in bytes. That is enough for a hundred thousand users.
const LONGEST_FILE: u64 = 16 << 20;

/// What a wrong line leads to.
const WAY_OUT: &str = "`portcullis password NAME` prints a line that is right";

/// The users who may log in. There is at least one.
#[derive(Debug)]
pub(crate) struct Users {
    by_name: HashMap<Arc<str>, Arc<User>>,
    in_order: Vec<Arc<User>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: Arc<str>,
    pub(crate) hash: PasswordHash,
}

/// Why a file of users is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// The file is missing, unreadable, too long or not UTF-8.
    #[error("cannot read the file of users {}", Escaped(path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{}:{line}: {problem}", Escaped(path.display()))]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it, and what would be right. It has nothing of the hash.
        problem: String,
    },
    /// The file has no user.
    #[error("{} names no user, so that no client could log in; {WAY_OUT}", Escaped(path.display()))]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Users {
    /// What a file says.
    pub(crate) fn read(path: &Path) -> Result<Self, UsersError> {
        let text = file::open(path).and_then(|file| file::text_of(file, LONGEST_FILE));
        let text = text.map_err(|source| UsersError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, UsersError> {
        let mut lines = HashMap::new();
        let mut users = Self {
            by_name: HashMap::new(),
            in_order: Vec::new(),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, said) in (1..).zip(text.lines()) {
            if said.trim().is_empty() || said.starts_with('#') {
                continue;
            }
            let problem = |problem| UsersError::Line {
                path: path.to_owned(),
                line,
                problem,
            };
            let user = Arc::new(User::parse(said).map_err(problem)?);
            if let Some(first) = lines.insert(user.name.clone(), line) {
                let name = Escaped(&user.name);
                let text = format!("the user `{name}` stands in line {first} already; remove one");
                return Err(problem(text));
            }
            users.by_name.insert(user.name.clone(), user.clone());
            users.in_order.push(user);
        }
        if users.in_order.is_empty() {
            let path = path.to_owned();
            return Err(UsersError::Empty { path });
        }
        Ok(users)
    }

    /// The user of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<User>> {
        self.by_name.get(name)
    }

    /// The user whose hash is computed in place of that of a user whom the file does not have, so
    /// that the time does not tell who is in it. The same `choice` gives the same user.
    pub(crate) fn stand_in(&self, choice: u64) -> &Arc<User> {
        let place = choice % self.in_order.len() as u64;
        &self.in_order[place as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.in_order.iter().map(|user| &*user.name)
    }
}

impl User {
    fn parse(line: &str) -> Result<Self, String> {
        let Some((name, hash)) = line.split_once(':') else {
            return Err(format!("there is no colon behind the name; {WAY_OUT}"));
        };
        if let Some(problem) = name_problem(name) {
            return Err(problem.to_owned());
        }
        let hash = PasswordHash::parse(hash.trim_end()).map_err(|problem| {
            let name = Escaped(name);
            format!("the hash of `{name}`: {problem}; {WAY_OUT}")
        })?;
        let name = name.into();
        Ok(Self { name, hash })
    }
}
