//! The settings of one group of clients: which clients are in it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::value::{self, FromText, GroupName, Parsed};

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

/// An address, or all of a network.
struct Network;

impl FromText for Network {
    type Value = IpNet;

    const EXPECTED: &'static str =
        r#"an address or a network, such as "192.168.1.20" or "2001:db8::/32""#;

    fn parse(text: &str) -> Option<IpNet> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(address.to_canonical().into());
        }
        let network: IpNet = text.parse().ok()?;
        // Clients that come by IPv4 are IPv4 clients.
        let is_mapped = matches!(network, IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some());
        (network == network.trunc() && !is_mapped).then_some(network)
    }

    fn write(network: &IpNet) -> Value {
        network.to_string().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        match text.parse::<IpNet>() {
            Ok(IpNet::V6(net)) if net.addr().to_ipv4_mapped().is_some() => {
                format!("`{text}` is a network of IPv4; write it so, as in `192.168.1.0/24`")
            }
            Ok(network) => format!(
                "`{text}` has bits behind its prefix; the whole network is `{}`",
                network.trunc()
            ),
            Err(_) => format!("`{text}` is not {}", Self::EXPECTED),
        }
    }
}

/// At least one: a group without clients is a mistake.
fn networks<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<IpNet>, D::Error> {
    let networks = value::each::<_, Network>(value)?;
    if networks.is_empty() {
        let expected = "at least one address or network, such as \"192.168.1.20\"";
        return Err(D::Error::invalid_length(0, &expected));
    }
    Ok(networks)
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
