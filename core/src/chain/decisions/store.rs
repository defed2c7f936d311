//! The file of decisions: `decisions.json` in the state folder, for its owner alone. Commands
//! change it under a lock and put a whole file in its place; `proxy` reads it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::config::file::{self, Kind};

/// The file is no larger, in bytes.
const MOST: u64 = 16 << 20;

/// Where decisions are kept.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    dir: PathBuf,
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Content {
    /// The number of the last decision that was made. No number is given twice.
    pub(crate) last: u32,
    pub(crate) decisions: Vec<Decision>,
}

/// Why decisions cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file or its folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// As it continues "cannot …".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file says what no command has written.
    #[error("cannot understand {}; mend it, or remove it to begin without decisions", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A decision lacks what it is about, is for two, or has a host or an address that is not
    /// written as the proxy has it.
    #[error(
        "cannot understand decision {id} in {}; mend it, or remove the file to begin without decisions",
        path.display()
    )]
    Decision {
        /// The file.
        path: PathBuf,
        /// The number of the decision.
        id: u32,
    },
    /// The file would become too large.
    #[error(
        "there are too many decisions; take some back, or let them end by themselves with --for"
    )]
    TooMany,
    /// What this user writes the proxy could not read.
    #[error(
        "{} belongs to the user {owner}, whose proxy could not read what this user writes; \
         run the same as that user: sudo -u '#{owner}' portcullis …",
        path.display()
    )]
    Owner {
        /// The folder.
        path: PathBuf,
        /// The number of its user.
        owner: u32,
    },
    /// Others could decide.
    #[error("{} can be written by others, who could let everything pass; run: chmod go-w {}", path.display(), path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
    },
}

impl StoreError {
    /// Whether this user may not read the file.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

impl Store {
    /// The decisions in a state folder, which need not exist yet.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("decisions.json")
    }

    /// All decisions, also those that are over. Without a file there are none.
    pub(crate) fn read(&self) -> Result<Vec<Decision>, StoreError> {
        self.content().map(|content| content.decisions)
    }

    fn content(&self) -> Result<Content, StoreError> {
        let path = self.file();
        let failed = |source| StoreError::File {
            action: "read",
            path: path.clone(),
            source,
        };
        let dir = match fs::metadata(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            dir => dir.map_err(failed)?,
        };
        check_not_exposed(&dir, &self.dir)?;
        let file = match file::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            file => file.map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        check_not_exposed(&metadata, &path)?;
        let text = file::text_of(file, MOST).map_err(failed)?;
        let content: Content =
            serde_json::from_str(&text).map_err(|source| StoreError::Content {
                path: path.clone(),
                source,
            })?;
        let mut decisions = content.decisions.iter();
        match decisions.find(|decision| !decision.is_whole()) {
            Some(decision) => Err(StoreError::Decision {
                path,
                id: decision.id,
            }),
            None => Ok(content),
        }
    }

    /// Changes the decisions that are not over. No other command comes in between, and a reader
    /// sees the file from before or the file from after.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Content) -> T,
    ) -> Result<T, StoreError> {
        let failed = |action, path: &Path, source| StoreError::File {
            action,
            path: path.to_owned(),
            source,
        };
        make_folder(&self.dir).map_err(|source| failed("make", &self.dir, source))?;
        check_owner(&self.dir)?;
        let path = self.dir.join("decisions.lock");
        let lock = open_lock(&path).and_then(|lock| lock.lock().map(|()| lock));
        let _lock = lock.map_err(|source| failed("lock", &path, source))?;
        let before = self.content()?;
        let now = SystemTime::now();
        let mut content = before.clone();
        content.decisions.retain(|decision| !decision.is_over(now));
        let done = change(&mut content);
        if content != before {
            let path = self.file();
            let bytes = serde_json::to_vec_pretty(&content);
            let bytes = bytes.map_err(|error| failed("write", &path, error.into()))?;
            if bytes.len() as u64 > MOST {
                return Err(StoreError::TooMany);
            }
            // For its owner alone.
            let written = file::replace(&path, Kind::Private, |file| file.write_all(&bytes));
            written.map_err(|source| failed("write", &path, source))?;
        }
        Ok(done)
    }
}

fn make_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// What another user writes here, root for one, the folder's user could not read.
fn check_owner(dir: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = fs::metadata(dir).map(|folder| folder.uid());
        if let Ok(owner) = owner
            && owner != rustix::process::geteuid().as_raw()
        {
            let path = dir.to_owned();
            return Err(StoreError::Owner { path, owner });
        }
    }
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

fn check_not_exposed(metadata: &fs::Metadata, path: &Path) -> Result<(), StoreError> {
    if file::is_writable_by_others(metadata) {
        let path = path.to_owned();
        return Err(StoreError::Exposed { path });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Ruling;
    use super::*;

    fn decision(id: u32, until: Option<u64>) -> Decision {
        Decision {
            id,
            verdict: Ruling::Deny,
            host: Some("a.example".into()),
            exact: false,
            client: None,
            user: None,
            group: None,
            until,
        }
    }

    #[test]
    fn what_was_decided_is_there_again_and_what_is_over_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(&dir.path().join("new"));
        assert_eq!(store.read().unwrap(), []);
        let (lasting, over) = (decision(1, None), decision(2, Some(1)));
        store
            .change(|all| all.decisions.extend([lasting.clone(), over.clone()]))
            .unwrap();
        assert_eq!(store.read().unwrap(), [lasting.clone(), over]);
        store
            .change(|all| assert_eq!(all.decisions, [lasting]))
            .unwrap();
        assert_eq!(store.read().unwrap().len(), 1);
    }

    #[test]
    fn commands_do_not_lose_what_others_decide_at_the_same_time() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for id in 1..=8 {
                let store = Store::new(dir.path());
                scope.spawn(move || {
                    store
                        .change(|all| all.decisions.push(decision(id, None)))
                        .unwrap()
                });
            }
        });
        assert_eq!(Store::new(dir.path()).read().unwrap().len(), 8);
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        for content in [
            "",
            "{",
            "null",
            r#"{"id": 1, "verdict": "permit", "host": "a"}"#,
            r#"{"id": 1, "verdict": "deny"}"#,
            r#"{"id": 1, "verdict": "deny", "host": ""}"#,
            r#"{"id": 1, "verdict": "deny", "host": "A.example"}"#,
            r#"{"id": 1, "verdict": "pause", "host": "a"}"#,
            r#"{"id": 1, "verdict": "deny", "host": "a", "for": "all"}"#,
            r#"{"id": 1, "verdict": "deny", "host": "a", "client": "10.0.0.1", "group": "b"}"#,
            r#"{"id": 1, "verdict": "deny", "host": "a", "client": "::ffff:10.0.0.1"}"#,
        ] {
            let text = match content.strip_prefix("{\"id") {
                Some(_) => format!(r#"{{"last": 1, "decisions": [{content}]}}"#),
                None => content.to_owned(),
            };
            fs::write(store.file(), text).unwrap();
            let error = store.read().unwrap_err().to_string();
            assert!(error.contains("mend it, or remove"), "{content}: {error}");
            assert!(store.change(|_| ()).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_and_one_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(&dir.path().join("state"));
        store
            .change(|all| all.decisions.push(decision(1, None)))
            .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.file()), 0o600);
        assert_eq!(mode(&store.dir), 0o700);
        for path in [store.file(), store.dir.clone()] {
            let before = mode(&path);
            fs::set_permissions(&path, fs::Permissions::from_mode(before | 0o020)).unwrap();
            assert!(matches!(store.read(), Err(StoreError::Exposed { .. })));
            assert!(store.change(|_| ()).is_err());
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        }
        assert_eq!(store.read().unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_the_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let made = std::process::Command::new("mkfifo")
            .arg(store.file())
            .status();
        assert!(made.unwrap().success());
        // Opened, it would wait for a writer.
        let Err(StoreError::File { source, .. }) = store.read() else {
            panic!("it was read");
        };
        assert_eq!(source.to_string(), "it is not a regular file");
    }

    #[cfg(unix)]
    #[test]
    fn in_the_folder_of_another_user_nothing_is_written_and_the_way_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, other) = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(dir.path(), Some(65_534), None).unwrap();
            (dir.path(), 65_534)
        } else {
            (Path::new("/"), 0)
        };
        let error = Store::new(folder)
            .change(|_| panic!("it may not"))
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Owner { path, owner } if path == folder && *owner == other),
            "{error:?}"
        );
        let way = format!("run the same as that user: sudo -u '#{other}' portcullis");
        assert!(error.to_string().contains(&way), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
