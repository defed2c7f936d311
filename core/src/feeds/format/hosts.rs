//! `address name [name…]`, as hosts(5) has it. The address does not matter.

use std::net::IpAddr;

use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let content = line.split('#').next().unwrap_or(line);
    let mut fields = content.split_ascii_whitespace();
    let Some(address) = fields.next() else {
        return Ok(());
    };
    let mut names = fields.peekable();
    if !is_address(address) || names.peek().is_none() {
        entries.wrong(number, line);
        return Ok(());
    }
    names
        .filter(|name| !is_own_name(name))
        .try_for_each(|name| entries.add(name, number))
}

/// Whether a line begins as one of this format.
pub(super) fn is_line(line: &str) -> bool {
    let mut fields = line.split_ascii_whitespace();
    fields.next().is_some_and(is_address) && fields.next().is_some_and(|name| name != "#")
}

fn is_address(field: &str) -> bool {
    // `fe80::1%lo0`: the zone (RFC 4007, section 11) is not part of what `IpAddr` reads.
    let address = field.split('%').next().unwrap_or(field);
    address.parse::<IpAddr>().is_ok()
}

/// The names of the machine itself, which lists in this format carry so that they can replace
/// `/etc/hosts`.
fn is_own_name(name: &str) -> bool {
    matches!(
        name,
        "0.0.0.0" | "broadcasthost" | "local" | "localhost" | "localhost.localdomain"
    ) || name.starts_with("ip6-")
}
