//! A log file that others may move away: rotation is a rename, and the next lines make a new file
//! of the old name.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::output::{Failure, Lines, Output};

/// Owner and group may read it. The log says who asked for what.
#[cfg(unix)]
const MODE: u32 = 0o640;

/// A file that is open for appending.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    lines: Lines<File>,
}

impl LogFile {
    /// Makes the file if it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            lines: Lines::new(open(path)?),
            path: path.to_owned(),
        })
    }

    /// Opens the file of that name again if it is another one, or none. Asked before each batch, of
    /// which there are at most 200 a second.
    fn follow(&mut self) -> io::Result<()> {
        if !is_at(&self.lines.out, &self.path)? {
            self.lines = Lines::new(open(&self.path)?);
        }
        Ok(())
    }
}

impl Output for LogFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        // Without a new file the old one still takes lines, wherever it is now.
        let followed = self.follow();
        self.lines.write(lines)?;
        followed.map_err(|source| Failure { source, lost: 0 })
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.follow()
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE);
    options.open(path)
}

/// Whether an open file is the one of that name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let named = match path.metadata() {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let open = file.metadata()?;
        Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
    }
    #[cfg(not(unix))]
    {
        // Files have no identity there that the standard library tells.
        let _ = (named, file);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_go_to_a_new_file_when_the_old_one_was_moved_away_or_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, moved) = (
            dir.path().join("access.log"),
            dir.path().join("access.log.1"),
        );
        fs::write(&path, "zero\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        log.write_lines(b"one\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        log.write_lines(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "zero\none\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_file(&path).unwrap();
        log.write_lines(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn the_old_file_takes_lines_while_there_can_be_no_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, moved) = (dir.path().join("logs"), dir.path().join("old"));
        fs::create_dir(&folder).unwrap();
        let mut log = LogFile::open(&folder.join("access.log")).unwrap();
        fs::rename(&folder, &moved).unwrap();
        let failure = log.write_lines(b"one\n").unwrap_err();
        assert_eq!(failure.lost, 0);
        assert_eq!(
            fs::read_to_string(moved.join("access.log")).unwrap(),
            "one\n"
        );
        fs::create_dir(&folder).unwrap();
        log.write_lines(b"two\n").unwrap();
        assert_eq!(
            fs::read_to_string(folder.join("access.log")).unwrap(),
            "two\n"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_not_for_everybody() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.log");
        LogFile::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }
}
