//! Lists as files of their own, damaged so that no checksum tells.

use std::io::Cursor;

use super::text;
use crate::feeds::snapshot::{Builder, Draft, Found, Key, Query, Sieve, Snapshot, Stamp, seal};
use crate::verdict::MatchKind;
use crate::verdict::rule::{Covers, Rule};

/// What the files are of.
const STAMP: Stamp = Stamp(*b"this is a stamp.");

/// Lines that say what is on a list and, behind `---`, how its file is damaged. The list is the
/// same in a file as in memory. A damaged file is refused, or finds only what covers the host.
pub fn snapshot(data: &[u8]) {
    let data = text(data);
    let (rules, damage) = data.split_once("---").unwrap_or((&data, ""));
    let hosts: Vec<String> = rules
        .lines()
        .map(|line| name(line).to_owned())
        .flat_map(|name| [format!("x.{name}"), format!("x{name}"), name])
        .collect();
    let draft = draft(rules);
    let mut bytes = Cursor::new(Vec::new());
    draft
        .write(STAMP, &mut bytes)
        .expect("memory takes what is written");
    let mut bytes = bytes.into_inner();
    let in_memory = Snapshot::from(draft);
    let whole = read(&bytes).expect("the file was written as it is");
    assert_eq!(whole.len(), in_memory.len());
    for host in &hosts {
        assert_eq!(
            shown(whole.find(host)),
            shown(in_memory.find(host)),
            "{host:?}"
        );
    }
    for line in damage.lines() {
        apply(line, &mut bytes);
    }
    seal(&mut bytes);
    match read(&bytes) {
        Ok(damaged) => assert_finds_what_covers(&damaged, &hosts),
        Err(error) => assert!(!error.to_string().contains(|c: char| c.is_control())),
    }
}

fn read(bytes: &[u8]) -> Result<Snapshot, crate::feeds::snapshot::Refused> {
    Snapshot::read(bytes, bytes.len() as u64, STAMP)
}

/// A line: `-` takes back, `@@` excepts, `!` is important, `=` is about the name itself and `.`
/// about those below it.
fn draft(rules: &str) -> Draft {
    let mut builder = Builder::new(Key::random(), rules.starts_with("tree"));
    for (line, number) in rules.lines().zip(1..) {
        let marks = &line[..line.len() - name(line).len()];
        let covers = match (marks.contains('='), marks.contains('.')) {
            (true, false) => Covers::Itself,
            (false, true) => Covers::Below,
            _ => Covers::Both,
        };
        let rule = if marks.contains('@') {
            Rule::excepted(covers)
        } else {
            Rule::listed(covers)
        };
        let rule = Rule {
            is_important: marks.contains('!'),
            ..rule
        };
        if marks.contains('-') {
            builder.take_back(name(line), rule.into());
        } else {
            builder
                .add(name(line), rule.into(), number, line)
                .expect("it is short");
        }
    }
    builder.finish()
}

fn name(line: &str) -> &str {
    line.trim_start_matches(['-', '@', '!', '=', '.'])
}

/// `OFFSET BYTE` changes one byte, `cut NUMBER` leaves so many, `more NUMBER` adds that many.
pub(super) fn apply(line: &str, bytes: &mut Vec<u8>) {
    let Some((what, number)) = line.split_once(' ') else {
        return;
    };
    let Ok(number) = number.trim().parse::<u16>() else {
        return;
    };
    match what {
        "cut" => bytes.truncate(number.into()),
        "more" => bytes.resize(bytes.len() + usize::from(number), 0),
        offset => {
            let place = offset.parse().ok().and_then(|at: usize| bytes.get_mut(at));
            if let Some(byte) = place {
                *byte = number as u8;
            }
        }
    }
}

fn shown(found: Option<Found<'_>>) -> Option<(MatchKind, String, u32)> {
    found.map(|found| (found.kind, found.rule(), found.line))
}

fn assert_finds_what_covers(list: &Snapshot, hosts: &[String]) {
    let Some(key) = list.key() else {
        return;
    };
    // One list alone would have none.
    let sieve = Sieve::new(key, [list, list].into_iter());
    for host in hosts {
        let mut query = Query::new(host, key);
        let found = list.find_by(&query);
        if let Some(found) = &found {
            let _ = found.rule();
            let before = host.strip_suffix(&*found.name());
            let is_domain = before.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            assert!(
                is_domain || found.name().contains('/'),
                "{host:?} {found:?}"
            );
        }
        if sieve.holds(&mut query) {
            assert_eq!(shown(list.find_by(&query)), shown(found), "{host:?}");
        }
    }
}
