//! The zones of name servers in resolv.conf, such as `eth0` of `fe80::1%eth0`: the network
//! interface behind which a server is. An address of a link is of no use without it. The library
//! drops a zone of letters and digits, and with any other zone the whole server. `system` takes
//! them out before the library reads the file.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// The file without zones, and the scope of each server that is left in it, which is 0 without a
/// zone. `find` finds the scope that a zone of an address means.
pub(super) fn take(
    file: &[u8],
    find: impl Fn(IpAddr, &str) -> io::Result<u32>,
) -> (Vec<u8>, Vec<u32>) {
    let (mut text, mut scopes) = (Vec::with_capacity(file.len()), Vec::new());
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let Some((ip, zone)) = server(line) else {
            text.extend_from_slice(line);
            continue;
        };
        match zone.map_or(Ok(0), |zone| find(ip, zone)) {
            Ok(scope) => {
                text.extend_from_slice(format!("nameserver {ip}\n").as_bytes());
                scopes.push(scope);
            }
            Err(error) => tracing::warn!(
                server = %ip,
                zone,
                %error,
                "a DNS server in resolv.conf is not asked, as its network interface is not found; names that no other \
                 server resolves fail. Mend its line, or send SIGHUP when the interface is there"
            ),
        }
    }
    (text, scopes)
}

/// The server that a line names, and its zone.
fn server(line: &[u8]) -> Option<(IpAddr, Option<&str>)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split([';', '#']).next()?.split_whitespace();
    if words.next()? != "nameserver" {
        return None;
    }
    let word = words.next()?;
    let (ip, zone) = match word.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (word, None),
    };
    let ip: IpAddr = ip.parse().ok()?;
    (ip.is_ipv6() || zone.is_none()).then_some((ip, zone))
}

/// The scope that a zone means on this machine. It is 0 for addresses that are the same behind
/// every interface.
pub(super) fn find(ip: IpAddr, zone: &str) -> io::Result<u32> {
    if !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
        return Ok(0);
    }
    if let Ok(scope) = zone.parse() {
        return Ok(scope);
    }
    // The system reads such an address without asking any server.
    let written = format!("{ip}%{zone}");
    let found = (written.as_str(), 0).to_socket_addrs()?;
    let mut scopes = found.filter_map(|address| match address {
        SocketAddr::V6(address) => Some(address.scope_id()),
        SocketAddr::V4(_) => None,
    });
    scopes.next().ok_or_else(|| ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_taken_out_whatever_their_interface_is_called() {
        let file = "# of the router\nsearch lan\nnameserver fe80::1%eth0\nnameserver 192.0.2.1 # first\n\
                    nameserver fe80::1%br-lan\nnameserver fe80::2%eth0.2\nnameserver fe80::3%gone\n\
                    nameserver wrong\nnameserver 192.0.2.2%eth0\nnameserver fe80::4%7";
        let (text, scopes) = take(file.as_bytes(), |_, zone| match zone {
            "eth0" => Ok(2),
            "br-lan" => Ok(3),
            "eth0.2" => Ok(4),
            "7" => Ok(7),
            _ => Err(ErrorKind::NotFound.into()),
        });
        let expected = "# of the router\nsearch lan\nnameserver fe80::1\nnameserver 192.0.2.1\n\
                        nameserver fe80::1\nnameserver fe80::2\n\
                        nameserver wrong\nnameserver 192.0.2.2%eth0\nnameserver fe80::4\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
        assert_eq!(scopes, [2, 0, 3, 4, 7]);
    }

    #[test]
    fn a_zone_is_an_interface_of_this_machine_or_its_number() {
        let scope = |ip: &str, zone| find(ip.parse().unwrap(), zone);
        assert_eq!(scope("fe80::1", "7").unwrap(), 7);
        assert_eq!(scope("2001:db8::1", "no-such").unwrap(), 0);
        assert!(scope("fe80::1", "no-such").is_err());
        #[cfg(target_os = "linux")]
        assert_ne!(scope("fe80::1", "lo").unwrap(), 0);
    }
}
