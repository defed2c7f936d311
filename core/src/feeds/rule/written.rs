//! One rule as AdBlock writes it, and one entry of a list of domains. `format` reads lists of them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Covers, Rule};

/// A rule about whole hosts.
pub(in crate::feeds) struct Written<'t> {
    pub(in crate::feeds) name: &'t str,
    pub(in crate::feeds) rule: Rule,
    /// It takes the same rule back, wherever that stands.
    pub(in crate::feeds) is_taken_back: bool,
}

impl<'t> Written<'t> {
    /// None for a rule that is not about whole hosts.
    pub(in crate::feeds) fn read(text: &'t str) -> Option<Self> {
        read_rule(text)
    }
}

/// The domain of an entry that says with `*.` or `.` before it that the names below are meant, too.
pub(in crate::feeds) fn wildcard(entry: &str) -> Option<&str> {
    entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.'))
}

fn read_rule(line: &str) -> Option<Written<'_>> {
    let (line, is_exception) = match line.strip_prefix("@@") {
        Some(rule) => (rule, true),
        None => (line, false),
    };
    let (pattern, modifiers) = match line.rsplit_once('$') {
        Some((pattern, modifiers)) => (pattern, Some(modifiers)),
        None => (line, None),
    };
    let (mut is_important, mut is_taken_back) = (false, false);
    for modifier in modifiers.into_iter().flat_map(|all| all.split(',')) {
        match modifier.trim() {
            "important" => is_important = true,
            "badfilter" => is_taken_back = true,
            "all" => {}
            _ => return None,
        }
    }
    let (name, covers) = read_pattern(pattern)?;
    let rule = if is_exception {
        Rule::excepted(covers)
    } else {
        Rule::listed(covers)
    };
    Some(Written {
        name,
        rule: Rule {
            is_important,
            ..rule
        },
        is_taken_back,
    })
}

/// A name without marks. `_ads.js` and `-banner-` are parts of URLs.
fn is_plain_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || ".-_:/".contains(c);
    name.contains(['.', ':'])
        && name.starts_with(char::is_alphanumeric)
        && name.chars().all(allowed)
}

fn read_pattern(pattern: &str) -> Option<(&str, Covers)> {
    let (name, covers) = if let Some(rest) = pattern.strip_prefix("||") {
        let name = rest.strip_suffix("^|").or_else(|| rest.strip_suffix('^'))?;
        match name.strip_prefix("*.") {
            Some(name) => (name, Covers::Below),
            None => (name, Covers::Both),
        }
    } else if let Some(rest) = pattern.strip_prefix('|') {
        let name = rest
            .strip_suffix("^|")
            .or_else(|| rest.strip_suffix(['^', '|']))?;
        (name, Covers::Itself)
    } else if is_plain_name(pattern) {
        (pattern, Covers::Itself)
    } else {
        return None;
    };
    let in_brackets = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let name = in_brackets.unwrap_or(name);
    let is_address = || name.parse::<IpAddr>().is_ok();
    let is_network = || name.parse::<IpNet>().is_ok();
    let is_pattern = name.contains(['*', '|', '^', '=', '?', '&', '%', '[', ']', ' ']);
    // A path, a port, or a pattern of names.
    let is_part = (name.contains('/') && !is_network())
        || (name.contains(':') && !is_address() && !is_network());
    (!name.is_empty() && !is_pattern && !is_part).then_some((name, covers))
}
