//! The process that becomes a command with a boundary around it. It has one thread. Its namespaces
//! have no network but a loopback of their own, where the proxy's listener is; the Unix sockets of
//! other processes are covered; it gives up what would let it take that back.

mod inherited;
mod sockets;

use std::ffi::{CStr, OsString};
use std::fs;
use std::io::{self, IoSlice, IsTerminal, Read};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
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
/// becomes the command, which cannot see the folders in `hidden`. Returns if that fails, and has no
/// error if the proxy's process reports it. Must be called in a process of one thread that was
/// started with [`inside_variables`] and whose working folder is the command's.
pub fn become_command(
    socket: &Path,
    hidden: &[PathBuf],
    command: &[OsString],
) -> Option<ExecError> {
    let address = match meet(socket, hidden) {
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
fn meet(socket: &Path, hidden: &[PathBuf]) -> io::Result<Option<SocketAddr>> {
    let mut parent = UnixStream::connect(socket)?;
    match enclose(hidden) {
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
fn enclose(hidden: &[PathBuf]) -> Result<(TcpListener, Vec<String>), String> {
    // The sockets of this network namespace; the next one has none.
    let sockets = fs::read_to_string("/proc/net/unix")
        .map_err(|error| format!("the Unix sockets of this machine cannot be listed: {error}"))?;
    make_namespaces()?;
    raise_loopback().map_err(|error| format!("its loopback cannot be used: {error}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("nothing can listen in its network: {error}"))?;
    for folder in hidden {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::RDONLY;
        mount("none", folder, "tmpfs", flags, None::<&CStr>)
            .map_err(|error| format!("{} cannot be hidden: {error}", folder.display()))?;
    }
    let mut ways_out = sockets::cover(&sockets);
    ways_out.extend(inherited::sockets());
    ways_out.extend(host_sockets());
    ways_out.extend(terminal());
    give_up_capabilities().map_err(|error| format!("capabilities cannot be given up: {error}"))?;
    leave_processes_alone();
    Ok((listener, ways_out))
}

/// A user of its own in this process alone, a network without a way out, and mounts that no other
/// process sees.
fn make_namespaces() -> Result<(), String> {
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    #[expect(unsafe_code, reason = "there is no other call for it")]
    // SAFETY: `FILES` is not among the flags, and this process has one thread.
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

/// What leads from a virtual machine to its host, if the kernel has it and this user may use it. It
/// is in no network namespace.
fn host_sockets() -> Option<String> {
    // A kernel that has it would load it for the first socket: that is not to be done here.
    let protocols = fs::read_to_string("/proc/net/protocols").unwrap_or_default();
    let is_loaded = protocols.lines().any(|line| line.starts_with("AF_VSOCK"))
        || Path::new("/dev/vsock").exists();
    let family = AddressFamily::VSOCK;
    let opens = || socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).is_ok();
    (is_loaded && opens())
        .then(|| "AF_VSOCK, which leads from a virtual machine to its host".to_owned())
}

/// The terminal of the caller, if the kernel lets its programs type into it: the caller's shell
/// would run that after the end.
fn terminal() -> Option<String> {
    let is_allowed = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti")
        .map_or(true, |allowed| allowed.trim() != "0");
    let has_one =
        io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    (is_allowed && has_one).then(|| {
        "the terminal, into which it can type for the next program (sysctl dev.tty.legacy_tiocsti=0 ends that)".to_owned()
    })
}

/// The command is the user that it was, and root in no sense: it could take the covers away.
fn give_up_capabilities() -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // A kernel may not know all of them.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
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

/// Keeps the command from other processes of its user as far as the kernel can, in addition to what
/// a user namespace does: from signals, and from looking into them.
fn leave_processes_alone() {
    use landlock::{Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
    // A part of Landlock that forbids what needs a capability in any case has that effect, too.
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::MakeBlock)
        .and_then(|ruleset| ruleset.scope(Scope::from_all(landlock::ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    // No network is behind it.
    drop(restricted);
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
