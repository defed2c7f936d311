//! What each check of the battery asks is asked: a filter that traps on exactly that fails this
//! check and no other.

use portcullis::commands::Finding;
use portcullis_tests::guests;

use super::{finding, of_guest};

/// A filter with that hook alone. It asks for one fact, if there is one, such as `client.address`,
/// traps `when` that is what the check is about, and has no opinion on anything else.
fn guest(hook: &str, fact: &str, when: &str) -> Vec<u8> {
    acting(hook, fact, when, "unreachable")
}

/// The same that does something else than to trap.
fn acting(hook: &str, fact: &str, when: &str, does: &str) -> Vec<u8> {
    let (function, parameters) = match hook {
        "judge-host" => ("judge", "(param i32) (param $host i32) (param $port i32)"),
        "judge-request" => (
            "judge",
            "(param i32) (param $method i32) (param i32) (param $url i32)",
        ),
        "judge-response" => ("judge", "(param $status i32)"),
        "exchange-ended" => ("ended", ""),
        _ => ("tick", ""),
    };
    let (mut import, mut ask) = (String::new(), "");
    if let Some((interface, name)) = fact.split_once('.') {
        import = format!(
            r#"(import "portcullis:filter/{interface}@1.0.0" "{name}" (func $ask (param i32)))"#
        );
        ask = "(call $ask (i32.const 512))";
    }
    let text = format!(
        r#"(module {import}
          (memory (export "memory") 2)
          (global $calls (mut i32) (i32.const 0))
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/{hook}@1.0.0#{function}") {parameters} (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            {ask} (if {when} (then {does})) (i32.const 0)))"#
    );
    guests::kept(&text, include_str!("../../../../sdk/wit/filter.wit"))
}

// What hooks are given: of texts, how long they are.
const HOST: &str = "(local.get $host)";
const PORT: &str = "(local.get $port)";
const METHOD: &str = "(local.get $method)";
const URL: &str = "(local.get $url)";
const STATUS: &str = "(local.get $status)";
/// How often the instance was called.
const CALLS: &str = "(global.get $calls)";

// What they have asked for: whether it is there, how long it is, and how it begins.
const IS_SOME: &str = "(i32.load8_u (i32.const 512))";
const IS_NONE: &str = "(i32.eqz (i32.load8_u (i32.const 512)))";
const IS_IPV6: &str = "(i32.load8_u (i32.const 514))";
const LENGTH: &str = "(i32.load (i32.const 516))";
const FIRST: &str = "(i32.load8_u (i32.load (i32.const 512)))";

fn is(value: &str, expected: u32) -> String {
    format!("(i32.eq {value} (i32.const {expected}))")
}

fn is_not(value: &str, expected: u32) -> String {
    format!("(i32.ne {value} (i32.const {expected}))")
}

fn is_above(value: &str, bound: u32) -> String {
    format!("(i32.gt_u {value} (i32.const {bound}))")
}

fn begins_with(letter: char) -> String {
    is(FIRST, letter.into())
}

/// Has the filter fail this check and no other, and be told in which hook and what to do.
async fn fails_alone(id: &str, hook: &str, fact: &str, when: &str) {
    let found = of_guest(&guest(hook, fact, when), "").await;
    let checks = found.checks.iter();
    let failed = checks.filter(|check| check.finding == Finding::Fail);
    let failed: Vec<_> = failed.collect();
    let ids: Vec<&str> = failed.iter().map(|check| check.id).collect();
    assert_eq!(ids, [id], "{hook} traps when {fact} {when}\n{found}");
    let seen = failed[0].seen.as_deref().unwrap_or_default();
    assert!(seen.starts_with(hook), "{found}");
    assert!(failed[0].fix.is_some(), "{found}");
}

#[tokio::test]
async fn a_filter_that_traps_on_an_odd_exchange_fails_the_check_of_that() {
    let of_www_example_com = 15;
    for (id, hook, fact, when) in [
        ("J2", "judge-host", "", is_not(HOST, of_www_example_com)),
        ("J2", "judge-host", "", is(HOST, 253)),
        ("J2", "judge-request", "exchange.host", is(LENGTH, 253)),
        (
            "J2",
            "judge-response",
            "exchange.host",
            is_not(LENGTH, of_www_example_com),
        ),
        ("J3", "judge-host", "", is(PORT, 1)),
        ("J4", "judge-host", "client.address", IS_NONE.into()),
        ("J4", "judge-request", "client.address", IS_NONE.into()),
        ("J4", "judge-host", "client.address", IS_IPV6.into()),
        ("J4", "judge-request", "client.user", IS_SOME.into()),
        ("J4", "judge-host", "client.groups", is_above(LENGTH, 999)),
        (
            "J4",
            "judge-response",
            "client.groups",
            is_above(LENGTH, 999),
        ),
        // No word that there is has as many letters, or begins so.
        ("J5", "judge-host", "exchange.protocol", is(LENGTH, 14)),
        ("J5", "judge-request", "exchange.protocol", is(LENGTH, 14)),
        (
            "J5",
            "judge-response",
            "exchange.found-in",
            begins_with('t'),
        ),
        // `socks4`, and `server-name`.
        ("J9", "judge-host", "exchange.protocol", is(LENGTH, 6)),
        ("J9", "judge-request", "exchange.found-in", begins_with('s')),
        (
            "J9",
            "judge-response",
            "exchange.server-name",
            IS_SOME.into(),
        ),
    ] {
        fails_alone(id, hook, fact, &when).await;
    }
}

#[tokio::test]
async fn a_filter_that_traps_on_an_odd_message_fails_the_check_of_that() {
    for (id, hook, fact, when) in [
        (
            "R1",
            "judge-request",
            "request-headers.names",
            is_above(LENGTH, 299),
        ),
        (
            "R1",
            "judge-response",
            "response-headers.names",
            is_above(LENGTH, 299),
        ),
        ("R4", "judge-response", "", is(STATUS, 204)),
        ("R4", "judge-response", "", is(STATUS, 599)),
        ("R5", "judge-request", "", is_above(URL, 5000)),
        ("R5", "judge-request", "", is(METHOD, 10)),
    ] {
        fails_alone(id, hook, fact, &when).await;
    }
}

#[tokio::test]
async fn a_filter_that_traps_late_or_where_nothing_waits_fails_the_check_of_that() {
    for (id, hook, fact, when) in [
        // No other check asks one instance as often.
        ("T1", "judge-host", "", is(CALLS, 300)),
        ("T1", "judge-response", "", is(CALLS, 300)),
        ("T2", "tick", "", is(CALLS, 2)),
        ("T3", "exchange-ended", "outcome.status", IS_NONE.into()),
        ("T3", "exchange-ended", "client.address", IS_NONE.into()),
        ("T3", "exchange-ended", "outcome.how", begins_with('f')),
    ] {
        fails_alone(id, hook, fact, &when).await;
    }
}

/// Of 64 MiB, the limit, a tenth is 102 pages.
#[tokio::test]
async fn a_filter_whose_calls_leave_much_in_its_memory_is_warned_in_the_check_of_limits() {
    let grows = |pages: u32| format!("(drop (memory.grow (i32.const {pages})))");
    for (when, pages, expected) in [
        // A fifth of the limit, a page in each of 205 calls behind the first.
        (is_not(&is_above(CALLS, 206), 1), 1, Finding::Warn),
        // It is replaced before it meets the limit, and grows again.
        (is_above(CALLS, 0), 16, Finding::Warn),
        // A twentieth.
        (is_not(&is_above(CALLS, 52), 1), 1, Finding::Pass),
        // What a filter has from its first call on is what it needs.
        (is(CALLS, 1), 500, Finding::Pass),
    ] {
        for hook in ["judge-host", "judge-response"] {
            let filter = acting(hook, "", &when, &grows(pages));
            let found = of_guest(&filter, "").await;
            assert_eq!(finding(&found, "T1"), expected, "{hook} {when}\n{found}");
            assert!(found.ok, "{found}");
            let check = found.checks.iter().find(|check| check.id == "T1");
            let seen = check.and_then(|check| check.seen.as_deref());
            let is_told = |seen: &str| seen.contains(hook) && seen.contains("memory");
            assert_eq!(seen.is_some_and(is_told), expected == Finding::Warn);
        }
    }
}

/// What the operator has not granted is not the filter's fault: the battery goes on, and shows the
/// table that grants it.
#[tokio::test]
async fn what_is_not_granted_is_a_matter_of_the_settings() {
    let without = of_guest(guests::counter(), "limit = 5").await;
    assert_eq!(finding(&without, "S3"), Finding::Environment, "{without}");
    let check = without.checks.iter().find(|check| check.id == "S3");
    let fix = check.and_then(|check| check.fix.as_deref());
    let expected = "have in guest.toml:\n\n[grants]\nstate = true";
    assert_eq!(fix, Some(expected), "{without}");
    assert!(without.ok, "{without}");
    let with = of_guest(guests::counter(), "limit = 5\n[grants]\nstate = true").await;
    assert_eq!(finding(&with, "S3"), Finding::Pass, "{with}");
    assert!(with.ok, "{with}");
}
