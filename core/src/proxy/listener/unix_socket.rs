//! The Unix socket of a listener: a file in a folder, which a proxy that was killed leaves behind.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::iter::repeat_with;
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::fcntl::AT_FDCWD;
use nix::libc::mode_t;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::Group;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::config::{ListenAddress, Listener};
use crate::error::StartError;

/// The proxy's own user. A Unix socket is chosen for its permissions, and its clients need no word
/// in `[clients]`; which other users may connect has to be said.
const MODE: u32 = 0o600;

/// How often what another program is in the way of is tried again.
const TRIES: usize = 100;

/// Between two tries to have a folder alone.
const PAUSE: Duration = Duration::from_millis(10);

/// A file that is removed when this is dropped, unless another has its place by then.
#[derive(Debug)]
pub(in crate::proxy) struct SocketFile {
    path: PathBuf,
    /// Device and number.
    id: (u64, u64),
}

impl SocketFile {
    fn id(path: &Path) -> io::Result<(u64, u64)> {
        let file = fs::symlink_metadata(path)?;
        Ok((file.dev(), file.ino()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if Self::id(&self.path).is_ok_and(|id| id == self.id) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Makes the socket. Clients are let in when all of its settings hold and not before: until then it
/// has another name, so that at its path there is always one on which a program listens.
pub(super) fn bind(path: &Path, settings: &Listener) -> Result<(Socket, SocketFile), StartError> {
    let refuse = |fault: String, source: Option<io::Error>| StartError::UnixSocket {
        address: ListenAddress::Unix(path.to_owned()),
        fault,
        source,
    };
    let failed = |what: &str| {
        let fault = format!("cannot {what}");
        move |source| refuse(fault, Some(source))
    };
    let group = match &settings.group {
        Some(name) => Some(group(name).map_err(|(fault, source)| refuse(fault, source))?),
        None => None,
    };
    let address = SockAddr::unix(path).map_err(failed("use this path"))?;
    let (socket, mut file) = bind_beside(path).map_err(failed(
        "make the socket; its folder must exist, and the proxy's user must be allowed to write there",
    ))?;
    if let Some(group) = group {
        lchown(&file.path, None, Some(group)).map_err(failed(
            "give the socket to its `group`; the proxy's user must be in that group",
        ))?;
    }
    set_mode(&file.path, settings.mode.unwrap_or(MODE))
        .map_err(failed("set the permissions of the socket"))?;
    // The system refuses every client until here.
    socket
        .listen(i32::MAX)
        .and_then(|()| socket.set_nonblocking(true))
        .map_err(failed("listen on the socket"))?;
    let _turn = take_turn(path);
    check_free(path, &address).map_err(|(fault, source)| refuse(fault, source))?;
    fs::rename(&file.path, path).map_err(failed("move the socket to its path"))?;
    path.clone_into(&mut file.path);
    Ok((socket, file))
}

/// A socket in the folder of `path`, under a name that is not used there.
fn bind_beside(path: &Path) -> io::Result<(Socket, SocketFile)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let mut tries = 0..TRIES;
    loop {
        let path = beside(path);
        match socket.bind(&SockAddr::unix(&path)?) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries.next().is_some() => {}
            bound => {
                bound?;
                let id = SocketFile::id(&path)?;
                return Ok((socket, SocketFile { path, id }));
            }
        }
    }
}

/// Another path in the same folder. It is not too long for a socket if `path` is not.
fn beside(path: &Path) -> PathBuf {
    let random = |length| -> String { repeat_with(fastrand::alphanumeric).take(length).collect() };
    let hidden = path.with_file_name(format!(".portcullis-{}", random(8)));
    if SockAddr::unix(&hidden).is_ok() {
        return hidden;
    }
    let length = path.file_name().map_or(0, |name| name.len());
    path.with_file_name(random(length))
}

/// Sets the permissions of a file that is not a link.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let mode = Mode::from_bits_truncate(mode as mode_t);
    fchmodat(AT_FDCWD, path, mode, FchmodatFlags::NoFollowSymlink).map_err(io::Error::from)
}

/// Has proxies that start together look at their paths one after the other, until this is dropped.
/// One that has been stopped meanwhile is not waited for.
fn take_turn(path: &Path) -> Option<File> {
    let folder = File::open(path.parent()?).ok()?;
    for _ in 0..TRIES {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(_)) => break,
        }
    }
    None
}

/// What stands against it, and what the system said.
type Fault = (String, Option<io::Error>);

/// Fails unless there is nothing, or the socket that a dead proxy has left behind.
fn check_free(path: &Path, address: &SockAddr) -> Result<(), Fault> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(("cannot look at the path".into(), Some(error))),
        Ok(there) => there,
    };
    if !there.file_type().is_socket() {
        let fault =
            "there is a file that is not a socket, which is left as it is; choose another path";
        return Err((fault.into(), None));
    }
    match knock(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Ok(()) => Err((
            "another program listens there; end it, or choose another path".into(),
            None,
        )),
        Err(error) => Err((
            "there is a socket, and whether a program listens on it cannot be seen; remove it if none does".into(),
            Some(error),
        )),
    }
}

/// Connects as a client would.
fn knock(address: &SockAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A program that is too busy to accept would be waited for.
    socket.set_nonblocking(true)?;
    match socket.connect(address) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        connected => connected,
    }
}

/// The number of a group.
fn group(name: &str) -> Result<u32, Fault> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err((
            format!("this system has no group `{}`", name.escape_debug()),
            None,
        )),
        Err(error) => Err((
            "cannot look for its `group`".into(),
            Some(io::Error::from(error)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::sync::Barrier;

    use tempfile::TempDir;

    use super::*;

    fn bind_with(
        folder: &TempDir,
        change: impl FnOnce(&mut Listener),
    ) -> Result<(Socket, SocketFile), String> {
        let path = folder.path().join("proxy.sock");
        let mut settings = Listener::at(ListenAddress::Unix(path.clone()));
        change(&mut settings);
        bind(&path, &settings).map_err(|error| error.to_string())
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("proxy.sock")
    }

    #[test]
    fn the_file_has_its_permissions_and_is_gone_with_the_listener() {
        let folder = TempDir::new().unwrap();
        for (mode, expected) in [(None, 0o600), (Some(0o660), 0o660), (Some(0o666), 0o666)] {
            let own_group = fs::metadata(folder.path()).unwrap().gid();
            let (_socket, kept) = bind_with(&folder, |settings| {
                settings.mode = mode;
                settings.group = Some(own_group.to_string());
            })
            .unwrap();
            let there = fs::symlink_metadata(file(&folder)).unwrap();
            assert_eq!((there.mode() & 0o7777, there.gid()), (expected, own_group));
            drop(kept);
            assert!(!file(&folder).exists());
        }
    }

    #[test]
    fn a_socket_that_a_dead_program_has_left_is_replaced() {
        let folder = TempDir::new().unwrap();
        drop(UnixListener::bind(file(&folder)).unwrap());
        assert!(file(&folder).exists(), "it is left behind");
        let first = bind_with(&folder, |_| ()).unwrap();
        knock(&SockAddr::unix(file(&folder)).unwrap()).unwrap();

        // The one that listens is never removed, neither by another nor with another.
        let refused = bind_with(&folder, |_| ()).unwrap_err();
        assert!(
            refused.contains("another program listens there"),
            "{refused}"
        );
        fs::remove_file(file(&folder)).unwrap();
        let _second = bind_with(&folder, |_| ()).unwrap();
        drop(first);
        knock(&SockAddr::unix(file(&folder)).unwrap()).unwrap();
    }

    #[test]
    fn of_proxies_that_start_together_one_listens_and_the_others_are_refused() {
        for _ in 0..100 {
            let folder = TempDir::new().unwrap();
            drop(UnixListener::bind(file(&folder)).unwrap());
            let start = Barrier::new(4);
            let started: Vec<_> = thread::scope(|scope| {
                let starting = (0..4).map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        bind_with(&folder, |_| ())
                    })
                });
                let starting: Vec<_> = starting.collect();
                let ended = starting.into_iter().map(|thread| thread.join().unwrap());
                ended.collect()
            });
            knock(&SockAddr::unix(file(&folder)).unwrap()).unwrap();
            let (listening, refused): (Vec<_>, Vec<_>) =
                started.into_iter().partition(Result::is_ok);
            assert_eq!(listening.len(), 1);
            for refused in refused {
                let refused = refused.unwrap_err();
                assert!(refused.contains("another program listens"), "{refused}");
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn the_name_that_it_has_before_fits_where_its_own_does() {
        let folder = PathBuf::from("/").join("x".repeat(100));
        for path in [
            PathBuf::from("/run/a"),
            folder.join("a"),
            folder.join("abcde"),
        ] {
            let (beside, path) = (beside(&path), path);
            assert!(SockAddr::unix(&beside).is_ok(), "{beside:?}");
            assert_eq!(beside.parent(), path.parent());
        }
    }

    #[test]
    fn what_cannot_be_a_socket_is_said_and_left_as_it_is() {
        let folder = TempDir::new().unwrap();
        fs::write(file(&folder), "text").unwrap();
        let refused = bind_with(&folder, |_| ()).unwrap_err();
        assert!(refused.contains("a file that is not a socket"), "{refused}");
        assert_eq!(fs::read(file(&folder)).unwrap(), b"text");
        let refused = bind_with(&folder, |it| it.group = Some("no such group".into())).unwrap_err();
        assert!(refused.contains("no group `no such group`"), "{refused}");
        fs::remove_file(file(&folder)).unwrap();
        fs::remove_dir(folder.path()).unwrap();
        let refused = bind_with(&folder, |_| ()).unwrap_err();
        assert!(refused.contains("its folder must exist"), "{refused}");
    }
}
