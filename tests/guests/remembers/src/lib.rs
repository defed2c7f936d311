//! Counts how often it is asked, says so in its verdict, and lets the proxy use that again: for the
//! host, or for the client where the host begins with `client.`. Where it begins with `personal.`
//! it asks who the client is, and forgets that the verdict is not for others.

use std::time::Duration;

use portcullis_sdk::{Error, Filter, Flow, Schema, Scope, Verdict, feeds, filter, metrics, state};

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

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        metrics::count("asked", 1);
        let asked = state::increment("asked", 1, None)?;
        let listed = feeds::names().len();
        if flow.host().as_str().starts_with("personal.") {
            let _ = flow.client().address();
        }
        let scope = if flow.host().as_str().starts_with("client.") {
            Scope::ClientAndHost
        } else {
            Scope::Host
        };
        let verdict = Verdict::block(format!("question {asked} with {listed} feeds"));
        Ok(verdict.cache_for(scope, Duration::from_secs(self.seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::{Protocol, testing};

    #[test]
    fn a_verdict_says_for_whom_it_holds() {
        let remembers: Remembers = testing::init(r#"{"seconds": 60}"#).unwrap();
        let judge = |host| {
            let flow = Flow::new(host, 443, Protocol::Connect);
            remembers.judge_host(&flow).unwrap().cached()
        };
        let minute = Duration::from_secs(60);
        assert_eq!(judge("a.example"), Some((Scope::Host, minute)));
        assert_eq!(
            judge("client.example"),
            Some((Scope::ClientAndHost, minute))
        );
        assert_eq!(testing::metric("asked"), Some(2.0));
    }
}
