//! Random lists, compared with a model that goes through all rules one by one.

use std::io::Cursor;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::feeds::snapshot::{Sieve, Stamp};
use crate::verdict::rule::Rule;

/// What a line says, or that it takes back what others say.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    rule: Rule,
    takes_back: bool,
    text: String,
}

/// What is found, as the model says it and as a list does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    kind: MatchKind,
    name: String,
    line: u32,
    rule: String,
}

impl From<Found<'_>> for Expected {
    fn from(found: Found<'_>) -> Self {
        Self {
            kind: found.kind,
            name: found.name(),
            line: found.line,
            rule: found.rule(),
        }
    }
}

/// How well a rule's name fits a host: the more, the more specific. None if it does not.
fn fit(line: &Line, host: &str) -> Option<(usize, Rules)> {
    let (name, rules) = (&*line.name, Rules::from(line.rule));
    let (fit, rules) = if name == host {
        (usize::MAX, rules.about_itself())
    } else if let (Ok(network), Ok(address)) = (name.parse::<IpNet>(), host.parse::<IpAddr>()) {
        let fit = usize::from(network.prefix_len());
        (
            network.contains(&address).then_some(fit)?,
            rules.about_below(),
        )
    } else if host.parse::<IpAddr>().is_err() {
        let before = host.strip_suffix(name)?;
        (
            before.ends_with('.').then_some(name.len())?,
            rules.about_below(),
        )
    } else {
        return None;
    };
    rules.first().map(|_| (fit, rules))
}

fn expected(lines: &[Line], is_tree: bool, host: &str) -> Option<Expected> {
    let is_taken_back = |line: &Line| {
        let takes = |other: &&Line| {
            other.takes_back && (&other.name, other.rule) == (&line.name, line.rule)
        };
        lines.iter().any(|other| takes(&other))
    };
    let mut best: Option<((u8, usize), Expected)> = None;
    for (line, number) in lines.iter().zip(1..) {
        if line.takes_back || is_taken_back(line) {
            continue;
        }
        let Some((fit, rules)) = fit(line, host) else {
            continue;
        };
        let (rank, kind) = rules.first().unwrap();
        // In a tree it is the other way round, and of one name the rank counts.
        let order = |(rank, fit): (u8, usize)| match is_tree {
            true => (fit, usize::from(rank)),
            false => (usize::from(rank), fit),
        };
        if best
            .as_ref()
            .is_none_or(|(other, _)| order((rank, fit)) > order(*other))
        {
            let found = Expected {
                kind,
                name: line.name.clone(),
                line: number,
                rule: line.text.clone(),
            };
            best = Some(((rank, fit), found));
        }
    }
    best.map(|(_, found)| found)
}

fn names() -> impl Strategy<Value = String> {
    let label = select(vec![
        "a",
        "b",
        "ab",
        "",
        "co",
        "a-label-of-17-byte",
        "seven77",
        "eight888",
    ]);
    let labels = prop::collection::vec(label, 1..5).prop_map(|labels| labels.join("."));
    let deep = (10_usize..20).prop_map(|labels| "a.".repeat(labels) + "b");
    let addresses = select(vec![
        "192.0.2.1",
        "192.0.2.2",
        "198.51.100.7",
        "2001:db8::1",
        "2001:db8::2",
        "192.0.2.0/24",
        "192.0.2.0/30",
        "198.51.0.0/16",
        "2001:db8::/32",
        "2001:db8::/64",
        "64.0.0.0/2",
    ]);
    prop_oneof![6 => labels, 1 => deep, 3 => addresses.prop_map(str::to_owned)]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let covers = select(vec![Covers::Itself, Covers::Below, Covers::Both]);
    let marks = select(vec!["", "||^", "0.0.0.0 ", "?"]);
    let rule = (covers, any::<bool>(), any::<bool>());
    let line = (names(), rule, 0..20, marks);
    let line = line.prop_map(
        |(name, (covers, is_listed, is_important), takes_back, marks)| {
            let rule = if is_listed {
                Rule::listed(covers)
            } else {
                Rule::excepted(covers)
            };
            let text = match marks {
                "||^" => format!("||{name}^"),
                "?" => format!("?{takes_back}"),
                before => format!("{before}{name}"),
            };
            Line {
                text,
                name,
                rule: Rule {
                    is_important,
                    ..rule
                },
                takes_back: takes_back == 0,
            }
        },
    );
    prop::collection::vec(line, 0..120)
}

fn draft(lines: &[Line], is_tree: bool, key: Key) -> Draft {
    let mut builder = Builder::new(key, is_tree);
    for (line, number) in lines.iter().zip(1..) {
        if line.takes_back {
            builder.take_back(&line.name, line.rule.into());
        } else {
            let rules = line.rule.into();
            builder.add(&line.name, rules, number, &line.text).unwrap();
        }
    }
    builder.finish()
}

/// The list in the bytes of its file.
fn file(draft: &Draft) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    draft.write(STAMP, &mut file).unwrap();
    file.into_inner()
}

const STAMP: Stamp = Stamp(*b"this is a stamp.");

proptest! {
    #[test]
    fn a_list_finds_what_its_rules_say(
        lines in lines(),
        others in lines(),
        hosts in prop::collection::vec(names(), 1..60),
        is_tree: bool,
    ) {
        let key = Key::random();
        let draft = draft(&lines, is_tree, key);
        let bytes = file(&draft);
        let read = Snapshot::read(&*bytes, bytes.len() as u64, STAMP).unwrap();
        let list = Snapshot::from(draft);
        let other = Snapshot::from(self::draft(&others, false, key));
        let sieve = Sieve::new(key, [&list, &other].into_iter());
        let known = lines.iter().map(|line| &line.name);
        for host in hosts.iter().chain(known).filter(|host| !host.contains('/')) {
            let expected = expected(&lines, is_tree, host);
            prop_assert_eq!(&list.find(host).map(Expected::from), &expected, "{}", host);
            prop_assert_eq!(&read.find(host).map(Expected::from), &expected, "{}", host);
            let mut query = Query::new(host, key);
            if sieve.holds(&mut query) {
                prop_assert_eq!(&list.find_by(&query).map(Expected::from), &expected, "{}", host);
            } else {
                prop_assert_eq!(&None, &expected, "{}", host);
            }
        }
    }

    #[test]
    fn a_damaged_file_is_refused(lines in lines(), at: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = file(&draft(&lines, false, Key::random()));
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let read = Snapshot::read(&*bytes, bytes.len() as u64, STAMP);
        prop_assert!(read.is_err());
        bytes[at] ^= 1_u8 << bit;
        let read = Snapshot::read(&bytes[..at], at as u64, STAMP);
        prop_assert!(read.is_err());
    }
}
