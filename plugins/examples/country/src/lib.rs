//! Serves clients from some countries alone. The networks of a country are a feed, so that the
//! proxy fetches them, keeps them on disk and replaces them while it runs.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, feeds, filter};

/// The proxy drops kept verdicts when a feed changes.
const KEPT: Duration = Duration::from_secs(3600);

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Country {
    /// The names of the feeds whose networks are served.
    served: Vec<String>,
}

#[filter]
impl Filter for Country {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        // Without a client it is a question such as that of `portcullis explain`.
        let Some(client) = exchange.client().address() else {
            return Ok(Verdict::next());
        };
        let verdict = match feeds::find_in(&self.served, client.to_string())? {
            Some(network) if network.is_listed() => Verdict::next(),
            _ => Verdict::block("clients from your country are not served here"),
        };
        Ok(verdict.keep(KEPT))
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<Country>("cases.toml");
}
