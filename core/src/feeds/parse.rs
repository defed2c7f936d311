//! Reads the body of a feed into a snapshot, or says why it is none. Called by `feeds` off the async threads; it knows
//! nothing of where the body came from.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::snapshot::{Builder, Full, Snapshot};
use crate::config::FeedFormat;
use crate::target::canonical_host;

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) snapshot: Snapshot,
    /// Entries that are no names of hosts, or single labels: `com` would cover everything below it.
    pub(crate) skipped: usize,
    /// Where the first of them stands: its line, or its place in a JSON array, from 1.
    pub(crate) first_skipped: Option<usize>,
}

/// Why a body is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    /// Nothing in it but comments and blanks, or nothing at all.
    #[error("there is no name in it")]
    Empty,
    /// More entries are wrong than right: an error page, or another format.
    #[error("{skipped} of its {entries} entries are no names of hosts, the first at {at}")]
    Garbage {
        /// How many are wrong.
        skipped: usize,
        /// How many there are.
        entries: usize,
        /// The line of the first wrong one, or its place in a JSON array, from 1.
        at: usize,
    },
    /// Not what `format = "json"` promises.
    #[error("it is not a JSON array of strings")]
    Json(#[from] serde_json::Error),
    /// A snapshot cannot hold so much.
    #[error("its names take more than 4 GiB")]
    TooLarge,
}

/// Reads `body`. A few wrong entries are skipped and counted.
pub(crate) fn parse(format: FeedFormat, body: &[u8]) -> Result<Parsed, Rejected> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut entries = Entries::default();
    match format {
        FeedFormat::Hosts => lines(body, &mut entries, hosts_line)?,
        FeedFormat::Domains => lines(body, &mut entries, domains_line)?,
        FeedFormat::Json => {
            let mut json = serde_json::Deserializer::from_slice(body);
            (&mut entries).deserialize(&mut json)?;
            json.end()?;
        }
    }
    entries.finish()
}

/// Hands every line that is not blank to `read`, without its line end and white space.
fn lines(
    body: &[u8],
    entries: &mut Entries,
    read: impl Fn(&str, usize, &mut Entries) -> Result<(), Full>,
) -> Result<(), Full> {
    for (line, number) in body.split(|&byte| byte == b'\n').zip(1..) {
        match std::str::from_utf8(line.trim_ascii()) {
            Ok("") => {}
            Ok(line) => read(line, number, entries)?,
            Err(_) => entries.skip(number),
        }
    }
    Ok(())
}

/// `address name [name…]`, as hosts(5) has it. The address does not matter.
fn hosts_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    let line = line.split('#').next().unwrap_or(line);
    let mut fields = line.split_ascii_whitespace();
    let Some(address) = fields.next() else {
        return Ok(());
    };
    // `fe80::1%lo0`: the zone (RFC 4007, section 11) is not part of what `IpAddr` reads.
    let address = address.split('%').next().unwrap_or(address);
    let mut names = fields.peekable();
    if address.parse::<IpAddr>().is_err() || names.peek().is_none() {
        entries.skip(number);
        return Ok(());
    }
    names
        .filter(|name| !is_own_name(name))
        .try_for_each(|name| entries.add(name, number))
}

/// The names of the machine itself, which lists in this format carry so that they can replace `/etc/hosts`.
fn is_own_name(name: &str) -> bool {
    matches!(
        name,
        "0.0.0.0" | "broadcasthost" | "local" | "localhost" | "localhost.localdomain"
    ) || name.starts_with("ip6-")
}

/// One domain; `*.` or `.` before it says what is meant anyway.
fn domains_line(line: &str, number: usize, entries: &mut Entries) -> Result<(), Full> {
    if line.starts_with('!') {
        return Ok(());
    }
    let line = line.split('#').next().unwrap_or(line).trim_ascii_end();
    match line {
        "" => Ok(()),
        _ => entries.add(without_wildcard(line), number),
    }
}

fn without_wildcard(name: &str) -> &str {
    name.strip_prefix("*.")
        .or_else(|| name.strip_prefix('.'))
        .unwrap_or(name)
}

/// What has been read so far.
#[derive(Default)]
struct Entries {
    builder: Builder,
    accepted: usize,
    skipped: usize,
    first_skipped: Option<usize>,
}

impl Entries {
    fn add(&mut self, name: &str, at: usize) -> Result<(), Full> {
        match listed_host(name) {
            Some(host) => {
                self.builder.insert(&host)?;
                self.accepted += 1;
            }
            None => self.skip(at),
        }
        Ok(())
    }

    fn skip(&mut self, at: usize) {
        self.skipped += 1;
        self.first_skipped.get_or_insert(at);
    }

    fn finish(self) -> Result<Parsed, Rejected> {
        match self.first_skipped {
            Some(at) if self.skipped > self.accepted => Err(Rejected::Garbage {
                skipped: self.skipped,
                entries: self.skipped + self.accepted,
                at,
            }),
            _ if self.builder.len() == 0 => Err(Rejected::Empty),
            _ => Ok(Parsed {
                snapshot: self.builder.build(),
                skipped: self.skipped,
                first_skipped: self.first_skipped,
            }),
        }
    }
}

/// The canonical host that an entry means.
///
/// Stricter than the parser of traffic, which would take `404` for an IPv4 address and `{"a".b}` for a domain: in a list
/// these are signs of another format.
fn listed_host(name: &str) -> Option<Cow<'_, str>> {
    let host = canonical_host(name).ok()?;
    if let Cow::Owned(changed) = &host
        && changed.parse::<IpAddr>().is_ok()
    {
        return name.parse::<IpAddr>().is_ok().then_some(host);
    }
    let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (host.contains('.') && host.bytes().all(is_name)).then_some(host)
}

impl From<Full> for Rejected {
    fn from(Full: Full) -> Self {
        Self::TooLarge
    }
}

/// Takes the strings of a JSON array one by one, so that they never exist all at once.
impl<'de> DeserializeSeed<'de> for &mut Entries {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(name) = array.next_element::<Cow<'de, str>>()? {
            place += 1;
            self.add(without_wildcard(name.trim()), place)
                .map_err(|Full| serde::de::Error::custom(Rejected::TooLarge))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(parsed: &Parsed, host: &str) -> bool {
        parsed.snapshot.lookup(host).is_some()
    }

    #[test]
    fn a_hosts_file_lists_names_and_not_the_machine_itself() {
        let body = b"\xef\xbb\xbf# comment\r\n\
            127.0.0.1 localhost localhost.localdomain\r\n\
            255.255.255.255\tbroadcasthost\r\n\
            ::1 ip6-localhost ip6-loopback\n\
            fe80::1%lo0 localhost\n\
            0.0.0.0 0.0.0.0\n\
            \n\
            0.0.0.0 One.example\r\n\
            127.0.0.1\ttwo.example  three.example.# both\n\
            \t:: four.example\n\
            0.0.0.0 192.0.2.7";
        let parsed = parse(FeedFormat::Hosts, body).unwrap();
        assert_eq!(parsed.skipped, 0, "{parsed:?}");
        assert_eq!(parsed.snapshot.len(), 5);
        for host in [
            "one.example",
            "two.example",
            "www.three.example",
            "four.example",
            "192.0.2.7",
        ] {
            assert!(covered(&parsed, host), "{host}");
        }
        for host in ["localhost", "localhost.localdomain", "0.0.0.0", "example"] {
            assert!(!covered(&parsed, host), "{host}");
        }
    }

    #[test]
    fn a_list_of_domains_may_have_comments_wildcards_and_any_spelling() {
        let body = "! title\n# title\n*.one.example\n.two.example\nTHREE.example. # why\n\
            b\u{fc}cher.example\n2001:DB8::0:1\n192.0.2.7\r\n  \t\nfour.example";
        let parsed = parse(FeedFormat::Domains, body.as_bytes()).unwrap();
        assert_eq!((parsed.snapshot.len(), parsed.skipped), (7, 0));
        for host in [
            "one.example",
            "a.one.example",
            "two.example",
            "three.example",
            "xn--bcher-kva.example",
            "2001:db8::1",
            "192.0.2.7",
            "four.example",
        ] {
            assert!(covered(&parsed, host), "{host}");
        }
    }

    #[test]
    fn a_json_array_of_strings_is_a_list() {
        let body = br#"["one.example", "*.two.example", "thr\u0065e.example", "com", "a b"]"#;
        let parsed = parse(FeedFormat::Json, body).unwrap();
        assert_eq!(parsed.snapshot.len(), 3);
        assert_eq!((parsed.skipped, parsed.first_skipped), (2, Some(4)));
        assert!(covered(&parsed, "x.three.example"));
    }

    #[test]
    fn wrong_entries_are_skipped_and_counted() {
        let body =
            b"one.example\ntwo.example\ncom\nthree.example\n\xff\xfe.example\nfour.example\n\
            a..b\nfive.example\nhttp://six.example/";
        let parsed = parse(FeedFormat::Domains, body).unwrap();
        assert_eq!(parsed.snapshot.len(), 5);
        assert_eq!((parsed.skipped, parsed.first_skipped), (4, Some(3)));
        assert!(!covered(&parsed, "google.com"));
        assert!(!covered(&parsed, "six.example"));
    }

    #[test]
    fn what_is_no_host_is_not_listed() {
        for entry in [
            "404",
            "1.5",
            "0x7f.1",
            "com",
            "*",
            "*.com",
            "a*b.example",
            "||a.example^",
            "example.com:8080",
            "user@a.example",
            "{\"a\".b}",
            "&nbsp;a.example",
            "a..b",
            "..example",
            "1.2.3.4.5",
        ] {
            assert_eq!(listed_host(without_wildcard(entry)), None, "{entry}");
        }
    }

    #[test]
    fn a_body_without_names_is_rejected() {
        for body in ["", "\n\n", "# only a comment\n", "127.0.0.1 localhost\n"] {
            let parsed = parse(FeedFormat::Hosts, body.as_bytes());
            assert!(matches!(parsed, Err(Rejected::Empty)), "{body:?}");
        }
        assert!(matches!(
            parse(FeedFormat::Json, b"[]"),
            Err(Rejected::Empty)
        ));
    }

    #[test]
    fn garbage_is_rejected_whatever_the_format() {
        let page = b"<!DOCTYPE html>\n<html><head><title>503</title></head>\n<body>\n\
            <h1>Service Unavailable</h1>\nVisit status.example or\nhelp.example\n</body></html>\n";
        let zeros = [0; 4096];
        let hosts = b"0.0.0.0 one.example\n0.0.0.0 two.example\n";
        for format in [FeedFormat::Hosts, FeedFormat::Domains, FeedFormat::Json] {
            for body in [&page[..], &zeros, b"\xff\xfe\x00a\x00.\x00b", b"Not found"] {
                assert!(parse(format, body).is_err(), "{format:?} {body:?}");
            }
        }
        for format in [FeedFormat::Domains, FeedFormat::Json] {
            assert!(parse(format, hosts).is_err(), "{format:?}");
        }
        assert!(matches!(
            parse(FeedFormat::Domains, hosts),
            Err(Rejected::Garbage {
                skipped: 2,
                entries: 2,
                at: 1
            })
        ));
    }

    #[test]
    fn json_of_another_shape_is_rejected() {
        for body in [
            r#"{"domains": ["a.example"]}"#,
            r#"["a.example", 1]"#,
            r#"["a.example", null]"#,
            r#"["a.example""#,
            r#"["a.example"] trailing"#,
            r#""a.example""#,
        ] {
            let parsed = parse(FeedFormat::Json, body.as_bytes());
            assert!(matches!(parsed, Err(Rejected::Json(_))), "{body}");
        }
    }
}
