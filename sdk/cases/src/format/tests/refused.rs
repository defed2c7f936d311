//! What is wrong with a case is said where it stands.

use super::*;

/// A key of a case, and what is wrong with its value.
const NO_SENSE: &[(&str, &str)] = &[
    (
        "expect = 'deny'",
        "2:10: `deny` is none of next, allow, block, redirect, replace, drop, ask, error",
    ),
    (
        "expect = 1",
        "2:10: invalid type: integer `1`, expected next, allow,",
    ),
    ("after = '60'", "2:9: `60` is not a time such as \"60s\""),
    ("after = '200y'", "2:9: `200y` is not a time"),
    ("client = 'a'", "2:10: `a` is not an IP address such as"),
    (
        "url = 'a.example'",
        "2:7: `a.example` is not a URL that goes through the proxy",
    ),
    (
        "protocol = 'socks'",
        "2:12: `socks` is none of http, connect, socks4, socks5",
    ),
    (
        "headers = { 'a b' = '' }",
        "2:13: `a b` cannot be the name of a header field",
    ),
    (
        "headers = { a = 1 }",
        "2:17: expected a text or a list of texts",
    ),
    (
        "request_headers = { a = true }",
        "2:25: expected a text, a list of texts, or false",
    ),
    (
        "state = { a = 1.5 }",
        "2:15: expected a text, a whole number, or false",
    ),
    ("metrics = { a = 'x' }", "2:17: expected a number, or false"),
    (
        "cached_by = ['client']",
        "2:14: `client` is none of exchange.id, exchange.protocol,",
    ),
    (
        "ended = { how = 'well' }",
        "2:17: `well` is none of passed, blocked,",
    ),
    ("matched = true", "2:11: expected a text, or false for none"),
    (
        "cached = true",
        "2:10: expected a time such as \"60s\", or false",
    ),
];

#[test]
fn a_value_that_makes_no_sense_is_refused_where_it_stands() {
    for (key, problem) in NO_SENSE {
        let said = case(key).unwrap_err();
        assert!(said.starts_with(&format!("cases.toml:{problem}")), "{said}");
    }
    for now in [
        "'2026-03-02T09:00:00+01:00'",
        "2026-03-02T09:00:00+01:00",
        "2026-03-02T09:00:00",
        "2026-03-02",
    ] {
        let said = read(&format!("now = {now}")).unwrap_err();
        assert!(said.contains("is not a time in UTC such as"), "{said}");
    }
    let said = read("now = { year = 2026 }").unwrap_err();
    let problem = "invalid type: map, expected a time in UTC such as";
    assert!(said.contains(problem), "{said}");
    let said = read("[feeds]\na = ['*.evil.example']").unwrap_err();
    assert!(
        said.starts_with("cases.toml:2:6: `*.evil.example` is not a domain"),
        "{said}"
    );
    let said = read("\n[config]\na = nan\n[[case]]\nhost = 'a'").unwrap_err();
    assert!(said.contains("JSON has no number NaN"), "{said}");
}

/// The keys of a case, and what is wrong with them.
const HOPELESS: &[(&str, &str)] = &[
    ("expect = 'next'", "a case asks one thing"),
    (
        "host = 'a'\nurl = 'http://a/'\nexpect = 'next'",
        "a case asks one thing",
    ),
    ("host = 'a'\ntick = true", "a case asks one thing"),
    (
        "host = 'a b'\nexpect = 'next'",
        "`a b` is not a host (the host is neither a domain name nor an IP address); write it like",
    ),
    ("host = 'a'", "what is expected? Say `expect`"),
    (
        "host = 'a'\nmethod = 'GET'\nexpect = 'next'",
        "`method` belongs to a request",
    ),
    (
        "url = 'https://a/'\nheaders = {}\nexpect = 'next'",
        "`headers` belongs to a request",
    ),
    (
        "url = 'http://a/'\nprotocol = 'http'\nexpect = 'next'",
        "`protocol` goes with `host`",
    ),
    (
        "url = 'http://a/'\nheaders = { a = \"b\\r\\nc\" }\nexpect = 'next'",
        "the value of a has control characters",
    ),
    (
        "url = 'http://a/'\nmethod = 'G T'\nexpect = 'next'",
        "`G T` is not a method",
    ),
    (
        "url = 'http://a/'\nmethod = ''\nexpect = 'next'",
        "`` is not a method",
    ),
    (
        "url = 'http://a/'\nresponse = {status = 101}\nexpect = 'next'",
        "a response with the status 101",
    ),
    (
        "url = 'http://a/'\nresponse_headers = {}\nexpect = 'next'",
        "`response_headers` are those",
    ),
    (
        "url = 'http://a/'\nrequest_headers = {}\nexpect = 'block'",
        "`request_headers` goes with the verdict next or allow, and block is expected",
    ),
    (
        "host = 'a'\nexpect = 'next'\nreason = 'x'",
        "`reason` goes with the verdict block, and next is expected",
    ),
    (
        "host = 'a'\nexpect = 'block'\nlocation = 'x'",
        "`location` goes with the verdict redirect",
    ),
    (
        "host = 'a'\nexpect = 'next'\npause = '1s'",
        "`pause` goes with `tick = true`",
    ),
    (
        "host = 'a'\nexpect = 'next'\ncached = false\ncached_by = []",
        "`cached_by` goes with",
    ),
    (
        "host = 'a'\nexpect = 'drop'\nretry_after = '1s'",
        "`retry_after` goes with the verdict block or redirect or replace, and drop is expected",
    ),
    (
        "host = 'a'\nexpect = 'next'\nmatched = 'x'",
        "`matched` goes with the verdict allow or",
    ),
    (
        "host = 'a'\nexpect = 'next'\nmetrics = { 'a{b' = 1 }",
        "`a{b` is not a metric",
    ),
    (
        "tick = true\nended = { how = 'passed' }",
        "a tick is about no exchange: leave `ended` out",
    ),
    ("tick = true\nexpect = 'next'", "no verdict comes of a tick"),
    (
        "tick = true\nerror = 'x'",
        "`error` goes with the verdict error",
    ),
    ("tick = true\ncached = '1s'", "no verdict comes of a tick"),
    (
        "tick = true\nclient = '10.0.0.1'",
        "a tick is about no exchange: leave `client` out",
    ),
];

#[test]
fn a_case_that_can_never_go_well_is_refused_with_its_line() {
    for (keys, problem) in HOPELESS {
        let said = case(keys).unwrap_err();
        assert!(
            said.starts_with(&format!("cases.toml:1:1: {problem}")),
            "{said}"
        );
    }
}
