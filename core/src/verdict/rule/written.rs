//! One rule as AdBlock writes it, and one entry of a list of domains. `format` reads lists of them,
//! and `config` those that stand in the settings. It knows of neither.

use std::net::IpAddr;

use ipnet::IpNet;

use super::name::{listed_host, listed_label, listed_network};
use super::{Covers, Rule};

/// A rule about whole hosts.
pub(crate) struct HostRule<'t> {
    pub(crate) name: &'t str,
    pub(crate) rule: Rule,
    /// It takes the same rule back, wherever that stands.
    pub(crate) is_taken_back: bool,
}

impl<'t> HostRule<'t> {
    /// None for a rule that is not about whole hosts.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        read_rule(text)
    }

    /// Whether a text has marks that a mere name does not have.
    pub(crate) fn has_marks(text: &str) -> bool {
        text.starts_with('|') || text.starts_with("@@") || text.contains(['^', '$'])
    }
}

/// Whether a text is one entry of a list, as AdBlock or a list of domains has it, that says
/// something about whole hosts.
pub(crate) fn is_entry(text: &str) -> bool {
    if HostRule::has_marks(text) {
        let rule = HostRule::read(text).filter(|rule| !rule.is_taken_back);
        return rule.is_some_and(|read| is_about_hosts(read.name, read.rule.covers));
    }
    match wildcard(text) {
        Some(domain) => is_about_hosts(domain, Covers::Both),
        None => is_about_hosts(text, Covers::Itself),
    }
}

/// The domain of an entry that says with `*.` or `.` before it that the names below are meant, too.
pub(crate) fn wildcard(entry: &str) -> Option<&str> {
    entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.'))
}

/// Whether a name can be looked for. Nothing listens at a top-level domain itself.
fn is_about_hosts(name: &str, covers: Covers) -> bool {
    listed_host(name).is_some()
        || listed_network(name).is_some()
        || (covers != Covers::Itself && listed_label(name).is_some())
}

fn read_rule(line: &str) -> Option<HostRule<'_>> {
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
    Some(HostRule {
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
    if name.parse::<IpAddr>().is_ok() {
        return true;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_something_about_whole_hosts() {
        for entry in [
            "ads.example",
            "*.ads.example",
            ".ads.example",
            "192.0.2.7",
            "2001:db8::/32",
            "||ads.example^",
            "|ads.example^",
            "||*.ads.example^$important",
            "@@||ok.example^",
            "@@ok.example",
            "||com^",
            "*.com",
        ] {
            assert!(is_entry(entry), "{entry}");
        }
        for entry in [
            "",
            "com",
            "404",
            "# ads.example",
            "! ads.example",
            "0.0.0.0 ads.example",
            "https://ads.example/",
            "ads.example/banner",
            "ads.example##.banner",
            "||ads.example^$script",
            "||ads.example^$badfilter",
            "||ads.example",
            "@@",
            "/ads[0-9]/",
            "ads.example\nmore.example",
        ] {
            assert!(!is_entry(entry), "{entry}");
        }
    }
}
