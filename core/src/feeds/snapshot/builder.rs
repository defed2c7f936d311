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
    hasher: DefaultHashBuilder,
}

/// The names do not fit into 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Builder {
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
                let new = rules.without(entry.rules);
                if !new.is_empty() {
                    entry.rules = entry.rules.with(new);
                    let said = Said { rules: new, line };
                    self.repeated.entry(entry.name).or_default().push(said);
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

    /// Takes back these rules of a name, also those that are still to come.
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
        entry.rules = entry.rules.without(rules);
        if entry.rules.is_empty() {
            slot.remove();
        }
    }
}
