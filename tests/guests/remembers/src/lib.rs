//! Counts how often it is asked, says so in its verdict, and lets the proxy use that again. It asks
//! who the client is where the host begins with `client.` or `personal.`, and for the exchange
//! where it begins with `exchange.`. A host passes that begins with `noted.`, of which it notes the
//! user, or with `kept.`, of which it notes the number of the question and asks nothing.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, feeds, filter, metrics, state};

#[derive(serde::Deserialize, Schema)]
struct Remembers {
    seconds: u64,
}

#[filter]
impl Filter for Remembers {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        metrics::count("asked", 1, &[]);
        let asked = state::increment("asked", 1, None)?;
        let listed = feeds::names().len();
        let mut verdict = Verdict::block(format!("question {asked} with {listed} feeds"));
        match exchange.host().as_str().split('.').next() {
            Some("client" | "personal") => drop(exchange.client().address()),
            Some("exchange") => drop(exchange.id().to_owned()),
            Some("noted") => {
                let user = exchange.client().user().unwrap_or_default();
                exchange.notes().set("user", user);
                verdict = Verdict::next();
            }
            Some("kept") => {
                exchange.notes().set("question", asked.to_string());
                verdict = Verdict::next();
            }
            _ => {}
        }
        Ok(verdict.keep(Duration::from_secs(self.seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn a_verdict_holds_where_the_facts_agree_that_were_asked_for() {
        let remembers: Remembers = testing::init(r#"{"seconds": 60}"#).unwrap();
        let asked = |host| {
            let exchange = testing::exchange(host);
            remembers.judge_host(&exchange).unwrap();
            exchange.asked()
        };
        assert_eq!(asked("a.example"), [""; 0]);
        assert_eq!(asked("client.example"), ["client.address"]);
        assert_eq!(asked("exchange.example"), ["exchange.id"]);
        assert_eq!(testing::metric("asked", &[]), Some(3.0));
    }
}
