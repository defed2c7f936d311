//! How origins are reached, and which of them may be.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use smart_default::SmartDefault;

use super::declaration;
use super::value::{
    self, Address, Destination, Domain, HostPattern, NameServer, Names, Parsed, Ports, Ttl, Word,
    Words,
};

/// How origins are reached, and which of them may be.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Egress {
    /// DNS servers to ask instead of the system's, in this order: "9.9.9.9" or "9.9.9.9:53" in
    /// clear text, "tls://9.9.9.9#dns.quad9.net" over TLS, where the name behind `#` is the one
    /// that the certificate has to have, `https://dns.quad9.net/dns-query` over HTTPS. The address
    /// of a server that is written by its name is asked of `hosts` and of the system.
    #[serde(deserialize_with = "value::each::<_, NameServer>")]
    #[schemars(with = "Vec<Parsed<NameServer>>")]
    pub resolvers: Vec<NameServer>,
    /// A PEM file of the certificates of authorities to trust at DNS servers over TLS and HTTPS,
    /// besides those that the system trusts.
    #[schemars(extend("format" = "path"))]
    pub resolver_ca: Option<PathBuf>,
    /// Whether questions to DNS servers in clear text have letters in random case, which the answer
    /// has to repeat ("0x20"). What a server answers in another case is asked again over TCP.
    #[default(true)]
    pub case_randomization: bool,
    /// What is remembered of the names that were looked up, by each worker and for the lists.
    pub dns_cache: DnsCache,
    /// The addresses of hosts, for which no name server is asked: "wiki.example" is one host, and
    /// "*.corp.example" are those below a domain.
    #[serde(deserialize_with = "value::lists_by_name::<_, HostPattern, Address>")]
    #[schemars(
        with = "BTreeMap<String, Vec<Parsed<Address>>>",
        extend("examples" = [{"wiki.example": ["10.0.0.5"]}])
    )]
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// DNS servers to ask about a domain and the names below it, and no others about these. They
    /// are written as in `resolvers`.
    #[serde(deserialize_with = "value::lists_by_name::<_, Domain, NameServer>")]
    #[schemars(
        with = "BTreeMap<String, Vec<Parsed<NameServer>>>",
        extend("examples" = [{"corp.example": ["10.0.0.53"]}])
    )]
    pub name_servers: BTreeMap<String, Vec<NameServer>>,
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
    /// Where no client gets, and where no server of a list may redirect to, written in the same
    /// way. "*:25" is every host. Servers that the settings name are dialled all the same.
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

/// What is remembered of the names that were looked up, by each worker and for the lists.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct DnsCache {
    /// How many names. The one that was not asked for longest makes room for a new one.
    #[default(8192)]
    #[serde(with = "Parsed::<Names>")]
    pub entries: usize,
    /// Addresses are remembered for at least this time, however short their DNS server says.
    #[serde(with = "Parsed::<Ttl>")]
    pub min_ttl: Duration,
    /// Addresses are remembered for at most this time; "0s" remembers nothing. That a name does not
    /// exist, or that it has no address, is remembered for 60 s at most.
    #[default(Duration::from_hours(24))]
    #[serde(with = "Parsed::<Ttl>")]
    pub max_ttl: Duration,
}

impl Egress {
    /// The key of what makes no sense together, and what is wrong with it.
    pub(super) fn problem(&self) -> Option<(&'static [&'static str], &'static str)> {
        let split = self.name_servers.values().flatten();
        let mut servers = self.resolvers.iter().chain(split);
        if self.resolver_ca.is_some() && !servers.any(NameServer::is_encrypted) {
            return Some((
                &["egress", "resolver_ca"],
                "no DNS server is asked over TLS or HTTPS, so that all names would be asked for in clear text; write a server \
                 as in \"tls://9.9.9.9#dns.quad9.net\", or remove the line",
            ));
        }
        (self.dns_cache.min_ttl > self.dns_cache.max_ttl).then_some((
            &["egress", "dns_cache", "min_ttl"],
            "it is longer than max_ttl; make it shorter, or max_ttl longer",
        ))
    }
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
