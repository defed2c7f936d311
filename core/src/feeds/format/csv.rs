//! Comma-separated values (RFC 4180) of which one column has names or URLs. Comments begin with
//! `#`.

use std::io::BufRead;

use csv_core::{ReadFieldResult, ReaderBuilder};
use memchr::memchr_iter;

use super::add_host_or_url;
use crate::config::Column;
use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::snapshot::Full;

/// A value of so many bytes is not a name.
const TOO_LONG: usize = 8 << 10;

/// Reads the whole body.
pub(super) fn read(
    mut body: impl BufRead,
    column: &Column,
    entries: &mut Entries,
) -> Result<(), Rejected> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).build();
    let mut table = Table::new(column);
    let mut value = Vec::new();
    let mut piece = [0; 256];
    let mut lines = 0;
    loop {
        // An empty input ends the last field.
        let input = body.fill_buf()?;
        let (result, read, written) = reader.read_field(input, &mut piece);
        let taken = &input[..read];
        // The line of a field is the one that it ends in.
        let line = lines + memchr_iter(b'\n', taken.trim_ascii_end()).count() + 1;
        lines += memchr_iter(b'\n', taken).count();
        body.consume(read);
        let room = TOO_LONG.saturating_sub(value.len());
        value.extend_from_slice(&piece[..written.min(room)]);
        match result {
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::End => return table.finish(),
            ReadFieldResult::Field { record_end } => {
                let text = String::from_utf8_lossy(&value);
                let text = unquoted(text.trim());
                let is_whole = value.len() < TOO_LONG;
                table.take(text, is_whole, line, entries)?;
                if record_end {
                    table.end_row(text, line, entries);
                }
                value.clear();
            }
        }
    }
}

/// Some writers leave a space before the quotation marks, where they mean nothing to a reader.
fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
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

    fn take(
        &mut self,
        value: &str,
        is_whole: bool,
        line: usize,
        entries: &mut Entries,
    ) -> Result<(), Full> {
        match self.column {
            Column::Name(name) if self.is_heading && value == name => {
                self.wanted.get_or_insert(self.place);
            }
            _ if !self.is_heading && self.wanted == Some(self.place) => {
                self.has_wanted = true;
                if is_whole {
                    add_host_or_url(value, line, entries)?;
                } else {
                    entries.wrong(line, value);
                }
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
