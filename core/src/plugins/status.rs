//! How every plugin fares, for the operator: as `check` reports it, and as a running proxy leaves it in a file for `explain`, which is another
//! process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::chain::{Member, ShadowTally, Tripped};

/// The file is written so often even if only counts have changed, or nothing: a file that is older was left by a proxy that is gone.
const HEARTBEAT: Duration = Duration::from_secs(5);

const STALE: Duration = Duration::from_secs(20);

/// One plugin as the operator sees it. Absent values are left out of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    /// Of the version that is in use, by its own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// No file is used.
    pub(crate) builtin: bool,
    pub(crate) disabled: bool,
    /// The newest version is being read or compiled; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) loading: bool,
    /// Of the version that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Mode>,
    /// What the version in use is asked, as the contract names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hooks: Option<Vec<String>>,
    /// Why the newest version is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quarantine: Option<Quarantine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shadow: Option<ShadowTally>,
    /// What the filter counts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metrics: BTreeMap<Box<str>, f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Enforce,
    Shadow,
}

impl Mode {
    pub(super) fn of(member: &Member) -> Self {
        if member.is_shadow() {
            Self::Shadow
        } else {
            Self::Enforce
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}

/// Why a filter is not asked at this time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quarantine {
    pub(crate) failures: u64,
    pub(crate) calls: u64,
    /// The failure that led to it.
    pub(crate) error: String,
    /// When it is tried again.
    pub(crate) until: SystemTime,
}

impl From<Tripped> for Quarantine {
    fn from(tripped: Tripped) -> Self {
        Self {
            failures: tripped.failures,
            calls: tripped.calls,
            error: tripped.error,
            until: tripped.until,
        }
    }
}

/// Where a running proxy says how its plugins fare.
#[derive(Debug)]
pub(crate) struct StatusFile {
    path: PathBuf,
    written: Vec<Status>,
    at: Option<Instant>,
}

impl StatusFile {
    /// `listen` as it is configured: that is what another process knows of the proxy.
    pub(crate) fn new(cache_dir: &Path, listen: SocketAddr) -> Self {
        Self {
            path: path(cache_dir, listen),
            written: Vec::new(),
            at: None,
        }
    }

    /// Writes what has changed.
    pub(super) async fn update(&mut self, plugins: Vec<Status>) {
        let is_due = self.at.is_none_or(|at| at.elapsed() >= HEARTBEAT);
        if !is_due && same_but_for_counts(&plugins, &self.written) {
            return;
        }
        self.written.clone_from(&plugins);
        self.at = Some(Instant::now());
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write(&path, &plugins)).await;
        if let Err(error) = written.map_err(io::Error::other).flatten() {
            tracing::warn!(file = %self.path.display(), %error, "cannot write how the plugins fare: explain does not know of this proxy");
        }
    }
}

/// A proxy that does not run has no plugins.
impl Drop for StatusFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// What a running proxy has said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) plugins: Vec<Status>,
    /// How long ago.
    pub(crate) age: Duration,
}

/// How the plugins of a proxy that listens there fare, if one runs.
pub(crate) fn read(cache_dir: &Path, listen: SocketAddr) -> Option<Said> {
    let path = path(cache_dir, listen);
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    // Clocks may have been set meanwhile.
    let age = written.ok()?.elapsed().unwrap_or_default();
    let plugins = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (age <= STALE).then_some(Said { plugins, age })
}

fn path(cache_dir: &Path, listen: SocketAddr) -> PathBuf {
    let listen = listen
        .to_string()
        .replace(|c: char| !c.is_alphanumeric(), "-");
    cache_dir.join(format!("status-{listen}.json"))
}

fn write(path: &Path, plugins: &[Status]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    serde_json::to_writer(&mut file, plugins)?;
    file.persist(path)?;
    Ok(())
}

fn same_but_for_counts(a: &[Status], b: &[Status]) -> bool {
    let without = |status: &Status| Status {
        shadow: None,
        metrics: BTreeMap::new(),
        ..status.clone()
    };
    a.iter().map(without).eq(b.iter().map(without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(blocked: u64) -> Status {
        Status {
            name: "guard".into(),
            version: Some("1.2.0".into()),
            description: None,
            builtin: false,
            disabled: false,
            loading: false,
            mode: Some(Mode::Shadow),
            hooks: Some(vec!["judge-host".into()]),
            refused: None,
            quarantine: Some(Quarantine {
                failures: 10,
                calls: 12,
                error: "the filter trapped".into(),
                until: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
            }),
            shadow: Some(ShadowTally {
                blocked,
                ..ShadowTally::default()
            }),
            metrics: BTreeMap::from([("lookups".into(), blocked as f64)]),
        }
    }

    #[tokio::test]
    async fn what_a_proxy_writes_is_read_by_another_process_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let listen = "[::1]:3000".parse().unwrap();
        let read = |listen| read(dir.path(), listen).map(|said| said.plugins);
        let mut file = StatusFile::new(dir.path(), listen);
        file.update(vec![status(1)]).await;
        assert_eq!(read(listen), Some(vec![status(1)]));
        assert_eq!(read("127.0.0.1:3000".parse().unwrap()), None);

        // Counts alone can wait.
        file.update(vec![status(2)]).await;
        assert_eq!(read(listen), Some(vec![status(1)]));
        let mended = Status {
            quarantine: None,
            ..status(2)
        };
        file.update(vec![mended.clone()]).await;
        assert_eq!(read(listen), Some(vec![mended]));

        drop(file);
        assert_eq!(read(listen), None);
    }
}
