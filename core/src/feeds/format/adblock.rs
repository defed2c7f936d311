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

use super::hosts;
use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;
use crate::verdict::rule::written::HostRule;
use crate::verdict::rule::{Covers, Rule};

/// What makes a rule cosmetic: it changes pages and no requests.
const COSMETIC: [&str; 12] = [
    "##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#@$?#", "#%#", "#@%#", "$$", "$@$",
];

/// Reads a line.
pub(in crate::feeds) fn read_line(
    line: &str,
    number: usize,
    entries: &mut Entries,
) -> Result<(), Full> {
    if is_comment(line) {
        return Ok(());
    }
    if let Some(mut names) = hosts::names(line.split('#').next().unwrap_or(line)) {
        let rule = Rule::listed(Covers::Itself);
        return names.try_for_each(|(name, text)| entries.add_rule(name, rule, number, &text));
    }
    let is_about_pages = is_cosmetic(line) || is_directive(line);
    let text = name_before_comment(line).unwrap_or(line);
    let read = (!is_about_pages).then(|| HostRule::read(text));
    let Some(read) = read.flatten() else {
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
    entries.add_rule(read.name, read.rule, number, text)
}

/// A mere name may have a comment behind it.
fn name_before_comment(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('#')?;
    let name = before.trim_ascii_end();
    let is_name = !HostRule::has_marks(name) && name.parse::<IpAddr>().is_err();
    (name.len() < before.len() && is_name).then_some(name)
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
    // Before a mark there are domains, which do not begin with one.
    if line.starts_with('#') {
        // `## my list` and `######` are remarks, `###id` is not.
        let named = line.trim_start_matches('#');
        let marks = line.len() - named.len();
        let is_remark = named.is_empty() || named.starts_with(' ') || marks > 3;
        let mut selectors = COSMETIC.iter().filter_map(|mark| line.strip_prefix(mark));
        return !is_remark && selectors.any(|selector| !selector.is_empty());
    }
    // Every mark has one of these, and most lines have neither.
    line.contains(['#', '$']) && COSMETIC.iter().any(|mark| line.contains(mark))
}

/// Directives (`!#if`, `!#include`) would change what the list says.
fn is_directive(line: &str) -> bool {
    line.starts_with("!#") && !line.starts_with("!##")
}

/// Patterns have no space, and pages are not lists.
fn is_prose(line: &str) -> bool {
    let pattern = line.split('$').next().unwrap_or(line);
    let is_other = is_cosmetic(line) || line.starts_with('/') || is_directive(line);
    !is_other && pattern.contains([' ', '<', '>'])
}

fn is_comment(line: &str) -> bool {
    let is_remark = line.starts_with('#') && !is_cosmetic(line);
    line.starts_with('!') && !is_directive(line) || is_remark || is_title(line)
}
