//! Reads the body of a feed into a snapshot, or says why it is not a list. Each format is a file.
//! `feeds` calls it off the async threads. It knows nothing of where the body came from.

mod adblock;
mod csv;
mod dnsmasq;
mod domains;
mod hosts;
mod json;
mod rpz;
#[cfg(test)]
mod tests;
mod unbound;

use std::borrow::Cow;

use self::rpz::Zone;
use super::entries::{Entries, Parsed, Reading, Rejected};
use super::snapshot::Full;
use crate::config::{Column, Feed, FeedFormat};

/// Lines that a format is told by.
const LINES_TO_TELL: usize = 200;

/// Whether a line can be one of a format.
type IsLine = fn(&str) -> bool;

/// The formats that have lines, those with the clearest marks first.
const LINE_FORMATS: [(FeedFormat, IsLine); 6] = [
    (FeedFormat::Adblock, adblock::is_line),
    (FeedFormat::Dnsmasq, dnsmasq::is_line),
    (FeedFormat::Unbound, unbound::is_line),
    (FeedFormat::Rpz, rpz::is_line),
    (FeedFormat::Hosts, hosts::is_line),
    (FeedFormat::Domains, domains::is_line),
];

/// How a body is to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Format {
    pub(crate) format: FeedFormat,
    /// The column of CSV that has the names.
    pub(crate) column: Option<Column>,
    /// A JSON pointer to the names.
    pub(crate) field: Option<String>,
    pub(crate) reading: Reading,
}

impl From<FeedFormat> for Format {
    fn from(format: FeedFormat) -> Self {
        Self {
            format,
            ..Self::default()
        }
    }
}

impl From<&Feed> for Format {
    fn from(feed: &Feed) -> Self {
        Self {
            format: feed.format,
            column: feed.column.clone(),
            field: feed.field.clone(),
            reading: Reading {
                subdomains: feed.subdomains,
                public_suffixes: feed.public_suffixes,
            },
        }
    }
}

/// Reads `body`. A few wrong entries are left out and counted.
pub(crate) fn parse(format: &Format, body: &[u8]) -> Result<Parsed, Rejected> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut entries = Entries::new(format.reading);
    let named = match format.format {
        FeedFormat::Auto => tell(format, body).ok_or(Rejected::Unrecognized)?,
        named => named,
    };
    match named {
        FeedFormat::Auto | FeedFormat::Domains => lines(body, &mut entries, domains::read_line)?,
        FeedFormat::Hosts => lines(body, &mut entries, hosts::read_line)?,
        FeedFormat::Adblock => lines(body, &mut entries, adblock::read_line)?,
        FeedFormat::Dnsmasq => lines(body, &mut entries, dnsmasq::read_line)?,
        FeedFormat::Unbound => lines(body, &mut entries, unbound::read_line)?,
        FeedFormat::Rpz => {
            let mut zone = Zone::default();
            for (line, number) in texts(body) {
                zone.read_line(line.trim_end(), number, &mut entries)?;
            }
        }
        FeedFormat::Json => json::read(body, format.field.as_deref(), &mut entries)?,
        FeedFormat::Csv => {
            let column = format.column.clone().unwrap_or_default();
            csv::read(body, &column, &mut entries)?;
        }
    }
    entries.finish()
}

/// The format of a body that the settings do not name; none if its lines are of several, or of
/// none.
fn tell(format: &Format, body: &[u8]) -> Option<FeedFormat> {
    let start = body.trim_ascii_start();
    if format.field.is_some() || start.starts_with(b"{") || start.starts_with(b"[\"") {
        return Some(FeedFormat::Json);
    }
    if format.column.is_some() {
        return Some(FeedFormat::Csv);
    }
    let mut counts = [0_usize; LINE_FORMATS.len()];
    let mut seen = 0;
    for (line, _) in texts(body) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(['!', ';']) || line.starts_with("# ") || line == "#"
        {
            continue;
        }
        if let Some(place) = LINE_FORMATS.iter().position(|(_, is_line)| is_line(line)) {
            counts[place] += 1;
        }
        seen += 1;
        if seen == LINES_TO_TELL {
            break;
        }
    }
    let (place, count) = counts
        .into_iter()
        .enumerate()
        .rev()
        .max_by_key(|(_, count)| *count)?;
    (count > 0 && count * 2 >= seen).then_some(LINE_FORMATS[place].0)
}

/// Hands each line that is not blank to `read`, without its line end and white space.
fn lines(
    body: &[u8],
    entries: &mut Entries,
    read: impl Fn(&str, usize, &mut Entries) -> Result<(), Full>,
) -> Result<(), Full> {
    for (line, number) in texts(body) {
        let line = line.trim_ascii();
        if !line.is_empty() {
            read(line, number, entries)?;
        }
    }
    Ok(())
}

/// The lines with their numbers. Bytes that are not UTF-8 cannot be in a name, and may be in a
/// comment.
fn texts(body: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, usize)> {
    let lines = body.split(|&byte| byte == b'\n').zip(1..);
    lines.map(|(line, number)| (String::from_utf8_lossy(line), number))
}

/// The host of an `http:` or `https:` URL, or of a host with a port; other text as it is.
fn url_host(text: &str) -> &str {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let Some(rest) = rest else {
        // `192.0.2.1:443`, and no IPv6 address.
        return match text.split_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                host
            }
            _ => text,
        };
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or(address);
    }
    host.split(':').next().unwrap_or(host)
}
