//! One list in the form that lookups need: compact, immutable, shared by all workers. `entries`
//! builds it and `feeds` looks hosts up in it. It knows nothing of files, networks or time.

mod builder;

use std::fmt;
use std::net::IpAddr;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use ipnet::IpNet;

pub(crate) use self::builder::{Builder, Full};
use super::rule::Rules;
use crate::verdict::MatchKind;

/// Ends every name in the blob. No host contains it.
const END: u8 = b'\n';

/// The rules of a list, by canonical host or network.
///
/// All names lie in one blob, and the table holds where each begins and what is said of it. This
/// takes few allocations, however long the list is. The hasher is seeded
/// for each snapshot, so that a list cannot be written so that its names collide.
#[derive(Default)]
pub(crate) struct Snapshot {
    names: Box<[u8]>,
    table: HashTable<Entry>,
    /// Rules whose name another line has, too, by where the name begins.
    repeated: HashMap<u32, Vec<Said>>,
    /// The lengths of the prefixes of networks of IPv4 and of IPv6, longest first.
    prefixes: [Vec<u8>; 2],
    /// The most specific rule counts, whatever its rank.
    is_tree: bool,
    hasher: DefaultHashBuilder,
}

/// What one line says of a name.
#[derive(Clone, Copy, Debug)]
struct Said {
    rules: Rules,
    line: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its name begins in the blob.
    name: u32,
    first: Said,
    /// What all its lines say.
    rules: Rules,
}

/// The entry that decides about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: MatchKind,
    /// The host, domain or network that it names.
    pub(crate) name: String,
    /// Its line, or its place in a list without lines, from 1.
    pub(crate) line: u32,
}

impl Snapshot {
    /// The entry that decides about `host`, a canonical host: of those that cover it the one of the
    /// highest rank, and of several the most specific. In a tree it is the other way round.
    pub(crate) fn find(&self, host: &str) -> Option<Found> {
        match address(host) {
            Some(address) => self.find_address(host, address),
            None => self.find_domain(host),
        }
    }

    fn find_domain(&self, host: &str) -> Option<Found> {
        let mut best = self.better(None, host, Rules::about_itself);
        let mut domain = host;
        while let Some((_, parent)) = domain.split_once('.') {
            best = self.better(best, parent, Rules::about_below);
            domain = parent;
        }
        Some(self.found(best?))
    }

    fn find_address(&self, host: &str, address: IpAddr) -> Option<Found> {
        let mut best = self.better(None, host, Rules::about_itself);
        let prefixes = &self.prefixes[usize::from(address.is_ipv6())];
        for &length in prefixes {
            // The length is one of a network of the same kind.
            if let Ok(network) = IpNet::new(address, length) {
                let network = network.trunc().to_string();
                best = self.better(best, &network, Rules::about_below);
            }
        }
        Some(self.found(best?))
    }

    /// The entry of `name`, if it has a rule of those that `about` chooses that precedes `best`.
    fn better<'s>(
        &'s self,
        best: Option<(&'s Entry, u8, MatchKind, Rules)>,
        name: &str,
        about: fn(Rules) -> Rules,
    ) -> Option<(&'s Entry, u8, MatchKind, Rules)> {
        if self.is_tree && best.is_some() {
            return best;
        }
        let Some(entry) = self.entry(name) else {
            return best;
        };
        let rules = about(entry.rules);
        match (rules.first(), best) {
            (Some((rank, _)), Some((_, before, ..))) if rank <= before => best,
            (Some((rank, kind)), _) => Some((entry, rank, kind, rules)),
            (None, _) => best,
        }
    }

    fn found(&self, (entry, rank, kind, rules): (&Entry, u8, MatchKind, Rules)) -> Found {
        let name = name_at(&self.names, entry.name);
        let repeated = self.repeated.get(&entry.name).into_iter().flatten();
        let mut said = [&entry.first].into_iter().chain(repeated);
        // One of the lines has said it.
        let line = said.find(|said| said.rules.and(rules).has_rank(rank));
        Found {
            kind,
            name: String::from_utf8_lossy(name).into_owned(),
            line: line.map_or(entry.first.line, |said| said.line),
        }
    }

    /// How many hosts and networks it has rules for.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Every host and network that it has rules for.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self
            .table
            .iter()
            .map(|entry| name_at(&self.names, entry.name));
        names.map(|name| str::from_utf8(name).expect("it was a text"))
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        use std::hash::BuildHasher;

        let name = name.as_bytes();
        self.table.find(self.hasher.hash_one(name), |entry| {
            is_name_at(&self.names, entry.name, name)
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("names", &self.len())
            .finish_non_exhaustive()
    }
}

/// A canonical host that is an address. Most are not, which their last byte tells.
fn address(host: &str) -> Option<IpAddr> {
    let may_be = host
        .bytes()
        .last()
        .is_some_and(|byte| byte.is_ascii_digit())
        || host.contains(':');
    may_be.then(|| host.parse().ok()).flatten()
}

fn is_name_at(names: &[u8], offset: u32, name: &[u8]) -> bool {
    names[offset as usize..]
        .strip_prefix(name)
        .is_some_and(|rest| rest.first() == Some(&END))
}

fn name_at(names: &[u8], offset: u32) -> &[u8] {
    let rest = &names[offset as usize..];
    let end = memchr::memchr(END, rest);
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::rule::{Covers, Rule};

    fn snapshot(rules: &[(&str, Rule)]) -> Snapshot {
        let mut builder = Builder::default();
        for ((name, rule), line) in rules.iter().zip(1..) {
            builder.add(name, (*rule).into(), line).unwrap();
        }
        builder.build()
    }

    fn domains(names: &[&str]) -> Snapshot {
        let rules: Vec<_> = names
            .iter()
            .map(|name| (*name, Rule::listed(Covers::Both)))
            .collect();
        snapshot(&rules)
    }

    fn rule(list: &Snapshot, host: &str) -> Option<String> {
        list.find(host).map(|found| found.name)
    }

    #[test]
    fn a_domain_covers_itself_and_what_is_below() {
        let list = domains(&["foo.bar", "deep.under.foo.bar", "x.example"]);
        for (host, name) in [
            ("foo.bar", "foo.bar"),
            ("www.foo.bar", "foo.bar"),
            ("a.b.c.foo.bar", "foo.bar"),
            ("under.foo.bar", "foo.bar"),
            ("deep.under.foo.bar", "deep.under.foo.bar"),
            ("very.deep.under.foo.bar", "deep.under.foo.bar"),
            ("x.example", "x.example"),
        ] {
            assert_eq!(rule(&list, host).as_deref(), Some(name), "{host}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_not_covered() {
        let list = domains(&["foo.bar", "x.example"]);
        for host in [
            "",
            ".",
            "bar",
            "foo",
            "notfoo.bar",
            "not-foo.bar",
            "foo.bar.example",
            "foo.ba",
            "foo.barx",
            "oo.bar",
            "example",
            "y.example",
            "foo.bar.",
            "foo.bar\n",
            "foo.bar\nx.example",
            "\n",
        ] {
            assert_eq!(list.find(host), None, "{host:?}");
        }
    }

    #[test]
    fn an_address_covers_itself_and_a_network_its_addresses() {
        let listed = Rule::listed(Covers::Itself);
        let list = snapshot(&[
            ("192.0.2.1", listed),
            ("2001:db8::1", listed),
            ("198.51.100.0/24", Rule::listed(Covers::Below)),
            ("198.51.100.128/25", Rule::excepted(Covers::Below)),
            ("2001:db8:1::/48", Rule::listed(Covers::Below)),
        ]);
        for (host, kind, name) in [
            ("192.0.2.1", MatchKind::Listed, "192.0.2.1"),
            ("2001:db8::1", MatchKind::Listed, "2001:db8::1"),
            ("198.51.100.7", MatchKind::Listed, "198.51.100.0/24"),
            ("198.51.100.200", MatchKind::Excepted, "198.51.100.128/25"),
            ("2001:db8:1::7", MatchKind::Listed, "2001:db8:1::/48"),
        ] {
            let found = list.find(host).unwrap();
            assert_eq!((found.kind, &*found.name), (kind, name), "{host}");
        }
        for host in [
            "0.2.1",
            "192.0.2.11",
            "2001:db8::11",
            "db8::1",
            "198.51.101.1",
            "a.198.51.100.7.example",
        ] {
            assert_eq!(list.find(host), None, "{host}");
        }
    }

    #[test]
    fn a_name_counts_once_and_its_first_line_is_told() {
        let list = domains(&["a.example", "b.example", "a.example"]);
        assert_eq!(list.len(), 2);
        assert_eq!(list.names.len(), "a.example\nb.example\n".len());
        assert_eq!(list.find("x.a.example").unwrap().line, 1);
    }

    #[test]
    fn every_name_is_found_after_the_table_has_grown() {
        let names: Vec<String> = (0..10_000).map(|n| format!("host{n}.example")).collect();
        let list = domains(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(list.len(), names.len());
        for name in &names {
            assert_eq!(rule(&list, name).as_ref(), Some(name));
        }
        assert_eq!(list.find("host10000.example"), None);
    }

    #[test]
    fn an_exception_precedes_however_specific_the_entry_is() {
        let important = Rule {
            is_important: true,
            ..Rule::listed(Covers::Both)
        };
        let list = snapshot(&[
            ("ads.example.com", Rule::listed(Covers::Both)),
            ("example.com", Rule::excepted(Covers::Both)),
            ("worst.example.com", important),
            ("alone.example", Rule::listed(Covers::Both)),
            ("alone.example", Rule::excepted(Covers::Itself)),
        ]);
        for (host, kind, line) in [
            ("ads.example.com", MatchKind::Excepted, 2),
            ("x.worst.example.com", MatchKind::Listed, 3),
            ("alone.example", MatchKind::Excepted, 5),
            ("www.alone.example", MatchKind::Listed, 4),
        ] {
            let found = list.find(host).unwrap();
            assert_eq!((found.kind, found.line), (kind, line), "{host}");
        }
    }

    #[test]
    fn rules_about_a_name_and_about_those_below_it_are_apart() {
        let list = snapshot(&[
            ("co.uk", Rule::listed(Covers::Itself)),
            ("com.br", Rule::listed(Covers::Below)),
        ]);
        for (host, is_listed) in [
            ("co.uk", true),
            ("bbc.co.uk", false),
            ("com.br", false),
            ("uol.com.br", true),
        ] {
            assert_eq!(list.find(host).is_some(), is_listed, "{host}");
        }
    }

    #[test]
    fn a_rule_that_is_taken_back_is_gone_wherever_that_stands() {
        let mut builder = Builder::default();
        let both = Rules::from(Rule::listed(Covers::Both));
        builder.take_back("a.example", both);
        builder.add("a.example", both, 1).unwrap();
        builder.add("b.example", both, 2).unwrap();
        builder
            .add("b.example", Rule::excepted(Covers::Itself).into(), 3)
            .unwrap();
        builder.take_back("b.example", both);
        let list = builder.build();
        assert_eq!(list.len(), 1);
        assert_eq!(list.find("a.example"), None);
        assert_eq!(list.find("x.b.example"), None);
        assert_eq!(list.find("b.example").unwrap().line, 3);
    }
}
