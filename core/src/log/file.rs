//! A log file that others may move away: rotation is a rename, and the next lines make a new file
//! of the old name.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{Access, OFlags, access, fcntl_getfl, fcntl_setfl};
#[cfg(unix)]
use rustix::io::Errno;

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

    /// Whether [`Self::open`] would do, as far as that is known without making the file. Pipes and
    /// devices are not opened, as those who read them would notice.
    pub(super) fn probe(path: &Path) -> io::Result<()> {
        match path.metadata() {
            // The system refuses a folder in the words in which it refuses it at the start.
            Ok(found) if found.is_file() || found.is_dir() => {
                OpenOptions::new().append(true).open(path).map(drop)
            }
            Ok(special) => may_write(path, &special),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match path.read_link() {
                Ok(target) => Self::probe(&folder(path).join(target)),
                Err(_) => may_make(path),
            },
            Err(error) => Err(error),
        }
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
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(MODE);
        if is_pipe(path) {
            return open_pipe(path, &mut options);
        }
    }
    options.open(path)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let found = path.metadata();
    found.is_ok_and(|found| found.file_type().is_fifo())
}

/// Opens a pipe, and fails if no program reads it: the start would otherwise wait for a reader and
/// log nothing. Writing to the pipe waits as usual.
#[cfg(unix)]
fn open_pipe(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(OFlags::NONBLOCK.bits() as i32);
    let pipe = options.open(path).map_err(|error| {
        if Errno::from_io_error(&error) == Some(Errno::NXIO) {
            let problem = "no program reads this pipe; start its reader first";
            return io::Error::other(problem);
        }
        error
    })?;
    fcntl_setfl(&pipe, fcntl_getfl(&pipe)? - OFlags::NONBLOCK)?;
    Ok(pipe)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether a pipe, a device or the like could be opened.
#[cfg(unix)]
fn may_write(path: &Path, special: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    // Programs connect to a socket, and cannot open it.
    if special.file_type().is_socket() {
        return Err(Errno::NXIO.into());
    }
    Ok(access(path, Access::WRITE_OK)?)
}

/// Whether a file of that name, which is not there, could be made.
#[cfg(unix)]
fn may_make(path: &Path) -> io::Result<()> {
    // The system takes it for the name of a folder.
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Errno::ISDIR.into());
    }
    Ok(access(folder(path), Access::WRITE_OK | Access::EXEC_OK)?)
}

/// What may be written is known there only to those who try.
#[cfg(not(unix))]
fn may_write(_path: &Path, _special: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn may_make(path: &Path) -> io::Result<()> {
    folder(path).metadata().map(drop)
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_probe_says_what_opening_says_and_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("file"), "zero\n").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for (link, target) in [
            ("astray", "gone/access.log"),
            ("ahead", "folder/access.log"),
        ] {
            std::os::unix::fs::symlink(target, path(link)).unwrap();
        }
        for name in [
            "file",
            "folder",
            "socket",
            "astray",
            "ahead",
            "folder/new",
            "new/",
            "file/new",
            "gone/new",
        ] {
            let entries = || fs::read_dir(path("folder")).unwrap().count();
            let probed = LogFile::probe(&path(name)).map_err(|error| error.to_string());
            assert_eq!(entries(), 0, "{name}");
            assert_eq!(fs::read_to_string(path("file")).unwrap(), "zero\n");
            let opened = LogFile::open(&path(name)).map_err(|error| error.to_string());
            assert_eq!(probed, opened.map(drop), "{name}");
            for made in ["folder/new", "folder/access.log"] {
                drop(fs::remove_file(path(made)));
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_opened_when_it_is_being_read_and_lines_wait_for_its_reader() {
        use std::io::Read;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let refusal = LogFile::open(&path).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "no program reads this pipe; start its reader first"
        );

        // Opened for both, it does not wait for a writer.
        let reader = File::options().read(true).write(true).open(&path);
        let mut reader = reader.unwrap();
        let mut log = LogFile::open(&path).unwrap();
        // More than a pipe holds, which is 64 KiB on Linux.
        let lines = "a line\n".repeat(100_000);
        std::thread::scope(|scope| {
            scope.spawn(|| log.write_lines(lines.as_bytes()).unwrap());
            let mut read = vec![0; lines.len()];
            reader.read_exact(&mut read).unwrap();
            assert_eq!(read, lines.as_bytes());
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_may_not_be_written_to_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        // Where root runs the tests there is nothing that may not be written to.
        if rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
        let path = dir.path().join("access.log");
        let probed = LogFile::probe(&path).unwrap_err().to_string();
        assert_eq!(probed, LogFile::open(&path).unwrap_err().to_string());
        assert!(probed.starts_with("Permission denied"), "{probed}");
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
