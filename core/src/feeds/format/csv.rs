//! Comma-separated values (RFC 4180) of which one column has names or URLs. Comments begin with
//! `#`. Columns are called what the first row says or, as in the exports of abuse.ch, a comment
//! above it. Spaces before a value mean nothing: those exports have them before quotation marks.

use std::io::{self, BufRead, Read};

use csv_core::{ReadFieldResult, ReaderBuilder};
use memchr::memchr_iter;

use super::{add_host_or_url, rank};
use crate::config::Column;
use crate::feeds::entries::{Entries, Rejected, TOO_LONG};
use crate::feeds::snapshot::Full;

/// Reads the whole body. Without a column it is the one that well-known exports call by its name,
/// or else the first.
pub(super) fn read(
    mut body: impl BufRead,
    column: Option<&Column>,
    entries: &mut Entries,
) -> Result<(), Rejected> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).build();
    let mut table = Table::new(column);
    let mut lines = table.read_comments(&mut body)?;
    let mut value = Vec::new();
    let mut piece = [0; 256];
    let mut has_begun = false;
    loop {
        // An empty input ends the last field.
        let input = body.fill_buf()?;
        let before = spaces(input);
        if before > 0 && !has_begun {
            body.consume(before);
            continue;
        }
        has_begun = true;
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
                let value_of = Value {
                    text: text.trim(),
                    is_whole: value.len() < TOO_LONG,
                    line,
                };
                table.take(value_of, entries)?;
                if record_end {
                    table.end_row(value_of, entries)?;
                }
                value.clear();
                has_begun = false;
            }
        }
    }
}

/// How many columns a line names, if one of them has names of hosts in well-known exports. It may
/// be a comment.
pub(super) fn heading(line: &str) -> Option<usize> {
    let mut names = names(line);
    let count = names.clone().count();
    (count > 1 && names.any(|name| rank(name).is_some())).then_some(count)
}

/// What a line calls the columns. No name has a comma in it.
fn names(line: &str) -> impl Iterator<Item = &str> + Clone {
    let line = line.trim_start_matches('#').trim();
    line.split(',').map(|name| name.trim().trim_matches('"'))
}

/// The spaces that a value begins with. A tab may stand between values.
fn spaces(input: &[u8]) -> usize {
    input.iter().take_while(|byte| **byte == b' ').count()
}

/// A value and where it stands.
#[derive(Clone, Copy)]
struct Value<'v> {
    text: &'v str,
    /// Whether none of it was cut off.
    is_whole: bool,
    line: usize,
}

impl Value<'_> {
    fn add(self, entries: &mut Entries) -> Result<(), Full> {
        if self.is_whole {
            add_host_or_url(self.text, self.line, entries)
        } else {
            entries.wrong(self.line, self.text);
            Ok(())
        }
    }
}

/// Where in the table the reader is.
struct Table<'c> {
    column: Option<&'c Column>,
    /// The place of the column, from 0, once it is known.
    wanted: Option<usize>,
    /// Whether the next row may say what the columns are called.
    is_heading: bool,
    /// The best of the names so far, and the place of its column.
    best: Option<(usize, usize)>,
    /// The first value of what may be a heading: where it is none, the name that it has, whether it
    /// is whole, and its line.
    first: Option<(String, bool, usize)>,
    place: usize,
    has_wanted: bool,
}

impl<'c> Table<'c> {
    fn new(column: Option<&'c Column>) -> Self {
        let wanted = match column {
            Some(Column::Number(number)) => Some(number.get() - 1),
            Some(Column::Name(_)) | None => None,
        };
        Self {
            column,
            wanted,
            is_heading: wanted.is_none(),
            best: None,
            first: None,
            place: 0,
            has_wanted: false,
        }
    }

    /// Reads the comments above the first row, of which the last that names the column counts, and
    /// tells how many lines they have.
    fn read_comments(&mut self, body: &mut impl BufRead) -> io::Result<usize> {
        let mut lines = 0;
        while let Some(first @ (b'#' | b'\r' | b'\n')) = body.fill_buf()?.first() {
            if *first == b'\r' {
                body.consume(1);
                continue;
            }
            let mut comment = Vec::new();
            let mut start = body.by_ref().take(TOO_LONG as u64);
            start.read_until(b'\n', &mut comment)?;
            if !comment.ends_with(b"\n") {
                body.skip_until(b'\n')?;
            }
            lines += 1;
            let comment = String::from_utf8_lossy(&comment);
            let mut named = Self::new(self.column);
            for name in names(&comment).filter(|_| self.is_heading) {
                named.note(name);
                named.place += 1;
            }
            self.best = named.best.or(self.best);
        }
        if let Some((_, place)) = self.best {
            (self.wanted, self.is_heading) = (Some(place), false);
        }
        Ok(lines)
    }

    /// Looks at what the next column is called.
    fn note(&mut self, name: &str) {
        let rank = match self.column {
            Some(Column::Name(wanted)) => (name == wanted).then_some(0),
            Some(Column::Number(_)) => None,
            None => rank(name),
        };
        if let Some(rank) = rank
            && self.best.is_none_or(|(best, _)| rank < best)
        {
            self.best = Some((rank, self.place));
        }
    }

    fn take(&mut self, value: Value<'_>, entries: &mut Entries) -> Result<(), Full> {
        if self.is_heading {
            self.note(value.text);
            let first = || (value.text.to_owned(), value.is_whole, value.line);
            self.first.get_or_insert_with(first);
        } else if self.wanted == Some(self.place) {
            self.has_wanted = true;
            value.add(entries)?;
        }
        self.place += 1;
        Ok(())
    }

    fn end_row(&mut self, last: Value<'_>, entries: &mut Entries) -> Result<(), Full> {
        if self.is_heading {
            self.wanted = self.best.map(|(_, place)| place);
            if let (None, None, Some((text, is_whole, line))) =
                (self.column, self.wanted, self.first.take())
            {
                self.wanted = Some(0);
                let text = text.as_str();
                let first = Value {
                    text,
                    is_whole,
                    line,
                };
                first.add(entries)?;
            }
        } else if self.wanted.is_some() && !self.has_wanted {
            entries.wrong(last.line, last.text);
        }
        (self.is_heading, self.has_wanted, self.place) = (false, false, 0);
        Ok(())
    }

    fn finish(self) -> Result<(), Rejected> {
        match (self.wanted, self.column) {
            (None, Some(column)) => Err(Rejected::Csv(column.to_string())),
            _ => Ok(()),
        }
    }
}
