//! Lists of hosts.

use std::net::IpAddr;

use super::assert_canonical;
use crate::config::FeedFormat;
use crate::feeds::entries::{Parsed, Rejected};
use crate::feeds::format::parse;

/// A list that is accepted, in whatever format, holds canonical hosts and nothing else, each of
/// which is found, and says how many entries it has skipped. The ends of its lines do not matter.
pub fn feed(data: &[u8]) {
    for format in [FeedFormat::Hosts, FeedFormat::Domains, FeedFormat::Json] {
        let parsed = parse(format, data);
        match &parsed {
            Ok(list) => assert_list(list, format, data),
            Err(error) => {
                let told = error.to_string();
                assert!(!told.contains(|c: char| c.is_control()), "{told:?}");
            }
        }
        if format != FeedFormat::Json && !data.contains(&b'\r') {
            assert_eq!(counts(&parsed), counts(&parse(format, &with_crlf(data))));
        }
    }
}

fn assert_list(list: &Parsed, format: FeedFormat, data: &[u8]) {
    let names: Vec<&str> = list.snapshot.names().collect();
    assert_eq!(names.len(), list.snapshot.len());
    assert_ne!(names.len(), 0);
    for name in names {
        assert_canonical(name);
        assert_eq!(list.snapshot.lookup(name), Some(name));
        // A whole top-level domain is more than a list can mean.
        let is_address = name.parse::<IpAddr>().is_ok();
        assert!(is_address || name.contains('.'), "{name}");
        assert!(!name.contains('*'), "{name}");
    }

    assert_eq!(list.skipped > 0, list.first_skipped.is_some());
    let most = match format {
        FeedFormat::Hosts => data.split(u8::is_ascii_whitespace).count(),
        FeedFormat::Domains => data.split(|byte| *byte == b'\n').count(),
        FeedFormat::Json => data.split(|byte| *byte == b',').count(),
    };
    assert!(list.snapshot.len() + list.skipped <= most);
    assert!(list.first_skipped.is_none_or(|at| (1..=most).contains(&at)));
}

/// What was taken and what was skipped, or that it is not a list.
fn counts(parsed: &Result<Parsed, Rejected>) -> Option<(usize, usize, Option<usize>)> {
    let list = parsed.as_ref().ok()?;
    Some((list.snapshot.len(), list.skipped, list.first_skipped))
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
