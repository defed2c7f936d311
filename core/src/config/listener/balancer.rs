//! Whom a listener believes who its clients are.

use std::fmt;

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde_json::Value;

use super::super::value::{FromText, Network, each, write_each};

/// What stands for everything that may connect to a Unix socket.
const UNIX: &str = "unix";

/// Load balancers that a listener believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Balancer {
    /// Every address in this network.
    Network(IpNet),
    /// Every program that may connect to the Unix socket.
    Unix,
}

impl From<IpNet> for Balancer {
    fn from(network: IpNet) -> Self {
        Self::Network(network)
    }
}

impl fmt::Display for Balancer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Unix => f.write_str("whatever connects to the socket"),
        }
    }
}

impl FromText for Balancer {
    type Value = Self;

    const EXPECTED: &'static str =
        r#"an address or a network, such as "192.168.1.20" or "2001:db8::/32", or "unix""#;

    fn parse(text: &str) -> Option<Self> {
        if text == UNIX {
            return Some(Self::Unix);
        }
        Network::parse(text).map(Self::Network)
    }

    fn write(balancer: &Self) -> Value {
        match balancer {
            Self::Network(network) => Network::write(network),
            Self::Unix => UNIX.into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        Network::problem(text)
    }
}

/// At least one: a listener that believes nothing serves nothing.
pub(super) fn some_balancers<'de, D>(value: D) -> Result<Option<Vec<Balancer>>, D::Error>
where
    D: Deserializer<'de>,
{
    let balancers = each::<_, Balancer>(value)?;
    if balancers.is_empty() {
        let expected =
            "at least one address or network of load balancers, such as \"192.168.1.20\"";
        return Err(D::Error::invalid_length(0, &expected));
    }
    Ok(Some(balancers))
}

pub(super) fn write_balancers<S: Serializer>(
    balancers: &Option<Vec<Balancer>>,
    out: S,
) -> Result<S::Ok, S::Error> {
    write_each::<_, Balancer>(balancers.as_deref().unwrap_or_default(), out)
}
