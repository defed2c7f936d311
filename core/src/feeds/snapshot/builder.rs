//! Collects rules, and brings them into the order in which a snapshot has them. `entries` and
//! `inline` fill a [`Builder`], and `file` writes what it has become. It knows nothing of files.

use std::io::{self, Write};

use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashSet, HashTable};

use super::arena::Arena;
use super::key::Key;
use super::records::{self, LONGEST, Record, Said};
use super::styles::{Collected, Styles};
use super::table::{self, LINE, Line, Table};
use super::traits::Traits;
use crate::verdict::rule::Rules;

/// Collects rules.
///
/// It takes a record of each name and five bytes, some more while that grows. Records never move,
/// so that a long list needs no second copy of them.
pub(crate) struct Builder {
    key: Key,
    records: Arena,
    /// Where the record of each name is.
    names: HashTable<u32>,
    /// The records of names of which several lines say something, by where that of the first is.
    longer: HashMap<u32, Vec<u8>>,
    styles: Collected,
    taken_back: Vec<(Box<str>, Rules)>,
    /// Where the records of names are of which no rule is left.
    gone: HashSet<u32>,
    traits: Traits,
}

/// The names do not fit into 4 GiB, or the entries take more than those of their list may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The rules of a list, as a [`Builder`] has left them. A snapshot is made from it, in memory or in
/// a file.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) key: Key,
    records: Arena,
    names: usize,
    longer: HashMap<u32, Vec<u8>>,
    gone: HashSet<u32>,
    pub(super) styles: Styles,
    pub(super) traits: Traits,
}

impl Builder {
    /// For a list of which the most specific rule counts, whatever its rank, or another.
    pub(crate) fn new(key: Key, is_tree: bool) -> Self {
        Self::with_room(key, is_tree, 0)
    }

    /// The same with room for so many names from the start.
    pub(crate) fn with_room(key: Key, is_tree: bool, names: usize) -> Self {
        Self {
            key,
            records: Arena::default(),
            names: HashTable::with_capacity(names),
            longer: HashMap::new(),
            styles: Collected::default(),
            taken_back: Vec::new(),
            gone: HashSet::new(),
            traits: Traits {
                is_tree,
                ..Traits::default()
            },
        }
    }

    /// Adds what the entry `text` in a line says of a canonical host, or of a network in its
    /// shortest form. What an earlier line has said already is not repeated. A name that is longer
    /// than any host cannot be looked up, and is not kept.
    pub(crate) fn add(
        &mut self,
        name: &str,
        rules: Rules,
        line: u32,
        text: &str,
    ) -> Result<(), Full> {
        let bytes = name.as_bytes();
        if bytes.len() > LONGEST {
            return Ok(());
        }
        let (hash, labels) = self.key.hash(bytes);
        let (key, records) = (self.key, &self.records);
        let slot = self.names.entry(
            hash,
            |at| records.record(*at).name == bytes,
            |at| key.hash(records.record(*at).name).0,
        );
        let (style, text) = self.styles.place(rules, name, text);
        let text = text.as_bytes();
        let said = Said { style, line, text };
        match slot {
            Entry::Occupied(slot) => {
                let at = *slot.get();
                self.say_also(at, rules, said);
            }
            Entry::Vacant(slot) => {
                slot.insert(self.records.push(bytes, said).ok_or(Full)?);
                self.traits.note(name, labels);
            }
        }
        Ok(())
    }

    /// Adds what another line says, unless one has said it.
    fn say_also(&mut self, at: u32, rules: Rules, said: Said<'_>) {
        let record = record(&self.records, &self.longer, at);
        let styles = self.styles.styles();
        // There are few kinds of rules, so this is short.
        let is_same = |known: Said<'_>| styles.rules(known.style) == rules;
        if !record.said().any(is_same) {
            let all: Vec<Said<'_>> = record.said().chain([said]).collect();
            let mut longer = Vec::new();
            records::append(&mut longer, record.name, all.into_iter());
            self.longer.insert(at, longer);
        }
    }

    /// Takes back the lines that say just this of a name, also those that are still to come.
    pub(crate) fn take_back(&mut self, name: &str, rules: Rules) {
        self.taken_back.push((name.into(), rules));
    }

    /// Whether no name was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What all lines say together.
    pub(crate) fn finish(mut self) -> Draft {
        for (name, rules) in std::mem::take(&mut self.taken_back) {
            self.remove(name.as_bytes(), rules);
        }
        Draft {
            key: self.key,
            records: self.records,
            names: self.names.len(),
            longer: self.longer,
            gone: self.gone,
            styles: self.styles.finish(),
            traits: self.traits,
        }
    }

    fn remove(&mut self, name: &[u8], rules: Rules) {
        let records = &self.records;
        let hash = self.key.hash(name).0;
        let is_it = |at: &u32| records.record(*at).name == name;
        let Ok(slot) = self.names.find_entry(hash, is_it) else {
            return;
        };
        let at = *slot.get();
        let record = record(records, &self.longer, at);
        let styles = self.styles.styles();
        let others = record
            .said()
            .filter(|said| styles.rules(said.style) != rules);
        let others: Vec<Said<'_>> = others.collect();
        if others.is_empty() {
            slot.remove();
            self.gone.insert(at);
            return;
        }
        let mut left = Vec::new();
        records::append(&mut left, record.name, others.into_iter());
        self.longer.insert(at, left);
    }
}

/// What all lines so far say of a name.
fn record<'r>(records: &'r Arena, longer: &'r HashMap<u32, Vec<u8>>, at: u32) -> Record<'r> {
    let longer = longer.get(&at).and_then(|record| Record::read(record));
    longer.map_or_else(|| records.record(at), |(record, _)| record)
}

impl Draft {
    /// How many hosts and networks it has rules for.
    pub(crate) fn len(&self) -> usize {
        self.names
    }

    /// Writes the records in the order of their places, and gives the table that finds them.
    pub(super) fn write_records(&self, output: &mut impl Write) -> io::Result<Table> {
        let (mut lines, order) = self.placed();
        let mut start = 0_u32;
        for (line, order) in lines.iter_mut().zip(order.chunks(LINE)) {
            // All lengths before any text: records lie anywhere, and the processor gets several at
            // a time.
            let mut records = [&[][..]; LINE];
            for (record, at) in records.iter_mut().zip(&order[..line.names()]) {
                let longer = self.longer.get(at);
                *record = longer.map_or_else(|| self.records.bytes(*at), Vec::as_slice);
            }
            let end = line.set_starts(start, records.map(<[u8]>::len));
            start = end.ok_or_else(|| io::Error::other("it takes more than 4 GiB"))?;
            for record in records {
                output.write_all(record)?;
            }
        }
        Ok(Table::new(lines))
    }

    /// The prints of all names in their places, and where the record of each is.
    fn placed(&self) -> (Vec<Line>, Vec<u32>) {
        let mut lines = Table::lines_for(self.len());
        let mut order = vec![0; lines.len() * LINE];
        let all = self.records.places();
        for at in all.filter(|at| self.gone.is_empty() || !self.gone.contains(at)) {
            let (hash, _) = self.key.hash(self.records.record(at).name);
            let mut line = table::home(hash, lines.len());
            while lines[line].is_full() {
                line = table::after(line, lines.len());
            }
            let place = lines[line].push(table::print(hash));
            order[line * LINE + place] = at;
        }
        (lines, order)
    }
}
