//! What a match tells: the entry as it is written.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The entry that decides about the host, and its line.
fn rule(parsed: &Parsed, host: &str) -> Option<(String, u32)> {
    let found = parsed.snapshot.find(host)?;
    Some((found.rule(), found.line))
}

/// A list in a format, a host on it, and the entry that speaks of that host.
const ENTRIES: &[(FeedFormat, &str, &str, &str)] = &[
    (
        FeedFormat::Hosts,
        "0.0.0.0 a.example # ads",
        "a.example",
        "0.0.0.0 a.example",
    ),
    (
        FeedFormat::Hosts,
        "127.0.0.1\ta.example  B.Example",
        "b.example",
        "127.0.0.1 B.Example",
    ),
    (
        FeedFormat::Hosts,
        "fe80::1%lo0 a.example\r",
        "x.a.example",
        "fe80::1%lo0 a.example",
    ),
    (FeedFormat::Domains, "a.example", "x.a.example", "a.example"),
    (
        FeedFormat::Domains,
        "*.a.example ; why",
        "a.example",
        "*.a.example",
    ),
    (
        FeedFormat::Domains,
        "B\u{fc}cher.example.",
        "xn--bcher-kva.example",
        "B\u{fc}cher.example.",
    ),
    (
        FeedFormat::Domains,
        "2001:DB8::0:1",
        "2001:db8::1",
        "2001:DB8::0:1",
    ),
    (
        FeedFormat::Domains,
        "198.51.100.7/24",
        "198.51.100.1",
        "198.51.100.7/24",
    ),
    (
        FeedFormat::Adblock,
        "||a.example^$important",
        "a.example",
        "||a.example^$important",
    ),
    (
        FeedFormat::Adblock,
        "@@||a.example^",
        "a.example",
        "@@||a.example^",
    ),
    (
        FeedFormat::Adblock,
        "||*.a.example^|",
        "b.a.example",
        "||*.a.example^|",
    ),
    (
        FeedFormat::Adblock,
        "0.0.0.0 a.example b.example #x",
        "b.example",
        "0.0.0.0 b.example",
    ),
    (
        FeedFormat::Dnsmasq,
        "--local=/a.example/ # x",
        "a.example",
        "--local=/a.example/",
    ),
    (
        FeedFormat::Dnsmasq,
        "address=/a.example/b.example/::",
        "b.example",
        "address=/b.example/::",
    ),
    (
        FeedFormat::Unbound,
        "  local-zone: \"a.example\" refuse # x",
        "a.example",
        "local-zone: \"a.example\" refuse",
    ),
    (
        FeedFormat::Rpz,
        "a.example\tIN CNAME . ; x",
        "a.example",
        "a.example IN CNAME .",
    ),
    (
        FeedFormat::Rpz,
        "A.example TXT x\n  CNAME .",
        "a.example",
        "a.example CNAME .",
    ),
    (
        FeedFormat::Json,
        "[\"http://a.example:80/x?y\"]",
        "a.example",
        "http://a.example:80/x?y",
    ),
    (
        FeedFormat::Csv,
        "\"a.example:443\",x",
        "a.example",
        "a.example:443",
    ),
];

#[test]
fn a_match_tells_its_entry_as_it_is_written_and_without_comments() {
    for &(format, body, host, entry) in ENTRIES {
        let found = rule(&read(format, body), host);
        assert_eq!(
            found.map(|(rule, _)| rule).as_deref(),
            Some(entry),
            "{body:?}"
        );
    }
}

#[test]
fn each_entry_of_a_name_has_its_own_text() {
    let body = "||a.example^\n|A.example^|\n@@||a.example^\n@@||A.Example^$important\n";
    for (taken_back, entry, line) in [
        ("", "@@||A.Example^$important", 4),
        ("@@||a.example^$important,badfilter\n", "@@||a.example^", 3),
        (
            "@@||a.example^$important,badfilter\n@@||a.example^$badfilter",
            "||a.example^",
            1,
        ),
    ] {
        let parsed = read(FeedFormat::Adblock, &format!("{body}{taken_back}"));
        let found = rule(&parsed, "a.example");
        assert_eq!(found, Some((entry.to_owned(), line)), "{taken_back:?}");
    }
}

#[test]
fn a_very_long_entry_is_cut_and_its_host_is_not() {
    let url = format!("http://a.example/{}", "\u{e9}".repeat(200));
    let parsed = read(FeedFormat::Json, &serde_json::json!([url]).to_string());
    let (entry, _) = rule(&parsed, "a.example").unwrap();
    assert!(
        url.starts_with(&entry) && (250..=255).contains(&entry.len()),
        "{entry}"
    );
}

#[test]
fn a_list_in_which_no_two_entries_look_alike_tells_each() {
    let entry = |number: u32| format!("http://host{number}.example/{number}");
    let urls: Vec<String> = (0..1000).map(entry).collect();
    let parsed = read(FeedFormat::Json, &serde_json::json!(urls).to_string());
    for number in 0..1000 {
        let found = rule(&parsed, &format!("host{number}.example"));
        assert_eq!(found, Some((entry(number), number + 1)));
    }
}

/// What may stand in front of a name, in one format or another.
const BEFORE: &[&str] = &[
    "",
    "",
    "",
    "0.0.0.0 ",
    "::1\t",
    "||",
    "|",
    "@@||",
    "@@|",
    "||*.",
    "*.",
    ".",
    "local=/",
    "server=/",
    "--address=/",
    "local-zone: \"",
    "local-data: \"",
    "http://",
    "[",
    "  ",
];

const NAMES: &[&str] = &[
    "a.example",
    "A.Example.",
    "b\u{fc}cher.example",
    "www.%41.example",
    "192.0.2.7",
    "2001:DB8::0:1",
    "198.51.100.9/24",
    "co.uk",
    "github.io",
    "com",
    "x.y.a.example",
    "a_b.example",
];

/// What may stand behind a name.
const AFTER: &[&str] = &[
    "",
    "",
    "",
    "^",
    "^|",
    "|",
    "^$important",
    "^$all, important",
    "^$badfilter",
    "/",
    "/#",
    "/0.0.0.0",
    "/b.example/::",
    "\" refuse",
    "\" static # x",
    "\" A 0.0.0.0",
    " CNAME .",
    "\tIN CNAME *.",
    " 60 CNAME rpz-passthru.",
    " A 0.0.0.0",
    ":443",
    ":80/x?y",
    " # x",
    ",x",
    " other.example",
    "]",
];

/// Lines made of what means something in one format or another.
fn body() -> impl Strategy<Value = String> {
    let line = (select(BEFORE), select(NAMES), select(AFTER));
    let line = line.prop_map(|(before, name, after)| [before, name, after].concat());
    prop::collection::vec(line, 1..8).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn an_entry_says_the_same_when_it_is_read_again(lines in body()) {
        crate::fuzz::feed(lines.as_bytes());
    }

    #[test]
    fn a_value_says_the_same_when_it_is_read_again(lines in body()) {
        let values: Vec<&str> = lines.lines().collect();
        crate::fuzz::feed(serde_json::json!(values).to_string().as_bytes());
    }
}

/// Such a line would be told of in other words than those that are read.
#[test]
fn an_address_whose_zone_is_no_plain_word_is_wrong() {
    let body = "fe80::1%lo0 a.example\n::1 b.example\n::1%0 c.example\n\
        fe80::1%l\u{1}o0 d.example\nfe80::1%\u{e4}0 e.example\n";
    let parsed = read(FeedFormat::Hosts, body);
    assert_eq!(counts(&parsed), [3, 2, 0, 0]);
}

#[test]
fn a_target_that_cannot_be_shown_says_nothing() {
    let body = "local=/a.example/\nlocal=/b.example/192.0.2.1\nlocal=/c.example/\u{1a}\u{1a}\n";
    let parsed = read(FeedFormat::Dnsmasq, body);
    assert_eq!(counts(&parsed), [2, 0, 1, 0]);
}
