//! Where clients are.

use std::net::IpAddr;

use ipnet::IpNet;
use portcullis_sdk::Error;

/// All addresses that begin alike.
#[derive(Debug, PartialEq, Eq, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(try_from = "String")]
pub(crate) struct Network(IpNet);

impl Network {
    /// Whether the address lies in it. An IPv4 address that is written as an IPv6 one counts as
    /// what it is.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let network: IpNet = text.parse().map_err(|_| {
            Error::new(format_args!(
                "`{text}` is neither a network such as 10.0.0.0/8 nor an address"
            ))
        })?;
        match network.trunc() {
            whole if whole == network => Ok(Self(network)),
            // A slip of the pen may let in many more than are meant.
            whole => Err(Error::new(format_args!(
                "{network} begins within a network; that is {whole}, and the address alone is {}",
                network.addr()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (written, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("::ffff:10.0.0.7", "10.0.0.7", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("fd00::/8", "fd12::1", true),
        ] {
            let found = network(written).contains(address.parse().unwrap());
            assert_eq!(found, expected, "{address} in {written}");
        }
    }

    #[test]
    fn an_address_with_a_prefix_that_does_not_reach_it_is_refused() {
        let refusal = |text: &str| Network::try_from(text.to_owned()).unwrap_err().to_string();
        assert_eq!(
            refusal("10.0.0.7/8"),
            "10.0.0.7/8 begins within a network; that is 10.0.0.0/8, and the address alone is 10.0.0.7"
        );
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "localhost", ""] {
            assert!(refusal(text).contains("neither a network"), "{text}");
        }
    }
}
