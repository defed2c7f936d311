//! How addresses and networks of clients are written.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::FromText;

/// An address, or all of a network.
pub(in crate::config) struct Network;

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

/// At least one network: a list of clients without any is a mistake.
pub(in crate::config) fn networks<'de, D>(value: D) -> Result<Vec<IpNet>, D::Error>
where
    D: Deserializer<'de>,
{
    let networks = super::each::<_, Network>(value)?;
    if networks.is_empty() {
        let expected = "at least one address or network, such as \"192.168.1.20\"";
        return Err(D::Error::invalid_length(0, &expected));
    }
    Ok(networks)
}
