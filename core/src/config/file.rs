//! Files on disk, whatever is in them: those that others may be reading while they are written are
//! replaced as a whole, and those that are read are regular ones.

#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use tempfile::NamedTempFile;
#[cfg(unix)]
use tracing::debug;

/// Who may read a file, and what is left of it after a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For its owner alone. After a loss of power it is the old file or the new one.
    Private,
    /// The same for all that the umask lets read it.
    Shared,
    /// For its owner alone. It says what is so at this moment, so that a loss of power may take it.
    Passing,
}

/// Opens a file. `None` if it is not a regular one, as folders, pipes and devices are not: reading
/// one of those could take for ever.
pub(crate) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    if !std::fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    File::open(path).map(Some)
}

/// The same where another kind of file is an error.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_regular(path)?.ok_or_else(|| io::Error::other("it is not a regular file"))
}

/// What is in an open file. Fails if that is longer than `limit`, in bytes: a device may have no
/// end.
pub(crate) fn bytes_of(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let problem = format!("it is larger than {} MiB; make it smaller", limit >> 20);
        return Err(io::Error::other(problem));
    }
    Ok(bytes)
}

/// The same where it is a text.
pub(crate) fn text_of(file: File, limit: u64) -> io::Result<String> {
    let bytes = bytes_of(file, limit)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Whether others than its owner may write to a file, or to what a folder holds. Where it is not
/// known they may not.
pub(crate) fn is_writable_by_others(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.mode() & 0o022 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// Replaces the file at `path` by what `write` writes. It is written under another name, which
/// begins with a dot, and renamed: at any moment `path` is the old or the new file. Its folder must
/// be there. After an error it is the old one.
pub(crate) fn replace(
    path: &Path,
    kind: Kind,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut aside = aside(dir, kind)?;
    write(aside.as_file_mut())?;
    if kind == Kind::Passing {
        aside.persist(path)?;
        return Ok(());
    }
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    // What the folder says of the file is a file of its own on Unix. The new one is there by now,
    // and not every system can do this, so it is not an error.
    #[cfg(unix)]
    if let Err(error) = File::open(dir).and_then(|dir| dir.sync_all()) {
        debug!(%error, dir = %dir.display(), "cannot write a folder to the disk");
    }
    Ok(())
}

/// A file beside the one that it is to replace, which no proxy takes for a filter.
fn aside(dir: &Path, kind: Kind) -> io::Result<NamedTempFile> {
    let mut aside = tempfile::Builder::new();
    aside.prefix(".portcullis-");
    #[cfg(unix)]
    if kind == Kind::Shared {
        use std::os::unix::fs::PermissionsExt;
        // As any other file; the umask takes from it. Without this the owner alone may read it.
        aside.permissions(Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = kind;
    aside.tempfile_in(dir)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    const KINDS: [Kind; 3] = [Kind::Private, Kind::Shared, Kind::Passing];

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        for kind in KINDS {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("a.wasm");
            for content in ["another", "one"] {
                replace(&file, kind, |file| file.write_all(content.as_bytes())).unwrap();
                assert_eq!(fs::read_to_string(&file).unwrap(), content);
            }
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
            // A folder is in its place.
            let taken = dir.path().join("taken");
            fs::create_dir_all(taken.join("in")).unwrap();
            assert!(replace(&taken, kind, |_| Ok(())).is_err());
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_to_its_end_leaves_the_old_one() {
        for kind in KINDS {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("list");
            fs::write(&file, "old").unwrap();
            let replaced = replace(&file, kind, |file| {
                file.write_all(b"ne")?;
                Err(io::Error::other("the disk is full"))
            });
            assert_eq!(replaced.unwrap_err().to_string(), "the disk is full");
            assert_eq!(fs::read_to_string(&file).unwrap(), "old");
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_that_is_not_shared_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let mode = |kind| {
            let file = dir.path().join("file");
            replace(&file, kind, |_| Ok(())).unwrap();
            fs::metadata(&file).unwrap().permissions().mode() & 0o777
        };
        assert_eq!([Kind::Private, Kind::Passing].map(mode), [0o600; 2]);
        // As the umask of this process has it.
        let usual = dir.path().join("usual");
        File::create(&usual).unwrap();
        let usual = fs::metadata(&usual).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(Kind::Shared), usual);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_change_is_noticed() {
        use std::os::unix::fs::PermissionsExt;

        let file = NamedTempFile::new().unwrap();
        for (mode, expected) in [(0o600, false), (0o644, false), (0o664, true), (0o602, true)] {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let metadata = fs::metadata(file.path()).unwrap();
            assert_eq!(is_writable_by_others(&metadata), expected, "{mode:o}");
        }
    }
}
