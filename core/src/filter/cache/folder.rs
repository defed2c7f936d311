//! The folder of compiled filters. What is in it is run, so it is private, and other users cannot
//! put another one in its place. It is held by a descriptor: what was checked is what is used,
//! whatever becomes of its path. `cache` calls it. It knows nothing of what the files hold.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(not(unix))]
use self::elsewhere as system;
#[cfg(unix)]
use self::unix as system;

/// An open folder. Names are those of files in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    dir: system::Dir,
}

/// Why a folder cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untrusted {
    #[error("cannot make or open it")]
    Open(#[from] io::Error),
    #[error(
        "it must be a folder that only the proxy's user can read and write; delete it, and it is \
         made anew"
    )]
    NotPrivate,
    #[error(
        "{path} can be written by {by}, who could put a folder of theirs in place of this one; \
         take that from them (chmod go-w {path}), or name another folder as [cache] dir",
        path = .parent.display()
    )]
    WritableParent { parent: PathBuf, by: &'static str },
    #[error(
        "{} belongs to another user, who could put another folder in place of this one; give it \
         to the proxy's user or to root, or name another folder as [cache] dir",
        .0.display()
    )]
    ForeignParent(PathBuf),
}

impl Folder {
    /// Makes the folder if there is none.
    pub(super) fn open(path: &Path) -> Result<Self, Untrusted> {
        Ok(Self {
            dir: system::open(path)?,
            path: path.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all files.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        system::names(&self.dir)
    }

    /// Opens a file for reading.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        system::file(&self.dir, name)
    }

    /// Makes a file that is not there yet, for writing.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        system::create(&self.dir, name)
    }

    /// Replaces `to`, if that is there, by `from`.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        system::rename(&self.dir, from, to)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        system::remove(&self.dir, name)
    }

    /// A path of an open file. Where the system has such a path, it leads to what is open, and to
    /// nothing else that has taken the name.
    pub(super) fn path_of(&self, name: &str, file: &File) -> PathBuf {
        system::path_of(&self.dir, name, file)
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, Metadata, canonicalize, symlink_metadata};
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    use rustix::fs::{AtFlags, Mode, OFlags};

    use super::*;

    pub(super) type Dir = OwnedFd;

    const GROUP_OR_OTHERS: u32 = 0o077;
    /// Also where the group is the user's own, as umask 002 has it on some systems. Who else is in
    /// a group, or will be, no system call tells, and what is in this folder runs without a
    /// sandbox.
    const WRITABLE_BY_GROUP_OR_OTHERS: u32 = 0o022;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    /// In such a folder only the owner of a file can rename it.
    const STICKY: u32 = 0o1000;

    pub(super) fn open(path: &Path) -> Result<Dir, Untrusted> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // A link is not followed: it could be made to point elsewhere later.
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(dir) => File::from(dir),
            // Systems differ in which of them a link is.
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR | rustix::io::Errno::MLINK) => {
                return Err(Untrusted::NotPrivate);
            }
            Err(error) => return Err(io::Error::from(error).into()),
        };
        let metadata = dir.metadata()?;
        if metadata.uid() != own_uid() || metadata.mode() & GROUP_OR_OTHERS != 0 {
            return Err(Untrusted::NotPrivate);
        }
        check_parents(path)?;
        Ok(dir.into())
    }

    /// Looks at all folders on the way, as ssh does for its files: both at those that the path
    /// names, where links may be, and at those where it leads.
    fn check_parents(path: &Path) -> Result<(), Untrusted> {
        let (named, real) = (std::path::absolute(path)?, canonicalize(path)?);
        for parent in named.ancestors().chain(real.ancestors()).skip(1) {
            check_parent(parent, &symlink_metadata(parent)?)?;
        }
        Ok(())
    }

    fn check_parent(parent: &Path, metadata: &Metadata) -> Result<(), Untrusted> {
        let (uid, mode) = (metadata.uid(), metadata.mode());
        if uid != own_uid() && uid != 0 {
            return Err(Untrusted::ForeignParent(parent.to_owned()));
        }
        // The mode of a link says nothing.
        let is_writable = mode & WRITABLE_BY_GROUP_OR_OTHERS != 0 && mode & STICKY == 0;
        if metadata.is_dir() && is_writable {
            let parent = parent.to_owned();
            let by = match mode & WRITABLE_BY_OTHERS {
                0 => "the users of its group",
                _ => "other users",
            };
            return Err(Untrusted::WritableParent { parent, by });
        }
        Ok(())
    }

    fn own_uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    pub(super) fn names(dir: &Dir) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir)? {
            // A name that is not text is not one of ours.
            let name = entry?.file_name().to_str().map(str::to_owned);
            names.extend(name.ok().filter(|name| name != "." && name != ".."));
        }
        Ok(names)
    }

    pub(super) fn file(dir: &Dir, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?.into())
    }

    pub(super) fn create(dir: &Dir, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    pub(super) fn rename(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(dir, from, dir, to)?)
    }

    pub(super) fn remove(dir: &Dir, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?)
    }

    pub(super) fn path_of(_: &Dir, _: &str, file: &File) -> PathBuf {
        format!("/dev/fd/{}", file.as_raw_fd()).into()
    }
}

/// Where the system has no modes, a user's folders are private.
#[cfg(not(unix))]
mod elsewhere {
    use std::fs;

    use super::*;

    pub(super) type Dir = PathBuf;

    pub(super) fn open(path: &Path) -> Result<Dir, Untrusted> {
        fs::create_dir_all(path)?;
        Ok(path.to_owned())
    }

    pub(super) fn names(dir: &Dir) -> io::Result<Vec<String>> {
        let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    pub(super) fn file(dir: &Dir, name: &str) -> io::Result<File> {
        File::open(dir.join(name))
    }

    pub(super) fn create(dir: &Dir, name: &str) -> io::Result<File> {
        File::create_new(dir.join(name))
    }

    pub(super) fn rename(dir: &Dir, from: &str, to: &str) -> io::Result<()> {
        fs::rename(dir.join(from), dir.join(to))
    }

    pub(super) fn remove(dir: &Dir, name: &str) -> io::Result<()> {
        fs::remove_file(dir.join(name))
    }

    pub(super) fn path_of(dir: &Dir, name: &str, _: &File) -> PathBuf {
        dir.join(name)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::{Read, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn refusal(path: &Path) -> String {
        Folder::open(path).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_folder_below_one_that_others_can_write_to_is_refused_unless_that_is_sticky() {
        let top = tempfile::tempdir().unwrap();
        let (parent, path) = (
            top.path().join("shared"),
            top.path().join("shared/dir/code"),
        );
        Folder::open(&path).unwrap();
        let named = parent.display();
        for (mode, by) in [
            (0o777, Some("other users")),
            (0o775, Some("the users of its group")),
            (0o720, Some("the users of its group")),
            (0o755, None),
            (0o1777, None),
        ] {
            fs::set_permissions(&parent, Permissions::from_mode(mode)).unwrap();
            let refused = Folder::open(&path).map_err(|refused| refused.to_string());
            let Some(by) = by else {
                refused.unwrap();
                continue;
            };
            let refused = refused.expect_err("it is refused");
            let says = format!("{named} can be written by {by}, who");
            assert!(refused.starts_with(&says), "{refused}");
            let fix = format!("(chmod go-w {named})");
            assert!(refused.contains(&fix), "{refused}");
        }
    }

    #[test]
    fn both_ends_of_a_link_on_the_way_are_looked_at() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        for name in ["open", "safe", "open/real"] {
            fs::create_dir(at(name)).unwrap();
        }
        symlink(at("safe"), at("open/to-safe")).unwrap();
        symlink(at("open/real"), at("safe/to-open")).unwrap();
        Folder::open(&at("open/to-safe/code")).unwrap();
        Folder::open(&at("safe/to-open/code")).unwrap();
        fs::set_permissions(at("open"), Permissions::from_mode(0o777)).unwrap();
        for path in ["open/to-safe/code", "safe/to-open/code"] {
            assert!(refusal(&at(path)).contains("by other users"), "{path}");
        }
    }

    #[test]
    fn what_was_opened_is_used_whatever_takes_its_place() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("code");
        let folder = Folder::open(&path).unwrap();
        fs::rename(&path, top.path().join("moved")).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("theirs"), "theirs").unwrap();
        folder.create("new").unwrap().write_all(b"ours").unwrap();
        folder.rename("new", "ours").unwrap();
        assert_eq!(folder.names().unwrap(), ["ours"]);
        let mut text = String::new();
        folder
            .file("ours")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "ours");
        assert!(folder.file("theirs").is_err());
        folder.remove("ours").unwrap();
        assert_eq!(fs::read_dir(top.path().join("moved")).unwrap().count(), 0);
    }
}
