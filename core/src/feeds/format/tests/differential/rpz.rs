//! The parser of zone files in the crate domain, by the makers of Unbound and NSD, finds the same
//! names with the same actions.

use std::collections::BTreeSet;

use domain::base::Record;
use domain::base::iana::Class;
use domain::base::name::{Name, ToName};
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, ScannedDname, ScannedRecordData, Zonefile};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::verdict::MatchKind;
use crate::verdict::rule::Rules;

/// A name and what is said of it.
type Said = (String, u8);

/// What a zone says of names: RPZ by the letter of its draft, on records that another has read.
fn theirs(zone: &str) -> BTreeSet<Said> {
    let mut file = Zonefile::from(zone);
    file.set_origin("zone.test".parse::<Name<_>>().unwrap());
    file.set_default_class(Class::IN);
    let mut apex = None;
    let mut said = BTreeSet::new();
    while let Some(entry) = file
        .next_entry()
        .unwrap_or_else(|error| panic!("{error}: {zone}"))
    {
        let Entry::Record(record) = entry else {
            panic!("it includes a file");
        };
        if let ZoneRecordData::Soa(_) = record.data() {
            apex = Some(text(record.owner()));
        }
        said.extend(action(&record).and_then(|kind| {
            let owner = text(record.owner());
            let apex = apex.as_deref().unwrap_or("zone.test");
            let name = owner.strip_suffix(apex)?.strip_suffix('.')?;
            let (name, covers) = match name.strip_prefix("*.") {
                Some(name) => (name, Covers::Below),
                None => (name, Covers::Itself),
            };
            let is_other = name
                .rsplit('.')
                .next()
                .is_some_and(|last| last.starts_with("rpz-"));
            let rule = Rule {
                kind,
                ..Rule::listed(covers)
            };
            // Nothing listens at a top-level domain itself.
            let is_label = covers == Covers::Itself && !name.contains('.');
            (!is_other && !is_label).then(|| (name.to_owned(), Rules::from(rule).bits()))
        }));
    }
    said
}

/// Without the dot at its end, in lower case.
fn text(name: &ScannedDname) -> String {
    name.to_bytes().to_string().to_ascii_lowercase()
}

fn action(record: &Record<ScannedDname, ScannedRecordData>) -> Option<MatchKind> {
    match record.data() {
        ZoneRecordData::Cname(target) => match &*text(target.cname()) {
            "" | "." | "*" | "rpz-drop" => Some(Listed),
            "rpz-passthru" => Some(Excepted),
            _ => None,
        },
        ZoneRecordData::A(address) => belongs_to_none(address.addr().into()).then_some(Listed),
        ZoneRecordData::Aaaa(address) => belongs_to_none(address.addr().into()).then_some(Listed),
        _ => None,
    }
}

/// None for a zone of which more is wrong than right.
fn ours(zone: &str) -> Option<BTreeSet<Said>> {
    let parsed = match parse(&FeedFormat::Rpz.into(), zone.as_bytes()) {
        Ok(parsed) => parsed,
        Err(Rejected::Empty | Rejected::NoHosts(_)) => return Some(BTreeSet::new()),
        Err(Rejected::Garbage { .. }) => return None,
        Err(error) => panic!("{error}: {zone}"),
    };
    let entries = parsed.snapshot.entries().into_iter();
    let said = entries.map(|(name, rules, _)| (name, rules.bits()));
    Some(said.collect())
}

const OWNERS: [&str; 15] = [
    "",
    "",
    "one.example",
    "*.one.example",
    "ONE.Example",
    "two.example",
    "*.two.example",
    "two.example.zone.test.",
    "*.two.example.ZONE.test.",
    "far.example.",
    "@",
    "a-b._x.example",
    "32.1.2.0.192.rpz-ip",
    "24.0.2.0.192.rpz-client-ip",
    "ns.example.rpz-nsdname",
];

const BEFORE: [&str; 6] = ["", "60", "IN", "60 IN", "in 60", "In"];

const DATA: [&str; 21] = [
    "CNAME .",
    "CNAME *.",
    "CNAME rpz-passthru.",
    "CNAME rpz-drop.",
    "CNAME RPZ-PassThru.",
    "CNAME rpz-tcp-only.",
    "CNAME rpz-passthru",
    "cname .",
    "CNAME garden.example.",
    "A 0.0.0.0",
    "A 127.0.0.1",
    "A 192.0.2.1",
    "AAAA ::",
    "aaaa ::1",
    "AAAA 2001:db8::1",
    "TXT \"; not a comment ( \"",
    "TXT a \"b c\"",
    "MX 10 mail.example.",
    "CNAME (\n .\n)",
    "A ( 0.0.0.0 ; a comment (\n )",
    "( CNAME\n ; nothing\n . )",
];

const OTHERS: [&str; 10] = [
    "",
    "; a comment",
    "  ; another",
    "$TTL 60",
    "$ttl 60",
    "$ORIGIN zone.test.",
    "$ORIGIN deep.zone.test.",
    "$origin deeper",
    "$ORIGIN .",
    "$ORIGIN elsewhere.",
];

/// A line of a zone, with what may stand between its words.
fn lines() -> impl Strategy<Value = String> {
    let owner = select(&OWNERS[..]);
    let before = select(&BEFORE[..]);
    let data = select(&DATA[..]);
    let space = select(vec![" ", "\t", "  \t "]);
    let end = select(vec!["", " ", " ; a comment", ";", "\r"]);
    let record = (owner, before, data, space, end).prop_map(|(owner, before, data, space, end)| {
        let before = match before {
            "" => String::new(),
            before => format!("{before}{space}"),
        };
        format!("{owner}{space}{before}{data}{end}")
    });
    let other = select(&OTHERS[..]);
    prop_oneof![6 => record, 1 => other.prop_map(str::to_owned)]
}

proptest! {
    #[test]
    fn generated_zones_say_the_same_of_the_same_names(
        lines in prop::collection::vec(lines(), 1..30),
    ) {
        let start = "zone.test. 60 IN SOA ns.zone.test. admin.zone.test. (\n 1 3600 600\n 86400 60 )";
        let zone = format!("{start}\n{}\n", lines.join("\n"));
        if let Some(ours) = ours(&zone) {
            prop_assert_eq!(ours, theirs(&zone), "{}", zone);
        }
    }
}

#[test]
fn zones_in_files_say_the_same_of_the_same_names() {
    for (file, zone) in lists(FeedFormat::Rpz) {
        let theirs = theirs(&zone);
        assert!(!theirs.is_empty(), "{file}");
        assert_eq!(ours(&zone), Some(theirs), "{file}");
    }
}
