//! Comma-separated values (RFC 4180) of which one column has names, or URLs, whose hosts are meant.
//! Comments begin with `#`.

use csv_core::{ReadFieldResult, ReaderBuilder};

use super::url_host;
use crate::config::Column;
use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::snapshot::Full;

/// A longer value is no name.
const LONGEST: usize = 8 << 10;

/// Reads the whole body.
pub(super) fn read(body: &[u8], column: &Column, entries: &mut Entries) -> Result<(), Rejected> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).build();
    let mut table = Table::new(column);
    let mut rest = body;
    let mut value = Vec::new();
    let mut piece = [0; 256];
    loop {
        let line = usize::try_from(reader.line()).unwrap_or(usize::MAX);
        let (result, read, written) = reader.read_field(rest, &mut piece);
        rest = &rest[read..];
        let room = LONGEST.saturating_sub(value.len());
        value.extend_from_slice(&piece[..written.min(room)]);
        match result {
            // An empty input ends the last field.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::End => return table.finish(),
            ReadFieldResult::Field { record_end } => {
                let text = String::from_utf8_lossy(&value);
                table.take(text.trim(), line, entries)?;
                if record_end {
                    table.end_row(text.trim(), line, entries);
                }
                value.clear();
            }
        }
    }
}

/// Where in the table the reader is.
struct Table<'c> {
    column: &'c Column,
    /// The place of the column, from 0, once it is known.
    wanted: Option<usize>,
    /// The first row says what the columns are called.
    is_heading: bool,
    place: usize,
    has_wanted: bool,
}

impl<'c> Table<'c> {
    fn new(column: &'c Column) -> Self {
        let wanted = match column {
            Column::Number(number) => Some(number.get() - 1),
            Column::Name(_) => None,
        };
        Self {
            column,
            wanted,
            is_heading: wanted.is_none(),
            place: 0,
            has_wanted: false,
        }
    }

    fn take(&mut self, value: &str, line: usize, entries: &mut Entries) -> Result<(), Full> {
        match self.column {
            Column::Name(name) if self.is_heading && value == name => {
                self.wanted.get_or_insert(self.place);
            }
            _ if !self.is_heading && self.wanted == Some(self.place) => {
                self.has_wanted = true;
                entries.add_wildcard(url_host(value), line)?;
            }
            _ => {}
        }
        self.place += 1;
        Ok(())
    }

    fn end_row(&mut self, last: &str, line: usize, entries: &mut Entries) {
        if !self.is_heading && self.wanted.is_some() && !self.has_wanted {
            entries.wrong(line, last);
        }
        (self.is_heading, self.has_wanted, self.place) = (false, false, 0);
    }

    fn finish(self) -> Result<(), Rejected> {
        match self.wanted {
            Some(_) => Ok(()),
            None => Err(Rejected::Csv(self.column.to_string())),
        }
    }
}
