//! How each plugin is doing, for the operator: as `check` reports it, and as a running proxy writes
//! it to a file for `explain` and `plugin list`, which are other processes. `proxy` owns the file,
//! `plugins` writes it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Fault;
use crate::chain::{Member, ShadowTally, Tripped};
use crate::config::ListenAddress;
use crate::config::file::{self, Kind};

/// Time between two writes if only counters have changed, or nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A file that is older was left by a proxy that ended without removing it.
const STALE_AFTER: Duration = Duration::from_secs(20);

/// One plugin as the operator sees it. Absent values are left out of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    /// What the version that is in use says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Whether it is used without a file.
    pub(crate) builtin: bool,
    pub(crate) disabled: bool,
    /// The newest version is being read or compiled; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) loading: bool,
    /// The mode of the version that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Mode>,
    /// The hooks of the version that is in use, as the contract names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hooks: Option<Vec<String>>,
    /// Why the newest version is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    /// The lines below `[grants]` that say what the version in use may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grants: Vec<String>,
    /// Those that would also let it have what it wants and does not get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing_grants: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quarantine: Option<Quarantine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shadow: Option<ShadowTally>,
    /// The kinds of verdicts that the filter has tried to give and may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) withheld: Vec<String>,
    /// Ends of exchanges that the filter could not be told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) ends_lost: u64,
    /// What the filter counts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metrics: BTreeMap<Box<str>, f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
    /// They are those of one client, and the filter is asked for all others.
    #[serde(default)]
    pub(crate) is_of_one: bool,
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
            is_of_one: tripped.is_of_one,
            error: tripped.error,
            until: tripped.until,
        }
    }
}

/// The file in which a running proxy says how its plugins are doing. It bears the first address
/// that the proxy listens on, and is removed when this is dropped. That must be while the address
/// is still bound: afterwards the file may be that of the next proxy on the same address.
#[derive(Debug)]
pub(crate) struct StatusFile(Arc<Mutex<Option<PathBuf>>>);

impl StatusFile {
    /// For a proxy that has bound `own`. The file is not yet written.
    pub(crate) fn new(cache_dir: &Path, own: &ListenAddress) -> Self {
        Self(Arc::new(Mutex::new(Some(path(cache_dir, own)))))
    }

    /// What writes the file, until it is removed.
    pub(crate) fn writer(&self) -> StatusWriter {
        StatusWriter {
            file: self.0.clone(),
            written: Report::default(),
            at: None,
        }
    }
}

impl Drop for StatusFile {
    fn drop(&mut self) {
        // A write that is under way ends before, and later ones find that there is no file.
        if let Some(path) = lock(&self.0).take() {
            drop(fs::remove_file(path));
        }
    }
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What keeps the proxy from being ready.
    pub(crate) faults: Vec<Fault>,
    /// The places in its chain that have no filter.
    pub(crate) missing: Vec<String>,
    pub(crate) plugins: Vec<Status>,
}

/// Writes a [`StatusFile`].
#[derive(Debug)]
pub(crate) struct StatusWriter {
    file: Arc<Mutex<Option<PathBuf>>>,
    written: Report,
    at: Option<Instant>,
}

impl StatusWriter {
    /// Writes what has changed.
    pub(super) async fn update(&mut self, report: Report) {
        let is_due = self.at.is_none_or(|at| at.elapsed() >= HEARTBEAT);
        let written = &self.written;
        let is_known = (&report.faults, &report.missing) == (&written.faults, &written.missing)
            && eq_ignoring_counters(&report.plugins, &written.plugins);
        if !is_due && is_known {
            return;
        }
        self.written.clone_from(&report);
        self.at = Some(Instant::now());
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || match &*lock(&file) {
            Some(path) => write(path, &report),
            None => Ok(()),
        });
        if let Err(error) = written.await.map_err(io::Error::other).flatten() {
            tracing::warn!(
                %error,
                "cannot write the plugin status file; `portcullis explain` and `plugin list` will not see this proxy"
            );
        }
    }
}

fn lock(file: &Mutex<Option<PathBuf>>) -> MutexGuard<'_, Option<PathBuf>> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a running proxy has written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatusSnapshot {
    pub(crate) report: Report,
    /// Since it was written.
    pub(crate) age: Duration,
}

/// How the plugins of the proxy that listens there are doing, if one runs.
pub(crate) fn read(cache_dir: &Path, listen: &ListenAddress) -> Option<StatusSnapshot> {
    let path = path(cache_dir, listen);
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    // A clock that was set back meanwhile makes the file new.
    let age = written.ok()?.elapsed().unwrap_or_default();
    let report = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (age <= STALE_AFTER).then_some(StatusSnapshot { report, age })
}

fn path(cache_dir: &Path, listen: &ListenAddress) -> PathBuf {
    let listen = listen
        .to_string()
        .replace(|c: char| !c.is_alphanumeric(), "-");
    cache_dir.join(format!("status-{listen}.json"))
}

fn write(path: &Path, report: &Report) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let report = serde_json::to_vec(report)?;
    file::replace(path, Kind::Passing, |file| file.write_all(&report))
}

fn eq_ignoring_counters(a: &[Status], b: &[Status]) -> bool {
    let without = |status: &Status| Status {
        shadow: None,
        ends_lost: 0,
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
            grants: vec!["state = true".into()],
            missing_grants: Vec::new(),
            quarantine: Some(Quarantine {
                failures: 10,
                calls: 12,
                is_of_one: false,
                error: "the filter trapped".into(),
                until: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
            }),
            shadow: Some(ShadowTally {
                blocked,
                ..ShadowTally::default()
            }),
            withheld: vec!["allow".into()],
            ends_lost: blocked,
            metrics: BTreeMap::from([("lookups".into(), blocked as f64)]),
        }
    }

    fn report(plugins: Vec<Status>) -> Report {
        Report {
            plugins,
            ..Report::default()
        }
    }

    #[tokio::test]
    async fn what_a_proxy_writes_is_read_by_another_process_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let listen = &"[::1]:3000".parse().unwrap();
        let read = |listen: &ListenAddress| {
            read(dir.path(), listen).map(|snapshot| snapshot.report.plugins)
        };
        let file = StatusFile::new(dir.path(), listen);
        let mut writer = file.writer();
        writer.update(report(vec![status(1)])).await;
        assert_eq!(read(listen), Some(vec![status(1)]));
        assert_eq!(read(&"127.0.0.1:3000".parse().unwrap()), None);

        // Counters alone can wait.
        writer.update(report(vec![status(2)])).await;
        assert_eq!(read(listen), Some(vec![status(1)]));
        let mended = Status {
            quarantine: None,
            ..status(2)
        };
        writer.update(report(vec![mended.clone()])).await;
        assert_eq!(read(listen), Some(vec![mended]));

        drop(file);
        assert_eq!(read(listen), None);
    }

    #[tokio::test]
    async fn the_next_proxy_on_an_address_keeps_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let listen = &"127.0.0.1:3000".parse().unwrap();
        let file = StatusFile::new(dir.path(), listen);
        let mut writer = file.writer();
        writer.update(report(vec![status(1)])).await;
        drop(file);
        let next = StatusFile::new(dir.path(), listen);
        next.writer().update(report(vec![status(2)])).await;
        writer.update(Report::default()).await;
        drop(writer);
        let snapshot = read(dir.path(), listen).unwrap();
        assert_eq!(snapshot.report.plugins, [status(2)]);
    }
}
