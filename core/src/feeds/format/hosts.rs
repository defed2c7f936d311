//! `address name [name…]`, as hosts(5) has it. The address does not matter.

use std::net::IpAddr;

use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// Reads the line with this number.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let line = line.split('#').next().unwrap_or(line);
    let mut fields = line.split_ascii_whitespace();
    let Some(address) = fields.next() else {
        return Ok(());
    };
    // `fe80::1%lo0`: the zone (RFC 4007, section 11) is not part of what `IpAddr` reads.
    let address = address.split('%').next().unwrap_or(address);
    let mut names = fields.peekable();
    if address.parse::<IpAddr>().is_err() || names.peek().is_none() {
        entries.skip(number);
        return Ok(());
    }
    names
        .filter(|name| !is_own_name(name))
        .try_for_each(|name| entries.add(name, number))
}

/// The names of the machine itself, which lists in this format carry so that they can replace
/// `/etc/hosts`.
fn is_own_name(name: &str) -> bool {
    matches!(
        name,
        "0.0.0.0" | "broadcasthost" | "local" | "localhost" | "localhost.localdomain"
    ) || name.starts_with("ip6-")
}
