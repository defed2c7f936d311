//! Remembers a lot of every host it is asked about, and fails when there is no more room. It knows
//! the SDK by another name.

use sdk::{Error, Exchange, Filter, Schema, Verdict, filter, state};

#[derive(serde::Deserialize, Schema)]
#[schema(crate = "sdk")]
struct Hoarder {
    /// For each host.
    bytes: usize,
}

#[filter(crate = "sdk")]
impl Filter for Hoarder {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        state::set(exchange.host(), vec![0; self.bytes], None)?;
        Ok(Verdict::next())
    }
}
