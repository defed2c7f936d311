//! One list in the form that lookups need: compact, immutable, shared by all workers. `entries`
//! and `inline` build it, `cache` keeps it in a file, and `feeds` looks hosts up in it. It knows
//! nothing of formats, folders or networks.

mod arena;
mod builder;
#[cfg(feature = "cli")]
mod every;
mod file;
mod hits;
mod key;
#[cfg(unix)]
mod map;
mod records;
mod sieve;
mod styles;
mod table;
#[cfg(test)]
mod tests;
mod traits;

use std::fmt::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

pub(crate) use self::builder::{Builder, Draft, Full};
use self::file::Sums;
#[cfg(any(test, fuzzing))]
pub(crate) use self::file::seal;
pub(crate) use self::file::{Refused, Stamp};
#[cfg(any(test, fuzzing))]
pub(crate) use self::hits::seal_hits;
use self::hits::{EntryId, Hits};
pub(crate) use self::hits::{HitsRefused, key_of};
use self::key::Suffix;
pub(crate) use self::key::{Key, Query};
use self::records::{Bytes, Record, Said};
pub(crate) use self::sieve::Sieve;
use self::styles::{Styles, Written};
use self::table::Table;
use self::traits::Traits;
use crate::verdict::rule::Rules;
use crate::verdict::{Hit, MatchKind};

/// The rules of a list, by canonical host or network.
///
/// A table has sixteen bits of the keyed hash of each name, and a record has the name and what its
/// lines say. Of names that are not listed the table says so; where it does not, the record tells.
/// So records are read for hits alone, and can stay in a file.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// None without names.
    key: Option<Key>,
    traits: Traits,
    names: usize,
    table: Table,
    styles: Styles,
    records: Bytes,
    /// Those of its file, which tell it from other lists.
    sums: Sums,
    hits: Arc<Hits>,
}

/// The entry that decides about a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'s> {
    pub(crate) kind: MatchKind,
    /// Its line, or its place in a list without lines, from 1.
    pub(crate) line: u32,
    name: &'s [u8],
    written: Written<&'s str>,
    /// The entry, where that does not tell.
    text: &'s [u8],
    id: Option<EntryId>,
    hits: &'s Arc<Hits>,
}

impl Found<'_> {
    /// Whether it names a domain below that of the other, or a smaller network.
    pub(crate) fn is_nearer(&self, other: &Self) -> bool {
        let length = |found: &Self| match found.name.iter().position(|byte| *byte == b'/') {
            Some(slash) => {
                let prefix = str::from_utf8(&found.name[slash + 1..]);
                prefix
                    .ok()
                    .and_then(|prefix| prefix.parse().ok())
                    .unwrap_or(0)
            }
            // An address is smaller than all networks that have it.
            None => found.name.len() + 128,
        };
        length(self) > length(other)
    }

    /// The entry as it is written, in one line and without its end if it is very long.
    pub(crate) fn rule(&self) -> String {
        let text = match self.written {
            // Nothing has looked at the text of a file.
            Written::InRecord if !self.text.is_empty() => self.text,
            Written::InRecord => self.name,
            Written::Around(before, after) => {
                return [before, &String::from_utf8_lossy(self.name), after].concat();
            }
        };
        String::from_utf8_lossy(text).into_owned()
    }

    /// The host, domain or network that it names.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }

    /// Where it is counted that it has decided.
    pub(crate) fn hit(&self) -> Hit {
        let hit = |id: EntryId| Hit::new(self.hits.clone(), id.number());
        self.id.map(hit).unwrap_or_default()
    }
}

/// The best entry so far: what it says of the host, and of which rank that is.
#[derive(Clone, Copy)]
struct Best<'s> {
    /// The place of the name in the table.
    place: usize,
    record: Record<'s>,
    rules: Rules,
    rank: u8,
    kind: MatchKind,
}

impl Snapshot {
    /// The key of its hashes; none if no host is on it.
    pub(crate) fn key(&self) -> Option<Key> {
        self.key
    }

    /// The entry that decides about `host`, a canonical host.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn find(&self, host: &str) -> Option<Found<'_>> {
        self.find_by(&Query::new(host, self.key?))
    }

    /// The entry that decides about a canonical host: of those that cover it the one of the highest
    /// rank, and of several the most specific. In a tree it is the other way round. Hashes of
    /// another key are made anew.
    pub(crate) fn find_by<'s>(&'s self, query: &Query<'_>) -> Option<Found<'s>> {
        let key = self.key?;
        if key != query.key() {
            return self.find_by(&Query::new(query.host, key));
        }
        match query.address {
            Some(address) => self.find_address(query, address),
            None => self.find_domain(query),
        }
    }

    fn find_domain<'s>(&'s self, query: &Query<'_>) -> Option<Found<'s>> {
        let mut best = None;
        for suffix in query.at_hand() {
            self.look_at(&mut best, query.host, *suffix);
        }
        if self.traits.labels.most() as usize > key::AT_HAND {
            for suffix in query.others() {
                self.look_at(&mut best, query.host, suffix);
            }
        }
        best.map(|best| self.found(best))
    }

    /// Looks at a domain that the host is in, or at the host itself.
    #[inline]
    fn look_at<'s>(&'s self, best: &mut Option<Best<'s>>, host: &str, suffix: Suffix) {
        if self.traits.labels.has(suffix.labels)
            && let Some(named) = self.record(suffix.hash, &host.as_bytes()[suffix.start as usize..])
        {
            let about = match suffix.start {
                0 => Rules::about_itself,
                _ => Rules::about_below,
            };
            self.consider(best, named, about);
        }
    }

    fn find_address<'s>(&'s self, query: &Query<'_>, address: IpAddr) -> Option<Found<'s>> {
        let mut best = None;
        for length in self.traits.prefixes(address.is_ipv6()) {
            // The length is one of a network of the same kind.
            if let Ok(network) = IpNet::new(address, length) {
                let network = Text::of(network.trunc());
                let (hash, _) = query.key().hash(network.bytes());
                if let Some(named) = self.record(hash, network.bytes()) {
                    self.consider(&mut best, named, Rules::about_below);
                }
            }
        }
        if let Some(named) = self.record(query.whole().hash, query.host.as_bytes()) {
            self.consider(&mut best, named, Rules::about_itself);
        }
        best.map(|best| self.found(best))
    }

    /// Takes a record that is more specific than the best one, if it has a rule of those that
    /// `about` chooses and that is not of a lower rank.
    #[cold]
    fn consider<'s>(
        &self,
        best: &mut Option<Best<'s>>,
        (place, record): (usize, Record<'s>),
        about: fn(Rules) -> Rules,
    ) {
        let rules = about(record.rules(&self.styles));
        let Some((rank, kind)) = rules.first() else {
            return;
        };
        if self.traits.is_tree || best.is_none_or(|best| rank >= best.rank) {
            *best = Some(Best {
                place,
                record,
                rules,
                rank,
                kind,
            });
        }
    }

    /// The place of a name, and its record.
    #[inline]
    fn record(&self, hash: u64, name: &[u8]) -> Option<(usize, Record<'_>)> {
        self.table.find(hash, |place| {
            let record = Record::at(self.records.get(), place)?;
            (record.name == name).then_some((place.number, record))
        })
    }

    fn found<'s>(&'s self, best: Best<'s>) -> Found<'s> {
        // One of the lines has said it.
        let has_said = |said: &Said<'_>| {
            let rules = self.styles.rules(said.style).and(best.rules);
            rules.has_rank(best.rank)
        };
        let mut all = best.record.said().enumerate();
        let said = all.find(|(_, said)| has_said(said));
        let (at, said) = said.expect("its rules were those of one of its lines");
        let id = EntryId::new(best.place, at);
        self.told(best.kind, best.record.name, said, id)
    }

    fn told<'s>(
        &'s self,
        kind: MatchKind,
        name: &'s [u8],
        said: Said<'s>,
        id: Option<EntryId>,
    ) -> Found<'s> {
        Found {
            kind,
            name,
            id,
            line: said.line,
            written: self.styles.written(said.style),
            text: said.text,
            hits: &self.hits,
        }
    }

    /// How many hosts and networks it has rules for.
    pub(crate) fn len(&self) -> usize {
        self.names
    }

    /// Every host and network that it has rules for.
    #[cfg(any(test, fuzzing, feature = "cli"))]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.records.get();
        std::iter::from_fn(move || {
            let (record, behind) = Record::read(rest)?;
            rest = behind;
            Some(str::from_utf8(record.name).expect("it was a text"))
        })
    }

    /// Every entry: its name, what it says, and how it is written.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn entries(&self) -> Vec<(String, Rules, String)> {
        let mut entries = Vec::new();
        let mut rest = self.records.get();
        while let Some((record, behind)) = Record::read(rest) {
            rest = behind;
            for said in record.said() {
                let rules = self.styles.rules(said.style);
                let (_, kind) = rules.first().expect("it says something");
                let found = self.told(kind, record.name, said, None);
                entries.push((found.name(), rules, found.rule()));
            }
        }
        entries
    }
}

impl From<Draft> for Snapshot {
    /// The list with its records in memory.
    fn from(draft: Draft) -> Self {
        let mut records = Vec::new();
        // Memory takes what is written, and the names of a draft are below 4 GiB.
        let table = draft.write_records(&mut records).unwrap_or_default();
        Self {
            key: Some(draft.key),
            traits: draft.traits,
            names: table.names(),
            hits: Arc::new(Hits::new(table.places())),
            sums: Sums::of(&records, &table, &draft.styles),
            table,
            styles: draft.styles,
            records: Bytes::InMemory(records.into()),
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("names", &self.len())
            .finish_non_exhaustive()
    }
}

/// A short text that needs no memory of its own.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Text {
    /// A network, which is never longer.
    fn of(network: IpNet) -> Self {
        let mut text = Self {
            bytes: [0; 64],
            length: 0,
        };
        let _ = write!(text, "{network}");
        text
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
