//! Blocks the domains that its settings list.

use portcullis_sdk::{Domains, Error, Exchange, Filter, Schema, Verdict, filter};
use serde::Deserialize;

/// The `[config]` of the .toml file beside the filter. What does not fit, the operator reads with
/// the name of the setting.
#[derive(Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Each stands for itself and all names below it.
    domains: Domains,
}

/// The proxy makes many of these, each from the same settings. What must be remembered from one
/// exchange to the next belongs into `portcullis_sdk::state`.
struct Guard {
    config: Config,
}

/// The proxy calls the hooks that are written here; there are also `judge_request`,
/// `judge_response`, `exchange_ended` and `tick`.
#[filter]
impl Filter for Guard {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self { config })
    }

    /// Asked about the host of every exchange, before it is resolved.
    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        Ok(match self.config.domains.most_specific(exchange.host()) {
            Some(domain) => Verdict::block(format!("{domain} is blocked here")),
            None => Verdict::next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing;

    use super::*;

    fn verdict(config: &str, host: &str) -> Result<Verdict, Error> {
        let filter: Guard = testing::init(config)?;
        filter.judge_host(&testing::exchange(host))
    }

    #[test]
    fn a_listed_domain_is_blocked_with_all_names_below_it() {
        let block = Verdict::block("blocked.example is blocked here");
        for host in ["blocked.example", "www.blocked.example"] {
            let verdict = verdict(r#"{"domains": ["blocked.example"]}"#, host);
            assert_eq!(verdict, Ok(block.clone()), "{host}");
        }
    }

    #[test]
    fn other_hosts_pass() {
        for host in ["example", "notblocked.example", "192.0.2.1"] {
            let verdict = verdict(r#"{"domains": ["blocked.example"]}"#, host);
            assert_eq!(verdict, Ok(Verdict::next()), "{host}");
        }
    }

    #[test]
    fn a_misspelt_setting_is_refused_by_its_name() {
        let refusal = verdict(r#"{"domain": []}"#, "example").unwrap_err();
        assert!(refusal.to_string().contains("`domain`"), "{refusal}");
    }

    #[test]
    fn all_cases_go_as_expected() {
        testing::cases::<Guard>("cases.toml");
    }
}
