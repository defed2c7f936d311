//! Which hosts a client may reach. It asks for the client only where that matters.

mod network;

use network::Network;
use portcullis_sdk::{Client, Domains, Error, Group, Host, Template, Verdict};

/// The operator's settings. At least one list must have an entry.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// What everyone may reach: domains with every name below them, addresses, or `*` for
    /// everything. Without it everyone may reach everything if all entries of `clients` are `only`,
    /// and otherwise nothing.
    hosts: Option<Domains>,
    /// What some clients may reach besides, or `only`.
    clients: Vec<Clients>,
    /// What the client is told; `{host}` is filled in.
    reason: String,
}

/// The clients at some addresses and in some groups. One that several entries cover has the hosts
/// of all of them; one of which nothing is known is covered by none.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
struct Clients {
    /// Where they are: networks such as `10.0.0.0/8`, or single addresses.
    #[serde(default)]
    networks: Vec<Network>,
    /// Groups of the proxy's settings that they are in.
    #[serde(default)]
    groups: Vec<Group>,
    /// What they may reach.
    hosts: Domains,
    /// Whether they may reach nothing else, not even what everyone may.
    #[serde(default)]
    only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: None,
            clients: Vec::new(),
            reason: "{host} is not on the allowlist".into(),
        }
    }
}

/// The settings, checked.
pub(crate) struct Policy {
    /// What every client may reach that no entry restricts.
    hosts: Domains,
    clients: Vec<Clients>,
    reason: Template,
}

impl Policy {
    /// Checks the settings.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let restricts = config.clients.iter().all(|clients| clients.only);
        let hosts = match config.hosts {
            Some(hosts) => hosts,
            None if restricts && !config.clients.is_empty() => Domains::all(),
            None => Domains::default(),
        };
        if hosts.is_empty() && config.clients.is_empty() {
            let error = "nothing is listed, so every request would be refused; list what may be reached, such as [\"example.com\"], or \
                         \"*\" for everything";
            return Err(Error::new(error).at("hosts"));
        }
        for (at, clients) in config.clients.iter().enumerate() {
            let (place, error) = if clients.networks.is_empty() && clients.groups.is_empty() {
                let error = "it is for no client; give it `networks` or `groups`";
                (format!("clients[{at}]"), error)
            } else if clients.hosts.is_empty() && !clients.only {
                let error = "it is empty, so the entry does nothing; fill it or remove the entry";
                (format!("clients[{at}].hosts"), error)
            } else {
                continue;
            };
            return Err(Error::new(error).at(place));
        }
        let reason = Template::parse(&config.reason, &["host"]);
        Ok(Self {
            hosts,
            clients: config.clients,
            reason: reason.map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what is not listed. Being on the list is not an approval: other filters still have
    /// their say.
    pub(crate) fn judge(&self, host: &Host, client: &Client) -> Verdict {
        if self.allows(host, client) {
            return Verdict::next();
        }
        Verdict::block(self.reason.render([("host", host.as_str())]))
    }

    fn allows(&self, host: &Host, client: &Client) -> bool {
        let lists = |clients: &Clients| clients.hosts.covers(host);
        let is_among = |clients: &Clients| clients.has(client);
        let mut all = self.clients.iter();
        let mut restricts = || all.any(|one| one.only && !lists(one) && is_among(one));
        if self.hosts.covers(host) && !restricts() {
            return true;
        }
        let mut all = self.clients.iter();
        all.any(|one| lists(one) && is_among(one))
    }
}

impl Clients {
    /// Whether the client is one of them.
    fn has(&self, client: &Client) -> bool {
        let in_group = || self.groups.iter().any(|group| client.is_in(group));
        self.is_near(client) || !self.groups.is_empty() && in_group()
    }

    fn is_near(&self, client: &Client) -> bool {
        !self.networks.is_empty()
            && client.address().is_some_and(|address| {
                let mut networks = self.networks.iter();
                networks.any(|network| network.contains(address))
            })
    }
}
