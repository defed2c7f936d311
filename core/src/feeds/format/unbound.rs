//! The local zones and data of unbound.conf(5). A zone that answers of itself lists its name and
//! those below it; data that point nowhere list one name.

use std::net::IpAddr;

use crate::feeds::entries::Entries;
use crate::feeds::rule::{Covers, Rule};
use crate::feeds::snapshot::Full;

/// Types of zones that answer what is not there, or nothing.
const BLOCKING: [&str; 8] = [
    "always_null",
    "always_nxdomain",
    "always_nodata",
    "always_refuse",
    "deny",
    "redirect",
    "refuse",
    "static",
];

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = line.split('#').next().unwrap_or(line).trim_ascii();
    let Some((option, value)) = content.split_once(':') else {
        if !content.is_empty() {
            entries.wrong(number, line);
        }
        return Ok(());
    };
    let value = value.replace('"', " ");
    let mut words = value.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let rule = match option {
        "local-zone" if words.next().is_some_and(|kind| BLOCKING.contains(&kind)) => {
            Some(Rule::listed(Covers::Both))
        }
        "local-data" if words.next_back().is_some_and(is_nowhere) => {
            Some(Rule::listed(Covers::Itself))
        }
        // `server:` begins the part that these stand in.
        "server" if name.is_empty() => return Ok(()),
        _ => None,
    };
    match rule {
        Some(rule) => entries.add_rule(name, rule, number, line),
        None => {
            entries.other(number, line);
            Ok(())
        }
    }
}

/// Whether a line is one of those that this format has.
pub(super) fn is_line(line: &str) -> bool {
    ["local-zone:", "local-data:"]
        .iter()
        .any(|option| line.starts_with(option))
}

/// `"x A 0.0.0.0"`.
fn is_nowhere(address: &str) -> bool {
    address
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}
