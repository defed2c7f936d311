//! Where connections may lead. Asked between resolving and connecting, about every address, so that
//! a name cannot hide an address. Used by `upstream` for what clients want, by `feeds` for what the
//! servers of lists want, and by `commands` for `explain`.

mod class;
mod here;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
#[cfg(test)]
use std::sync::Arc;

use ipnet::IpNet;

pub(crate) use self::class::Class;
use self::class::Classified;
use self::here::is_here;
use super::route::Scheme;
use crate::config::{Destination, Egress, Hosts, OwnListeners, Ports, PrivateAddresses};
use crate::error::Error;
use crate::target::Target;

/// The ports of tunnels where other machines can ask for them.
const CONNECT_PORTS: [Ports; 2] = [Ports::one(443), Ports::one(80)];

/// What the proxy connects to.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The addresses of the proxy's listeners.
    own: Vec<SocketAddr>,
    deny: Vec<Destination>,
    allow: Vec<Destination>,
    /// Whether addresses pass that are neither public nor have to be named.
    private: bool,
    /// None for all of them.
    connect_ports: Option<Vec<Ports>>,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The address, where it is about one.
    address: Option<Classified>,
    pub(crate) rule: Rule,
}

/// What refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It is a listener of the proxy: a request would run in a circle.
    OwnListener,
    /// This entry of `deny` covers it.
    Deny(Destination),
    /// CONNECT may not lead to this port.
    ConnectPort(u16),
    /// The address is not public, and `private` refuses those.
    Private,
    /// No entry of `allow` is the address or a small network around it.
    Unnamed,
}

impl Policy {
    /// `own` are the proxy's listeners.
    pub(crate) fn new(egress: &Egress, own: &OwnListeners) -> Self {
        let is_local = own.are_local;
        let usual_ports = || (!is_local).then(|| CONNECT_PORTS.to_vec());
        Self {
            own: own.addresses.clone(),
            deny: egress.deny.clone(),
            allow: egress.allow.clone(),
            private: match egress.private {
                PrivateAddresses::Auto => is_local,
                PrivateAddresses::Allow => true,
                PrivateAddresses::Deny => false,
            },
            connect_ports: egress.connect_ports.clone().or_else(usual_ports),
        }
    }

    /// That of the default settings, for a proxy that listens nowhere.
    #[cfg(test)]
    pub(crate) fn of_no_listener() -> Arc<Self> {
        Arc::new(Self::new(&Egress::default(), &OwnListeners::at(&[])))
    }

    /// Whether an entry of `deny` covers the name of a target, whatever its addresses are.
    pub(crate) fn judge_name(&self, target: &Target) -> Result<(), Refusal> {
        match find(&self.deny, target, None) {
            Some(entry) => Err(Refusal::of(None, Rule::Deny(entry.clone()))),
            None => Ok(()),
        }
    }

    /// What can be refused before a name is resolved.
    pub(crate) fn judge_target(&self, target: &Target, scheme: Scheme) -> Result<(), Refusal> {
        self.judge_name(target)?;
        // It may lead to a network whose entry names the port.
        let may_be_lifted = |entry: &Destination| {
            let names_port = entry.ports.is_some_and(|ports| ports.have(target.port()));
            names_port && matches!(entry.hosts, Hosts::Network(_))
        };
        if self.has_connect_port(target, scheme, None) || self.allow.iter().any(may_be_lifted) {
            Ok(())
        } else {
            Err(Refusal::of(None, Rule::ConnectPort(target.port())))
        }
    }

    /// Whether a connection to the target may lead to this address of it.
    pub(crate) fn judge(
        &self,
        target: &Target,
        scheme: Scheme,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        Classified::try_each(address, |address| {
            self.judge_reading(target, scheme, address)
        })
    }

    /// The same for one address that it can stand for.
    fn judge_reading(
        &self,
        target: &Target,
        scheme: Scheme,
        address: Classified,
    ) -> Result<(), Refusal> {
        let refuse = |rule| Err(Refusal::of(Some(address), rule));
        if self.is_own(&address, target.port()) {
            return refuse(Rule::OwnListener);
        }
        if let Some(entry) = find(&self.deny, target, Some(&address)) {
            return refuse(Rule::Deny(entry.clone()));
        }
        if !self.has_connect_port(target, scheme, Some(&address)) {
            return Err(Refusal::of(None, Rule::ConnectPort(target.port())));
        }
        match address.class {
            Class::Public => Ok(()),
            Class::LinkLocal | Class::Metadata => {
                let entries = self.allow.iter().filter(|entry| is_narrow(entry, &address));
                match covering(entries, target, Some(&address)) {
                    Some(_) => Ok(()),
                    None => refuse(Rule::Unnamed),
                }
            }
            _ if self.private || find(&self.allow, target, Some(&address)).is_some() => Ok(()),
            _ => refuse(Rule::Private),
        }
    }

    /// What can be said of a target whose name a parent proxy resolves. `known` are the addresses
    /// that need no name server; all of them have to be right, as the parent chooses one.
    pub(crate) fn judge_unresolved(
        &self,
        target: &Target,
        scheme: Scheme,
        known: &[IpAddr],
    ) -> Result<(), Refusal> {
        self.judge_name(target)?;
        for ip in known {
            self.judge(target, scheme, *ip)?;
        }
        if known.is_empty() && !self.has_connect_port(target, scheme, None) {
            return Err(Refusal::of(None, Rule::ConnectPort(target.port())));
        }
        Ok(())
    }

    /// The addresses of a target that may be dialled; if there are none, why the first may not.
    pub(crate) fn permitted(
        &self,
        target: &Target,
        scheme: Scheme,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        let mut refusal = None;
        let mut permitted = Vec::new();
        for address in addresses {
            match self.judge(target, scheme, address) {
                Ok(()) => permitted.push(SocketAddr::new(address, target.port())),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        match refusal {
            Some(refusal) if permitted.is_empty() => Err(refusal),
            _ => Ok(permitted),
        }
    }

    /// What the operator has named in the settings: only the proxy's own listeners are refused.
    pub(crate) fn judge_named(&self, address: SocketAddr) -> Result<(), Refusal> {
        Classified::try_each(address.ip(), |ip| {
            if self.is_own(&ip, address.port()) {
                return Err(Refusal::of(Some(ip), Rule::OwnListener));
            }
            Ok(())
        })
    }

    /// Which addresses may be dialled, as far as no entry names them.
    #[cfg(feature = "cli")]
    pub(crate) fn in_words(&self) -> &'static str {
        if self.private {
            "all but link-local ones and those of cloud metadata"
        } else {
            "those that are public"
        }
    }

    /// Whether one of the proxy's listeners is met at an address. One on all addresses is met at
    /// every address of this machine.
    fn is_own(&self, address: &Classified, port: u16) -> bool {
        let own = self.own.iter().filter(|own| own.port() == port);
        let mut own = own.map(|own| own.ip().to_canonical());
        own.any(|own| {
            let is_same = address.reached == own || address.written == own;
            is_same || own.is_unspecified() && leads_here(address)
        })
    }

    /// Whether a tunnel may lead to the target's port, at this address if it is known.
    fn has_connect_port(
        &self,
        target: &Target,
        scheme: Scheme,
        address: Option<&Classified>,
    ) -> bool {
        let Some(ports) = self
            .connect_ports
            .as_ref()
            .filter(|_| scheme == Scheme::Tunnel)
        else {
            return true;
        };
        let named = self.allow.iter().filter(|entry| entry.ports.is_some());
        ports.iter().any(|ports| ports.have(target.port()))
            || covering(named, target, address).is_some()
    }
}

/// Whether an address is one of this machine.
fn leads_here(address: &Classified) -> bool {
    let is_met = |ip: IpAddr| ip.is_loopback() || is_here(ip);
    is_met(address.reached) || address.written != address.reached && is_met(address.written)
}

/// The first entry that covers a target, at this address if it is known.
fn find<'a>(
    entries: &'a [Destination],
    target: &Target,
    address: Option<&Classified>,
) -> Option<&'a Destination> {
    covering(entries.iter(), target, address)
}

/// Whether an entry means an address, or only a large network in which it happens to be.
fn is_narrow(entry: &Destination, address: &Classified) -> bool {
    match &entry.hosts {
        Hosts::Network(IpNet::V4(network)) => network.prefix_len() >= 16,
        // Of an IPv4 address that is written as an IPv6 one.
        Hosts::Network(IpNet::V6(network)) if address.meant.is_ipv4() => {
            network.prefix_len() >= 112
        }
        Hosts::Network(IpNet::V6(network)) => {
            let is_link_local =
                network.addr().is_unicast_link_local() && network.prefix_len() >= 10;
            is_link_local || network.prefix_len() >= 48
        }
        Hosts::Any | Hosts::Name(_) | Hosts::Below(_) | Hosts::Within(_) => false,
    }
}

fn covering<'a>(
    mut entries: impl Iterator<Item = &'a Destination>,
    target: &Target,
    address: Option<&Classified>,
) -> Option<&'a Destination> {
    entries.find(|entry| {
        let has_port = entry.ports.is_none_or(|ports| ports.have(target.port()));
        has_port
            && match &entry.hosts {
                Hosts::Network(network) => address.is_some_and(|address| {
                    let forms = [address.reached, address.meant, address.written];
                    forms.iter().any(|form| network.contains(form))
                }),
                Hosts::Any => true,
                hosts => target.ip().is_none() && hosts.have_name(target.host()),
            }
    })
}

/// Where a packet to `ip` ends up: "unspecified" means this machine.
pub(crate) fn effective_ip(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

impl Refusal {
    fn of(address: Option<Classified>, rule: Rule) -> Self {
        Self { address, rule }
    }

    /// What the address is for that is refused.
    #[cfg(test)]
    pub(crate) fn class(&self) -> Option<Class> {
        self.address.map(|address| address.class)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal.rule {
            Rule::OwnListener => Self::Loop,
            Rule::ConnectPort(_) => Self::Prohibited(refusal.to_string()),
            _ if refusal.address.is_none() => Self::Prohibited(refusal.to_string()),
            _ => Self::AddressProhibited(refusal.to_string()),
        }
    }
}

/// What is refused, by which setting, and what would let it pass.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Classified {
            written,
            reached,
            class,
            ..
        }) = &self.address
        {
            if written.to_canonical() == *reached {
                write!(f, "{reached} is {class}")?;
            } else {
                write!(f, "{written}, which leads to {reached}, is {class}")?;
            }
            f.write_str(if let Rule::Deny(_) = self.rule {
                ", and "
            } else {
                "; "
            })?;
        }
        match &self.rule {
            Rule::OwnListener => f.write_str("the proxy itself listens there"),
            Rule::Deny(entry) => write!(f, "`{entry}` is in [egress] deny"),
            Rule::ConnectPort(port) => write!(
                f,
                "port {port} is not among [egress] connect_ports; add it there, or HOST:{port} to [egress] allow"
            ),
            Rule::Private => f.write_str(
                "[egress] private refuses what is not public; an entry of [egress] allow would let it pass",
            ),
            Rule::Unnamed => f.write_str(
                "only an entry of [egress] allow that is the address, or a network around it of at least 16 bits (IPv4), 48 bits (IPv6) or 112 bits (an IPv4 address written as an IPv6 one), would let it pass",
            ),
        }
    }
}
