//! The options of dnsmasq(8) that make names unknown, each with one domain or more, which are meant
//! with the names below them:
//!
//! - `local=/x/` and `server=/x/`, which answer from nowhere. With a server after them they say
//!   whom to ask, which lists nothing.
//! - `address=/x/`, `address=/x/#` and `address=/x/0.0.0.0` or another address that is no host's.

use std::net::IpAddr;

use crate::feeds::entries::Entries;
use crate::feeds::rule::{Covers, Rule};
use crate::feeds::snapshot::Full;

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = without_comment(line);
    if content.is_empty() {
        return Ok(());
    }
    let Some((option, value)) = content.split_once('=') else {
        // `domain-needed` and the like.
        entries.other(number, line);
        return Ok(());
    };
    let Some((domains, target)) = domains_of(value) else {
        entries.other(number, line);
        return Ok(());
    };
    let makes_unknown = match option.trim().trim_start_matches("--") {
        "local" | "server" => target.is_empty(),
        "address" => is_nowhere(target),
        _ => false,
    };
    for domain in domains {
        let domain = domain.trim_start_matches(['*', '.']);
        if makes_unknown && !domain.is_empty() && domain != "#" {
            entries.add_rule(domain, Rule::listed(Covers::Both), number, line)?;
        } else {
            entries.other(number, line);
        }
    }
    Ok(())
}

/// Whether a line is one of those that this format has.
pub(super) fn is_line(line: &str) -> bool {
    let options = ["server=/", "local=/", "address=/"];
    options
        .iter()
        .any(|option| line.trim_start_matches("--").starts_with(option))
}

/// A comment begins the line, or follows white space: `#` alone is a target.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| *at == 0 || line.as_bytes()[at - 1].is_ascii_whitespace();
    let mut marks = line.match_indices('#').map(|(at, _)| at);
    let end = marks.find(begins).unwrap_or(line.len());
    line[..end].trim_ascii_end()
}

/// `/a/b/target`.
fn domains_of(value: &str) -> Option<(impl Iterator<Item = &str>, &str)> {
    let (domains, target) = value.trim().strip_prefix('/')?.rsplit_once('/')?;
    Some((domains.split('/'), target))
}

fn is_nowhere(target: &str) -> bool {
    matches!(target, "" | "#")
        || target
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}
