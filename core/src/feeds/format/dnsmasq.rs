//! The options of dnsmasq(8) for domains and the names below them, where the most specific one
//! counts. `local=/x/` and `server=/x/` make names unknown, as do `address=/x/`, `address=/x/#` and
//! an address that belongs to no host. With a server after them (`server=/x/192.0.2.1`, `#` for the
//! usual ones) they say whom to ask, which excepts the names.

use super::{LONGEST_REPEATED, is_nowhere};
use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;
use crate::verdict::rule::{Covers, Rule};

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = without_comment(line);
    if content.is_empty() {
        return Ok(());
    }
    let Some((option, (domains, target))) = content
        .split_once('=')
        .and_then(|(option, value)| Some((option.trim(), domains_of(value)?)))
    else {
        // `domain-needed` and the like.
        entries.other(number, line);
        return Ok(());
    };
    if option.len() + target.len() > LONGEST_REPEATED {
        entries.wrong(number, line);
        return Ok(());
    }
    let rule = match option.trim_start_matches("--") {
        // The log shows the entry as text, which has to be read as the same entry.
        _ if target.contains(char::is_control) => None,
        "local" | "server" if target.is_empty() => Some(Rule::listed(Covers::Both)),
        "local" | "server" => Some(Rule::excepted(Covers::Both)),
        "address" if matches!(target, "" | "#") || is_nowhere(target) => {
            Some(Rule::listed(Covers::Both))
        }
        _ => None,
    };
    for domain in domains {
        let name = domain.strip_prefix("*.").unwrap_or(domain);
        let name = name.strip_prefix('.').unwrap_or(name);
        match rule {
            // `#` stands for all domains, and `*x` also for names that only end alike.
            Some(rule) if !name.is_empty() && !name.contains(['#', '*']) => {
                let text = format!("{option}=/{domain}/{target}");
                entries.add_rule(name, rule, number, &text)?;
            }
            _ => entries.other(number, line),
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
