//! Sockets that the command has from its caller: open descriptors beside the three that every
//! program has. At the other end of each may be a program that reaches the network.

use std::fs;

use rustix::fs::OFlags;

/// The first descriptor behind those for input, output and errors.
const FIRST: u32 = 3;

/// Says which there are.
pub(super) fn sockets() -> Vec<String> {
    let entries = match fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries,
        Err(error) => {
            return vec![format!(
                "descriptors of its caller, which cannot be listed ({error})"
            )];
        }
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut numbers: Vec<u32> = names
        .filter_map(|name| name.to_str()?.parse::<u32>().ok())
        .filter(|number| *number >= FIRST && is_inherited_socket(*number))
        .collect();
    numbers.sort_unstable();
    let told = numbers
        .into_iter()
        .map(|number| format!("descriptor {number}, a socket that its caller has left open"));
    told.collect()
}

fn is_inherited_socket(number: u32) -> bool {
    let is_socket = fs::read_link(format!("/proc/self/fd/{number}"))
        .is_ok_and(|it| it.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    is_socket && !info.is_ok_and(|info| is_closed_at_exec(&info))
}

/// Whether a descriptor with this file in /proc/self/fdinfo is closed as a program begins.
fn is_closed_at_exec(info: &str) -> bool {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| OFlags::from_bits_retain(flags).contains(OFlags::CLOEXEC))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_closed_at_exec_is_told_from_what_is_not() {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let info = format!("pos:\t0\nflags:\t0{:o}\nmnt_id:\t24\n", flags.bits());
        assert!(is_closed_at_exec(&info), "{info}");
        for info in ["pos:\t0\nflags:\t0100002\nmnt_id:\t24\n", "flags:\tx\n", ""] {
            assert!(!is_closed_at_exec(info), "{info}");
        }
    }

    #[test]
    fn a_socket_of_this_program_is_not_one_of_its_caller() {
        let (one, _other) = UnixStream::pair().unwrap();
        let number = u32::try_from(one.as_raw_fd()).unwrap();
        assert!(!is_inherited_socket(number));
    }
}
