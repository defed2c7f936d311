//! One domain, address or network a line; `*.` or `.` before a domain says that the names below are
//! meant, too. Comments begin with `#` or `;`, or with `!` as the first character.

use memchr::memchr2;

use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let entry = entry(line);
    if line.starts_with('!') || entry.is_empty() {
        return Ok(());
    }
    entries.add_wildcard(entry, number, entry)
}

/// Whether a line may be one of this format.
pub(super) fn is_line(line: &str) -> bool {
    let entry = entry(line);
    let allowed = |c: char| c.is_alphanumeric() || ".-_:/*".contains(c);
    entry.contains(['.', ':']) && entry.chars().all(allowed)
}

fn entry(line: &str) -> &str {
    let end = memchr2(b'#', b';', line.as_bytes()).unwrap_or(line.len());
    line[..end].trim_ascii_end()
}
