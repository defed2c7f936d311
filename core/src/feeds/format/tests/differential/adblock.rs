//! The engine of Brave's browser, the crate adblock, blocks the same hosts.

use std::collections::BTreeSet;

use ::adblock::Engine;
use ::adblock::lists::{FilterFormat, FilterSet, ParseOptions};
use ::adblock::request::Request;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The engine with a list.
fn engine(format: FilterFormat, list: &str) -> Engine {
    let mut rules = FilterSet::new(false);
    let options = ParseOptions {
        format,
        ..ParseOptions::default()
    };
    rules.add_filter_list(list.to_owned(), options);
    Engine::new_with_filter_set(rules)
}

/// Whether the engine blocks what a page of another site loads from a host.
fn blocks(engine: &Engine, host: &str) -> bool {
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let url = format!("http://{host}/");
    let request = Request::new(&url, "http://page.test/", "script", "GET");
    let request = request.unwrap_or_else(|error| panic!("{url}: {error}"));
    engine.check_network_request(&request).should_block()
}

/// A rule as the engine of a browser reads it: without `||` it would be about the beginning of a
/// URL or any part of one, where a list of hosts means a host.
fn for_urls(line: &str) -> String {
    let (exception, rule) = match line.strip_prefix("@@") {
        Some(rule) => ("@@", rule),
        None => ("", line),
    };
    let (pattern, modifiers) = match rule.split_once('$') {
        Some((pattern, modifiers)) => (pattern, format!("${modifiers}")),
        None => (rule, String::new()),
    };
    let pattern = pattern.strip_prefix("0.0.0.0 ").unwrap_or(pattern);
    if pattern.starts_with("||") || line.starts_with(['!', '#', '[']) {
        return line.to_owned();
    }
    let host = pattern.trim_start_matches('|').trim_end_matches(['^', '|']);
    format!("{exception}|http://{host}^{modifiers}")
}

fn names() -> impl Strategy<Value = String> {
    let label = select(vec!["a", "b", "ads", "x-y", "notads", "xn--bcher-kva"]);
    let labels = prop::collection::vec(label, 1..4);
    (labels, select(vec!["example", "co.uk"]))
        .prop_map(|(labels, end)| format!("{}.{end}", labels.join(".")))
}

fn rules() -> impl Strategy<Value = String> {
    let patterns = select(vec!["||{}^", "||{}^", "|{}^", "|{}|", "{}", "0.0.0.0 {}"]);
    let modifiers = select(vec![
        "",
        "",
        "",
        "$important",
        "$badfilter",
        "$important,badfilter",
    ]);
    let rule = (names(), patterns, any::<bool>(), modifiers);
    rule.prop_map(|(name, pattern, is_exception, modifiers)| {
        let rule = pattern.replace("{}", &name);
        let is_exception = is_exception && !rule.contains(' ');
        match (is_exception, modifiers) {
            // The engine does not know it; see the differences.
            (true, "$important" | "$important,badfilter") => format!("@@{rule}"),
            (true, modifiers) => format!("@@{rule}{modifiers}"),
            (false, _) if rule.contains(' ') => rule,
            (false, modifiers) => format!("{rule}{modifiers}"),
        }
    })
}

proptest! {
    #[test]
    fn generated_rules_block_what_they_block_in_a_browser(
        rules in prop::collection::vec(rules(), 1..30),
        others in prop::collection::vec(names(), 20),
    ) {
        let list = rules.join("\n");
        let for_urls: Vec<String> = rules.iter().map(|rule| for_urls(rule)).collect();
        let engine = engine(FilterFormat::Standard, &for_urls.join("\n"));
        let ours = parse(&applied(FeedFormat::Adblock), list.as_bytes());
        for host in others {
            let is_listed = ours.as_ref().is_ok_and(|ours| covered(ours, &host));
            prop_assert_eq!(is_listed, blocks(&engine, &host), "{} {:?}", host, rules);
        }
    }
}

/// Names of a list that are asked for, and those around them.
const NAMES: usize = 5000;

/// Hosts that a list may be wrong about: some of its names, names around them, and names that look
/// alike.
fn hosts_around(list: &Parsed) -> BTreeSet<String> {
    let names = list.snapshot.names().filter(|name| !name.contains('/'));
    let names = names.step_by(1 + list.snapshot.len() / NAMES);
    let around = names.flat_map(|name| {
        let is_address = name.parse::<IpAddr>().is_ok();
        let parent = name.split_once('.').map_or(name, |(_, parent)| parent);
        let all = [
            name.to_owned(),
            format!("www.{name}"),
            format!("not{name}"),
            format!("{name}.test"),
            parent.to_owned(),
        ];
        all.into_iter()
            .take(if is_address { 1 } else { usize::MAX })
    });
    around.filter(|host| host.contains(['.', ':'])).collect()
}

/// Whether a line has modifiers that narrow a rule down. Such rules are left out of lists of hosts.
fn is_narrowed(line: &str) -> bool {
    let modifiers = line.rsplit_once('$').map_or("", |(_, modifiers)| modifiers);
    let mut modifiers = modifiers.split(',').filter(|modifier| !modifier.is_empty());
    modifiers.any(|modifier| !["important", "badfilter", "all"].contains(&modifier))
}

/// Whether a line is about URLs, or is one of the differences below.
fn is_other(line: &str) -> bool {
    let pattern = line.split('$').next().unwrap_or(line);
    let name = pattern
        .trim_start_matches(['@', '|'])
        .trim_end_matches(['^', '|']);
    let is_name = name.contains('.') && !name.contains('/');
    let is_important_exception = line.starts_with("@@") && line.contains("$important");
    is_narrowed(line) || !is_name || is_important_exception
}

#[test]
fn lists_of_adblock_block_what_they_block_in_a_browser() {
    for (file, list) in lists(FeedFormat::Adblock) {
        let list: Vec<&str> = list.lines().filter(|line| !is_other(line)).collect();
        let for_urls: Vec<String> = list.iter().map(|line| for_urls(line)).collect();
        let engine = engine(FilterFormat::Standard, &for_urls.join("\n"));
        assert_same(
            &file,
            &applied(FeedFormat::Adblock),
            &list.join("\n"),
            &engine,
        );
    }
}

/// A list, a host, whether it is blocked here and in a browser, and why.
type Decision = (&'static str, &'static str, bool, bool, &'static str);

const DECISIONS: [Decision; 9] = [
    (
        "||a.example^$important\n@@||a.example^$important",
        "a.example",
        false,
        true,
        "AdGuard has important exceptions, and the engine does not",
    ),
    (
        "||a.example^$third-party",
        "a.example",
        false,
        true,
        "a rule that is narrowed down would block too much as a whole",
    ),
    (
        "||a.example/ads",
        "a.example",
        false,
        false,
        "a path of a host says nothing about the host",
    ),
    (
        "a.example",
        "nota.example",
        false,
        true,
        "in a list of hosts a name is that host, and in a browser any part of a URL",
    ),
    (
        "|a.example^",
        "a.example",
        true,
        false,
        "in a list of hosts a name begins where a host does, and in a browser where a URL does",
    ),
    (
        "||com^",
        "example.com",
        false,
        true,
        "all names of a registry are held unless the operator wants that",
    ),
    (
        "||a.example^|\n||a.example^$badfilter",
        "a.example",
        false,
        true,
        "a rule is taken back by one that says the same, and in a browser by the same text",
    ),
    (
        "||192.0.2.0/24^",
        "192.0.2.7",
        true,
        false,
        "the engine knows no networks",
    ),
    (
        "||2.7^",
        "192.0.2.7",
        false,
        true,
        "an address has no names above it",
    ),
];

#[test]
fn these_differences_are_decisions() {
    for (list, host, ours, theirs, why) in DECISIONS {
        let listed = parse(&FeedFormat::Adblock.into(), list.as_bytes());
        let is_listed = listed.is_ok_and(|listed| covered(&listed, host));
        let is_blocked = blocks(&engine(FilterFormat::Standard, list), host);
        assert_eq!((is_listed, is_blocked), (ours, theirs), "{list}: {why}");
    }
}

#[test]
fn lists_of_hosts_and_of_domains_block_what_they_block_in_a_browser() {
    for format in [FeedFormat::Hosts, FeedFormat::Domains] {
        for (file, list) in lists(format) {
            // Names as URLs write them are not known to the engine.
            let lines: Vec<&str> = list.lines().filter(|line| !line.contains('%')).collect();
            let list = lines.join("\n");
            let names: Vec<String> = list.lines().flat_map(one_name_a_line).collect();
            let engine = engine(FilterFormat::Hosts, &names.join("\n"));
            assert_same(&file, &applied(format), &list, &engine);
        }
    }
}

/// The names in a line as the engine knows them: one in a line, without marks for the names below
/// it and without a dot at its end.
fn one_name_a_line(line: &str) -> Vec<String> {
    let content = line.split(['#', ';']).next().unwrap_or(line);
    let words: Vec<&str> = content.split_ascii_whitespace().collect();
    let names = match &words[..] {
        [_, names @ ..] if !names.is_empty() => names,
        names => names,
    };
    let plain = |name: &&str| {
        name.trim_matches('.')
            .trim_start_matches("*.")
            .to_lowercase()
    };
    names.iter().map(plain).collect()
}

fn is_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix == name)
}

#[track_caller]
fn assert_same(file: &str, format: &Format, list: &str, engine: &Engine) {
    let list = parse(format, list.as_bytes());
    let list = list.unwrap_or_else(|error| panic!("{file}: {error}"));
    // Of a public suffix itself, and not of the names below it, speaks a list that does not say
    // which is meant.
    let suffixes = list.snapshot.names().filter(|name| is_suffix(name));
    let suffixes: Vec<String> = suffixes.map(|name| format!(".{name}")).collect();
    let is_below = |host: &String| suffixes.iter().any(|suffix| host.ends_with(suffix));
    let differ = hosts_around(&list)
        .into_iter()
        .filter(|host| !is_below(host) && host.parse::<IpAddr>().is_err())
        .filter(|host| covered(&list, host) != blocks(engine, host));
    let differ: Vec<String> = differ.take(10).collect();
    assert!(differ.is_empty(), "{file}: {differ:?}");
}
