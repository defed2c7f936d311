//! Reads the body of a feed into the draft of a snapshot, or says why it is not a list. Each format
//! is a file. `feeds` calls it off the async threads. It knows nothing of where the body came from.

pub(super) mod adblock;
mod csv;
mod detect;
mod dnsmasq;
mod domains;
mod hosts;
mod json;
mod lines;
mod rpz;
#[cfg(test)]
mod tests;
mod unbound;

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::net::IpAddr;

use self::detect::detect;
use self::lines::Lines;
#[cfg(any(test, fuzzing))]
use super::entries::LeftOut;
use super::entries::{Entries, Listed, Reading, Rejected};
use super::snapshot::{Full, Key};
use crate::config::{Column, Feed, FeedFormat, PublicSuffixes};
use crate::verdict::rule::{Covers, Rule};

/// The bytes by which JSON is told.
const START: u64 = 4 << 10;

/// What a list may begin with to say that it is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Entries of one line repeat no more of it beside their names, in bytes: the owner of a record, an
/// address, an option with its target. A line with more is wrong, as each of many names would need
/// memory for it.
const LONGEST_REPEATED: usize = 255;

/// What well-known exports call the column or field with names of hosts, the best first. A URL says
/// that its host alone is meant, which the name of a domain does not.
const NAMES: [&str; 9] = [
    "url",
    "ioc_value",
    "ioc",
    "host",
    "hostname",
    "fqdn",
    "domain",
    "dst_ip",
    "ip",
];

/// The place in [`NAMES`] of a column or field.
fn rank(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a first line of CSV that says this has the names of columns.
#[cfg(any(test, fuzzing))]
pub(crate) fn is_column(text: &str) -> bool {
    rank(text).is_some()
}

/// How a body is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
            public_suffixes: feed.public_suffixes.unwrap_or_default(),
        }
    }
}

impl Reading {
    /// How the entries in the settings of a feed are read. What the operator has written there is
    /// no mistake of a list's author.
    pub(super) fn of_entries(feed: &Feed) -> Self {
        Self {
            public_suffixes: feed.public_suffixes.unwrap_or(PublicSuffixes::Apply),
            ..Self::from(feed)
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

/// Every format that a feed can name.
#[cfg(any(test, fuzzing))]
pub(crate) fn all() -> impl Iterator<Item = FeedFormat> {
    let with_lines = detect::LINE_FORMATS.into_iter().map(|(format, _)| format);
    let others = [FeedFormat::Auto, FeedFormat::Json, FeedFormat::Csv];
    others.into_iter().chain(with_lines)
}

/// Reads `body` into memory.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(format: &Format, body: &[u8]) -> Result<Parsed, Rejected> {
    read(format, io::Cursor::new(body), Key::random()).map(Parsed::from)
}

/// Reads `body`, of which a piece is in memory at a time. A few wrong entries are left out and
/// counted.
pub(crate) fn read(
    format: &Format,
    mut body: impl Read + Seek,
    key: Key,
) -> Result<Listed, Rejected> {
    let named = match format.format {
        FeedFormat::Auto => detect(format, &mut body)?.ok_or(Rejected::Unrecognized)?,
        named => named,
    };
    let size = body.seek(SeekFrom::End(0))?;
    begin(&mut body)?;
    // Where names are those of a tree, what is said of the nearest counts.
    let is_tree = matches!(
        named,
        FeedFormat::Dnsmasq | FeedFormat::Unbound | FeedFormat::Rpz
    );
    let size = usize::try_from(size).unwrap_or_default();
    let mut entries = Entries::new(format.reading, is_tree, key, size);
    match named {
        FeedFormat::Auto | FeedFormat::Domains => lines(body, &mut entries, domains::read_line)?,
        FeedFormat::Hosts => lines(body, &mut entries, hosts::read_line)?,
        FeedFormat::Adblock => lines(body, &mut entries, adblock::read_line)?,
        FeedFormat::Dnsmasq => lines(body, &mut entries, dnsmasq::read_line)?,
        FeedFormat::Unbound => lines(body, &mut entries, unbound::read_line)?,
        FeedFormat::Rpz => rpz::read(body, &mut entries)?,
        FeedFormat::Json => json::read(&mut body, format.field.as_deref(), &mut entries)?,
        FeedFormat::Csv => {
            csv::read(BufReader::new(body), format.column.as_ref(), &mut entries)?;
        }
    }
    entries.finish()
}

/// The beginning of a body, by which JSON is told.
fn start(body: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    begin(body)?;
    let mut start = Vec::new();
    body.by_ref().take(START).read_to_end(&mut start)?;
    Ok(start)
}

/// Goes to where the content of a body begins.
fn begin(body: &mut (impl Read + Seek)) -> io::Result<()> {
    body.rewind()?;
    let mut start = Vec::new();
    let mut mark = body.by_ref().take(BYTE_ORDER_MARK.len() as u64);
    mark.read_to_end(&mut start)?;
    if start != BYTE_ORDER_MARK {
        body.rewind()?;
    }
    Ok(())
}

/// Hands each line that is not blank to `read`, without its line end and white space. One that is
/// too long is wrong.
fn lines(
    body: impl Read,
    entries: &mut Entries,
    read: impl Fn(&str, usize, &mut Entries) -> Result<(), Full>,
) -> Result<(), Rejected> {
    let mut lines = Lines::new(body);
    while let Some(some) = lines.next()? {
        for line in some {
            let text = line.text.trim_ascii();
            if line.is_too_long {
                // A comment of any length is one.
                if !text.starts_with(['#', '!', ';']) {
                    entries.wrong(line.number, text);
                }
            } else if !text.is_empty() {
                read(text, line.number, entries)?;
            }
        }
    }
    Ok(())
}

/// Takes a name, a host with a port, or a URL, which lists its host and not the names below it. The
/// digest of a file, which some lists have among them, is about no host.
fn add_host_or_url(text: &str, at: usize, entries: &mut Entries) -> Result<(), Full> {
    if is_digest(text) {
        entries.other(at, text);
        return Ok(());
    }
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

/// Whether a text has the length of an MD5, SHA-1 or SHA-2 in hexadecimal, and nothing else.
fn is_digest(text: &str) -> bool {
    let is_long = matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128);
    is_long && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
