use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::*;

const TIME: &str = "2026-11-23T13:42:32.829285Z";

/// As small as a record can be.
const NOTHING: Record<'static> = Record {
    time: SystemTime::UNIX_EPOCH,
    id: 0,
    client: None,
    listener: None,
    user: None,
    groups: &[],
    method: None,
    host: None,
    port: None,
    protocol: "http",
    peer: None,
    upstream: None,
    leaves_name: false,
    sni: None,
    sni_verdict: None,
    ech: false,
    host_field: None,
    host_field_verdict: None,
    slowed: false,
    last: false,
    status: None,
    verdict: None,
    filter: None,
    reason: None,
    skipped: &[],
    edited: &[],
    notes: &[],
    feed: None,
    source: None,
    rule: None,
    line: None,
    up: 0,
    down: 0,
    duration: Duration::ZERO,
    outcome: "aborted",
    error: None,
};

/// Texts and names for every field that holds some, from `text`.
fn with_texts<'a>(names: &'a [Arc<str>], mut text: impl FnMut() -> &'a str) -> Record<'a> {
    Record {
        id: 4,
        client: Some(Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped().into()),
        listener: Some(text()),
        user: Some(text()),
        groups: names,
        method: Some(text()),
        host: Some(text()),
        port: Some(443),
        protocol: "connect",
        peer: Some((Ipv6Addr::LOCALHOST, 8443).into()),
        upstream: Some(text()),
        leaves_name: true,
        sni: Some(text()),
        sni_verdict: Some("next"),
        ech: true,
        host_field: Some(text()),
        host_field_verdict: Some("next"),
        slowed: true,
        last: true,
        status: Some(403),
        verdict: Some(text()),
        filter: Some(text()),
        reason: Some(text()),
        skipped: names,
        edited: names,
        notes: names,
        feed: Some(text()),
        source: Some(text()),
        rule: Some(text()),
        line: Some(7),
        up: 5,
        down: u64::MAX,
        duration: Duration::from_micros(12_345_006),
        outcome: "failed",
        error: Some(text()),
        ..NOTHING
    }
}

fn logfmt(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    record.encode(TIME, &mut Logfmt { out: &mut out });
    String::from_utf8(out).unwrap()
}

fn json(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    record.encode(TIME, &mut Json { out: &mut out });
    String::from_utf8(out).unwrap()
}

/// What stands in a record, under the names of the line.
fn expected(record: &Record<'_>) -> Value {
    let mut fields = json!({
        "time": TIME, "kind": "access", "id": record.id, "client": "10.0.0.7", "listener": record.listener, "user": record.user,
        "method": record.method, "host": record.host, "port": 443, "protocol": "connect", "peer": "[::1]:8443",
        "upstream": record.upstream, "addresses": "unchecked", "sni": record.sni, "sni_verdict": "next", "ech": true,
        "host_field": record.host_field, "host_field_verdict": "next",
        "status": 403, "verdict": record.verdict, "filter": record.filter, "reason": record.reason,
        "groups": record.groups.iter().map(|name| &**name).collect::<Vec<_>>(),
        "skipped": record.skipped.iter().map(|name| &**name).collect::<Vec<_>>(),
        "edited": record.edited.iter().map(|name| &**name).collect::<Vec<_>>(),
        "notes": record.notes.iter().map(|name| &**name).collect::<Vec<_>>(),
        "feed": record.feed, "source": record.source, "rule": record.rule, "line": 7, "up": 5, "down": u64::MAX, "ms": 12345.006,
        "slowed": true, "last": true,
        "outcome": "failed", "error": record.error,
    });
    if record.skipped.is_empty() {
        fields
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !["groups", "skipped", "edited", "notes"].contains(&&**name));
    }
    fields
}

#[test]
fn a_line_has_the_form_that_the_grammar_gives_it() {
    let names = ["plain".into(), "with, comma".into()];
    let texts = [
        "lan",
        "jo",
        "GET",
        "a.example",
        "corp",
        "other.example",
        "inner.example",
        "block",
        "block list",
        "it is \"bad\"",
        "list",
        "https://lists.example/ads",
        "*.a.example",
        "x: y",
    ];
    let mut texts = texts.into_iter();
    let record = with_texts(&names, || texts.next().unwrap());
    assert_eq!(
        logfmt(&record),
        "time=2026-11-23T13:42:32.829285Z kind=access id=4 client=10.0.0.7 listener=lan user=jo groups=\"plain,with\\\\, comma\" method=GET host=a.example \
         port=443 protocol=connect peer=[::1]:8443 upstream=corp addresses=unchecked sni=other.example sni_verdict=next ech=true host_field=inner.example host_field_verdict=next status=403 verdict=block filter=\"block list\" \
         reason=\"it is \\\"bad\\\"\" skipped=\"plain,with\\\\, comma\" edited=\"plain,with\\\\, comma\" notes=\"plain,with\\\\, comma\" feed=list \
         source=https://lists.example/ads rule=*.a.example line=7 up=5 down=18446744073709551615 ms=12345.006 slowed=true last=true outcome=failed error=\"x: y\"\n"
    );
    assert_eq!(
        logfmt(&NOTHING),
        "time=2026-11-23T13:42:32.829285Z kind=access id=0 client=unix protocol=http up=0 down=0 ms=0.000 outcome=aborted\n"
    );
    assert_eq!(
        json(&NOTHING),
        "{\"time\":\"2026-11-23T13:42:32.829285Z\",\"kind\":\"access\",\"id\":0,\"client\":\"unix\",\"protocol\":\"http\",\"up\":0,\
         \"down\":0,\"ms\":0.000,\"outcome\":\"aborted\"}\n"
    );
}

#[test]
fn addresses_are_written_as_they_are_read() {
    for (address, text) in [
        ("0.9.10.99:1", "0.9.10.99:1"),
        ("100.101.199.255:65535", "100.101.199.255:65535"),
        ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"),
    ] {
        let address: std::net::SocketAddr = address.parse().unwrap();
        let mut out = Vec::new();
        push_address(&mut out, address.ip(), Some(address.port()));
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

/// Pieces of which hostile texts are made.
const PIECES: [&str; 25] = [
    " ",
    "=",
    "\"",
    "\\",
    "\\\"",
    ",",
    "\n",
    "\r",
    "\t",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "例",
    "🦀",
    "a",
    "example",
    "{",
    "}",
    "\ntime=2026-11-23T13:42:32.829285Z kind=access ",
    " host=evil.example",
];

fn hostile(random: &mut fastrand::Rng) -> String {
    (0..random.usize(..12))
        .map(|_| PIECES[random.usize(..PIECES.len())])
        .collect()
}

#[test]
fn whatever_a_record_says_its_line_says_exactly_that() {
    let mut random = fastrand::Rng::with_seed(9);
    for _ in 0..3000 {
        let texts: Vec<String> = (0..16).map(|_| hostile(&mut random)).collect();
        let names: Vec<Arc<str>> = (0..random.usize(..4))
            .map(|_| hostile(&mut random).into())
            .collect();
        let mut next = texts.iter();
        let record = with_texts(&names, || next.next().unwrap());

        let line = logfmt(&record);
        let without_end = line.strip_suffix('\n').expect("a line ends");
        assert!(!without_end.contains(char::is_control), "{line:?}");
        let fields = logfmt::parse(without_end).unwrap_or_else(|| panic!("{line:?}"));
        assert_eq!(as_json(fields), expected(&record), "{line:?}");

        let line = json(&record);
        let without_end = line.strip_suffix('\n').expect("a line ends");
        assert!(!without_end.contains(char::is_control), "{line:?}");
        let fields: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(fields, expected(&record), "{line:?}");
    }
}

/// The fields of a logfmt line with the types that they have in JSON.
fn as_json(fields: Vec<(&str, Cow<'_, str>)>) -> Value {
    let typed = fields.into_iter().map(|(name, value)| {
        let value = match name {
            "id" | "port" | "status" | "line" | "up" | "down" => {
                value.parse::<u64>().unwrap().into()
            }
            "ech" | "slowed" | "last" => value.parse::<bool>().unwrap().into(),
            "ms" => value.parse::<f64>().unwrap().into(),
            "groups" | "skipped" | "edited" | "notes" => logfmt::split_names(&value).into(),
            _ => Value::from(value),
        };
        (name.to_owned(), value)
    });
    Value::Object(typed.collect())
}

#[test]
fn what_differs_from_the_grammar_is_not_an_access_line() {
    let line = logfmt(&NOTHING);
    let line = line.trim_end();
    assert!(logfmt::parse(line).is_some());
    for other in [
        "",
        "time=",
        &line.replace("kind=access ", ""),
        &line.replace("kind=access", "kind=other"),
        &line.replace("time=", "date="),
        &line.replace(" id", "  id"),
        &line.replace("id=0", "id="),
        &line.replace("id=0", "id"),
        &line.replace("id=0", "id=0 id=1"),
        &line.replace("id=0", "Id=0"),
        &line.replace("id=0", "id=\"0"),
        &line.replace("id=0", "id=\"0\"0"),
        &line.replace("id=0", "id=\"\\x\""),
        &line.replace("id=0", "id=\"\t\""),
        &line.replace("id=0", "id=é"),
        &format!("{line} "),
        &format!(" {line}"),
        &format!("{line}\u{1b}[0m"),
    ] {
        assert_eq!(logfmt::parse(other), None, "{other:?}");
    }
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../schema/access-log.schema.json")).unwrap()
}

#[test]
fn every_line_is_as_the_schema_says() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let names = ["one".into()];
    for record in [
        NOTHING,
        with_texts(&[], || "block"),
        with_texts(&names, || "block"),
    ] {
        let line: Value = serde_json::from_str(&json(&record)).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&line)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{line}");
    }
}

/// Notes the names that a record is written under.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl Encoder for Names {
    fn begin(&mut self, _: &str) {
        self.0.extend(["time", "kind"]);
    }
    fn text(&mut self, name: &'static str, _: &str) {
        self.0.push(name);
    }
    fn address(&mut self, name: &'static str, _: IpAddr, _: Option<u16>) {
        self.0.push(name);
    }
    fn number(&mut self, name: &'static str, _: u64) {
        self.0.push(name);
    }
    fn flag(&mut self, name: &'static str) {
        self.0.push(name);
    }
    fn milliseconds(&mut self, name: &'static str, _: Duration) {
        self.0.push(name);
    }
    fn names(&mut self, name: &'static str, _: &[Arc<str>]) {
        self.0.push(name);
    }
    fn end(&mut self) {}
}

fn written_names(record: &Record<'_>) -> Vec<&'static str> {
    let mut names = Names::default();
    record.encode(TIME, &mut names);
    names.0
}

#[test]
fn the_schema_has_the_fields_of_a_record_and_no_others() {
    let schema = schema();
    let mut all = written_names(&with_texts(&["one".into()], || ""));
    all.sort_unstable();
    let known = schema["properties"].as_object().unwrap();
    let mut known: Vec<_> = known.keys().map(String::as_str).collect();
    known.sort_unstable();
    assert_eq!(known, all);
    assert_eq!(schema["required"], json!(written_names(&NOTHING)));
}

#[test]
fn addresses_are_written_as_everywhere() {
    let written = |ip: IpAddr, port| {
        let mut out = Vec::new();
        push_address(&mut out, ip, port);
        String::from_utf8(out).unwrap()
    };
    for octet in 0..=u8::MAX {
        for ip in [[octet; 4], [octet, 0, 10, 255], [7, octet, octet, octet]] {
            let ip = IpAddr::from(ip);
            assert_eq!(written(ip, None), ip.to_string());
            assert_eq!(
                written(ip, Some(80)),
                SocketAddr::from((ip, 80)).to_string()
            );
        }
    }
    let mapped = "::ffff:192.0.2.7".parse().unwrap();
    assert_eq!(written(mapped, Some(1)), "192.0.2.7:1");
    let six = "2001:db8::1".parse().unwrap();
    assert_eq!(written(six, None), "2001:db8::1");
    assert_eq!(written(six, Some(443)), "[2001:db8::1]:443");
}
