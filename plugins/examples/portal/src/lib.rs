//! Sends clients to a portal until they have been there, once a day. Only plain requests can be
//! sent elsewhere: a tunnel is refused until then.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Host, Schema, Verdict, filter, state};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Portal {
    /// The portal's host.
    portal: Host,
}

#[filter]
impl Filter for Portal {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        // Without a client it is a question such as that of `portcullis explain`.
        let Some(client) = exchange
            .client()
            .address()
            .map(|address| address.to_string())
        else {
            return Ok(Verdict::next());
        };
        if *exchange.host() == self.portal {
            state::set(client, "has been there", Some(DAY))?;
            return Ok(Verdict::next());
        }
        Ok(match state::get(client)? {
            Some(_) => Verdict::next(),
            None => Verdict::redirect(format!("http://{}/", self.portal)),
        })
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<Portal>("cases.toml");
}
