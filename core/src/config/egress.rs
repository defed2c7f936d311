//! How origins are reached, and which of them may be.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::declaration;
use super::value::{
    self, Address, Destination, Domain, HostPattern, Parsed, Ports, Resolver, Word, Words,
};

/// How origins are reached, and which of them may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Egress {
    /// DNS servers to ask instead of the system's, each an IP address with or without a port.
    #[serde(deserialize_with = "value::each::<_, Resolver>")]
    #[schemars(with = "Vec<Parsed<Resolver>>")]
    pub resolvers: Vec<SocketAddr>,
    /// The addresses of hosts, for which no name server is asked: "wiki.example" is one host, and
    /// "*.corp.example" are those below a domain.
    #[serde(deserialize_with = "value::lists_by_name::<_, HostPattern, Address>")]
    #[schemars(
        with = "BTreeMap<String, Vec<Parsed<Address>>>",
        extend("examples" = [{"wiki.example": ["10.0.0.5"]}])
    )]
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// DNS servers to ask about a domain and the names below it, and no others about these.
    #[serde(deserialize_with = "value::lists_by_name::<_, Domain, Resolver>")]
    #[schemars(
        with = "BTreeMap<String, Vec<Parsed<Resolver>>>",
        extend("examples" = [{"corp.example": ["10.0.0.53"]}])
    )]
    pub name_servers: BTreeMap<String, Vec<SocketAddr>>,
    /// Whether addresses may be dialled that are not public, such as those of this network and of
    /// this machine: "auto" lets them be dialled if only this machine can connect to the proxy.
    /// Link-local addresses and those of cloud metadata have to be named in `allow`.
    #[serde(with = "Parsed::<Word<PrivateAddresses>>")]
    pub private: PrivateAddresses,
    /// Where the proxy may connect although the address is not public, or by a tunnel although
    /// `connect_ports` does not have the port: "wiki.example", "*.corp.example", "10.1.0.0/16",
    /// each with or without ports (":8443", ":8000-8999").
    #[serde(deserialize_with = "value::each::<_, Destination>")]
    #[schemars(with = "Vec<Parsed<Destination>>")]
    pub allow: Vec<Destination>,
    /// Where the proxy connects in no case, written in the same way. "*:25" is every host.
    #[serde(deserialize_with = "value::each::<_, Destination>")]
    #[schemars(with = "Vec<Parsed<Destination>>")]
    pub deny: Vec<Destination>,
    /// The ports to which CONNECT and SOCKS may lead, such as 443 or "8000-8999"; 443 and 80 by
    /// default, or every port if only this machine can connect to the proxy.
    #[serde(deserialize_with = "some_ports")]
    #[schemars(
        with = "Vec<Parsed<Ports>>",
        transform = declaration::without_default
    )]
    pub connect_ports: Option<Vec<Ports>>,
}

/// Whether addresses may be dialled that are not public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PrivateAddresses {
    /// If only this machine can connect to the proxy.
    #[default]
    Auto,
    /// They may.
    Allow,
    /// They may not, unless `allow` names them.
    Deny,
}

impl Words for PrivateAddresses {
    const EXPECTED: &'static str =
        r#""auto" (if only this machine can connect to the proxy), "allow" or "deny""#;
}

fn some_ports<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<Ports>>, D::Error> {
    value::each::<_, Ports>(value).map(Some)
}
