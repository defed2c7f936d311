//! Tells the format of a body by its beginning, where the settings of its feed do not name it.

use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use super::lines::Lines;
use super::{Format, adblock, begin, csv, dnsmasq, domains, hosts, rpz, start, unbound};
use crate::config::FeedFormat;

/// Lines that a format is told by.
const LINES_TO_LOOK_AT: usize = 200;

/// Whether a line can be one of a format.
type IsLine = fn(&str) -> bool;

/// The formats that have lines, those with the clearest marks first.
pub(super) const LINE_FORMATS: [(FeedFormat, IsLine); 6] = [
    (FeedFormat::Adblock, adblock::is_line),
    (FeedFormat::Dnsmasq, dnsmasq::is_line),
    (FeedFormat::Unbound, unbound::is_line),
    (FeedFormat::Rpz, rpz::is_line),
    (FeedFormat::Hosts, hosts::is_line),
    (FeedFormat::Domains, domains::is_line),
];

/// The format of a body; none if its lines are of several, or of none.
pub(super) fn detect(
    format: &Format,
    body: &mut (impl Read + Seek),
) -> io::Result<Option<FeedFormat>> {
    if format.field.is_some() || is_json(body)? {
        return Ok(Some(FeedFormat::Json));
    }
    if format.column.is_some() {
        return Ok(Some(FeedFormat::Csv));
    }
    begin(body)?;
    let mut lines = Lines::new(body);
    let mut looks = Looks::default();
    while let Some(mut some) = lines.next()? {
        if some.any(|line| looks.look_at(line.text.trim_ascii()).is_break()) {
            break;
        }
    }
    Ok(looks.like())
}

/// What lines look like.
#[derive(Default)]
struct Looks {
    /// A line has said what the list is.
    title: Option<FeedFormat>,
    /// How many columns the line before names, if it is a heading of CSV.
    columns: Option<usize>,
    /// How many lines there are of each format.
    counts: [usize; LINE_FORMATS.len()],
    seen: usize,
}

impl Looks {
    /// Looks at the next line. It breaks when enough was seen.
    fn look_at(&mut self, line: &str) -> ControlFlow<()> {
        if adblock::is_title(line) {
            self.title = Some(FeedFormat::Adblock);
            return ControlFlow::Break(());
        }
        let is_remark =
            line.starts_with(['!', ';']) || (line.starts_with('#') && !adblock::is_line(line));
        if line.is_empty() {
            return ControlFlow::Continue(());
        }
        let columns = if self.seen == 0 {
            csv::heading(line)
        } else {
            None
        };
        if is_remark {
            self.columns = columns.or(self.columns);
            return ControlFlow::Continue(());
        }
        if let Some(named) = std::mem::replace(&mut self.columns, columns)
            && line.split(',').count() >= named
        {
            self.title = Some(FeedFormat::Csv);
            return ControlFlow::Break(());
        }
        if let Some(place) = LINE_FORMATS.iter().position(|(_, is_line)| is_line(line)) {
            self.counts[place] += 1;
        }
        self.seen += 1;
        match self.seen {
            LINES_TO_LOOK_AT => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn like(self) -> Option<FeedFormat> {
        if self.title.is_some() {
            return self.title;
        }
        let counts = self.counts.into_iter().enumerate().rev();
        let (place, count) = counts.max_by_key(|(_, count)| *count)?;
        (count > 0 && count * 2 >= self.seen).then_some(LINE_FORMATS[place].0)
    }
}

/// Whether a body begins as an object or an array. `[Adblock Plus]` does not.
fn is_json(body: &mut (impl Read + Seek)) -> io::Result<bool> {
    let start = start(body)?;
    let start = start.trim_ascii_start();
    let in_array = start.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    Ok(start.starts_with(b"{")
        || in_array.is_some_and(|rest| {
            rest.starts_with(b"\"") || rest.starts_with(b"{") || rest.starts_with(b"]")
        }))
}
