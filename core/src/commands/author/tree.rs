//! Many text files at once: all of them are there, or none is.

use std::path::Path;
use std::{fs, io};

use tempfile::TempDir;

/// Path with slashes, and content.
pub(super) type File<'a> = (&'a str, &'a str);

/// Writes files below `dir`, which must not be there yet, or be empty. They are written aside and
/// appear under the final name in one rename.
pub(super) fn write<'a>(dir: &Path, files: impl Iterator<Item = File<'a>>) -> io::Result<()> {
    let aside = write_aside(dir, files)?;
    // Not every system renames onto an empty folder.
    drop(fs::remove_dir(dir));
    fs::rename(aside.path().join(NEW), dir)
}

/// The same in place of all that is below `dir`, which stays as it is if this fails.
pub(super) fn replace<'a>(dir: &Path, files: impl Iterator<Item = File<'a>>) -> io::Result<()> {
    let aside = write_aside(dir, files)?;
    let old = aside.path().join("old");
    fs::rename(dir, &old)?;
    fs::rename(aside.path().join(NEW), dir).inspect_err(|_| {
        // There is nothing more to do if this fails, too.
        let _ = fs::rename(&old, dir);
    })
}

/// What the files are below in the temporary folder.
const NEW: &str = "new";

/// The files in a folder beside `dir`, which is deleted when it is dropped.
fn write_aside<'a>(dir: &Path, files: impl Iterator<Item = File<'a>>) -> io::Result<TempDir> {
    let parent = dir.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".portcullis-")
        .tempdir_in(parent)?;
    // The temporary folder is for its owner alone; what is made in it is not.
    let tree = aside.path().join(NEW);
    for (path, content) in files {
        let file = tree.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&tree))?;
        fs::write(file, content)?;
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_filled_and_a_full_one_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        fs::create_dir_all(&dir).unwrap();
        write(&dir, [("c/d", "1"), ("e", "2")].into_iter()).unwrap();
        assert_eq!(fs::read_to_string(dir.join("c/d")).unwrap(), "1");
        assert_eq!(fs::read_to_string(dir.join("e")).unwrap(), "2");

        assert!(write(&dir, [("e", "3")].into_iter()).is_err());
        assert_eq!(fs::read_to_string(dir.join("e")).unwrap(), "2");

        replace(&dir, [("e", "3")].into_iter()).unwrap();
        assert_eq!(fs::read_to_string(dir.join("e")).unwrap(), "3");
        assert!(!dir.join("c").exists());
        let left = fs::read_dir(dir.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "nothing is left aside");
    }
}
