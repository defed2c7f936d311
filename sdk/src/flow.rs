//! What is about to be contacted, and for whom: the facts that every hook is given.

use std::net::IpAddr;

use portcullis_contract::Protocol;

use crate::Host;
use crate::proxy;

/// What is about to be contacted, and for whom.
///
/// ```
/// use portcullis_sdk::{Flow, Protocol};
///
/// let flow = Flow::new("www.example", 443, Protocol::Connect).with_client("10.0.0.7".parse()?);
/// assert_eq!(flow.host(), "www.example");
/// assert_eq!((flow.port(), flow.protocol()), (443, Protocol::Connect));
/// assert!(flow.client().address().is_some_and(|address| address.is_ipv4()));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    host: Host,
    port: u16,
    protocol: Protocol,
    client: Client,
}

/// The sender of the request. Each fact is asked of the proxy when a filter wants it; other filters
/// pay nothing for it.
///
/// ```
/// use portcullis_sdk::{Flow, Protocol};
///
/// let flow = Flow::new("www.example", 443, Protocol::Connect);
/// assert_eq!((flow.client().address(), flow.client().user()), (None, None));
///
/// let flow = flow.with_client("10.0.0.7".parse()?).with_user("ada");
/// assert_eq!(flow.client().address(), Some("10.0.0.7".parse()?));
/// assert_eq!(flow.client().user().as_deref(), Some("ada"));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client(Facts);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Facts {
    /// The proxy has them.
    #[cfg(target_family = "wasm")]
    Remote,
    /// A test gave them.
    Given {
        address: Option<IpAddr>,
        user: Option<String>,
    },
}

impl Flow {
    /// A flow to `host` without facts about the client, for tests; see [`Host::new`] for its
    /// spelling.
    pub fn new(host: &str, port: u16, protocol: Protocol) -> Self {
        Self {
            host: Host::new(host),
            port,
            protocol,
            client: Client(Facts::Given {
                address: None,
                user: None,
            }),
        }
    }

    /// The same flow for a client at that address, for tests.
    #[must_use]
    pub fn with_client(mut self, from: IpAddr) -> Self {
        #[cfg_attr(
            not(target_family = "wasm"),
            expect(irrefutable_let_patterns, reason = "off WASM all is given")
        )]
        if let Facts::Given { address, .. } = &mut self.client.0 {
            *address = Some(from);
        }
        self
    }

    /// The same flow for a client that has logged in by that name, for tests.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>) -> Self {
        #[cfg_attr(
            not(target_family = "wasm"),
            expect(irrefutable_let_patterns, reason = "off WASM all is given")
        )]
        if let Facts::Given { user, .. } = &mut self.client.0 {
            *user = Some(name.into());
        }
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(host: Host, port: u16, protocol: Protocol) -> Self {
        Self {
            host,
            port,
            protocol,
            client: Client(Facts::Remote),
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

    /// The sender of the request.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Client {
    /// The address that the request came from; none where there is no client, as in `portcullis
    /// explain`. Each call asks the proxy.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.0 {
            #[cfg(target_family = "wasm")]
            Facts::Remote => proxy::client_address()?.parse().ok(),
            Facts::Given { address, .. } => {
                self.note_asked();
                *address
            }
        }
    }

    /// The name under which the client has logged in to the proxy, if it has. Each call asks the
    /// proxy.
    pub fn user(&self) -> Option<String> {
        match &self.0 {
            #[cfg(target_family = "wasm")]
            Facts::Remote => proxy::client_user(),
            Facts::Given { user, .. } => {
                self.note_asked();
                user.clone()
            }
        }
    }

    /// Whether a filter has learned who the client is decides what its answer may be used for.
    fn note_asked(&self) {
        #[cfg(not(target_family = "wasm"))]
        if let Facts::Given {
            address: Some(_), ..
        } = &self.0
        {
            proxy::note_asked_for_client();
        }
    }
}
