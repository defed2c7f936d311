//! One domain a line. Comments begin with `#`, or with `!` as the first character.

use crate::feeds::entries::Entries;
use crate::feeds::snapshot::Full;

/// Reads the line with this number.
pub(super) fn read_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    if line.starts_with('!') {
        return Ok(());
    }
    let line = line.split('#').next().unwrap_or(line).trim_ascii_end();
    if line.is_empty() {
        return Ok(());
    }
    entries.add_domain(line, number)
}
