//! The settings of one group of clients: which clients are in it.

use std::collections::BTreeMap;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::value::{GroupName, Network, Parsed, networks};

/// Clients that filters can treat alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Group {
    /// Addresses and networks, such as "192.168.1.20" or "192.168.1.0/24". A client is in each
    /// group that has its address.
    #[serde(deserialize_with = "networks")]
    #[schemars(
        with = "Vec<Parsed<Network>>",
        length(min = 1),
        extend("examples" = [["192.168.1.0/24"]])
    )]
    pub networks: Vec<IpNet>,
}

impl Group {
    /// The clients of these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let networks = networks.into_iter().collect();
        Self { networks }
    }
}

/// Groups by name.
pub(super) fn groups<'de, D>(value: D) -> Result<BTreeMap<String, Group>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    struct Name(#[serde(with = "Parsed::<GroupName>")] String);

    let groups = BTreeMap::<Name, Group>::deserialize(value)?;
    let groups = groups.into_iter().map(|(Name(name), group)| (name, group));
    Ok(groups.collect())
}
