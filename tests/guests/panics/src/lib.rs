//! Panics where it is asked about a host that contains "panic", and has no opinion on others.

use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter};

struct Panics;

#[filter]
impl Filter for Panics {
    type Config = ();

    fn new(_: ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        assert!(
            !exchange.host().as_str().contains("panic"),
            "asked about {}",
            exchange.host()
        );
        Ok(Verdict::next())
    }
}
