//! What a list in a file of test cases has besides domains: exceptions, and networks that cover
//! addresses. Lists that are fetched have neither yet.

use std::net::IpAddr;

use ipnet::IpNet;

use super::snapshot::{Builder, Snapshot};
use crate::verdict::MatchKind;

/// What stands before an exception.
const EXCEPTION: &str = "@@";

/// Exceptions and networks.
#[derive(Debug, Default)]
pub(super) struct Besides {
    exceptions: Snapshot,
    networks: Vec<(IpNet, MatchKind)>,
}

impl Besides {
    /// Takes entries that are canonical, and gives back the domains and addresses that are listed.
    pub(super) fn take(entries: &[String]) -> (Self, Snapshot) {
        let mut besides = Self::default();
        let (mut listed, mut exceptions) = (Builder::default(), Builder::default());
        for entry in entries {
            let (kind, list, rule) = match entry.strip_prefix(EXCEPTION) {
                Some(rule) => (MatchKind::Excepted, &mut exceptions, rule),
                None => (MatchKind::Listed, &mut listed, entry.as_str()),
            };
            match rule.parse::<IpNet>() {
                Ok(network) => besides.networks.push((network, kind)),
                // A list in memory is never too long.
                Err(_) => drop(list.insert(rule)),
            }
        }
        besides.exceptions = exceptions.build();
        (besides, listed.build())
    }

    /// The entry that decides about `host`, of which `listed` is the most specific domain or
    /// address that covers it: the most specific of all, and of two that are equally specific the
    /// exception.
    pub(super) fn decide(&self, host: &str, listed: Option<&str>) -> Option<(MatchKind, String)> {
        let listed = listed.map(|rule| (MatchKind::Listed, rule.to_owned()));
        let excepted = self.exceptions.lookup(host);
        let excepted = excepted.map(|rule| (MatchKind::Excepted, format!("{EXCEPTION}{rule}")));
        let length = |rule: &Option<(MatchKind, String)>| {
            rule.as_ref()
                .map(|(_, rule)| rule.trim_start_matches(EXCEPTION).len())
        };
        let named = if length(&listed) > length(&excepted) {
            listed
        } else {
            excepted
        };
        named.or_else(|| self.network(host.parse().ok()?))
    }

    fn network(&self, address: IpAddr) -> Option<(MatchKind, String)> {
        let covers = self
            .networks
            .iter()
            .filter(|(network, _)| network.contains(&address));
        let specificity = |(network, kind): &&(IpNet, MatchKind)| {
            (network.prefix_len(), *kind == MatchKind::Excepted)
        };
        let (network, kind) = covers.max_by_key(specificity)?;
        let before = if *kind == MatchKind::Excepted {
            EXCEPTION
        } else {
            ""
        };
        Some((*kind, format!("{before}{network}")))
    }
}
