//! In which groups of the settings a client is. Made by `proxy` and by commands from the settings,
//! asked once for each connection.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::Client;
use crate::config;

/// The groups of the settings, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups(Arc<[Group]>);

#[derive(Debug)]
struct Group {
    name: Arc<str>,
    networks: Vec<IpNet>,
}

impl Groups {
    pub(crate) fn new(groups: &BTreeMap<String, config::Group>) -> Self {
        let groups = groups.iter().map(|(name, group)| Group {
            name: name.as_str().into(),
            networks: group.networks.clone(),
        });
        Self(groups.collect())
    }

    /// Whether the settings have a group of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|group| *group.name == *name)
    }

    /// The client at an address, with the groups that have it. A client whose address is not known
    /// is in none.
    pub(crate) fn client(&self, address: Option<IpAddr>) -> Client {
        let mut client = Client::at(address);
        if let Some(address) = client.address {
            let has = |group: &&Group| group.networks.iter().any(|net| net.contains(&address));
            let groups = self.0.iter().filter(has);
            client.groups = groups.map(|group| group.name.clone()).collect();
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_in_every_group_that_has_its_address() {
        let group = |networks: &[&str]| {
            let networks = networks.iter().map(|network| network.parse().unwrap());
            config::Group::new(networks)
        };
        let groups = Groups::new(&BTreeMap::from([
            (
                "tablets".to_owned(),
                group(&["192.0.2.7/32", "2001:db8:1::/48"]),
            ),
            ("children".to_owned(), group(&["192.0.2.0/28"])),
        ]));
        let names = |address: &str| {
            let client = groups.client(address.parse().ok());
            client
                .groups
                .iter()
                .map(|name| name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("192.0.2.7"), ["children", "tablets"]);
        assert_eq!(names("::ffff:192.0.2.7"), ["children", "tablets"]);
        assert_eq!(names("192.0.2.8"), ["children"]);
        assert_eq!(names("2001:db8:1:2::3"), ["tablets"]);
        for address in ["192.0.2.16", "2001:db8:2::", "not known"] {
            assert!(names(address).is_empty(), "{address}");
        }
    }
}
