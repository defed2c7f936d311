//! Lists that stand in the settings of a feed or in a file of test cases.

use ipnet::IpNet;

use super::entries::{Entries, Listed, Reading, Rejected};
use super::format::adblock;
use super::snapshot::{Builder, Found, Key, Snapshot};
use crate::verdict::MatchKind;
use crate::verdict::rule::written::HostRule;
use crate::verdict::rule::{Covers, Rule};

/// What stands before an exception.
const EXCEPTION: &str = "@@";

/// The entries of a feed's settings, each as AdBlock or a list of domains has it. Their lines are
/// their places, from 1.
pub(crate) fn read(entries: &[String], reading: Reading, key: Key) -> Result<Listed, Rejected> {
    let size: usize = entries.iter().map(String::len).sum();
    let mut list = Entries::new(reading, false, key, size);
    for (entry, place) in entries.iter().zip(1..) {
        if HostRule::has_marks(entry) {
            adblock::read_line(entry, place, &mut list)?;
        } else {
            list.add_wildcard(entry, place, entry)?;
        }
    }
    list.finish()
}

/// An entry of any list, as such a list has it.
pub(super) fn entry(found: &Found<'_>) -> String {
    let name = found.name();
    match found.kind {
        MatchKind::Listed => name,
        MatchKind::Excepted => format!("{EXCEPTION}{name}"),
    }
}

/// A list of canonical hosts and networks, behind `@@` if they are exceptions. Domains cover the
/// names below them.
pub(super) fn snapshot(entries: &[String], key: Key) -> Snapshot {
    let mut builder = Builder::new(key, false);
    for (entry, line) in entries.iter().zip(1..) {
        let (name, rule): (_, fn(Covers) -> Rule) = match entry.strip_prefix(EXCEPTION) {
            Some(name) => (name, Rule::excepted),
            None => (entry, Rule::listed),
        };
        let covers = match name.parse::<IpNet>() {
            Ok(_) => Covers::Below,
            Err(_) => Covers::Both,
        };
        // A list in memory is never too long.
        let _ = builder.add(name, rule(covers).into(), line, entry);
    }
    builder.finish().into()
}
