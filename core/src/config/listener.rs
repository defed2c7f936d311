//! Where clients connect: the addresses of listeners, and what holds at one of them alone. `proxy`
//! opens them; `upstream` asks where they are, so that no request runs in a circle.

mod address;
mod balancer;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::address::is_loopback;
pub use self::address::{InvalidAddress, ListenAddress};
pub use self::balancer::Balancer;
use self::balancer::{some_balancers, write_balancers};
use super::Config;
use super::declaration;
use super::value::{FileMode, FromText, Network, OneOrEach, Parsed, networks, one_or_each};

/// The addresses of the listeners that have no settings of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen(Vec<ListenAddress>);

/// A listener with settings of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Listener {
    /// An IP address and a port, or `unix:` and the absolute path of a Unix socket.
    #[serde(with = "Parsed::<ListenAddress>")]
    #[schemars(extend("examples" = ["0.0.0.0:3128"]))]
    pub address: ListenAddress,
    /// The load balancers that say who their clients are: the addresses and networks from which a
    /// header of the PROXY protocol (version 1 or 2) comes before all else, or "unix" for a Unix
    /// socket. Connections from elsewhere and those without a header are closed.
    #[serde(
        default,
        deserialize_with = "some_balancers",
        serialize_with = "write_balancers"
    )]
    #[schemars(
        with = "Vec<Parsed<Balancer>>",
        length(min = 1),
        transform = declaration::without_default
    )]
    pub proxy_protocol: Option<Vec<Balancer>>,
    /// Who may use the proxy here, in place of `[clients] allow`.
    #[serde(default, deserialize_with = "some_networks")]
    #[schemars(
        with = "Vec<Parsed<Network>>",
        length(min = 1),
        transform = declaration::without_default
    )]
    pub allow: Option<Vec<IpNet>>,
    /// The permissions of a Unix socket, in octal digits: who may write to it may connect. "0600"
    /// by default, which is the proxy's own user.
    #[serde(default, deserialize_with = "some_mode")]
    #[schemars(with = "Parsed<FileMode>", transform = declaration::without_default)]
    pub mode: Option<u32>,
    /// The group of a Unix socket, by name or number; that of the proxy's process by default.
    #[serde(default)]
    #[schemars(with = "String", transform = declaration::without_default)]
    pub group: Option<String>,
}

/// A listener, and how filters and logs call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedListener {
    /// None for one of `[proxy] listen`, which is called by its address.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) settings: Listener,
}

/// Where connections of the proxy would come back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnListeners {
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whether only this machine reaches them.
    pub(crate) are_local: bool,
}

/// What is wrong with the settings of a listener: the key, and why.
pub(super) struct Problem {
    pub(super) key: &'static str,
    pub(super) text: &'static str,
}

impl Listen {
    /// The addresses, in the order in which they were written.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.0
    }
}

impl Default for Listen {
    fn default() -> Self {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)).into()
    }
}

impl<A: Into<ListenAddress>> From<A> for Listen {
    fn from(address: A) -> Self {
        Self(vec![address.into()])
    }
}

impl FromIterator<ListenAddress> for Listen {
    fn from_iter<I: IntoIterator<Item = ListenAddress>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

/// One address, or several with commas between them.
impl FromStr for Listen {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        text.split(',')
            .map(|address| address.trim().parse())
            .collect()
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [address] => ListenAddress::write(address).serialize(out),
            addresses => out.collect_seq(addresses.iter().map(ListenAddress::write)),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        one_or_each::<_, ListenAddress>(value).map(Self)
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Listen".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OneOrEach::<ListenAddress>::json_schema(generator)
    }
}

impl Listener {
    /// A listener at this address about which nothing else is said.
    pub fn at(address: impl Into<ListenAddress>) -> Self {
        Self {
            address: address.into(),
            proxy_protocol: None,
            allow: None,
            mode: None,
            group: None,
        }
    }

    /// Whether only this machine reaches it. Behind a load balancer there can be anything.
    pub(crate) fn is_local(&self) -> bool {
        self.proxy_protocol.is_none() && self.address.ip().is_none_or(is_loopback)
    }

    /// Whether what comes from there says who its client is.
    pub(crate) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        let mut balancers = self.proxy_protocol.iter().flatten();
        balancers.any(|balancer| match (balancer, peer) {
            (Balancer::Network(network), Some(ip)) => network.contains(&ip.to_canonical()),
            (Balancer::Unix, None) => true,
            _ => false,
        })
    }

    /// Whether its clients have addresses.
    pub(crate) fn knows_clients(&self) -> bool {
        self.proxy_protocol.is_some() || self.address.socket().is_some()
    }

    /// What contradicts itself.
    pub(super) fn problem(&self) -> Option<Problem> {
        let problem = |key, text| Some(Problem { key, text });
        let balancers = || self.proxy_protocol.iter().flatten();
        match self.address {
            ListenAddress::Unix(_) if balancers().any(|it| *it != Balancer::Unix) => problem(
                "proxy_protocol",
                "what connects to a Unix socket has no address; write [\"unix\"] if all that may connect is to be trusted",
            ),
            ListenAddress::Tcp(_) if balancers().any(|it| *it == Balancer::Unix) => problem(
                "proxy_protocol",
                "this listener is not a Unix socket; name the addresses or networks of load balancers",
            ),
            ListenAddress::Unix(_) if !self.knows_clients() && self.allow.is_some() => problem(
                "allow",
                "clients of a Unix socket have no address that a network could have; its `mode` and `group` say who may connect",
            ),
            ListenAddress::Tcp(_) if self.mode.is_some() => problem(
                "mode",
                "only a Unix socket has permissions; remove it, or name the clients in `allow`",
            ),
            ListenAddress::Tcp(_) if self.group.is_some() => problem(
                "group",
                "only a Unix socket has a group; remove it, or name the clients in `allow`",
            ),
            _ => None,
        }
    }
}

impl NamedListener {
    /// One about which nothing is said but its address.
    pub(crate) fn at(address: impl Into<ListenAddress>) -> Self {
        Self {
            name: None,
            settings: Listener::at(address),
        }
    }

    /// How filters and logs call it.
    pub(crate) fn label(&self) -> Arc<str> {
        let address = || self.settings.address.to_string().into();
        self.name.clone().unwrap_or_else(address)
    }
}

/// For people: where it is, and its name if it has one.
impl fmt::Display for NamedListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} ")?;
        }
        self.settings.address.fmt(f)
    }
}

impl OwnListeners {
    pub(crate) fn of(listeners: &[NamedListener]) -> Self {
        let settings = || listeners.iter().map(|listener| &listener.settings);
        Self {
            addresses: settings()
                .filter_map(|listener| listener.address.socket())
                .collect(),
            are_local: settings().all(Listener::is_local),
        }
    }

    /// Whether an address is one of theirs, as far as that can be seen without a look at the
    /// addresses of this machine.
    pub(crate) fn have(&self, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        // A connection to an unspecified address leads to this machine.
        let is_here = ip.is_loopback() || ip.is_unspecified();
        self.addresses.iter().any(|own| {
            let own_ip = own.ip().to_canonical();
            let is_near = own_ip.is_unspecified() || ip.is_unspecified() && own_ip.is_loopback();
            own.port() == port && (own_ip == ip || is_here && is_near)
        })
    }

    /// Listeners at these addresses.
    #[cfg(test)]
    pub(crate) fn at(addresses: &[SocketAddr]) -> Self {
        let listeners = addresses.iter().copied().map(NamedListener::at);
        Self::of(&listeners.collect::<Vec<_>>())
    }
}

impl Config {
    /// Every listener: those of `[proxy] listen`, then the others in the order of their names.
    pub(crate) fn listeners(&self) -> Vec<NamedListener> {
        let plain = self.proxy.listen.0.iter().cloned().map(NamedListener::at);
        let named = self.listeners.iter().map(|(name, settings)| NamedListener {
            name: Some(name.as_str().into()),
            settings: settings.clone(),
        });
        plain.chain(named).collect()
    }

    /// The address that stands for the proxy as a whole.
    pub(crate) fn main_address(&self) -> ListenAddress {
        let listeners = self.listeners().into_iter();
        let mut addresses = listeners.map(|listener| listener.settings.address);
        let default = || Listen::default().0.remove(0);
        addresses.next().unwrap_or_else(default)
    }
}

fn some_networks<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    networks(value).map(Some)
}

fn some_mode<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    Parsed::<FileMode>::deserialize(value).map(Some)
}
