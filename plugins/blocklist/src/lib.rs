//! The malicious-domain blocklist. The lists are the proxy's, as feeds; what a listed name means is
//! decided in `policy`. This file only connects the two.

mod policy;

use std::time::Duration;

use policy::{Config, Policy};
use portcullis_sdk::{Error, Exchange, Filter, Verdict, feeds, filter};

/// The answer depends on the host, the settings and the lists, and the proxy drops kept verdicts
/// when a list or the settings change. The time only bounds for how long a host that is not asked
/// for takes room.
const KEPT: Duration = Duration::from_secs(3600);

struct Blocklist(Policy);

#[filter]
impl Filter for Blocklist {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self(Policy::new(config, &feeds::names())?))
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let host = exchange.host();
        let find = |host: &str, feeds: Option<&[String]>| match feeds {
            None => Ok(feeds::find(host)),
            Some(feeds) => feeds::find_in(feeds, host),
        };
        let groups = || exchange.client().groups();
        Ok(self.0.judge(host, groups, find)?.keep(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    fn judge(config: &str, host: &str) -> Result<Verdict, Error> {
        testing::feed("malware", ["evil.example"]);
        let filter: Blocklist = testing::init(config)?;
        filter.judge_host(&testing::exchange(host))
    }

    #[test]
    fn without_configuration_every_feed_counts() {
        assert_eq!(
            judge("", "www.evil.example"),
            Ok(Verdict::block("evil.example is on the list malware").keep(KEPT))
        );
        assert_eq!(judge("", "good.example"), Ok(Verdict::next().keep(KEPT)));
    }

    #[test]
    fn the_cases_go_natively_as_they_go_in_the_proxy() {
        testing::cases::<Blocklist>("cases.toml");
    }

    #[test]
    fn a_misspelled_setting_is_refused_with_the_known_ones() {
        let error = judge(r#"{"subdomain": false}"#, "a.example").unwrap_err();
        assert_eq!(
            error.to_string(),
            "subdomain: unknown field `subdomain`, expected one of `feeds`, `groups`, `subdomains`, `allow`, `status`, `reason`"
        );
    }
}
