//! Tells one version of a file from the next by what the system says of it, without reading the
//! file. Used for everything that is taken up while the proxy runs: filters, settings, lists, the
//! machine's name servers and its hosts file.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// One version of a file. A file that was swapped for another, or written in place, is another
/// version even if its length and its time of change are those of before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    len: u64,
    modified: Option<SystemTime>,
    identity: (u64, u64),
    status_changed: (i64, i64),
}

impl FileVersion {
    /// That of the file at `path`, links followed. `None` if there is no such file, or if its
    /// metadata cannot be read.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::of)
    }

    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
            status_changed: status_changed(metadata),
        }
    }

    /// In bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file was written to less than `age` ago.
    pub(crate) fn is_younger_than(&self, age: Duration) -> bool {
        self.modified
            .and_then(|time| time.elapsed().ok())
            .is_some_and(|elapsed| elapsed < age)
    }
}

/// Tells a file or folder from another that takes its name, even within one tick of the clock.
#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// When the file's owner, mode or contents last changed, in seconds and nanoseconds. A file that
/// could not be read and whose mode was mended counts as changed, so that it is tried again.
#[cfg(unix)]
fn status_changed(metadata: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn status_changed(_: &Metadata) -> (i64, i64) {
    (0, 0)
}

/// The same where files have no number.
#[cfg(not(unix))]
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    let since_epoch = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
    let created = metadata
        .created()
        .ok()
        .and_then(since_epoch)
        .unwrap_or_default();
    (created.as_secs(), created.subsec_nanos().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_comes_or_goes_is_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.txt");
        assert_eq!(FileVersion::of_file(&file), None);
        fs::write(&file, "a.example").unwrap();
        let first = FileVersion::of_file(&file);
        assert_eq!(FileVersion::of_file(&file), first);
        fs::write(&file, "longer.example").unwrap();
        assert!(first.is_some() && FileVersion::of_file(&file) != first);
        fs::remove_file(&file).unwrap();
        assert_eq!(FileVersion::of_file(&file), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_swapped_for_one_of_the_same_size_and_time_is_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let [file, other] = ["list.txt", "other.txt"].map(|name| dir.path().join(name));
        fs::write(&file, "a.example").unwrap();
        fs::write(&other, "b.example").unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let set_time = |path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(time).unwrap();
        };
        set_time(&other);
        let first = FileVersion::of_file(&file);
        fs::rename(&other, &file).unwrap();
        let second = FileVersion::of_file(&file);
        assert_ne!(second, first);
        assert_eq!(second.as_ref().unwrap().modified, Some(time));
        // Written in place, and its time set back. The system's clock for files is coarse.
        let is_another = (0..100_000).any(|_| {
            fs::write(&file, "c.example").unwrap();
            set_time(&file);
            FileVersion::of_file(&file) != second
        });
        assert!(is_another);
    }
}
