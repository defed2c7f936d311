//! `address name [name…]`, as hosts(5) has it. The address does not matter.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{LONGEST_REPEATED, belongs_to_none};
use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// The names of the machine itself, which lists in this format carry so that they can replace
/// `/etc/hosts`.
const OWN_NAMES: [&str; 12] = [
    "0.0.0.0",
    "broadcasthost",
    "ip6-allhosts",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "local",
    "localhost",
    "localhost.localdomain",
];

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = line.split('#').next().unwrap_or(line);
    if content.trim_ascii().is_empty() {
        return Ok(());
    }
    let Some(mut names) = names(content) else {
        entries.wrong(number, line);
        return Ok(());
    };
    names.try_for_each(|(name, text)| entries.add(name, number, &text))
}

/// The names in a line without its comment, each with the entry that it is by itself; none if the
/// line is not of this format.
pub(super) fn names(content: &str) -> Option<impl Iterator<Item = (&str, Cow<'_, str>)>> {
    let content = content.trim_ascii();
    let mut fields = content.split_ascii_whitespace();
    // The log shows the entry as one line of text, which has to be read as the same entry.
    let written = fields.next()?;
    let is_text = written.bytes().all(|byte| byte.is_ascii_graphic());
    // Its zone may have any length.
    if !is_text || written.len() > LONGEST_REPEATED {
        return None;
    }
    // `fe80::1%lo0`: the zone (RFC 4007, section 11) is not part of what `IpAddr` reads.
    let address: IpAddr = written.split('%').next()?.parse().ok()?;
    let mut names = fields.peekable();
    // Two addresses are a range, unless the first stands for nothing: then they are names.
    let is_name = |name: &str| name.parse::<IpAddr>().is_err();
    let may_be_names = belongs_to_none(address) || names.clone().all(is_name);
    let is_line = names.peek().is_some() && may_be_names;
    let entry = move |name: &str| -> Cow<'_, str> {
        let has_others = written.len() + 1 + name.len() < content.len();
        if has_others || !content[written.len()..].starts_with(' ') {
            format!("{written} {name}").into()
        } else {
            content.into()
        }
    };
    let names = names.filter(|name| !OWN_NAMES.contains(name));
    is_line.then(|| names.map(move |name| (name, entry(name))))
}

/// Whether a line is one of this format.
pub(super) fn is_line(line: &str) -> bool {
    names(line.split('#').next().unwrap_or(line)).is_some()
}
