//! Who may use the proxy: the settings, and what they have to say before it listens where other
//! machines reach it.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::declaration;
use super::listener::{Listener, NamedListener};
use super::value::{FromText, Network, Parsed, networks};

/// Who may use the proxy. Only this machine can, unless one of these is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Clients {
    /// Addresses and networks, such as "192.168.1.20" or "192.168.1.0/24". Clients elsewhere are
    /// answered with 403, and nothing is done for them.
    #[serde(deserialize_with = "some_networks")]
    #[schemars(
        with = "Vec<Parsed<Network>>",
        length(min = 1),
        transform = declaration::without_default
    )]
    pub allow: Option<Vec<IpNet>>,
    /// Whether every machine that reaches a listener may use the proxy. Without `allow`, nothing
    /// else opens a listener beyond loopback.
    pub open: bool,
}

/// A listener that other machines reach, while nothing says which of them may use the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    listener: Box<NamedListener>,
}

impl Clients {
    /// The clients of these networks and no others.
    pub fn new(allow: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            allow: Some(allow.into_iter().collect()),
            open: false,
        }
    }

    /// The networks whose clients may use the proxy at a listener; none if that is not written.
    pub(crate) fn networks<'a>(&'a self, listener: &'a Listener) -> Option<&'a [IpNet]> {
        listener.allow.as_deref().or(self.allow.as_deref())
    }

    /// Whether a client at this address may use the proxy. Those of a Unix socket have none: its
    /// permissions have let them in, unless a load balancer connects to it for others.
    pub(crate) fn admit(&self, listener: &Listener, address: Option<IpAddr>) -> bool {
        let networks = self.networks(listener);
        match (networks, address) {
            (Some(networks), Some(address)) => {
                let address = address.to_canonical();
                networks.iter().any(|network| network.contains(&address))
            }
            (Some(_), None) => !listener.knows_clients(),
            (None, _) => true,
        }
    }

    /// Whether every machine that reaches this listener may use the proxy.
    pub(crate) fn are_all(&self, listener: &Listener) -> bool {
        self.allow.is_none() && listener.allow.is_none() && !listener.is_local()
    }

    /// Fails if nothing says who may come to a listener although other machines can.
    pub(crate) fn check(&self, listeners: &[NamedListener]) -> Result<(), Exposed> {
        let is_exposed = |it: &&NamedListener| self.are_all(&it.settings) && !self.open;
        match listeners.iter().find(is_exposed) {
            Some(listener) => Err(Exposed {
                listener: Box::new(listener.clone()),
            }),
            None => Ok(()),
        }
    }

    /// Who may use the proxy at a listener.
    #[cfg(feature = "cli")]
    pub(crate) fn in_words(&self, listener: &Listener) -> String {
        let networks = self.networks(listener);
        if let Some(balancers) = &listener.proxy_protocol {
            let clients = match networks {
                Some(networks) => format!("for clients in {}", list(networks)),
                None => "for every client".to_owned(),
            };
            let balancers: Vec<_> = balancers.iter().map(ToString::to_string).collect();
            return format!("{clients}, as said by {}", balancers.join(", "));
        }
        match networks.filter(|_| listener.knows_clients()) {
            Some(networks) => {
                format!("for clients in {}", list(networks))
            }
            None if listener.is_local() => "for this machine".to_owned(),
            None => "for every machine that reaches it".to_owned(),
        }
    }

    /// What contradicts itself.
    pub(super) fn problem(&self) -> Option<&'static str> {
        (self.open && self.allow.is_some()).then_some(
            "it opens the proxy to all clients, and `allow` names some; remove one of them",
        )
    }
}

impl Exposed {
    /// Why that is not done.
    fn reason(&self) -> String {
        format!(
            "other machines reach {}{}, and nothing says which of them may use the proxy, so that it would be an open relay \
             into this network",
            self.listener,
            match self.listener.settings.proxy_protocol {
                Some(_) => " through its load balancers",
                None => "",
            }
        )
    }

    /// What has to be written, by lines.
    fn remedy(&self) -> [String; 4] {
        let networks: Vec<_> = networks_near(&self.listener.settings)
            .iter()
            .map(|network| format!("\"{network}\""))
            .collect();
        [
            "[clients]".to_owned(),
            format!(
                "allow = [{}]   # the networks of your clients",
                networks.join(", ")
            ),
            "# open = true   # or this in place of it, if every machine may".to_owned(),
            "# or [auth] with users = \"FILE\", so that clients log in; `portcullis password NAME` makes its lines"
                .to_owned(),
        ]
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reason, remedy) = (self.reason(), self.remedy().join("\n"));
        write!(f, "{reason}. Write into the configuration file:\n{remedy}")
    }
}

impl std::error::Error for Exposed {}

#[cfg(feature = "cli")]
fn list(networks: &[IpNet]) -> String {
    let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
    networks.join(", ")
}

/// Where clients of a listener are likely to be.
fn networks_near(listener: &Listener) -> Vec<String> {
    let ip = listener.address.ip().map(|ip| ip.to_canonical());
    match ip {
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => {
            let networks = ["::1", "127.0.0.0/8", "192.168.1.0/24", "fc00::/7"];
            networks.map(str::to_owned).to_vec()
        }
        Some(ip) if !ip.is_unspecified() && listener.proxy_protocol.is_none() => {
            let length = if ip.is_ipv4() { 24 } else { 64 };
            let network = IpNet::new_assert(ip, length).trunc();
            vec![network.to_string()]
        }
        _ => vec!["127.0.0.0/8".to_owned(), "192.168.1.0/24".to_owned()],
    }
}

/// Reads an address or a network as it is written in the settings.
///
/// # Errors
///
/// If it is neither; the text says what would be right.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    Network::parse(text).ok_or_else(|| Network::problem(text))
}

fn some_networks<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    networks(value).map(Some)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::ListenAddress;

    fn at(listen: &str) -> Vec<NamedListener> {
        vec![NamedListener::at(listen.parse::<ListenAddress>().unwrap())]
    }

    fn exposed(listen: &str) -> Option<Exposed> {
        Clients::default().check(&at(listen)).err()
    }

    #[test]
    fn only_a_listener_on_loopback_needs_no_word_about_clients() {
        for listen in [
            "127.0.0.1:3000",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(exposed(listen), None, "{listen}");
        }
        for listen in [
            "0.0.0.0:1",
            "[::]:1",
            "192.168.1.5:1",
            "[fe80::1]:1",
            "[::ffff:0.0.0.0]:1",
        ] {
            assert!(exposed(listen).is_some(), "{listen}");
        }
        let listeners = at("0.0.0.0:1");
        let open = Clients {
            open: true,
            ..Clients::default()
        };
        let settings = &listeners[0].settings;
        assert!(open.check(&listeners).is_ok() && open.are_all(settings));
        let named = Clients::new(["192.0.2.0/24".parse().unwrap()]);
        assert!(named.check(&listeners).is_ok() && !named.are_all(settings));
    }

    #[test]
    fn the_remedy_is_a_table_that_the_settings_take() {
        for (listen, networks) in [
            ("0.0.0.0:1", "\"127.0.0.0/8\", \"192.168.1.0/24\""),
            ("192.168.7.5:1", "\"192.168.7.0/24\""),
            ("[2001:db8:0:7::5]:1", "\"2001:db8:0:7::/64\""),
            (
                "[::]:1",
                "\"::1\", \"127.0.0.0/8\", \"192.168.1.0/24\", \"fc00::/7\"",
            ),
        ] {
            let remedy = exposed(listen).unwrap().remedy();
            assert!(
                remedy[1].starts_with(&format!("allow = [{networks}]")),
                "{remedy:?}"
            );
            for lines in [
                remedy[..2].join("\n"),
                remedy[0].clone() + "\n" + &remedy[2][2..],
            ] {
                let table = lines.strip_prefix("[clients]\n").unwrap();
                let clients: Clients = toml::from_str(table).unwrap();
                assert!(clients.check(&at(listen)).is_ok(), "{lines}");
            }
        }
    }

    #[test]
    fn an_ipv4_client_is_the_same_whichever_way_it_comes() {
        let clients =
            Clients::new(["127.0.0.2/32", "2001:db8::/32"].map(|net| net.parse().unwrap()));
        let listener = Listener::at(SocketAddr::from(([0; 4], 1)));
        for (address, expected) in [
            ("127.0.0.2", true),
            ("::ffff:127.0.0.2", true),
            ("127.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::7f00:2", false),
            ("2001:db8::7", true),
            ("::1", false),
        ] {
            let admitted = clients.admit(&listener, address.parse().ok());
            assert_eq!(admitted, expected, "{address}");
        }
    }

    #[test]
    fn every_listener_is_looked_at_and_may_name_clients_of_its_own() {
        let mut listeners = [at("127.0.0.1:1"), at("0.0.0.0:2")].concat();
        let exposed = Clients::default().check(&listeners).unwrap_err();
        assert!(exposed.reason().contains("0.0.0.0:2"), "{exposed}");
        listeners[1].settings.allow = Some(vec!["192.0.2.0/24".parse().unwrap()]);
        assert_eq!(Clients::default().check(&listeners), Ok(()));

        let everyone_else = Clients::new(["198.51.100.0/24".parse().unwrap()]);
        let admitted = |listener: &NamedListener, address: &str| {
            everyone_else.admit(&listener.settings, address.parse().ok())
        };
        let there = ["192.0.2.1", "198.51.100.1"];
        assert_eq!(there.map(|it| admitted(&listeners[0], it)), [false, true]);
        assert_eq!(there.map(|it| admitted(&listeners[1], it)), [true, false]);
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_of_this_machine_and_its_clients_have_come_by_permission() {
        let listeners = at("unix:/run/a.sock");
        assert_eq!(Clients::default().check(&listeners), Ok(()));
        let clients = Clients::new(["192.0.2.0/24".parse().unwrap()]);
        assert!(clients.admit(&listeners[0].settings, None));
    }
}
