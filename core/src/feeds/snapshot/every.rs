//! All entries of a list that speak of a host, for people who ask why. Lookups want one of them and
//! do without this file.

use super::key::Query;
use super::records::Record;
use super::{Found, Rules, Snapshot, Text};

/// Which rules of a record are about the host: those of the name itself, or of the names below it.
type About = fn(Rules) -> Rules;

impl Snapshot {
    /// The entries that speak of a canonical host, the most specific name last. Of lines that say
    /// the same of a name the first is one of them.
    pub(crate) fn find_all(&self, host: &str) -> Vec<Found<'_>> {
        let Some(key) = self.key else {
            return Vec::new();
        };
        let query = Query::new(host, key);
        let networks = self.networks(&query).into_iter();
        let mut all = Vec::new();
        for (record, about) in networks.chain(self.names_of(&query)) {
            all.extend(record.said().filter_map(|said| {
                let (_, kind) = about(self.styles.rules(said.style)).first()?;
                Some(self.told(kind, record.name, said, None))
            }));
        }
        all
    }

    /// The networks that an address is in.
    fn networks(&self, query: &Query<'_>) -> Vec<(Record<'_>, About)> {
        let Some(address) = query.address else {
            return Vec::new();
        };
        let lengths = self.traits.prefixes(address.is_ipv6());
        let networks = lengths.filter_map(|length| {
            let network = Text::of(ipnet::IpNet::new(address, length).ok()?.trunc());
            let (hash, _) = query.key().hash(network.bytes());
            let (_, record) = self.record(hash, network.bytes())?;
            Some((record, Rules::about_below as About))
        });
        networks.collect()
    }

    /// The host itself, and before it the domains that it is in.
    fn names_of(&self, query: &Query<'_>) -> Vec<(Record<'_>, About)> {
        let suffixes = query.at_hand().iter().copied().chain(query.others());
        let is_whole = |start| start == 0;
        let suffixes = suffixes.filter(|suffix| query.address.is_none() || is_whole(suffix.start));
        let names = suffixes.filter_map(|suffix| {
            let name = &query.host.as_bytes()[suffix.start as usize..];
            let about: About = if is_whole(suffix.start) {
                Rules::about_itself
            } else {
                Rules::about_below
            };
            let (_, record) = self.record(suffix.hash, name)?;
            Some((record, about))
        });
        names.collect()
    }
}
