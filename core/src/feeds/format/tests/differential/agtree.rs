//! AdGuard's own parser, the npm package @adguard/agtree, says the same of each line: a rule about
//! whole hosts, one that takes such a rule back, or none. `make agtree` gets it, and node runs it.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::verdict::rule::Rules;

/// Where `make agtree` has put it.
const AGTREE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/agtree/node_modules/@adguard/agtree"
);

/// Says what each line is.
const KINDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/agtree/kinds.mjs");

/// Lines that are generated.
const LINES: usize = 20_000;

/// What agtree says of each line; none without it.
fn theirs(lines: &[String]) -> Option<Vec<String>> {
    if !Path::new(AGTREE).exists() {
        return None;
    }
    let mut node = Command::new("node");
    node.args([KINDS, AGTREE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut node = node.spawn().ok()?;
    let mut input = node.stdin.take().unwrap();
    let text = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{KINDS} failed");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(said.len(), lines.len());
    Some(said)
}

/// What this crate says of a line, in the words of the script.
fn ours(line: &str) -> String {
    let read = |body: &str| parse(&applied(FeedFormat::Adblock), body.as_bytes());
    match read(line) {
        Ok(parsed) => {
            let entries = parsed.snapshot.entries().into_iter();
            let entries: BTreeSet<_> = entries.map(|(name, rules, _)| said(&name, rules)).collect();
            Vec::from_iter(entries).join(", ")
        }
        Err(Rejected::NoHosts(_) | Rejected::Garbage { .. }) => "other".to_owned(),
        Err(Rejected::Empty) => {
            let Some(rule) = taken_back(line) else {
                return "nothing".to_owned();
            };
            match read(&format!("{line}\n{rule}")) {
                Err(Rejected::Empty) => match &*ours(&rule) {
                    "nothing" => "nothing".to_owned(),
                    rule => format!("badfilter {rule}"),
                },
                _ => "other".to_owned(),
            }
        }
        Err(error) => panic!("{error}: {line:?}"),
    }
}

fn said(name: &str, rules: Rules) -> String {
    let (rank, kind) = rules.first().unwrap();
    let exception = if kind == Excepted { "exception " } else { "" };
    let important = if rank >= 2 { "important " } else { "" };
    let itself = rules.about_itself().first().is_some();
    let covers = match (itself, rules.about_below().first().is_some()) {
        (true, true) => "both",
        (true, false) => "itself",
        _ => "below",
    };
    format!("{exception}{important}{covers} {name}")
}

/// The rule that a line with `$badfilter` takes back.
fn taken_back(line: &str) -> Option<String> {
    let (pattern, modifiers) = line.rsplit_once('$')?;
    let is_other = |modifier: &&str| modifier.trim() != "badfilter";
    let others: Vec<&str> = modifiers.split(',').filter(is_other).collect();
    match others[..] {
        [] => Some(pattern.to_owned()),
        _ if others.len() == modifiers.split(',').count() => None,
        _ => Some(format!("{pattern}${}", others.join(","))),
    }
}

/// Why a line is not compared.
fn decision(line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.trim_start_matches('@').starts_with('[') {
        return Some("a line in brackets is a title; an address in them follows `|` or `||`");
    }
    let is_general = ["##.", "#@#.", "##a"]
        .iter()
        .any(|start| line.starts_with(start));
    if line.starts_with('#') && line[1..].contains(['#', '$']) && !is_general {
        return Some("a line that begins with # is a remark, unless a selector follows its mark");
    }
    let content = line.split('#').next().unwrap_or(line);
    let mut names = content.split_ascii_whitespace().skip(1);
    let is_odd = |name: &str| name.parse::<IpAddr>().is_ok() || name.contains(['%', ':', '/']);
    let address = content.split_ascii_whitespace().next().unwrap_or(content);
    if address.parse::<IpAddr>().is_ok() && names.any(is_odd) {
        return Some("a hosts file may have addresses, ranges, and names as URLs write them");
    }
    if hosts::names(content).is_some() && line.contains('#') {
        return Some("in a line of a hosts file # begins a comment, with or without a space");
    }
    None
}

const STARTS: [&str; 12] = [
    "", "", "||", "||", "|", "@@", "@@||", "@@|", "||*.", "! ", "# ", "0.0.0.0 ",
];

const NAMES: [&str; 24] = [
    "a.example",
    "B.Example",
    "b.co.uk",
    "192.0.2.7",
    "[2001:db8::1]",
    "xn--bcher-kva.example",
    "b\u{fc}cher.example",
    "a_b.example",
    "*",
    "a*.example",
    "example",
    "a.example.",
    "/ads/",
    "a.example/ads",
    "a.example:8080",
    "a.example##.ad",
    "a.example#@#.ad",
    "-ads-",
    "a.example$$p",
    "a.example#%#//x('y')",
    "a.example#$#body { color: red }",
    "##.ad",
    "$$p",
    "%41.example",
];

const ENDS: [&str; 8] = ["", "^", "^", "^", "^|", "|", "/", "*"];

const MODIFIERS: [&str; 27] = [
    "",
    "",
    "",
    "$important",
    "$badfilter",
    "$important,badfilter",
    "$badfilter,important",
    "$all",
    "$all,important",
    "$third-party",
    "$important,third-party",
    "$~third-party",
    "$dnstype=A",
    "$denyallow=x.example",
    "$client=192.0.2.1",
    "$domain=a.example|~b.example",
    "$",
    "$,",
    "$important,",
    "$~important",
    "$important=1",
    "$removeparam=x",
    "$replace=/a\\$/b/",
    "$script",
    "$ important",
    "$IMPORTANT",
    "$important,important",
];

const REMARKS: [&str; 4] = [
    "a.example # why",
    "b.co.uk #why?",
    "xn--bcher-kva.example\t# a b",
    "||a.example^ # why",
];

const PIECES: [&str; 34] = [
    "||",
    "|",
    "@@",
    "^",
    "$",
    ",",
    "important",
    "badfilter",
    "all",
    "script",
    "a.example",
    "b.",
    "*",
    "*.",
    "##",
    "#@#",
    "#%#",
    "#",
    "!",
    "!#",
    "!+",
    "[",
    "]",
    "[Adblock Plus 2.0]",
    " ",
    "/",
    "//",
    "~",
    "=",
    "0.0.0.0 ",
    "127.0.0.1 localhost",
    "192.0.2.1",
    "::1",
    ":",
];

/// Lines of what the syntax has, in sensible order and in any.
fn lines() -> impl Strategy<Value = String> {
    let starts = select(&STARTS[..]);
    let names = select(&NAMES[..]);
    let ends = select(&ENDS[..]);
    let modifiers = select(&MODIFIERS[..]);
    let rule = (starts, names, ends, modifiers)
        .prop_map(|(start, name, end, modifiers)| format!("{start}{name}{end}{modifiers}"));
    let remarks = select(&REMARKS[..]);
    let pieces = select(&PIECES[..]);
    let any = prop::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat());
    prop_oneof![30 => rule, 10 => any, 1 => remarks.prop_map(str::to_owned)]
}

#[test]
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
fn lines_of_adblock_say_what_adguards_parser_says() {
    let mut runner = TestRunner::deterministic();
    let line = || lines().new_tree(&mut runner).unwrap().current();
    let mut all: BTreeSet<String> = std::iter::repeat_with(line).take(LINES).collect();
    for (_, list) in lists(FeedFormat::Adblock) {
        all.extend(list.lines().map(str::to_owned));
    }
    let lines: Vec<String> = all.into_iter().collect();
    let Some(theirs) = theirs(&lines) else {
        let is_forbidden = std::env::var_os("CI").is_some();
        assert!(!is_forbidden, "there is no agtree: run make agtree");
        return eprintln!("skipped: there is no agtree; `make agtree` gets it");
    };
    let lines = lines.iter().zip(theirs);
    let lines = lines.filter(|(line, _)| decision(line).is_none());
    let differ = lines.filter_map(|(line, theirs)| {
        let ours = ours(line);
        (ours != theirs).then(|| format!("{line:?}: {ours}; {theirs}"))
    });
    let differ: Vec<String> = differ.collect();
    assert!(
        differ.is_empty(),
        "{} lines differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
