//! Lets each host have a number of requests and blocks those that follow, whichever instance counts
//! them.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, filter, state};

#[derive(serde::Deserialize, Schema)]
struct Counter {
    limit: i64,
    /// Milliseconds from a host's first request until its count begins anew; never if there are
    /// none.
    window_ms: Option<u64>,
}

#[filter]
impl Filter for Counter {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let window = self.window_ms.map(Duration::from_millis);
        let count = state::increment(exchange.host(), 1, window)?;
        Ok(if count > self.limit {
            Verdict::block(format!("request {count} of {}", self.limit))
        } else {
            Verdict::next()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn the_cases_go_natively_as_they_go_in_the_proxy() {
        testing::cases::<Counter>("cases.toml");
    }

    #[test]
    fn each_host_has_a_count_of_its_own_until_its_window_ends() {
        let counter: Counter = testing::init(r#"{"limit": 1, "window_ms": 1000}"#).unwrap();
        let judge = |host| counter.judge_host(&testing::exchange(host));
        for _ in 0..2 {
            assert_eq!(judge("a.example"), Ok(Verdict::next()));
            assert_eq!(judge("b.example"), Ok(Verdict::next()));
            assert_eq!(judge("a.example"), Ok(Verdict::block("request 2 of 1")));
            testing::advance(Duration::from_secs(1));
        }
    }
}
