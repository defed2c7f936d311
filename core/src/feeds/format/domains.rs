//! One domain, address or network a line; `*.` or `.` before a domain says that the names below are
//! meant, too. Comments begin with `#`, or with `!` or `;` as the first character.

use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// Reads a line.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    if line.starts_with(['!', ';']) {
        return Ok(());
    }
    let line = line.split('#').next().unwrap_or(line).trim_ascii_end();
    if line.is_empty() {
        return Ok(());
    }
    entries.add_wildcard(line, number)
}

/// Whether a line may be one of this format.
pub(super) fn is_line(line: &str) -> bool {
    let entry = line.split('#').next().unwrap_or(line).trim_ascii_end();
    let allowed = |c: char| c.is_alphanumeric() || ".-_:/*".contains(c);
    entry.contains(['.', ':']) && entry.chars().all(allowed)
}
