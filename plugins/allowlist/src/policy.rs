//! Which hosts a client may reach. Pure: it is handed the facts and asks for nothing itself.

mod network;

use std::net::IpAddr;

use network::Network;
use portcullis_sdk::{Domains, Error, Host, Reason, Verdict};

/// The operator's settings. At least one list must have an entry.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// What everybody may reach: domains with every name below them, addresses, or `*` for
    /// everything.
    hosts: Domains,
    /// What some clients may reach besides.
    clients: Vec<Clients>,
    /// What the client is told; `{host}` is filled in.
    reason: String,
}

/// The clients at some addresses. One that several entries cover has the hosts of all of them; one
/// whose address is not known is covered by none.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
struct Clients {
    /// Where they are: networks such as `10.0.0.0/8`, or single addresses.
    networks: Vec<Network>,
    /// What they may reach.
    hosts: Domains,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: Domains::default(),
            clients: Vec::new(),
            reason: "{host} is not on the allowlist".into(),
        }
    }
}

/// The settings, checked.
pub(crate) struct Policy {
    hosts: Domains,
    clients: Vec<Clients>,
    reason: Reason<1>,
}

impl Policy {
    /// Checks the settings.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.hosts.is_empty() && config.clients.is_empty() {
            let error = "nothing is listed, so every request would be refused; list what may be reached, such as [\"example.com\"], or \
                         \"*\" for everything";
            return Err(Error::new(error).at("hosts"));
        }
        for (at, clients) in config.clients.iter().enumerate() {
            let empty = match clients {
                clients if clients.networks.is_empty() => "networks",
                clients if clients.hosts.is_empty() => "hosts",
                _ => continue,
            };
            let error =
                Error::new("it is empty, so the entry does nothing; fill it or remove the entry");
            return Err(error.at(format_args!("clients[{at}].{empty}")));
        }
        let reason = Reason::parse(&config.reason, ["host"]);
        Ok(Self {
            hosts: config.hosts,
            clients: config.clients,
            reason: reason.map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what is not listed. Being on the list is not an approval: other filters still have
    /// their say. `client` is asked for only if it matters.
    pub(crate) fn judge(&self, host: &Host, client: impl FnOnce() -> Option<IpAddr>) -> Verdict {
        if self.hosts.covers(host) || self.is_for(host, client) {
            return Verdict::NEXT;
        }
        Verdict::block(self.reason.fill([host.as_str()]))
    }

    /// Whether a list of the client's has the host.
    fn is_for(&self, host: &Host, client: impl FnOnce() -> Option<IpAddr>) -> bool {
        let mut lists = self
            .clients
            .iter()
            .filter(|list| list.hosts.covers(host))
            .peekable();
        if lists.peek().is_none() {
            return false;
        }
        let Some(address) = client() else {
            return false;
        };
        lists.any(|list| {
            list.networks
                .iter()
                .any(|network| network.contains(address))
        })
    }
}
