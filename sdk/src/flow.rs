//! What is about to be contacted: the facts that every hook is given.

use crate::Host;

/// How the proxy learned of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
    Http,
    /// A CONNECT request (RFC 9110, section 9.3.6).
    Connect,
    /// A SOCKS request.
    Socks,
    /// The server name in a TLS handshake (RFC 6066, section 3).
    Tls,
}

/// What is about to be contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    host: Host,
    port: u16,
    protocol: Protocol,
}

impl Flow {
    /// A flow to `host`, for tests; see [`Host::new`] for its spelling.
    pub fn new(host: &str, port: u16, protocol: Protocol) -> Self {
        Self::from_proxy(Host::new(host), port, protocol)
    }

    pub(crate) fn from_proxy(host: Host, port: u16, protocol: Protocol) -> Self {
        Self {
            host,
            port,
            protocol,
        }
    }

    /// Where the request wants to go.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, 1 to 65535.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How the proxy learned of the host.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}
