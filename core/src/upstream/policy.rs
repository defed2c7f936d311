//! Which addresses may be dialled. Asked between resolving and connecting, so that a name cannot
//! hide an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::Error;

/// What the proxy connects to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// The address of the proxy's listener.
    own: SocketAddr,
}

impl Policy {
    pub(super) fn new(own: SocketAddr) -> Self {
        Self { own }
    }

    /// Refuses the proxy's own listener: a request would run in a circle.
    pub(super) fn check(&self, address: SocketAddr) -> Result<(), Error> {
        let (own, ip) = (self.own.ip().to_canonical(), effective_ip(address.ip()));
        let is_same_host = ip == own || own.is_unspecified() && ip.is_loopback();
        if is_same_host && address.port() == self.own.port() {
            return Err(Error::Loop);
        }
        Ok(())
    }

    /// Refuses a connection that has reached the proxy's own listener. A listener on all addresses
    /// is also met under every other address of this machine: there, both ends are the same.
    pub(super) fn check_connected(&self, local: SocketAddr, peer: SocketAddr) -> Result<(), Error> {
        let is_own_port = self.own.ip().is_unspecified() && peer.port() == self.own.port();
        if is_own_port && local.ip() == peer.ip() {
            return Err(Error::Loop);
        }
        Ok(())
    }
}

/// Where a packet to `ip` ends up: "unspecified" means this machine.
pub(super) fn effective_ip(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(own: &str, address: &str) -> bool {
        let policy = Policy::new(own.parse().unwrap());
        policy.check(address.parse().unwrap()).is_err()
    }

    #[test]
    fn the_own_listener_is_refused_under_all_of_its_names() {
        for address in ["127.0.0.1:3000", "[::ffff:127.0.0.1]:3000", "0.0.0.0:3000"] {
            assert!(is_refused("127.0.0.1:3000", address), "{address}");
        }
        assert!(is_refused("0.0.0.0:3000", "127.0.0.7:3000"));
        assert!(is_refused("[::]:3000", "[::1]:3000"));
        assert!(!is_refused("127.0.0.1:3000", "127.0.0.1:3001"));
        assert!(!is_refused("127.0.0.1:3000", "127.0.0.2:3000"));
    }

    #[test]
    fn a_connection_between_equal_addresses_has_met_a_listener_on_all_of_them() {
        let check = |own: &str, local: &str, peer: &str| {
            let policy = Policy::new(own.parse().unwrap());
            policy
                .check_connected(local.parse().unwrap(), peer.parse().unwrap())
                .is_err()
        };
        assert!(check("0.0.0.0:3000", "192.0.2.1:5000", "192.0.2.1:3000"));
        assert!(!check("0.0.0.0:3000", "192.0.2.1:5000", "192.0.2.2:3000"));
        assert!(!check("0.0.0.0:3000", "192.0.2.1:5000", "192.0.2.1:3001"));
    }
}
