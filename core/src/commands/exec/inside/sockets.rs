//! Unix sockets that a command could connect to: behind many of them are programs that reach the
//! network for others, such as those of containers, a session's bus or an agent of ssh. They are
//! covered, each by a device that answers nothing.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;
use rustix::mount::mount_bind;

/// Folders in which programs have their sockets.
const FOLDERS: [&str; 3] = ["/run", "/tmp", "/var/run"];

/// Variables that lead to sockets, perhaps with a word such as `unix://` before the path.
const VARIABLES: [&str; 5] = [
    "SSH_AUTH_SOCK",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
    "GPG_AGENT_INFO",
];

/// How deep folders are looked through.
const DEPTH: usize = 6;

/// How many files are looked at.
const FILES: usize = 100_000;

/// Covers those in `table`, which is /proc/net/unix, and those that are found elsewhere: a socket
/// may have been renamed since, and the table has no sockets of other network namespaces. Returns
/// those that could not be covered.
pub(super) fn cover(table: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut left = Vec::new();
    for path in paths(table) {
        if path.starts_with('/') {
            found.insert(PathBuf::from(path));
        } else {
            left.push(format!("the Unix socket {path}, whose folder is not known"));
        }
    }
    let mut files = FILES;
    for folder in folders() {
        search(&folder, DEPTH, &mut files, &mut found);
    }
    if files == 0 {
        left.push(format!(
            "Unix sockets beyond the first {FILES} files of the folders for them"
        ));
    }
    found.extend(VARIABLES.into_iter().filter_map(named_by));
    for path in found {
        if let Err(error) = cover_one(&path) {
            left.push(format!("the Unix socket {} ({error})", path.display()));
        }
    }
    left
}

/// The paths in the table. Those that belong to the network namespace begin with `@`.
fn paths(table: &str) -> impl Iterator<Item = &str> {
    let paths = table.lines().skip(1).filter_map(|line| {
        // Seven columns with spaces between them stand in front of it.
        (0..7).try_fold(line, |rest, _| Some(rest.trim_start().split_once(' ')?.1))
    });
    paths.filter(|path| !path.is_empty() && !path.starts_with('@'))
}

/// The folders that are there, each once: some are links to others.
fn folders() -> BTreeSet<PathBuf> {
    let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let in_home = home
        .into_iter()
        .flat_map(|home| [".ssh", ".gnupg", ".docker"].map(|folder| home.join(folder)));
    let fixed = FOLDERS.into_iter().map(PathBuf::from);
    let named = fixed.chain(of_user).chain(in_home);
    named.filter_map(|it| fs::canonicalize(it).ok()).collect()
}

/// The path in a variable.
fn named_by(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable)?.into_string().ok()?;
    let path = &value[value.find('/')?..];
    let path = path
        .trim_start_matches("//")
        .split([',', ';', ':'])
        .next()?;
    path.starts_with('/').then(|| OsString::from(path).into())
}

/// Finds the sockets below a folder; links are not followed.
fn search(folder: &Path, depth: usize, files: &mut usize, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(left) = files.checked_sub(1) else {
            return;
        };
        *files = left;
        match entry.file_type() {
            Ok(kind) if kind.is_socket() => {
                found.insert(entry.path());
            }
            Ok(kind) if kind.is_dir() && depth > 0 => {
                search(&entry.path(), depth - 1, files, found);
            }
            _ => {}
        }
    }
}

/// Covers a socket, if it is one to which this user could connect.
fn cover_one(path: &Path) -> Result<(), Errno> {
    let is_socket = fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket || rustix::fs::access(path, Access::WRITE_OK).is_err() {
        return Ok(());
    }
    match mount_bind("/dev/null", path) {
        // It has gone meanwhile.
        Err(Errno::NOENT) => Ok(()),
        covered => covered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_have_paths_or_belong_to_the_network() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 21033 /run/dbus/system bus\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 4412\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   777 @/tmp/.X11-unix/X0\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   778 agent\n\
            0000000000000000: 00000002 00000000 00010000 0001 01    99 /a\n";
        let found: Vec<_> = paths(table).collect();
        assert_eq!(found, ["/run/dbus/system bus", "agent", "/a"]);
    }
}
