//! How often each host was asked for, and what became of that. Bounded, however long the log is.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::commands::access_log::Entry;
use crate::flow::Protocol;
use crate::verdict::VerdictKind;

/// Different names of filters. No chain has as many; a log may hold anything, and what became of a
/// host is looked through one by one.
pub(super) const NAMES: usize = 256;

/// What a filter is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Asked {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    /// None unless the filter looks at it.
    pub(super) client: Option<IpAddr>,
    /// The same.
    pub(super) user: Option<Arc<str>>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Happened {
    pub(super) verdict: VerdictKind,
    /// The filter that decided.
    pub(super) filter: Option<Arc<str>>,
}

/// The requests of a log.
#[derive(Debug)]
pub(super) struct Tally {
    hosts: HashMap<Asked, Vec<(Happened, u64)>>,
    most: usize,
    with_clients: bool,
    /// Each name once, up to [`NAMES`].
    filters: BTreeSet<Arc<str>>,
    /// All that were counted.
    pub(super) requests: u64,
    /// Requests whose host was one too many.
    pub(super) uncounted: u64,
    /// Requests that a filter has decided whose name was one too many. It is as if no filter were
    /// named.
    pub(super) unnamed: u64,
    /// Requests whose head the proxy has seen, and the log has not.
    pub(super) plain: u64,
}

impl Tally {
    /// Counts the requests of at most `most` hosts, to replay the filter named `own`.
    pub(super) fn new(most: usize, with_clients: bool, own: &Arc<str>) -> Self {
        Self {
            hosts: HashMap::new(),
            most,
            with_clients,
            filters: BTreeSet::from([own.clone()]),
            requests: 0,
            uncounted: 0,
            unnamed: 0,
            plain: 0,
        }
    }

    pub(super) fn count(&mut self, entry: &Entry<'_>) {
        let Some(verdict) = entry.verdict else {
            return;
        };
        let asked = Asked {
            host: (&*entry.host).into(),
            port: entry.port,
            protocol: entry.protocol,
            client: entry.client.filter(|_| self.with_clients),
            user: entry
                .user
                .as_deref()
                .filter(|_| self.with_clients)
                .map(Arc::from),
        };
        if self.hosts.len() >= self.most && !self.hosts.contains_key(&asked) {
            self.uncounted += 1;
            return;
        }
        self.requests += 1;
        self.plain += u64::from(entry.protocol == Protocol::Http);
        let filter = entry.filter.as_deref().and_then(|name| self.filter(name));
        let happened = Happened { verdict, filter };
        let counts = self.hosts.entry(asked).or_default();
        match counts.iter_mut().find(|(known, _)| *known == happened) {
            Some((_, count)) => *count += 1,
            None => counts.push((happened, 1)),
        }
    }

    /// Every host that is to be asked about, with what became of its requests and how many there
    /// were. Always in the same order: a filter may remember what it was asked before.
    pub(super) fn hosts(&self) -> Vec<(&Asked, &[(Happened, u64)])> {
        let hosts = self.hosts.iter();
        let mut hosts: Vec<_> = hosts.map(|(asked, was)| (asked, &**was)).collect();
        hosts.sort_by_key(|(asked, _)| *asked);
        hosts
    }

    /// How many different hosts there are, whatever the port.
    pub(super) fn distinct_hosts(&self) -> usize {
        let hosts = self.hosts.keys().map(|asked| &*asked.host);
        hosts.collect::<HashSet<&str>>().len()
    }

    fn filter(&mut self, name: &str) -> Option<Arc<str>> {
        if let Some(known) = self.filters.get(name) {
            return Some(known.clone());
        }
        if self.filters.len() >= NAMES {
            self.unnamed += 1;
            return None;
        }
        let name: Arc<str> = name.into();
        self.filters.insert(name.clone());
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(host: &str, client: &str, verdict: &str) -> String {
        format!(
            "time=2026-11-23T13:42:32.000000Z kind=access id=4 client={client} host={host} port=80 protocol=http \
             {verdict} outcome=complete"
        )
    }

    fn count(tally: &mut Tally, text: &str) {
        tally.count(&Entry::parse(text).unwrap());
    }

    #[test]
    fn requests_are_counted_by_host_and_by_what_became_of_them() {
        let mut tally = Tally::new(10, false, &"own".into());
        let block = "verdict=block filter=guard";
        for (host, client, verdict) in [
            ("a.example", "10.0.0.1", "verdict=next"),
            ("a.example", "10.0.0.2", "verdict=next"),
            ("a.example", "10.0.0.1", block),
            ("b.example", "10.0.0.1", block),
        ] {
            count(&mut tally, &line(host, client, verdict));
        }
        assert_eq!(
            (tally.requests, tally.plain, tally.distinct_hosts()),
            (4, 4, 2)
        );
        let (_, happened) = tally.hosts()[0];
        let happened: Vec<_> = happened
            .iter()
            .map(|(was, n)| (was.verdict, was.filter.as_deref(), *n))
            .collect();
        assert_eq!(
            happened,
            [
                (VerdictKind::Next, None, 2),
                (VerdictKind::Block, Some("guard"), 1)
            ]
        );
    }

    #[test]
    fn a_filter_that_looks_at_clients_is_asked_about_each() {
        let mut tally = Tally::new(10, true, &"own".into());
        let of_user = "10.0.0.1 user=ada";
        for client in ["10.0.0.1", "10.0.0.2", "10.0.0.1", of_user, of_user] {
            count(&mut tally, &line("a.example", client, "verdict=next"));
        }
        assert_eq!((tally.hosts().len(), tally.distinct_hosts()), (3, 1));
        let users = tally.hosts().into_iter();
        let users: Vec<_> = users.filter_map(|(asked, _)| asked.user.clone()).collect();
        assert_eq!(users, ["ada".into()]);
    }

    #[test]
    fn names_of_filters_beyond_the_limit_are_not_kept_but_for_that_of_the_replayed_one() {
        let mut tally = Tally::new(10, false, &"own".into());
        for number in 0..NAMES + 10 {
            let verdict = format!("verdict=block filter=filter-{number}");
            count(&mut tally, &line("a.example", "10.0.0.1", &verdict));
        }
        let own = "verdict=block filter=own";
        count(&mut tally, &line("a.example", "10.0.0.1", own));
        assert_eq!((tally.unnamed, tally.requests), (11, NAMES as u64 + 11));
        let (_, happened) = tally.hosts()[0];
        assert_eq!(happened.len(), NAMES + 1);
        let (last, _) = happened.last().unwrap();
        assert_eq!(last.filter.as_deref(), Some("own"));
    }

    #[test]
    fn hosts_beyond_the_limit_are_not_counted_but_told() {
        let mut tally = Tally::new(1, false, &"own".into());
        for host in ["a.example", "b.example", "a.example", "c.example"] {
            count(&mut tally, &line(host, "10.0.0.1", "verdict=next"));
        }
        assert_eq!((tally.requests, tally.uncounted), (2, 2));
        assert_eq!(tally.distinct_hosts(), 1);
    }
}
