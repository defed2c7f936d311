//! Files that others may be reading while they are written, as a proxy that watches its folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file so that it is there as a whole or not at all, also after a loss of power. It is
/// written under another name, which no proxy takes for a filter, and renamed.
pub(super) fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut aside = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any other file; the umask takes from it.
        aside.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut aside = aside.prefix(".portcullis-").tempfile_in(dir)?;
    aside.write_all(bytes)?;
    aside.as_file().sync_all()?;
    aside.persist(file)?;
    // The new name, too, where the system can do that for a folder. The file is there by now, so
    // this is not an error.
    #[cfg(unix)]
    let _ = fs::File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.wasm");
        for content in ["one", "another"] {
            write_whole(&file, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        // A folder is in its place.
        let taken = dir.path().join("taken");
        fs::create_dir_all(taken.join("in")).unwrap();
        assert!(write_whole(&taken, b"").is_err());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    }
}
