//! What the blocklist does about a name that a feed lists. Pure: it is handed the proxy's answers
//! and asks for nothing itself.

use portcullis_sdk::{Domains, Error, Host, Reason, Verdict};

/// The operator's settings, all optional.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The names of the feeds that count; all by default.
    feeds: Option<Vec<String>>,
    /// Whether a listed name covers the names below it.
    subdomains: bool,
    /// Domains that are excepted, with every name below them.
    allow: Domains,
    /// The status of a refusal, 400 to 599.
    status: u16,
    /// What the client is told; `{host}`, `{feed}` and `{rule}` are filled in.
    reason: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            feeds: None,
            subdomains: true,
            allow: Domains::default(),
            status: 403,
            reason: "{rule} is on the list {feed}".into(),
        }
    }
}

/// The settings, checked.
pub(crate) struct Policy {
    feeds: Vec<String>,
    subdomains: bool,
    allow: Domains,
    status: u16,
    reason: Reason<3>,
}

impl Policy {
    /// Checks the settings against the feeds that the proxy has.
    pub(crate) fn new(config: Config, known: Vec<String>) -> Result<Self, Error> {
        if !(400..=599).contains(&config.status) {
            return Err(Error::new(format_args!(
                "status: {} does not refuse anything; choose one from 400 to 599",
                config.status
            )));
        }
        Ok(Self {
            feeds: choose(config.feeds, known)?,
            subdomains: config.subdomains,
            allow: config.allow,
            status: config.status,
            reason: Reason::parse(&config.reason, ["host", "feed", "rule"])
                .map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what the first feed that covers the host lists. `lookup` gives the most specific
    /// entry of a feed that covers it.
    pub(crate) fn judge(
        &self,
        host: &Host,
        lookup: impl Fn(&str) -> Result<Option<String>, Error>,
    ) -> Result<Verdict, Error> {
        for feed in &self.feeds {
            if let Some(rule) = lookup(feed)?
                && (self.subdomains || *host == *rule)
            {
                return Ok(self.verdict(host, feed, &rule));
            }
        }
        Ok(Verdict::NEXT)
    }

    /// An exception is not an approval: other filters still have their say.
    fn verdict(&self, host: &Host, feed: &str, rule: &str) -> Verdict {
        if self.allow.covers(host) {
            return Verdict::NEXT;
        }
        Verdict::block(self.reason.fill([host.as_str(), feed, rule])).with_status(self.status)
    }
}

fn choose(wanted: Option<Vec<String>>, known: Vec<String>) -> Result<Vec<String>, Error> {
    let Some(wanted) = wanted else {
        return Ok(known);
    };
    match wanted.iter().find(|feed| !known.contains(feed)) {
        Some(feed) => Err(Error::new(format_args!(
            "feeds: the proxy has no feed {feed}, only {}",
            known.join(", ")
        ))),
        None => Ok(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        change(&mut config);
        config
    }

    fn domains(domain: &str) -> Domains {
        Domains::from_iter([domain.parse().unwrap()])
    }

    fn policy(config: Config) -> Result<Policy, Error> {
        Policy::new(config, vec!["ads".into(), "malware".into()])
    }

    /// The verdict where the feed `malware` lists `listed` and `ads` lists nothing.
    fn judge(config: Config, host: &str, listed: &[&str]) -> Verdict {
        let host = Host::new(host);
        let lookup = |feed: &str| {
            let rule = host.ancestors().find(|name| listed.contains(name));
            Ok(rule.filter(|_| feed == "malware").map(String::from))
        };
        policy(config).unwrap().judge(&host, lookup).unwrap()
    }

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        policy(config(change)).err().unwrap().to_string()
    }

    #[test]
    fn a_listed_name_and_every_name_below_it_are_blocked() {
        let block = Verdict::block("b.example is on the list malware");
        for (host, verdict) in [
            ("b.example", &block),
            ("a.b.example", &block),
            ("xb.example", &Verdict::NEXT),
            ("example", &Verdict::NEXT),
        ] {
            assert_eq!(
                judge(Config::default(), host, &["b.example"]),
                *verdict,
                "{host}"
            );
        }
    }

    #[test]
    fn without_subdomains_only_the_listed_name_is_blocked() {
        let exact = || config(|config| config.subdomains = false);
        assert_eq!(
            judge(exact(), "b.example", &["b.example"]),
            Verdict::block("b.example is on the list malware")
        );
        assert_eq!(judge(exact(), "a.b.example", &["b.example"]), Verdict::NEXT);
    }

    #[test]
    fn an_exception_passes_whatever_is_listed_around_it() {
        for (allowed, host, listed) in [
            ("a.b.c", "a.b.c", "b.c"),
            ("a.b.c", "a.b.c", "a.b.c"),
            ("a.b.c", "x.a.b.c", "b.c"),
            ("a.b.c", "x.a.b.c", "x.a.b.c"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ] {
            let excepting = config(|config| config.allow = domains(allowed));
            assert_eq!(judge(excepting, host, &[listed]), Verdict::NEXT, "{host}");
        }
    }

    #[test]
    fn an_exception_excepts_nothing_beside_it() {
        for host in ["b.c", "xa.b.c", "z.b.c"] {
            let excepting = config(|config| config.allow = domains("a.b.c"));
            let blocked = Verdict::block("b.c is on the list malware");
            assert_eq!(judge(excepting, host, &["b.c"]), blocked, "{host}");
        }
    }

    #[test]
    fn only_the_chosen_feeds_count() {
        let chosen = |feed: &str| config(|config| config.feeds = Some(vec![feed.into()]));
        assert_eq!(judge(chosen("ads"), "b.c", &["b.c"]), Verdict::NEXT);
        assert_ne!(judge(chosen("malware"), "b.c", &["b.c"]), Verdict::NEXT);
    }

    #[test]
    fn a_failed_lookup_is_an_error_and_not_a_pass() {
        let policy = policy(Config::default()).unwrap();
        let judged = policy.judge(&Host::new("b.c"), |_| Err(Error::new("gone")));
        assert_eq!(judged, Err(Error::new("gone")));
    }

    #[test]
    fn status_and_reason_are_the_operators() {
        let own = config(|config| {
            config.status = 451;
            config.reason = "{host}: {rule} in {feed}".into();
        });
        assert_eq!(
            judge(own, "a.b.c", &["b.c"]),
            Verdict::block("a.b.c: b.c in malware").with_status(451)
        );
    }

    #[test]
    fn a_setting_that_cannot_work_is_refused_with_a_hint() {
        assert_eq!(
            refusal(|config| config.feeds = Some(vec!["malwre".into()])),
            "feeds: the proxy has no feed malwre, only ads, malware"
        );
        assert_eq!(
            refusal(|config| config.status = 200),
            "status: 200 does not refuse anything; choose one from 400 to 599"
        );
        assert!(refusal(|config| config.reason = "{hots}".into()).starts_with("reason: "));
    }
}
