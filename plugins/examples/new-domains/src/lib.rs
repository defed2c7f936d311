//! Refuses domains that were seen for the first time a short while ago: many that are used for
//! harm live no longer. What it sees in its first days it takes for known; the proxy forgets what
//! filters remember when it ends, and these days begin again.

use std::time::{Duration, SystemTime};

use portcullis_sdk::{Error, Exchange, Filter, Schema, TimeSpan, Verdict, clock, filter, state};

/// What was not asked for in this time is new again, so that the memory does not fill.
const KNOWN: Option<Duration> = Some(Duration::from_secs(90 * 24 * 3600));

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct NewDomains {
    /// For how long a domain is new.
    age: TimeSpan,
    /// For how long it learns which domains are known.
    learn: TimeSpan,
}

/// When it was asked for the first time, in seconds since 1970.
fn first_seen(what: &str, now: u64) -> Result<u64, Error> {
    let first = state::text(what)?.map_or(Ok(now), |first| first.parse())?;
    state::set(what, first.to_string(), KNOWN)?;
    Ok(first)
}

#[filter]
impl Filter for NewDomains {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let Some(domain) = exchange.host().registrable_domain() else {
            return Ok(Verdict::next());
        };
        let now = clock::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs();
        let learned = first_seen("anything", now)? + self.learn.as_secs();
        let first = first_seen(&domain, now)?;
        let rest = (first + self.age.as_secs()).saturating_sub(now);
        Ok(match first < learned || rest == 0 {
            true => Verdict::next(),
            false => Verdict::block(format!("{domain} is new here"))
                .retry_after(Duration::from_secs(rest)),
        })
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<NewDomains>("cases.toml");
}
