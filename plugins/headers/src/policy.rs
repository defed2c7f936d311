//! Which fields go, which come, and what a referrer may tell. Pure: it is handed the fields' names
//! and values, and changes nothing itself.

mod edits;
mod referrer;

use portcullis_sdk::{Domains, Error, HeaderValue, Host};

use edits::Edits;
pub(crate) use referrer::Trimmed;
use referrer::Trimming;

/// The operator's settings.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The rules for a host are carried out one after the other.
    rules: Vec<Rule>,
}

/// What is done to the messages of some hosts, as far as the proxy sees them: not inside of
/// tunnels.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rule {
    /// Domains with every name below them, addresses, or `*` for everything.
    hosts: Domains,
    /// For requests to them.
    pub(crate) request: Edits,
    /// For their responses.
    pub(crate) response: Edits,
    /// What they may learn of the page that led to them, if it is of another site.
    referrer: Option<Trimming>,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            hosts: Domains::all(),
            request: Edits::default(),
            response: Edits::default(),
            referrer: None,
        }
    }
}

impl Rule {
    /// What becomes of a referrer on its way to the URL, which has that host.
    pub(crate) fn trim(&self, full: &HeaderValue, host: &Host, url: &str) -> Trimmed {
        let trim = |trimming: Trimming| trimming.trim(&full.text(), host, url);
        self.referrer.map_or(Trimmed::Not, trim)
    }

    fn check(&self, place: &str) -> Result<(), Error> {
        if self.hosts.is_empty() {
            let error = Error::new(
                "it is empty, so the rule does nothing; fill it, or remove it to mean all hosts",
            );
            return Err(error.at(format_args!("{place}.hosts")));
        }
        if self.request.is_empty() && self.response.is_empty() && self.referrer.is_none() {
            let error = "it changes nothing; give it a `request`, a `response` or a `referrer`";
            return Err(Error::new(error).at(place));
        }
        self.request.check(&format!("{place}.request"))?;
        self.response.check(&format!("{place}.response"))
    }
}

/// The settings, checked.
pub(crate) struct Policy(Vec<Rule>);

impl Policy {
    /// Checks the settings.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.rules.is_empty() {
            let error = "there is none; add one such as { request.remove = [\"X-Client-Data\"] }";
            return Err(Error::new(error).at("rules"));
        }
        for (at, rule) in config.rules.iter().enumerate() {
            rule.check(&format!("rules[{at}]"))?;
        }
        Ok(Self(config.rules))
    }

    /// The rules for a host, in order.
    pub(crate) fn rules_for(&self, host: &Host) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(|rule| rule.hosts.covers(host))
    }
}
