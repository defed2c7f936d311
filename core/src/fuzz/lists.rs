//! Lists of hosts.

use std::num::NonZeroUsize;

use ipnet::IpNet;

use super::{assert_canonical, text};
use crate::config::{Column, FeedFormat, PublicSuffixes};
use crate::feeds::entries::{LeftOut, Listed, Reading, Rejected};
use crate::feeds::format::{Format, Parsed, all, is_column, parse};
use crate::feeds::inline;
use crate::feeds::snapshot::Key;
use crate::verdict::rule::written::is_entry;

/// An entry of so many bytes may have lost its end.
const LONG: usize = 250;

/// A list that is accepted, in whatever format, holds canonical hosts and networks and nothing
/// else, and says how many entries it has left out. An entry as it is written says the same again.
/// The ends of lines do not matter.
pub fn feed(data: &[u8]) {
    for format in all() {
        assert_list(&format.into(), data);
        for subdomains in [true, false] {
            let reading = Reading {
                subdomains: Some(subdomains),
                public_suffixes: PublicSuffixes::Apply,
            };
            let format = Format {
                reading,
                ..format.into()
            };
            assert_list(&format, data);
        }
    }
    for field in ["/url", "/data/hosts"] {
        let format = Format {
            field: Some(field.to_owned()),
            ..Format::default()
        };
        assert_list(&format, data);
    }
    let second = NonZeroUsize::MIN.saturating_add(1);
    for column in [Column::Number(second), Column::Name("url".to_owned())] {
        let format = Format {
            column: Some(column),
            ..Format::default()
        };
        assert_list(&format, data);
    }
    assert_entries(&text(data));
}

/// Lines that the settings of a feed take for entries. Each alone is a list with one name.
fn assert_entries(text: &str) {
    let reading = Reading {
        subdomains: None,
        public_suffixes: PublicSuffixes::Apply,
    };
    for line in text.lines().filter(|line| is_entry(line)) {
        let read = inline::read(&[line.to_owned()], reading, Key::random());
        let Listed { draft, left_out } = read.unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!((draft.len(), left_out), (1, LeftOut::default()), "{line:?}");
    }
}

fn assert_list(format: &Format, data: &[u8]) {
    let parsed = parse(format, data);
    match &parsed {
        Ok(list) => {
            assert_names(list, format.reading.public_suffixes);
            assert_left_out(&list.left_out);
            if says_all_in_entries(format, data) {
                assert_says_the_same_again(list, format);
            }
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains(|c: char| c.is_control()), "{told:?}");
        }
    }
    let has_lines = !matches!(
        format.format,
        FeedFormat::Auto | FeedFormat::Json | FeedFormat::Csv
    );
    if has_lines && !data.contains(&b'\r') {
        assert_eq!(counts(&parsed), counts(&parse(format, &with_crlf(data))));
    }
}

fn assert_names(list: &Parsed, suffixes: PublicSuffixes) {
    let names: Vec<&str> = list.snapshot.names().collect();
    assert_eq!(names.len(), list.snapshot.len());
    assert_ne!(names.len(), 0);
    for name in names {
        if let Ok(network) = name.parse::<IpNet>() {
            assert_eq!(network.trunc(), network);
            continue;
        }
        assert_canonical(name);
        // A whole top-level domain is more than most lists can mean.
        let is_label = !name.contains(['.', ':']);
        assert!(!is_label || suffixes == PublicSuffixes::Apply, "{name}");
        assert!(!name.contains('*'), "{name}");
    }
}

/// Whether entries mean the same wherever they stand. Names in a zone depend on what stands before
/// them.
fn says_all_in_entries(format: &Format, data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data).to_ascii_uppercase();
    match format.format {
        FeedFormat::Auto => format.field.is_some(),
        FeedFormat::Rpz => !text.contains("$ORIGIN") && !text.contains("SOA"),
        _ => true,
    }
}

fn assert_says_the_same_again(list: &Parsed, format: &Format) {
    let format = Format {
        format: match format.format {
            FeedFormat::Auto => FeedFormat::Json,
            named => named,
        },
        field: None,
        ..format.clone()
    };
    for entry in list.snapshot.entries() {
        let (name, _, text) = &entry;
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        // Where it stands alone, a value with the name of a column is read as the first line of
        // CSV, and U+FEFF as the mark of a byte order.
        let is_heading = format.format == FeedFormat::Csv && is_column(text);
        if text.len() >= LONG || is_heading || text.starts_with('\u{feff}') {
            continue;
        }
        let body = match format.format {
            FeedFormat::Json => serde_json::json!([text]).to_string(),
            FeedFormat::Csv => format!("\"{}\"", text.replace('"', "\"\"")),
            _ => text.clone(),
        };
        let again = parse(&format, body.as_bytes());
        let again = again.unwrap_or_else(|error| panic!("{format:?} {name} {body:?}: {error}"));
        assert_eq!(again.snapshot.entries(), [entry], "{format:?} {body:?}");
    }
}

fn assert_left_out(left_out: &LeftOut) {
    for tally in [&left_out.wrong, &left_out.other, &left_out.held] {
        assert_eq!(tally.count > 0, !tally.first.is_empty());
        assert!(tally.first.len() <= tally.count);
        let told = tally.to_string();
        assert!(!told.contains(|c: char| c.is_control()), "{told:?}");
    }
}

/// What was taken and what was left out, or that it is not a list.
fn counts(parsed: &Result<Parsed, Rejected>) -> Option<[usize; 4]> {
    let list = parsed.as_ref().ok()?;
    let LeftOut { wrong, other, held } = &list.left_out;
    Some([list.snapshot.len(), wrong.count, other.count, held.count])
}

fn with_crlf(data: &[u8]) -> Vec<u8> {
    let lines = data.split_inclusive(|byte| *byte == b'\n');
    lines
        .flat_map(|line| match line.strip_suffix(b"\n") {
            Some(line) => [line, b"\r\n"],
            None => [line, b""],
        })
        .flatten()
        .copied()
        .collect()
}
