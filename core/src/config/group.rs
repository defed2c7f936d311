//! The settings of one group of clients: which clients are in it.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::declaration;
use super::value::{self, Bandwidth, Network, Parsed, UserName, networks};

/// Clients that filters can treat alike: those of some networks, and those that have logged in as
/// one of some users. At least one of the two is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Group {
    /// Addresses and networks, such as "192.168.1.20" or "192.168.1.0/24". A client is in each
    /// group that has its address.
    #[serde(deserialize_with = "networks")]
    #[schemars(
        with = "Vec<Parsed<Network>>",
        length(min = 1),
        transform = declaration::without_default,
        extend("examples" = [["192.168.1.0/24"]])
    )]
    pub networks: Vec<IpNet>,
    /// Names of users. A client is also in each group that has the user whom it has logged in as.
    #[serde(deserialize_with = "value::each::<_, UserName>")]
    #[schemars(with = "Vec<Parsed<UserName>>")]
    pub users: Vec<String>,
    /// How fast all clients of the group together may send and receive, in bytes a second.
    #[serde(with = "Parsed::<Bandwidth>")]
    pub bandwidth: Option<u64>,
}

impl Group {
    /// The clients of these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let networks = networks.into_iter().collect();
        Self {
            networks,
            ..Self::default()
        }
    }

    /// The clients that have logged in as one of these users.
    pub fn of_users(users: impl IntoIterator<Item = String>) -> Self {
        let users = users.into_iter().collect();
        Self {
            users,
            ..Self::default()
        }
    }

    /// Why no client would be in the group, or not those that are meant.
    pub(super) fn problem(&self, logins: bool) -> Option<&'static str> {
        if self.networks.is_empty() && self.users.is_empty() {
            return Some(
                "it has neither `networks` nor `users`; add networks = [\"192.168.1.0/24\"], for instance",
            );
        }
        (!self.users.is_empty() && !logins).then_some(
            "it names users, and no client logs in; name the file of users with `users` in [auth]",
        )
    }
}
