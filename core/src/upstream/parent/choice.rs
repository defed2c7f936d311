//! Which table of the settings holds for a request: the one that says most of its host.

use crate::config::{Destination, Hosts, Upstream};
use crate::flow::Client;
use crate::target::Target;

/// How much a table says of a target and a client: the more, the sooner it holds.
type Rank = (u8, usize, bool, bool);

/// The place of the table that holds for a client's requests for a target; none if they go straight
/// there.
pub(crate) fn choose<'a>(
    tables: impl DoubleEndedIterator<Item = &'a Upstream> + ExactSizeIterator,
    target: &Target,
    client: &Client,
) -> Option<usize> {
    let ranked = tables.enumerate().filter_map(|(at, table)| {
        let rank = rank(table, target, client)?;
        Some((rank, at))
    });
    // Of those that say as much, the first one holds.
    let best = ranked.rev().max_by_key(|(rank, _)| *rank);
    best.map(|(_, at)| at)
}

/// None if the table is not for these.
fn rank(table: &Upstream, target: &Target, client: &Client) -> Option<Rank> {
    let has_group = |group: &String| client.groups.iter().any(|name| **name == **group);
    if !table.groups.is_empty() && !table.groups.iter().any(has_group) {
        return None;
    }
    let (kind, length, has_port) = if table.hosts.is_empty() {
        (0, 0, false)
    } else {
        let ranks = table
            .hosts
            .iter()
            .filter_map(|entry| of_entry(entry, target));
        ranks.max()?
    };
    Some((kind, length, has_port, !table.groups.is_empty()))
}

/// How much an entry says of a target that it covers.
fn of_entry(entry: &Destination, target: &Target) -> Option<(u8, usize, bool)> {
    if !entry.ports.is_none_or(|ports| ports.have(target.port())) {
        return None;
    }
    let (kind, length) = match (&entry.hosts, target.ip()) {
        (Hosts::Any, _) => (0, 0),
        (Hosts::Network(network), Some(ip)) if network.contains(&ip) => {
            (1, network.prefix_len().into())
        }
        (Hosts::Network(_), _) | (_, Some(_)) => return None,
        (hosts, None) if !hosts.have_name(target.host()) => return None,
        (Hosts::Below(domain) | Hosts::Within(domain), None) => (1, domain.len()),
        (Hosts::Name(name), None) => (2, name.len()),
    };
    Some((kind, length, entry.ports.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(hosts: &[&str], groups: &[&str]) -> Upstream {
        let mut table = Upstream::new([]);
        table.hosts = hosts.iter().map(|text| text.parse().unwrap()).collect();
        table.groups = groups.iter().map(|&name| name.into()).collect();
        table
    }

    #[test]
    fn the_table_that_says_most_of_a_host_holds() {
        let tables = [
            table(&[], &[]),
            table(&["*.example"], &[]),
            table(&["*.corp.example", "10.0.0.0/8"], &[]),
            table(&["wiki.corp.example", "*:8443"], &[]),
            table(&["*.corp.example:444", "10.1.0.0/16"], &[]),
            table(&["*.corp.example"], &["lab"]),
            table(&["*.corp.example"], &["lab"]),
        ];
        let chosen = |authority: &str, groups: &[&str]| {
            let client = Client {
                groups: groups.iter().map(|&name| name.into()).collect(),
                ..Client::default()
            };
            let target = Target::parse(authority, Some(443)).unwrap();
            choose(tables.iter(), &target, &client)
        };
        for (authority, groups, expected) in [
            ("a.test", &[][..], Some(0)),
            ("a.test:8443", &[], Some(3)),
            ("a.example", &[], Some(1)),
            ("a.corp.example", &[], Some(2)),
            ("a.corp.example", &["lab"], Some(5)),
            ("a.corp.example:444", &["lab"], Some(4)),
            ("wiki.corp.example", &["lab"], Some(3)),
            ("corp.example", &[], Some(1)),
            ("10.0.0.1", &[], Some(2)),
            ("10.1.0.1", &[], Some(4)),
            ("192.0.2.1", &[], Some(0)),
        ] {
            assert_eq!(chosen(authority, groups), expected, "{authority}");
        }
        let target = Target::parse("a.test:443", None).unwrap();
        assert_eq!(
            choose(tables[1..3].iter(), &target, &Client::default()),
            None
        );
    }
}
