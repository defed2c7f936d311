//! Collects rules into a snapshot.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry as Slot;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use ipnet::IpNet;

use super::{END, Entry, Said, Snapshot, is_name_at, name_at};
use crate::feeds::rule::Rules;

/// Collects rules into a [`Snapshot`].
#[derive(Default)]
pub(crate) struct Builder {
    names: Vec<u8>,
    table: HashTable<Entry>,
    repeated: HashMap<u32, Vec<Said>>,
    prefixes: [Vec<u8>; 2],
    taken_back: Vec<(Box<str>, Rules)>,
    is_tree: bool,
    hasher: DefaultHashBuilder,
}

/// The names do not fit into 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Builder {
    /// For a list of which the most specific rule counts, whatever its rank, or another.
    pub(crate) fn new(is_tree: bool) -> Self {
        Self {
            is_tree,
            ..Self::default()
        }
    }

    /// Adds what `line` says of a canonical host, or of a network in its shortest form. What an
    /// earlier line has said already is not repeated.
    pub(crate) fn add(&mut self, name: &str, rules: Rules, line: u32) -> Result<(), Full> {
        let Self {
            names,
            table,
            hasher,
            ..
        } = self;
        let bytes = name.as_bytes();
        let slot = table.entry(
            hasher.hash_one(bytes),
            |entry| is_name_at(names, entry.name, bytes),
            |entry| hasher.hash_one(name_at(names, entry.name)),
        );
        match slot {
            Slot::Occupied(mut slot) => {
                let entry = slot.get_mut();
                if entry.first.rules == rules {
                    return Ok(());
                }
                let repeated = self.repeated.entry(entry.name).or_default();
                // There are few kinds of rules, so this is short.
                if repeated.iter().all(|said| said.rules != rules) {
                    entry.rules = entry.rules.with(rules);
                    repeated.push(Said { rules, line });
                }
            }
            Slot::Vacant(slot) => {
                let first = Said { rules, line };
                slot.insert(Entry {
                    name: u32::try_from(names.len()).map_err(|_| Full)?,
                    first,
                    rules,
                });
                names.extend_from_slice(bytes);
                names.push(END);
                self.note_prefix(name);
            }
        }
        Ok(())
    }

    /// Takes back the lines that say just this of a name, also those that are still to come.
    pub(crate) fn take_back(&mut self, name: &str, rules: Rules) {
        self.taken_back.push((name.into(), rules));
    }

    fn note_prefix(&mut self, name: &str) {
        if name.contains('/')
            && let Ok(network) = name.parse::<IpNet>()
        {
            let prefixes = &mut self.prefixes[usize::from(network.addr().is_ipv6())];
            let length = network.prefix_len();
            // Longest first.
            if let Err(place) = prefixes.binary_search_by(|other| length.cmp(other)) {
                prefixes.insert(place, length);
            }
        }
    }

    /// How many different names were added.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn build(mut self) -> Snapshot {
        for (name, rules) in std::mem::take(&mut self.taken_back) {
            self.remove(name.as_bytes(), rules);
        }
        self.table
            .shrink_to_fit(|entry| self.hasher.hash_one(name_at(&self.names, entry.name)));
        Snapshot {
            names: self.names.into_boxed_slice(),
            table: self.table,
            repeated: self.repeated,
            prefixes: self.prefixes,
            is_tree: self.is_tree,
            hasher: self.hasher,
        }
    }

    fn remove(&mut self, name: &[u8], rules: Rules) {
        let Self {
            names,
            table,
            hasher,
            ..
        } = self;
        let slot = table.find_entry(hasher.hash_one(name), |entry| {
            is_name_at(names, entry.name, name)
        });
        let Ok(mut slot) = slot else {
            return;
        };
        let entry = slot.get_mut();
        let mut said = vec![entry.first];
        said.extend(self.repeated.remove(&entry.name).unwrap_or_default());
        said.retain(|said| said.rules != rules);
        let mut said = said.into_iter();
        let Some(first) = said.next() else {
            slot.remove();
            return;
        };
        let others: Vec<Said> = said.collect();
        entry.first = first;
        entry.rules = others
            .iter()
            .fold(first.rules, |rules, said| rules.with(said.rules));
        if !others.is_empty() {
            self.repeated.insert(entry.name, others);
        }
    }
}
