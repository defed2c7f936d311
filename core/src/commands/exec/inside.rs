//! The process that becomes a command with a boundary around it. It has one thread. Its namespaces
//! have no network but a loopback of their own, where the proxy's listener is; the Unix sockets of
//! other processes are covered; it gives up what would let it take that back.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::Access;
use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recv, sendmsg, sendto, socket_with,
};
use rustix::process::{getgid, getuid};
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags};

use super::{ExecError, failed, proxy_variables};

/// What is told first: whether there is a boundary.
pub(super) const DONE: u8 = 1;
const REFUSED: u8 = 0;

/// What lets the process become the command.
pub(super) const GO: u8 = 1;

/// An environment variable of the allocator, whose threads would make namespaces impossible.
const ALLOCATOR: &str = "_RJEM_MALLOC_CONF";

/// The value of that variable with which this process has to be started.
pub fn inside_variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once((ALLOCATOR, "background_thread:false"))
}

/// Puts a boundary around this process, hands over a listener at `socket`, waits for the proxy and
/// becomes the command. Returns if that fails, without an error if the proxy's process says why.
/// Must be called in a process of one thread that was started with [`inside_variables`] and whose
/// working folder is the command's.
pub fn become_command(socket: &Path, command: &[OsString]) -> Option<ExecError> {
    let address = match meet(socket) {
        Ok(Some(address)) => address,
        Ok(None) => return None,
        Err(source) => return Some(failed("meet the command's proxy")(source)),
    };
    let Some((program, arguments)) = command.split_first() else {
        return Some(failed("run no command")(io::ErrorKind::InvalidInput.into()));
    };
    let source = Command::new(program)
        .args(arguments)
        .envs(proxy_variables(address))
        .env_remove(ALLOCATOR)
        .exec();
    Some(ExecError::Command {
        program: program.into(),
        source,
    })
}

/// Where the proxy listens within the boundary; none if there is no boundary.
fn meet(socket: &Path) -> io::Result<Option<SocketAddr>> {
    let mut parent = UnixStream::connect(socket)?;
    match enclose() {
        Ok((listener, ways_out)) => {
            tell(&parent, DONE, &ways_out.join("\n"), Some(&listener))?;
            let mut go = [0];
            parent.read_exact(&mut go)?;
            listener.local_addr().map(Some)
        }
        Err(problem) => tell(&parent, REFUSED, &problem, None).map(|()| None),
    }
}

/// The listener of the namespaces, and ways out that are left; the problem, if there is one.
fn enclose() -> Result<(TcpListener, Vec<String>), String> {
    // The sockets of this network namespace; the next one has none.
    let sockets = fs::read_to_string("/proc/net/unix")
        .map_err(|error| format!("the Unix sockets of this machine cannot be listed: {error}"))?;
    make_namespaces()?;
    raise_loopback().map_err(|error| format!("its loopback cannot be used: {error}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("nothing can listen in its network: {error}"))?;
    let mut ways_out = cover(&sockets)?;
    give_up_capabilities().map_err(|error| format!("capabilities cannot be given up: {error}"))?;
    ways_out.extend(leave_processes_alone());
    Ok((listener, ways_out))
}

/// A user of its own in this process alone, a network without a way out, and mounts that no other
/// process sees.
fn make_namespaces() -> Result<(), String> {
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    #[expect(unsafe_code, reason = "there is no other call for it")]
    // SAFETY: the table of descriptors stays shared, which is all that could harm.
    let unshared = unsafe { rustix::thread::unshare_unsafe(flags) };
    unshared.map_err(|error| {
        format!(
            "the kernel lets this user make no namespaces ({error}). Allow it (user.max_user_namespaces and, on Debian and \
             Ubuntu, kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; in a container, a \
             profile that allows it), or leave --enforce out"
        )
    })?;
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{user} {user} 1")),
        ("gid_map", format!("{group} {group} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| {
            format!("the user cannot be kept in its namespace: {file}: {error}")
        })?;
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|error| format!("mounts cannot be made private: {error}"))
}

/// Switches the loopback of this network namespace on (rtnetlink(7), RTM_NEWLINK). It is the first
/// interface of each.
fn raise_loopback() -> io::Result<()> {
    const NEW_LINK: u16 = 16;
    const REQUEST_WITH_ANSWER: u16 = 1 | 4;
    const ERROR: u16 = 2;
    const UP: u32 = 1;
    const FIRST: i32 = 1;
    const LENGTH: u32 = 32;

    let mut message = Vec::with_capacity(LENGTH as usize);
    // nlmsghdr: length, type, flags, number, sender
    message.extend(LENGTH.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_WITH_ANSWER.to_ne_bytes());
    message.extend([0; 8]);
    // ifinfomsg: family and type, interface, flags, which of them change
    message.extend([0; 4]);
    message.extend(FIRST.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());

    // The protocol of routes is number 0.
    let kind = SocketType::RAW;
    let socket = socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, None)?;
    sendto(
        &socket,
        &message,
        SendFlags::empty(),
        &SocketAddrNetlink::new(0, 0),
    )?;
    let mut answer = [0; 128];
    let (_, length) = recv(&socket, &mut answer, RecvFlags::empty())?;
    // nlmsghdr again, and behind it the error, which is negative.
    let (Some(kind), Some(code)) = (answer[..length].get(4..6), answer[..length].get(16..20))
    else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let code = i32::from_ne_bytes([code[0], code[1], code[2], code[3]]);
    match (u16::from_ne_bytes([kind[0], kind[1]]), code) {
        (ERROR, 0) => Ok(()),
        (ERROR, code) => Err(io::Error::from_raw_os_error(-code)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Covers the Unix sockets that this user could connect to: behind many of them are programs that
/// reach the network for others, such as those of containers, a session's bus or an agent of ssh.
/// Returns those that could not be covered.
fn cover(sockets: &str) -> Result<Vec<String>, String> {
    let mut left = Vec::new();
    for path in paths(sockets) {
        let path = Path::new(path);
        let is_there = fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if !is_there || rustix::fs::access(path, Access::WRITE_OK).is_err() {
            continue;
        }
        if let Err(error) = mount_bind("/dev/null", path) {
            left.push(format!("the Unix socket {} ({error})", path.display()));
        }
    }
    Ok(left)
}

/// The paths in /proc/net/unix. Those without a file behind them belong to the network namespace.
fn paths(sockets: &str) -> impl Iterator<Item = &str> {
    let paths = sockets.lines().skip(1).filter_map(|line| {
        // Seven columns with spaces between them stand in front of it.
        (0..7).try_fold(line, |rest, _| Some(rest.trim_start().split_once(' ')?.1))
    });
    paths.filter(|path| path.starts_with('/'))
}

/// The command is the user that it was, and root in no sense: it could take the covers away.
fn give_up_capabilities() -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        // A kernel may not know all of them.
        let _ = rustix::thread::remove_capability_from_bounding_set(capability);
    }
    rustix::thread::clear_ambient_capability_set()?;
    rustix::thread::set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// Keeps the command from taking over other processes of its user, which have another network. The
/// way out that is left, if the kernel cannot do that.
fn leave_processes_alone() -> Option<String> {
    use landlock::{Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
    // Within Landlock of any kind, only processes in it can be looked into. This kind forbids what
    // needs a capability in any case.
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::MakeBlock)
        .and_then(|ruleset| ruleset.scope(Scope::from_all(landlock::ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    let is_restricted = restricted
        .as_ref()
        .is_ok_and(|status| status.ruleset != landlock::RulesetStatus::NotEnforced);
    let is_bounded_by_yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
        .is_ok_and(|scope| scope.trim() != "0");
    (!is_restricted && !is_bounded_by_yama)
        .then(|| "other processes of this user, since the kernel has no Landlock".to_owned())
}

/// One byte, with the listener, then a text that ends with a zero.
fn tell(
    parent: &UnixStream,
    first: u8,
    text: &str,
    listener: Option<&TcpListener>,
) -> io::Result<()> {
    let bytes = [&[first], text.replace('\0', "").as_bytes(), &[0]].concat();
    let descriptors: Vec<_> = listener.iter().map(|listener| listener.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    let (head, rest) = bytes.split_at(1);
    sendmsg(
        parent,
        &[IoSlice::new(head)],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    io::Write::write_all(&mut &*parent, rest)
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
            0000000000000000: 00000002 00000000 00010000 0001 01    99 /a\n";
        assert_eq!(
            paths(table).collect::<Vec<_>>(),
            ["/run/dbus/system bus", "/a"]
        );
    }
}
