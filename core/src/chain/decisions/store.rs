//! The file of decisions: `decisions.json` in the state folder, for its owner alone. Commands change
//! it under a lock and put a whole file in its place; `proxy` reads it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Decision;

/// The proxy reads no larger file, in bytes: some 100,000 decisions.
const MOST: u64 = 16 << 20;

/// Where decisions are kept.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    dir: PathBuf,
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
    /// A decision lacks what it is about, or is for two.
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
    /// Others could decide.
    #[error("{} can be written by others, who could let everything pass; run: chmod go-w {}", path.display(), path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
    },
}

impl Store {
    /// The decisions in a state folder, which need not exist yet.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("decisions.json")
    }

    /// All decisions, also those that are over. Without a file there are none.
    pub(crate) fn read(&self) -> Result<Vec<Decision>, StoreError> {
        let path = self.file();
        let failed = |source| StoreError::File {
            action: "read",
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.len() > MOST {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        check_owner_only(&metadata, &path)?;
        check_owner_only(&fs::metadata(&self.dir).map_err(failed)?, &self.dir)?;
        let text = io::read_to_string(file).map_err(failed)?;
        let decisions: Vec<Decision> =
            serde_json::from_str(&text).map_err(|source| StoreError::Content {
                path: path.clone(),
                source,
            })?;
        match decisions.iter().find(|decision| !decision.is_whole()) {
            Some(decision) => Err(StoreError::Decision {
                path,
                id: decision.id,
            }),
            None => Ok(decisions),
        }
    }

    /// Changes the decisions that are not over. No other command comes in between, and a reader
    /// sees the file from before or the file from after.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Decision>) -> T,
    ) -> Result<T, StoreError> {
        let failed = |action, path: &Path, source| StoreError::File {
            action,
            path: path.to_owned(),
            source,
        };
        make_folder(&self.dir).map_err(|source| failed("make", &self.dir, source))?;
        let path = self.dir.join("decisions.lock");
        let lock = File::create(&path).and_then(|lock| lock.lock().map(|()| lock));
        let _lock = lock.map_err(|source| failed("lock", &path, source))?;
        let before = self.read()?;
        let now = SystemTime::now();
        let mut decisions = before.clone();
        decisions.retain(|decision| !decision.is_over(now));
        let done = change(&mut decisions);
        if decisions != before {
            let path = self.file();
            let written = self.write(&path, &decisions);
            written.map_err(|source| failed("write", &path, source))?;
        }
        Ok(done)
    }

    fn write(&self, path: &Path, decisions: &[Decision]) -> io::Result<()> {
        // For its owner alone, as the crate makes it.
        let mut aside = tempfile::Builder::new()
            .prefix(".decisions-")
            .tempfile_in(&self.dir)?;
        serde_json::to_writer_pretty(&mut aside, decisions)?;
        aside.write_all(b"\n")?;
        aside.as_file().sync_all()?;
        aside.persist(path)?;
        // The new name, too, where the system can do that for a folder.
        #[cfg(unix)]
        let _ = File::open(&self.dir).and_then(|dir| dir.sync_all());
        Ok(())
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

fn check_owner_only(metadata: &fs::Metadata, path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.mode() & 0o022 != 0 {
            let path = path.to_owned();
            return Err(StoreError::Exposed { path });
        }
    }
    #[cfg(not(unix))]
    let _ = (metadata, path);
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
            .change(|all| all.extend([lasting.clone(), over.clone()]))
            .unwrap();
        assert_eq!(store.read().unwrap(), [lasting.clone(), over]);
        store.change(|all| assert_eq!(*all, [lasting])).unwrap();
        assert_eq!(store.read().unwrap().len(), 1);
    }

    #[test]
    fn commands_do_not_lose_what_others_decide_at_the_same_time() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for id in 1..=8 {
                let store = Store::new(dir.path());
                scope.spawn(move || store.change(|all| all.push(decision(id, None))).unwrap());
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
            "[",
            "{}",
            r#"[{"id": 1, "verdict": "permit", "host": "a"}]"#,
            r#"[{"id": 1, "verdict": "deny"}]"#,
            r#"[{"id": 1, "verdict": "pause", "host": "a"}]"#,
            r#"[{"id": 1, "verdict": "deny", "host": "a", "for": "all"}]"#,
            r#"[{"id": 1, "verdict": "deny", "host": "a", "client": "10.0.0.1", "group": "b"}]"#,
        ] {
            fs::write(store.file(), content).unwrap();
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
        store.change(|all| all.push(decision(1, None))).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.file()), 0o600);
        assert_eq!(mode(store.dir()), 0o700);
        for path in [store.file(), store.dir().to_owned()] {
            let before = mode(&path);
            fs::set_permissions(&path, fs::Permissions::from_mode(before | 0o020)).unwrap();
            assert!(matches!(store.read(), Err(StoreError::Exposed { .. })));
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        }
        assert_eq!(store.read().unwrap().len(), 1);
    }
}
