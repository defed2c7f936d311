//! The access log: lines that are read back, and the lines that this proxy writes.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::text;
use crate::commands::access_log::{Entry, read_lines};
use crate::config::AccessLogFormat;
use crate::flow::Protocol;
use crate::log::access::{Record, logfmt};
use crate::verdict::VerdictKind;

const TIME: &str = "2026-11-23T13:42:32.829285Z";

/// What goes before the words of others in lines that are not access lines.
const NOT_ACCESS: [&str; 4] = [
    "2026-11-23T13:42:32Z  WARN filter: ",
    "2026-11-23T13:42:32.829285Z ERROR filter: ",
    "Nov 23 13:42:32 gate portcullis[7]: 2026-11-23T13:42:32Z  WARN filter: ",
    "Nov 23 13:42:32 gate sshd[9]: Invalid user ",
];

/// Every line of a log is an access line or is counted as another. No text of others makes an
/// access line where it stands in a line of the program. What the proxy writes is one line, and is
/// read back as it was meant, whatever the client, the filter and the list have said.
///
/// The bytes are a log. Its first lines are also what others say.
pub fn access_log(data: &[u8]) {
    let mut entries = 0;
    let read = read_lines(data, |entry| {
        assert!(!entry.host.is_empty());
        entries += 1;
    });
    let found = read.expect("bytes in memory can be read");
    let lines = data.split_inclusive(|byte| *byte == b'\n').count() as u64;
    assert_eq!(found.exchanges + found.unparsed, lines);
    assert_eq!(found.exchanges - found.unjudged, entries);
    assert_eq!(found.times.is_some(), found.exchanges > 0);

    let data = text(data);
    for line in data.split(['\n', '\r']) {
        for beginning in NOT_ACCESS {
            let line = format!("{beginning}{line}");
            assert_eq!(Entry::parse(&line), None, "{line:?}");
        }
    }
    for format in [AccessLogFormat::Logfmt, AccessLogFormat::Json] {
        assert_written(&data, format);
    }
}

/// A record with these texts in it.
fn record<'a>(data: &'a str, skipped: &'a [Arc<str>]) -> Record<'a> {
    let mut texts = data.split("\n\n");
    let mut next = || texts.next();
    Record {
        time: SystemTime::UNIX_EPOCH,
        id: 4,
        client: Some([10, 0, 0, 7].into()),
        method: next(),
        host: next(),
        filter: next(),
        reason: next(),
        rule: next(),
        error: next(),
        user: next(),
        groups: skipped,
        feed: next(),
        source: next(),
        line: Some(7),
        sni: next(),
        listener: next(),
        port: Some(443),
        protocol: Protocol::Connect.name(),
        peer: None,
        upstream: next(),
        leaves_name: true,
        sni_verdict: None,
        ech: true,
        host_field: next(),
        host_field_verdict: None,
        slowed: true,
        last: true,
        status: Some(403),
        verdict: Some(VerdictKind::Block.name()),
        skipped,
        edited: &[],
        notes: &[],
        up: 5,
        down: 6,
        duration: Duration::from_micros(7),
        outcome: "complete",
    }
}

/// A record becomes one line that says the same.
fn assert_written(data: &str, format: AccessLogFormat) {
    let skipped = [Arc::from(data)];
    let record = record(data, &skipped);
    let mut line = Vec::new();
    record.write(TIME, format, &mut line);
    let line = String::from_utf8(line).expect("texts make a text");
    let inner = line.strip_suffix('\n').expect("it is a line");
    assert!(!inner.contains(|c: char| c.is_control()), "{inner:?}");

    let entry = Entry::parse(&line).expect("it is an access line");
    // Longer ones are cut.
    let is_whole = |text: Option<&str>| text.is_none_or(|text| text.len() <= 2048);
    let host = record.host.unwrap_or_default();
    assert!(!is_whole(Some(host)) || entry.host == host, "{inner:?}");
    assert!(!is_whole(record.filter) || entry.filter.as_deref() == record.filter);
    assert_eq!(entry.client, Some(IpAddr::from([10, 0, 0, 7])));
    assert_eq!((entry.port, entry.protocol), (443, Protocol::Connect));
    assert_eq!(entry.verdict, Some(VerdictKind::Block));

    let said = fields(inner, format);
    for (name, meant) in [
        ("method", record.method),
        ("reason", record.reason),
        ("rule", record.rule),
        ("error", record.error),
        ("user", record.user),
        ("feed", record.feed),
        ("sni", record.sni),
        ("host_field", record.host_field),
    ] {
        let found = said.iter().find(|(known, _)| known == name);
        let found = found.map(|(_, value)| &**value);
        if is_whole(meant) {
            assert_eq!(found, meant, "{name} in {inner:?}");
        }
    }
}

fn fields(line: &str, format: AccessLogFormat) -> Vec<(String, Cow<'_, str>)> {
    match format {
        AccessLogFormat::Logfmt => {
            let fields = logfmt::parse(line).expect("it keeps to the grammar");
            let fields = fields.into_iter();
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        }
        AccessLogFormat::Json => {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).expect("it is a JSON object");
            let texts = object
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned().into())));
            texts.collect()
        }
    }
}
