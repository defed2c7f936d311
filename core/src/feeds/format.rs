//! Reads the body of a feed into the draft of a snapshot, or says why it is not a list. Each format
//! is a file. `feeds` calls it off the async threads. It knows nothing of where the body came from.

pub(super) mod adblock;
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
use std::net::IpAddr;

use memchr::memchr_iter;

use self::rpz::Zone;
#[cfg(any(test, fuzzing))]
use super::entries::LeftOut;
use super::entries::{Entries, Listed, Reading, Rejected};
use super::rule::{Covers, Rule};
use super::snapshot::{Full, Key};
use crate::config::{Column, Feed, FeedFormat};

/// Lines that a format is told by.
const LINES_TO_LOOK_AT: usize = 200;

/// The bytes of a body in which a name is expected, with what stands around it: for how much room
/// there is from the start.
const BYTES_A_NAME: usize = 20;

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
            format: feed.read_as(),
            column: feed.column.clone(),
            field: feed.field.clone(),
            reading: feed.into(),
        }
    }
}

impl From<&Feed> for Reading {
    fn from(feed: &Feed) -> Self {
        Self {
            subdomains: feed.subdomains,
            public_suffixes: feed.public_suffixes,
        }
    }
}

/// A body that was read, in memory.
#[cfg(any(test, fuzzing))]
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) snapshot: super::snapshot::Snapshot,
    pub(crate) left_out: LeftOut,
}

#[cfg(any(test, fuzzing))]
impl From<Listed> for Parsed {
    fn from(Listed { draft, left_out }: Listed) -> Self {
        Self {
            snapshot: draft.into(),
            left_out,
        }
    }
}

/// Reads `body` into memory.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(format: &Format, body: &[u8]) -> Result<Parsed, Rejected> {
    read(format, body, Key::random()).map(Parsed::from)
}

/// Reads `body`. A few wrong entries are left out and counted.
pub(crate) fn read(format: &Format, body: &[u8], key: Key) -> Result<Listed, Rejected> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let named = match format.format {
        FeedFormat::Auto => detect(format, body).ok_or(Rejected::Unrecognized)?,
        named => named,
    };
    // Where names are those of a tree, what is said of the nearest counts.
    let is_tree = matches!(
        named,
        FeedFormat::Dnsmasq | FeedFormat::Unbound | FeedFormat::Rpz
    );
    let names = body.len() / BYTES_A_NAME;
    let mut entries = Entries::new(format.reading, is_tree, key, names);
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
            zone.finish(&mut entries);
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
fn detect(format: &Format, body: &[u8]) -> Option<FeedFormat> {
    if format.field.is_some() || is_json(body) {
        return Some(FeedFormat::Json);
    }
    if format.column.is_some() {
        return Some(FeedFormat::Csv);
    }
    let mut counts = [0_usize; LINE_FORMATS.len()];
    let mut seen = 0;
    for (line, _) in texts(body) {
        let line = line.trim_ascii();
        if adblock::is_title(line) {
            return Some(FeedFormat::Adblock);
        }
        let is_remark =
            line.starts_with(['!', ';']) || (line.starts_with('#') && !adblock::is_line(line));
        if line.is_empty() || is_remark {
            continue;
        }
        if let Some(place) = LINE_FORMATS.iter().position(|(_, is_line)| is_line(line)) {
            counts[place] += 1;
        }
        seen += 1;
        if seen == LINES_TO_LOOK_AT {
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

/// Whether a body begins as an object or an array. `[Adblock Plus]` does not.
fn is_json(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let in_array = start.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    start.starts_with(b"{")
        || in_array.is_some_and(|rest| {
            rest.starts_with(b"\"") || rest.starts_with(b"{") || rest.starts_with(b"]")
        })
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
    // Looking at all at once takes a fraction of the time.
    let text = str::from_utf8(body).ok();
    let ends = memchr_iter(b'\n', body).chain([body.len()]);
    let mut start = 0;
    let lines = ends.map(move |end| std::mem::replace(&mut start, end + 1)..end);
    let lines = lines.map(move |line| match text {
        Some(text) => Cow::Borrowed(&text[line]),
        None => String::from_utf8_lossy(&body[line]),
    });
    lines.zip(1..)
}

/// Takes a name, a host with a port, or a URL, which lists its host and not the names below it.
fn add_host_or_url(text: &str, at: usize, entries: &mut Entries) -> Result<(), Full> {
    let scheme = text.split_once("://").filter(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    match scheme {
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            let rule = Rule::listed(Covers::Itself);
            entries.add_rule(without_port(host), rule, at, text)
        }
        None => entries.add_wildcard(without_port(text), at, text),
    }
}

fn without_port(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or(address);
    }
    match host.split_once(':') {
        // An IPv6 address has more of them.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether an address belongs to no host that others could reach.
fn is_nowhere(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(belongs_to_none)
}

fn belongs_to_none(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_loopback()
}
