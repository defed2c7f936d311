//! Lists that stand in settings or in a file of test cases. Their entries are canonical already.

use ipnet::IpNet;

use super::rule::{Covers, Rule};
use super::snapshot::{Builder, Key, Snapshot};

/// What stands before an exception.
pub(super) const EXCEPTION: &str = "@@";

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
        let _ = builder.add(name, rule(covers).into(), line);
    }
    builder.finish().into()
}
