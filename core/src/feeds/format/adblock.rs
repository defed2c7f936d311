//! The network rules of AdBlock and AdGuard that speak of whole hosts:
//!
//! | rule | covers |
//! |---|---|
//! | `\|\|example.org^` | the name and those below it |
//! | `\|\|*.example.org^` | the names below it |
//! | `\|example.org^`, `example.org`, `0.0.0.0 example.org` | the name |
//! | `@@` before it | an exception of the same |
//!
//! `$important` precedes exceptions, `$badfilter` takes the same rule back, and `$all` changes
//! nothing here. Cosmetic rules, rules for paths, regular expressions and rules with modifiers that
//! narrow them down are counted, because applying half of one would block too much.

use std::net::IpAddr;

use ipnet::IpNet;

use super::hosts;
use crate::feeds::entries::Entries;
use crate::feeds::rule::{Covers, Rule};
use crate::feeds::snapshot::Full;

/// What makes a rule cosmetic: it changes pages and no requests.
const COSMETIC: [&str; 12] = [
    "##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#@$?#", "#%#", "#@%#", "$$", "$@$",
];

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    if is_comment(line) {
        return Ok(());
    }
    if let Some(mut names) = hosts::names(line.split('#').next().unwrap_or(line)) {
        let rule = Rule::listed(Covers::Itself);
        return names.try_for_each(|name| entries.add_rule(name, rule, number, line));
    }
    let Some(read) = read_rule(line) else {
        if is_prose(line) {
            entries.wrong(number, line);
        } else {
            entries.other(number, line);
        }
        return Ok(());
    };
    if read.is_taken_back {
        entries.take_back(read.name, read.rule, number, line);
        return Ok(());
    }
    entries.add_rule(read.name, read.rule, number, line)
}

/// Whether a line can only be one of this format.
pub(super) fn is_line(line: &str) -> bool {
    line.starts_with("||") || line.starts_with("@@") || is_cosmetic(line) || is_title(line)
}

/// Whether a line says of itself that the list is in this format.
pub(super) fn is_title(line: &str) -> bool {
    let title = line.get(..8);
    title.is_some_and(|title| title.eq_ignore_ascii_case("[adblock") || title == "[AdGuard")
}

fn is_cosmetic(line: &str) -> bool {
    // `## my list` and `######` are remarks.
    let is_remark = line
        .strip_prefix("##")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '#']));
    // Every mark has one of these, and most lines have neither.
    let may_be = !is_remark && line.contains(['#', '$']);
    may_be && COSMETIC.iter().any(|mark| line.contains(mark))
}

/// Patterns have no space, and pages are not lists.
fn is_prose(line: &str) -> bool {
    let pattern = line.split('$').next().unwrap_or(line);
    let is_other = is_cosmetic(line) || line.starts_with('/') || line.starts_with("!#");
    !is_other && pattern.contains([' ', '<', '>'])
}

fn is_comment(line: &str) -> bool {
    // `!#if` and `!#include` are directives, which would change what the list says.
    let is_directive = line.starts_with("!#");
    let is_remark = line.starts_with('#') && !is_cosmetic(line);
    line.starts_with('!') && !is_directive || is_remark || is_title(line)
}

struct Read<'l> {
    name: &'l str,
    rule: Rule,
    is_taken_back: bool,
}

/// None for a rule that is not about whole hosts.
fn read_rule(line: &str) -> Option<Read<'_>> {
    if is_cosmetic(line) || line.starts_with("!#") {
        return None;
    }
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
    Some(Read {
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
