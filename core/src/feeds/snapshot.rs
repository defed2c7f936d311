//! One list of hosts in the form that lookups need: compact, immutable, shared by all workers.
//! `entries` builds it and `feeds` looks names up in it. It knows nothing of files, networks or
//! time.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashSet, HashTable};

/// Ends every name in the blob. No host contains it.
const END: u8 = b'\n';

/// A set of canonical hosts. A domain covers all names below it, unless it was listed alone.
///
/// All names lie in one blob, and the table holds where each begins. This takes about 30 bytes a
/// name and two allocations, however long the list is. The hasher is seeded for each snapshot, so
/// that a list cannot be written so that its names collide.
#[derive(Default)]
pub(crate) struct Snapshot {
    names: Box<[u8]>,
    offsets: HashTable<u32>,
    /// Names that cover only themselves. There are few.
    alone: HashSet<Box<str>>,
    hasher: DefaultHashBuilder,
}

impl Snapshot {
    /// The most specific name that covers `host`, a canonical host: itself or its nearest parent
    /// domain. The answer is the end of `host`, which reads as the name in the list does.
    ///
    /// An IP address is covered only by itself: its ends, such as `2.3.4`, are not canonical hosts.
    pub(crate) fn lookup<'h>(&self, host: &'h str) -> Option<&'h str> {
        if self.alone.contains(host) {
            return Some(host);
        }
        let mut domain = host;
        loop {
            if self.contains(domain) {
                return Some(domain);
            }
            (_, domain) = domain.split_once('.')?;
        }
    }

    /// How many names it holds.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() + self.alone.len()
    }

    /// Every name that it holds.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.names.split(|byte| *byte == END);
        let names = names.map(|name| str::from_utf8(name).expect("it was a text"));
        let alone = self.alone.iter().map(|name| &**name);
        names.filter(|name| !name.is_empty()).chain(alone)
    }

    fn contains(&self, name: &str) -> bool {
        let name = name.as_bytes();
        self.offsets
            .find(self.hasher.hash_one(name), |&offset| {
                is_name_at(&self.names, offset, name)
            })
            .is_some()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("names", &self.len())
            .finish_non_exhaustive()
    }
}

/// Collects names into a [`Snapshot`].
#[derive(Default)]
pub(crate) struct Builder {
    names: Vec<u8>,
    offsets: HashTable<u32>,
    alone: HashSet<Box<str>>,
    hasher: DefaultHashBuilder,
}

/// The names do not fit into 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Builder {
    /// Adds a canonical host, once.
    pub(crate) fn insert(&mut self, name: &str) -> Result<(), Full> {
        let Self {
            names,
            offsets,
            hasher,
            ..
        } = self;
        let name = name.as_bytes();
        let entry = offsets.entry(
            hasher.hash_one(name),
            |&offset| is_name_at(names, offset, name),
            |&offset| hasher.hash_one(name_at(names, offset)),
        );
        if let Entry::Vacant(entry) = entry {
            entry.insert(u32::try_from(names.len()).map_err(|_| Full)?);
            names.extend_from_slice(name);
            names.push(END);
        }
        Ok(())
    }

    /// Adds a canonical host that covers no name below it.
    pub(crate) fn insert_alone(&mut self, name: &str) {
        if !self.alone.contains(name) {
            self.alone.insert(name.into());
        }
    }

    /// How many different names were added.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() + self.alone.len()
    }

    pub(crate) fn build(self) -> Snapshot {
        let mut snapshot = Snapshot {
            names: self.names.into_boxed_slice(),
            offsets: self.offsets,
            alone: HashSet::default(),
            hasher: self.hasher,
        };
        let alone = self.alone.into_iter();
        snapshot.alone = alone.filter(|name| !snapshot.contains(name)).collect();
        snapshot
    }
}

fn is_name_at(names: &[u8], offset: u32, name: &[u8]) -> bool {
    names[offset as usize..]
        .strip_prefix(name)
        .is_some_and(|rest| rest.first() == Some(&END))
}

fn name_at(names: &[u8], offset: u32) -> &[u8] {
    let rest = &names[offset as usize..];
    let end = rest.iter().position(|&byte| byte == END);
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(names: &[&str]) -> Snapshot {
        let mut builder = Builder::default();
        for name in names {
            builder.insert(name).unwrap();
        }
        builder.build()
    }

    #[test]
    fn a_domain_covers_itself_and_what_is_below() {
        let list = snapshot(&["foo.bar", "deep.under.foo.bar", "x.example"]);
        for (host, rule) in [
            ("foo.bar", "foo.bar"),
            ("www.foo.bar", "foo.bar"),
            ("a.b.c.foo.bar", "foo.bar"),
            ("under.foo.bar", "foo.bar"),
            ("deep.under.foo.bar", "deep.under.foo.bar"),
            ("very.deep.under.foo.bar", "deep.under.foo.bar"),
            ("x.example", "x.example"),
        ] {
            assert_eq!(list.lookup(host), Some(rule), "{host}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_not_covered() {
        let list = snapshot(&["foo.bar", "x.example"]);
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
            assert_eq!(list.lookup(host), None, "{host:?}");
        }
    }

    #[test]
    fn an_address_covers_only_itself() {
        let list = snapshot(&["192.0.2.1", "2001:db8::1"]);
        assert_eq!(list.lookup("192.0.2.1"), Some("192.0.2.1"));
        assert_eq!(list.lookup("2001:db8::1"), Some("2001:db8::1"));
        for host in ["0.2.1", "192.0.2.11", "2001:db8::11", "db8::1"] {
            assert_eq!(list.lookup(host), None, "{host}");
        }
    }

    #[test]
    fn a_name_counts_once() {
        let list = snapshot(&["a.example", "b.example", "a.example"]);
        assert_eq!(list.len(), 2);
        assert_eq!(list.names.len(), "a.example\nb.example\n".len());
    }

    #[test]
    fn every_name_is_found_after_the_table_has_grown() {
        let names: Vec<String> = (0..10_000).map(|n| format!("host{n}.example")).collect();
        let list = snapshot(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(list.len(), names.len());
        for name in &names {
            assert_eq!(list.lookup(name), Some(&**name));
        }
        assert_eq!(list.lookup("host10000.example"), None);
    }

    #[test]
    fn a_name_that_was_added_alone_covers_only_itself() {
        let mut builder = Builder::default();
        for name in ["co.uk", "com.br", "co.uk"] {
            builder.insert_alone(name);
        }
        builder.insert("com.br").unwrap();
        builder.insert("a.co.uk").unwrap();
        let list = builder.build();
        assert_eq!(list.len(), 3);
        assert_eq!(list.lookup("co.uk"), Some("co.uk"));
        assert_eq!(list.lookup("bbc.co.uk"), None);
        assert_eq!(list.lookup("x.a.co.uk"), Some("a.co.uk"));
        assert_eq!(list.lookup("uol.com.br"), Some("com.br"));
    }
}
