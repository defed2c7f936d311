//! The settings of tunnels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use super::value::{Parsed, Word, Words};

/// What is looked at in tunnels. The name in a client's TLS handshake (SNI), or in the Host field
/// of its first request if it speaks plain HTTP, may be another than the host that it has asked the
/// proxy for.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Tunnel {
    /// What happens to a tunnel whose client names a server that the filters refuse, or sends a
    /// handshake or a request that cannot be read.
    #[serde(with = "Parsed::<Word<SniCheck>>")]
    pub sni: SniCheck,
    /// What happens when the client names another server than the host that it has asked for.
    #[serde(with = "Parsed::<Word<SniMismatch>>")]
    pub mismatch: SniMismatch,
}

/// What becomes of a tunnel whose client names a server that it may not reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SniCheck {
    /// It is closed before the origin gets a byte of the client.
    #[default]
    Enforce,
    /// It goes on. Its access line has the name, and the verdict if the filters were asked.
    Log,
    /// Nothing is looked at.
    Off,
}

impl Words for SniCheck {
    const EXPECTED: &'static str =
        r#"what the server's name in a tunnel leads to: "enforce", "log" or "off""#;
}

/// What becomes of a tunnel whose client names another server than it has asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SniMismatch {
    /// The filters judge the other name, too.
    #[default]
    Judge,
    /// It is refused, whatever the filters say. A client that has asked for an address may name any
    /// server, which the filters judge.
    Refuse,
}

impl Words for SniMismatch {
    const EXPECTED: &'static str = r#"what another name in a tunnel leads to: "judge" or "refuse""#;
}
