//! Judges by settings alone, so that its answers tell what `init` was given.

use std::collections::BTreeMap;

use portcullis_sdk::{Domains, Error, Exchange, Filter, Host, Schema, Verdict, filter};
use serde::Deserialize;

/// Hosts stand in a list, for themselves, in tables of a list, and as keys.
#[derive(Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Each stands for itself and all names below it.
    domains: Domains,
    /// Where clients are sent that want one of the domains.
    portal: Option<Host>,
    /// Answers in place of these hosts.
    pages: Vec<Page>,
    /// Why these hosts are blocked, in place of being sent to the portal.
    reasons: BTreeMap<Host, String>,
    /// What is named as the rule: any text.
    rule: String,
}

#[derive(Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Page {
    host: Host,
    body: String,
}

struct Kept(Config);

#[filter]
impl Filter for Kept {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        match &config.portal {
            Some(portal) if config.domains.covers(portal) => {
                Err(Error::new("it is one of the domains").at("portal"))
            }
            _ => Ok(Self(config)),
        }
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let Self(config) = self;
        let host = exchange.host();
        if let Some(page) = config.pages.iter().find(|page| page.host == *host) {
            return Ok(Verdict::replace("text/plain", &*page.body));
        }
        let Some(domain) = config.domains.most_specific(host) else {
            return Ok(Verdict::next());
        };
        let verdict = match (config.reasons.get(host), &config.portal) {
            (Some(reason), _) => Verdict::block(&**reason),
            (None, Some(portal)) => {
                Verdict::redirect(["http://", portal.as_str(), "/?", domain].concat())
            }
            (None, None) => Verdict::block(["closed: ", domain].concat()),
        };
        Ok(verdict.matched(&*config.rule))
    }
}
