//! Whether an address is one of this machine. Nothing is sent to find that out. `policy` asks where
//! a listener on all addresses has the port.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Addresses for documentation, which no machine has (RFC 5737, RFC 3849).
const OF_NO_MACHINE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 255)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0xff)),
];

/// Whether an address is one of this machine, or may be one as the system does not say.
pub(super) fn is_here(ip: IpAddr) -> bool {
    // A socket can be bound to the addresses of this machine and to no others.
    match bind(ip) {
        Ok(_) => !binds_anywhere(ip) || leads_to_itself(ip),
        Err(error) => !matches!(
            error.kind(),
            ErrorKind::AddrNotAvailable | ErrorKind::InvalidInput
        ),
    }
}

/// Whether the system lets a socket be bound to any address (`ip_nonlocal_bind` of Linux, as pairs
/// of balancers have it).
fn binds_anywhere(ip: IpAddr) -> bool {
    bind(OF_NO_MACHINE[usize::from(ip.is_ipv6())]).is_ok()
}

/// Whether packets to an address would come from that address. This is so for the addresses of this
/// machine, but for the second ones of a network. A UDP socket is connected without a packet.
fn leads_to_itself(ip: IpAddr) -> bool {
    let unbound: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let own_end = bind(unbound[usize::from(ip.is_ipv6())]).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    own_end.is_ok_and(|end| end.ip() == ip)
}

fn bind(ip: IpAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind((ip, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_this_machine_are_told_from_others() {
        for (ip, expected) in [
            ("127.0.0.1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
            // Without the name of a network interface it leads nowhere.
            ("fe80::1", false),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            // There are machines without IPv6.
            if ip.is_ipv4() || bind(Ipv6Addr::LOCALHOST.into()).is_ok() {
                assert_eq!(is_here(ip), expected, "{ip}");
            }
        }
        assert!(leads_to_itself([127, 0, 0, 1].into()));
        assert!(!leads_to_itself([192, 0, 2, 1].into()));
    }
}
