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
    users: Vec<String>,
}

impl Groups {
    pub(crate) fn new(groups: &BTreeMap<String, config::Group>) -> Self {
        let groups = groups.iter().map(|(name, group)| Group {
            name: name.as_str().into(),
            networks: group.networks.clone(),
            users: group.users.clone(),
        });
        Self(groups.collect())
    }

    /// Whether the settings have a group of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|group| *group.name == *name)
    }

    /// The client at an address, that has logged in as a user if there is one, with the groups that
    /// have either.
    pub(crate) fn client(&self, address: Option<IpAddr>, user: Option<Arc<str>>) -> Client {
        let mut client = Client {
            user,
            ..Client::at(address)
        };
        let groups = self.0.iter().filter(|group| group.has(&client));
        client.groups = groups.map(|group| group.name.clone()).collect();
        client
    }

    /// The users whom groups name, each with the group.
    pub(crate) fn users(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|group| {
            let users = group.users.iter();
            users.map(|user| (&**user, &*group.name))
        })
    }
}

impl Group {
    fn has(&self, client: &Client) -> bool {
        let is_near = client
            .address
            .is_some_and(|address| self.networks.iter().any(|net| net.contains(&address)));
        let user = client.user.as_deref();
        is_near || user.is_some_and(|user| self.users.iter().any(|name| name == user))
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
            let client = groups.client(address.parse().ok(), None);
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

    #[test]
    fn a_client_is_in_the_groups_of_its_user_too() {
        let near = config::Group::new(["192.0.2.0/24".parse().unwrap()]);
        let both = config::Group {
            users: vec!["ada".into()],
            ..near.clone()
        };
        let ada = config::Group::of_users(["ada".to_owned()]);
        let groups = [("near", near), ("both", both), ("ada", ada)];
        let groups = groups.map(|(name, group)| (name.to_owned(), group));
        let groups = Groups::new(&BTreeMap::from(groups));
        for (address, user, expected) in [
            ("192.0.2.7", None, &["both", "near"][..]),
            ("192.0.2.7", Some("ada"), &["ada", "both", "near"]),
            ("192.0.2.7", Some("Ada"), &["both", "near"]),
            ("198.51.100.7", Some("ada"), &["ada", "both"]),
            ("198.51.100.7", Some("bob"), &[]),
            ("not known", Some("ada"), &["ada", "both"]),
        ] {
            let client = groups.client(address.parse().ok(), user.map(Arc::from));
            let names: Vec<&str> = client.groups.iter().map(|name| &**name).collect();
            assert_eq!(names, expected, "{address} {user:?}");
        }
    }
}
