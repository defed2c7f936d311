//! What the blocklist does about a name that a feed lists. Pure: it is handed the proxy's answers
//! and asks for nothing itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use portcullis_sdk::feeds::{self, Match};
use portcullis_sdk::{Domains, Error, Group, Host, Template, Verdict};

/// The operator's settings, all optional.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The names of the feeds that count for all clients; by default all but those that stand in
    /// `groups`.
    feeds: Option<Vec<String>>,
    /// The names of the feeds that count for the clients of a group besides.
    groups: BTreeMap<Group, Vec<String>>,
    /// Whether a listed name covers the names below it, and a network its addresses.
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
            groups: BTreeMap::new(),
            subdomains: true,
            allow: Domains::default(),
            status: 403,
            reason: "{rule} is on the list {feed}".into(),
        }
    }
}

/// The settings, checked.
pub(crate) struct Policy {
    /// The feeds that count for all clients; none for all feeds that there are.
    chosen: Option<Vec<String>>,
    groups: BTreeMap<Group, Vec<String>>,
    /// Only exact names count.
    is_exact: bool,
    allow: Domains,
    status: u16,
    reason: Template,
}

impl Policy {
    /// Checks the settings against the feeds that the proxy has.
    pub(crate) fn new(config: Config, known: &[String]) -> Result<Self, Error> {
        if !(400..=599).contains(&config.status) {
            return Err(Error::new(format_args!(
                "status: {} does not refuse anything; choose one from 400 to 599",
                config.status
            )));
        }
        let for_all = config.feeds.as_deref().unwrap_or_default();
        check(for_all, known).map_err(|error| error.at("feeds"))?;
        for (group, feeds) in &config.groups {
            let setting = format_args!("groups.{group}");
            check(feeds, known).map_err(|error| error.at(setting))?;
        }
        let of_groups: Vec<_> = config.groups.values().flatten().collect();
        let is_for_all = |feed: &&String| !of_groups.contains(feed);
        let for_all = || known.iter().filter(is_for_all).cloned().collect();
        let needs_names = !config.groups.is_empty() || !config.subdomains;
        Ok(Self {
            chosen: config.feeds.or_else(|| needs_names.then(for_all)),
            groups: config.groups,
            is_exact: !config.subdomains,
            allow: config.allow,
            status: config.status,
            reason: Template::parse(&config.reason, &["host", "feed", "rule"])
                .map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what is listed for a client in `groups`, which are asked for only where they matter.
    /// `find` looks a host up in some feeds, or in all of them.
    pub(crate) fn judge<'g>(
        &self,
        host: &Host,
        groups: impl FnOnce() -> &'g [String],
        find: impl Fn(&str, Option<&[String]>) -> Result<Option<Match>, feeds::Error>,
    ) -> Result<Verdict, feeds::Error> {
        // An exception is not an approval: other filters still have their say.
        if self.allow.covers(host) {
            return Ok(Verdict::next());
        }
        let feeds = self.feeds(groups);
        let found = find(host.as_str(), feeds.as_deref())?;
        // A feed that allows the host does so for all others.
        let is_listed = found.as_ref().is_some_and(Match::is_listed);
        if !self.is_exact || !is_listed {
            return Ok(self.verdict(host, found));
        }
        // The first feed that has the host in any way is not always the one that has it exactly.
        for feed in feeds.as_deref().unwrap_or_default().chunks(1) {
            let find = |host: &str| find(host, Some(feed));
            let Some(found) = find(host.as_str())? else {
                continue;
            };
            if names_itself(&found, host, find)? {
                // The proxy takes the entry that was found last for the one that has decided.
                let verdict = self.verdict(host, find(host.as_str())?);
                if verdict != Verdict::next() {
                    return Ok(verdict);
                }
            }
        }
        Ok(Verdict::next())
    }

    /// The feeds that count for a client in `groups`; none for all that there are.
    fn feeds<'g>(&self, groups: impl FnOnce() -> &'g [String]) -> Option<Cow<'_, [String]>> {
        let for_all = self.chosen.as_deref()?;
        let mut feeds = Cow::Borrowed(for_all);
        if !self.groups.is_empty() {
            let of_groups = groups()
                .iter()
                .filter_map(|group| self.groups.get(group.as_str()));
            for feed in of_groups.flatten() {
                if !feeds.contains(feed) {
                    feeds.to_mut().push(feed.clone());
                }
            }
        }
        Some(feeds)
    }

    fn verdict(&self, host: &Host, found: Option<Match>) -> Verdict {
        let Some(Match { feed, rule, .. }) = found.filter(Match::is_listed) else {
            return Verdict::next();
        };
        let values = [("host", host.as_str()), ("feed", &feed), ("rule", &rule)];
        Verdict::block(self.reason.render(values)).status(self.status)
    }
}

/// A label that no list has.
const BESIDE: &str = "_beside_portcullis_";

/// Whether the entry that covers a host names the host itself, in whatever format and script.
///
/// One that names a domain above it covers the names beside it, too. One that names the host covers
/// none of them.
fn names_itself(
    found: &Match,
    host: &Host,
    find: impl Fn(&str) -> Result<Option<Match>, feeds::Error>,
) -> Result<bool, feeds::Error> {
    if let Some(address) = host.ip() {
        return Ok(names_address(&found.rule, address));
    }
    let Some(domain) = host.suffixes().nth(1) else {
        return Ok(true);
    };
    let beside = find(&format!("{BESIDE}.{domain}"))?;
    Ok(beside.as_ref() != Some(found))
}

/// Whether an entry names an address, and not a network that has it. In an entry that is a URL, the
/// host is looked at.
fn names_address(rule: &str, address: IpAddr) -> bool {
    let entry = match rule.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest),
        None => rule,
    };
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/');
    let mut words = entry
        .split(|c| !is_part(c))
        .map(|word| word.trim_matches('/'));
    words.any(|word| {
        let with_port = || word.parse().map(|socket: SocketAddr| socket.ip());
        let named = word.parse::<IpAddr>().or_else(|_| with_port());
        named.is_ok_and(|named| named.to_canonical() == address)
    })
}

/// Whether the proxy has all the feeds that are wanted.
fn check(wanted: &[String], known: &[String]) -> Result<(), Error> {
    match wanted.iter().find(|feed| !known.contains(feed)) {
        Some(feed) => Err(Error::new(format_args!(
            "the proxy has no feed {feed}, only {}",
            known.join(", ")
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        change(&mut config);
        config
    }

    fn domains(domain: &str) -> Domains {
        Domains::from_iter([domain.parse().unwrap()])
    }

    fn policy(config: Config) -> Result<Policy, Error> {
        Policy::new(config, &["ads".into(), "malware".into()])
    }

    /// The verdict where the feed `malware` lists `listed` and `ads` lists `everything.example`.
    fn judge(config: Config, host: &str, listed: &[&str]) -> Verdict {
        testing::feed("malware", listed);
        testing::feed("ads", ["everything.example"]);
        let host: Host = host.parse().unwrap();
        judge_for(&[], config, &host)
    }

    fn judge_for(groups: &[String], config: Config, host: &Host) -> Verdict {
        let find = |host: &str, names: Option<&[String]>| match names {
            None => Ok(feeds::find(host)),
            Some(names) => feeds::find_in(names, host),
        };
        policy(config)
            .unwrap()
            .judge(host, || groups, find)
            .unwrap()
    }

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        policy(config(change)).err().unwrap().to_string()
    }

    #[test]
    fn a_listed_name_and_every_name_below_it_are_blocked() {
        let block = Verdict::block("b.example is on the list malware");
        let ads = Verdict::block("everything.example is on the list ads");
        for (host, verdict) in [
            ("b.example", &block),
            ("a.b.example", &block),
            ("xb.example", &Verdict::next()),
            ("example", &Verdict::next()),
            ("www.everything.example", &ads),
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
        assert_eq!(
            judge(exact(), "a.b.example", &["b.example"]),
            Verdict::next()
        );
        assert_eq!(judge(exact(), "10.0.0.1", &["10.0.0.0/8"]), Verdict::next());
        // The feed that covers it does not hide the one that names it.
        let host = "a.everything.example";
        assert_ne!(judge(exact(), host, &[host]), Verdict::next());
    }

    #[test]
    fn an_entry_names_an_address_in_any_format() {
        let addresses = ["192.0.2.7", "2001:db8::7"].map(|text| text.parse().unwrap());
        for rule in [
            "192.0.2.7",
            "0.0.0.0 192.0.2.7",
            "||192.0.2.7^$important",
            "192.0.2.7:443",
            "http://a:b@192.0.2.7:8080/x",
            "server=/192.0.2.7/",
            "local-zone: \"192.0.2.7\" refuse",
            "2001:DB8:0::7",
            "||[2001:db8::7]^",
            "https://[2001:db8::7]:1/",
        ] {
            assert!(
                addresses.iter().any(|at| names_address(rule, *at)),
                "{rule}"
            );
        }
        for rule in [
            "192.0.2.7/24",
            "||2001:db8::7/64^",
            "192.0.2.70",
            "http://a/192.0.2.7",
        ] {
            assert!(
                !addresses.iter().any(|at| names_address(rule, *at)),
                "{rule}"
            );
        }
    }

    #[test]
    fn the_entry_that_decides_is_found_last() {
        testing::feed("malware", ["b.example", "a.b.example"]);
        testing::feed("ads", ["ads.example"]);
        let host: Host = "a.b.example".parse().unwrap();
        let found = std::cell::RefCell::new(None);
        let find = |host: &str, feeds: Option<&[String]>| {
            let entry = feeds::find_in(feeds.unwrap_or_default(), host)?;
            found.replace(entry.clone());
            Ok(entry)
        };
        let exact = config(|config| config.subdomains = false);
        let verdict = policy(exact).unwrap().judge(&host, || &[], find).unwrap();
        assert_ne!(verdict, Verdict::next());
        let found = found.take().map(|found| found.rule);
        assert_eq!(found.as_deref(), Some("a.b.example"));
    }

    #[test]
    fn what_a_list_excepts_passes() {
        let listed = ["b.c", "@@a.b.c"];
        assert_eq!(judge(Config::default(), "a.b.c", &listed), Verdict::next());
        assert_ne!(judge(Config::default(), "b.c", &listed), Verdict::next());
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
            assert_eq!(judge(excepting, host, &[listed]), Verdict::next(), "{host}");
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
        assert_eq!(judge(chosen("ads"), "b.c", &["b.c"]), Verdict::next());
        assert_ne!(judge(chosen("malware"), "b.c", &["b.c"]), Verdict::next());
    }

    #[test]
    fn a_feed_of_a_group_counts_for_its_clients_besides_those_for_all() {
        testing::feed("malware", ["evil.example"]);
        testing::feed("ads", ["ads.example"]);
        let [evil, ads] = ["evil.example", "ads.example"].map(|host| host.parse().unwrap());
        let [children, others] = ["children", "others"].map(|group| [group.to_owned()]);
        for subdomains in [true, false] {
            let grouped = || {
                config(|config| {
                    config.subdomains = subdomains;
                    let feeds = vec!["ads".to_owned()];
                    config.groups.insert("children".into(), feeds);
                })
            };
            for (groups, host, is_blocked) in [
                (&children[..], &evil, true),
                (&children, &ads, true),
                (&others, &evil, true),
                (&others, &ads, false),
                (&[], &ads, false),
            ] {
                let verdict = judge_for(groups, grouped(), host);
                assert_eq!(verdict != Verdict::next(), is_blocked, "{groups:?} {host}");
            }
        }
        let for_all = config(|config| {
            config.feeds = Some(vec!["ads".into()]);
            config.groups.insert("children".into(), vec!["ads".into()]);
        });
        assert_ne!(judge_for(&others, for_all, &ads), Verdict::next());
    }

    #[test]
    fn groups_are_asked_for_only_where_they_matter() {
        testing::feed("malware", ["evil.example"]);
        let policy = policy(Config::default()).unwrap();
        let groups = || unreachable!("no feed is for a group");
        let judged = policy.judge(&"evil.example".parse().unwrap(), groups, |_, _| Ok(None));
        assert_eq!(judged, Ok(Verdict::next()));
    }

    #[test]
    fn a_failed_lookup_is_an_error_and_not_a_pass() {
        let policy = policy(Config::default()).unwrap();
        let gone = || feeds::Error::Other("gone".into());
        let judged = policy.judge(&"b.c".parse().unwrap(), || &[], |_, _| Err(gone()));
        assert_eq!(judged, Err(gone()));
    }

    #[test]
    fn status_and_reason_are_the_operators() {
        let own = config(|config| {
            config.status = 451;
            config.reason = "{host}: {rule} in {feed}".into();
        });
        assert_eq!(
            judge(own, "a.b.c", &["b.c"]),
            Verdict::block("a.b.c: b.c in malware").status(451)
        );
    }

    #[test]
    fn a_setting_that_cannot_work_is_refused_with_a_hint() {
        assert_eq!(
            refusal(|config| config.feeds = Some(vec!["malwre".into()])),
            "feeds: the proxy has no feed malwre, only ads, malware"
        );
        assert_eq!(
            refusal(|config| {
                config.groups.insert("children".into(), vec!["adlt".into()]);
            }),
            "groups.children: the proxy has no feed adlt, only ads, malware"
        );
        assert_eq!(
            refusal(|config| config.status = 200),
            "status: 200 does not refuse anything; choose one from 400 to 599"
        );
        assert!(refusal(|config| config.reason = "{hots}".into()).starts_with("reason: "));
    }
}
