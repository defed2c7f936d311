//! Bounds the bytes of each client in an hour, which begins with its first exchange. An exchange
//! counts when it has ended, so a long one may go beyond.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Outcome, Schema, Verdict, filter, state};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Quota {
    /// In both directions together.
    bytes: i64,
}

/// Adds bytes to those of the client, none if it is not known.
fn add(bytes: i64, exchange: &Exchange) -> Result<i64, Error> {
    let Some(client) = exchange.client().address() else {
        return Ok(0);
    };
    Ok(state::increment(client.to_string(), bytes, Some(HOUR))?)
}

#[filter]
impl Filter for Quota {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        Ok(match add(0, exchange)? < self.bytes {
            true => Verdict::next(),
            false => Verdict::block("your bytes of this hour are used up")
                .status(429)
                .retry_after(HOUR),
        })
    }

    fn exchange_ended(&self, exchange: &Exchange, outcome: &Outcome) -> Result<(), Error> {
        let bytes = outcome
            .bytes_from_client()
            .saturating_add(outcome.bytes_to_client());
        add(bytes.try_into().unwrap_or(i64::MAX), exchange)?;
        Ok(())
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<Quota>("cases.toml");
}
