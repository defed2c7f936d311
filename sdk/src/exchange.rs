//! One request with its answer, or one tunnel: the facts that every hook can ask for.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::proxy::ExchangeFacts;
use crate::{FoundIn, Host, Notes, Protocol};

/// One request with its answer, or one tunnel.
///
/// [`judge_host`](crate::Filter::judge_host) is given the host and the port. Every other fact is
/// asked of the proxy when the filter wants it, and then kept until the hook returns, so a filter
/// pays only for what it asks. A verdict that is [kept](crate::Verdict::keep) is used again only
/// where the facts agree that the filter has asked for.
///
/// ```
/// use portcullis_sdk::{Exchange, Protocol, testing};
///
/// fn is_interesting(exchange: &Exchange) -> bool {
///     exchange.port() == 443 && exchange.protocol() == Protocol::Connect
/// }
///
/// let exchange = testing::exchange("www.example");
/// assert!(is_interesting(&exchange));
/// assert_eq!(exchange.asked(), ["exchange.protocol"]);
/// ```
#[derive(Debug)]
pub struct Exchange {
    facts: ExchangeFacts,
    host: OnceCell<Host>,
    port: OnceCell<u16>,
    ask: Ask,
    id: OnceCell<String>,
    protocol: OnceCell<Protocol>,
    found_in: OnceCell<FoundIn>,
    server_name: OnceCell<Option<String>>,
    listener: OnceCell<String>,
    started: OnceCell<SystemTime>,
    client: Client,
    notes: Notes,
}

/// How the proxy is asked for what `judge_host` is given. They are pointers, so that a filter that
/// has no other hook does not import what it never calls.
#[derive(Clone, Copy, Debug)]
struct Ask {
    host: fn(&ExchangeFacts) -> String,
    port: fn(&ExchangeFacts) -> u16,
}

impl Exchange {
    pub(crate) fn new(facts: ExchangeFacts) -> Self {
        let ask = Ask {
            host: |facts| facts.host(),
            port: |facts| facts.port(),
        };
        Self::with(facts, OnceCell::new(), OnceCell::new(), ask)
    }

    /// One whose host and port are known already.
    #[cfg(target_family = "wasm")]
    pub(crate) fn to(host: String, port: u16) -> Self {
        let host = Host::from_proxy(host);
        // They are never called.
        let ask = Ask {
            host: |_| String::new(),
            port: |_| 0,
        };
        Self::with(ExchangeFacts, host.into(), port.into(), ask)
    }

    fn with(facts: ExchangeFacts, host: OnceCell<Host>, port: OnceCell<u16>, ask: Ask) -> Self {
        Self {
            client: Client {
                facts: facts.clone(),
                address: OnceCell::new(),
                user: OnceCell::new(),
                groups: OnceCell::new(),
            },
            notes: Notes::new(facts.clone()),
            facts,
            host,
            port,
            ask,
            id: OnceCell::new(),
            protocol: OnceCell::new(),
            found_in: OnceCell::new(),
            server_name: OnceCell::new(),
            listener: OnceCell::new(),
            started: OnceCell::new(),
        }
    }

    /// Where it wants to go.
    pub fn host(&self) -> &Host {
        self.host
            .get_or_init(|| Host::from_proxy((self.ask.host)(&self.facts)))
    }

    /// The port, 1 to 65535.
    pub fn port(&self) -> u16 {
        *self.port.get_or_init(|| (self.ask.port)(&self.facts))
    }

    /// A name that no other exchange of this proxy has: the same in all of its hooks and in the
    /// access log. A verdict of a filter that has asked for it is never used again.
    pub fn id(&self) -> &str {
        self.id.get_or_init(|| self.facts.id())
    }

    /// How the client speaks to the proxy.
    pub fn protocol(&self) -> Protocol {
        let protocol = || self.facts.protocol().into();
        self.protocol.get_or_init(protocol).clone()
    }

    /// Where the host that is judged was found.
    pub fn found_in(&self) -> FoundIn {
        let found_in = || self.facts.found_in().into();
        self.found_in.get_or_init(found_in).clone()
    }

    /// The name in the client's TLS handshake (RFC 6066, section 3), once the proxy has seen it.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name
            .get_or_init(|| self.facts.server_name())
            .as_deref()
    }

    /// The name of the listener that the client is connected to, as the settings have it. Empty if
    /// there is none, as in `portcullis explain`.
    pub fn listener(&self) -> &str {
        self.listener.get_or_init(|| self.facts.listener())
    }

    /// When it began, to the millisecond.
    pub fn started(&self) -> SystemTime {
        *self.started.get_or_init(|| self.facts.started())
    }

    /// The sender of the request.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the filter has written down about it.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }
}

/// The sender of the request.
///
/// ```
/// use portcullis_sdk::testing;
///
/// let exchange = testing::exchange("www.example");
/// assert_eq!(exchange.client().address(), None);
///
/// let exchange = exchange.with_client("10.0.0.7").with_user("ada").with_groups(["staff", "kids"]);
/// let client = exchange.client();
/// assert_eq!(client.address(), Some([10, 0, 0, 7].into()));
/// assert_eq!(client.user(), Some("ada"));
/// assert_eq!(client.groups(), ["staff", "kids"]);
/// ```
#[derive(Debug)]
pub struct Client {
    facts: ExchangeFacts,
    address: OnceCell<Option<IpAddr>>,
    user: OnceCell<Option<String>>,
    groups: OnceCell<Vec<String>>,
}

impl Client {
    /// The address that the request came from. None if there is none, as behind a Unix socket, or
    /// no client, as in `portcullis explain`.
    pub fn address(&self) -> Option<IpAddr> {
        *self.address.get_or_init(|| self.facts.client_address())
    }

    /// The name under which the client has logged in to the proxy, if it has.
    pub fn user(&self) -> Option<&str> {
        self.user
            .get_or_init(|| self.facts.client_user())
            .as_deref()
    }

    /// The groups of the settings that the client is in, in the order of their names.
    pub fn groups(&self) -> &[String] {
        self.groups.get_or_init(|| self.facts.client_groups())
    }

    /// Whether the client is in that group of the settings.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups().iter().any(|name| name == group)
    }
}
