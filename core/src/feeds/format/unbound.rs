//! The local zones and data of unbound.conf(5). A zone that answers of itself lists its name and
//! those below it, and one that is transparent excepts them. Data that point nowhere list one name;
//! other data answer for theirs, which is an exception.

use super::is_nowhere;
use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;
use crate::verdict::rule::{Covers, Rule};

/// Types of zones that answer what is not there, or nothing.
const BLOCKING: [&str; 11] = [
    "always_deny",
    "always_null",
    "always_nxdomain",
    "always_nodata",
    "always_refuse",
    "deny",
    "inform_deny",
    "inform_redirect",
    "redirect",
    "refuse",
    "static",
];

/// Types of zones that answer as if there were none.
const TRANSPARENT: [&str; 3] = ["always_transparent", "transparent", "typetransparent"];

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = line.split('#').next().unwrap_or(line).trim_ascii();
    let Some((option, value)) = content.split_once(':') else {
        if !content.is_empty() {
            entries.wrong(number, line);
        }
        return Ok(());
    };
    // Either kind of quotation marks may stand around a value.
    let value = value.replace(['"', '\''], " ");
    let mut words = value.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let is_hidden = |letter: char| letter.is_control() && letter != '\t';
    let rule = match option {
        // The log shows the entry as text, which has to be read as the same entry.
        _ if value.contains(is_hidden) => None,
        "local-zone" => match words.next() {
            Some(kind) if BLOCKING.contains(&kind) => Some(Rule::listed(Covers::Both)),
            Some(kind) if TRANSPARENT.contains(&kind) => Some(Rule::excepted(Covers::Both)),
            _ => None,
        },
        "local-data" => match words.next_back() {
            Some(address) if is_nowhere(address) => Some(Rule::listed(Covers::Itself)),
            _ => Some(Rule::excepted(Covers::Both)),
        },
        // `server:` begins the part that these stand in.
        "server" if name.is_empty() => return Ok(()),
        _ => None,
    };
    match rule {
        Some(rule) => entries.add_rule(name, rule, number, content),
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
