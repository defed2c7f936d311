//! Comma-separated values (RFC 4180) of which one column has names, or URLs, whose hosts are meant.
//! Comments begin with `#`.

use csv_core::{ReadFieldResult, ReaderBuilder};

use super::url_host;
use crate::config::Column;
use crate::feeds::entries::{Entries, Rejected};

/// A longer value is no name.
const LONGEST: usize = 8 << 10;

/// Reads the whole body.
pub(super) fn read(body: &[u8], column: &Column, entries: &mut Entries) -> Result<(), Rejected> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).build();
    let mut wanted = match column {
        Column::Number(number) => Some(number.get() - 1),
        Column::Name(_) => None,
    };
    // What the names stand in is the first row.
    let mut is_heading = wanted.is_none();
    let (mut rest, mut place, mut has_wanted) = (body, 0, false);
    let mut field = Vec::new();
    let mut piece = [0; 256];
    loop {
        let line = usize::try_from(reader.line()).unwrap_or(usize::MAX);
        let (result, read, written) = reader.read_field(rest, &mut piece);
        rest = &rest[read..];
        let room = LONGEST.saturating_sub(field.len());
        field.extend_from_slice(&piece[..written.min(room)]);
        match result {
            // The end of the body ends its last field.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => continue,
            ReadFieldResult::End => break,
            ReadFieldResult::Field { record_end } => {
                let value = String::from_utf8_lossy(&field);
                let value = value.trim();
                match (column, wanted) {
                    (Column::Name(name), None) if is_heading && value == name => {
                        wanted = Some(place);
                    }
                    (_, Some(wanted)) if !is_heading && wanted == place => {
                        has_wanted = true;
                        entries.add_wildcard(url_host(value), line)?;
                    }
                    _ => {}
                }
                if record_end {
                    if is_heading && wanted.is_none() {
                        break;
                    }
                    if !is_heading && !has_wanted {
                        entries.wrong(line, value);
                    }
                    (is_heading, has_wanted, place) = (false, false, 0);
                } else {
                    place += 1;
                }
                field.clear();
            }
        }
    }
    match wanted {
        Some(_) => Ok(()),
        None => Err(Rejected::Csv(column.to_string())),
    }
}
