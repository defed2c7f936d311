use std::time::Duration;

use super::*;
use crate::case::Cases;
use portcullis_contract::{Fact, Facts, Fallback, Level};

/// What is different where `keys` is expected of a request that the filter is asked about.
fn differences(keys: &str, observed: &Observed) -> Vec<String> {
    let text = format!("[[case]]\nurl = 'http://a.example/'\nresponse = {{}}\n{keys}");
    let cases = Cases::parse(&text, "cases.toml").unwrap();
    let outcome = cases.cases[0].compare(observed);
    assert_eq!(outcome.ok, outcome.differences.is_empty());
    outcome
        .differences
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn block() -> Answer {
    Answer::Block {
        status: 451,
        reason: "closed".into(),
    }
}

#[test]
fn only_what_is_mentioned_counts() {
    let mut observed = Observed::new(block());
    observed.log.push((Level::Warn, "x".into()));
    observed.metrics.insert("lookups".into(), 1.0);
    for keys in [
        "expect = 'block'",
        "expect = 'block'\nstatus = 451\nreason = 'closed'",
    ] {
        assert_eq!(differences(keys, &observed), [""; 0], "{keys}");
    }
}

#[test]
fn of_another_verdict_only_the_verdict_is_told_but_all_of_it() {
    let keys = "expect = 'redirect'\nstatus = 302\nlocation = 'http://a.example/'";
    assert_eq!(
        differences(keys, &Observed::new(block())),
        ["the verdict: expected redirect, got block with 451: closed"]
    );
    let failed = Observed::new(Answer::Error("the filter reports: no".into()));
    assert_eq!(
        differences("expect = 'next'", &failed),
        ["the verdict: expected next, got error: the filter reports: no"]
    );
}

#[test]
fn after_an_unexpected_error_only_the_error_is_told() {
    let more = "log = ['info: done']\ncached = '1s'\nrequest_headers = { accept = '*/*' }\nmetrics = { asked = 1 }";
    let failed = Observed::new(Answer::Error("the filter trapped".into()));
    assert_eq!(
        differences(&format!("expect = 'next'\n{more}"), &failed),
        ["the verdict: expected next, got error: the filter trapped"]
    );
    // What else there should be with an expected one is still looked at.
    assert_eq!(
        differences("expect = 'error'\nlog = ['info: done']", &failed),
        [r#"the log: expected a line that contains "info: done", got no line"#]
    );
}

#[test]
fn every_part_of_a_verdict_is_compared() {
    let redirect = Answer::Redirect {
        status: 302,
        location: "http://b.example/".into(),
    };
    let replace = Answer::Replace {
        status: 200,
        content_type: "text/html".into(),
        body: b"hello".into(),
    };
    for (keys, answer, difference) in [
        (
            "expect = 'block'\nstatus = 403",
            block(),
            "the status: expected 403, got 451",
        ),
        (
            "expect = 'block'\nreason = 'x'",
            block(),
            r#"the reason: expected "x", got "closed""#,
        ),
        (
            "expect = 'redirect'\nlocation = 'http://c.example/'",
            redirect,
            r#"the location: expected "http://c.example/", got "http://b.example/""#,
        ),
        (
            "expect = 'replace'\ncontent_type = 'text/plain'",
            replace.clone(),
            r#"the content type: expected "text/plain", got "text/html""#,
        ),
        (
            "expect = 'replace'\nbody = 'bye'",
            replace,
            r#"the body: expected "bye", got "hello""#,
        ),
        (
            "expect = 'error'\nerror = 'full'",
            Answer::Error("the filter trapped".into()),
            r#"the error: expected one that contains "full", got "the filter trapped""#,
        ),
    ] {
        assert_eq!(differences(keys, &Observed::new(answer)), [difference]);
    }
}

#[test]
fn a_location_is_the_same_in_any_spelling() {
    let redirect = |location: &str| {
        Observed::new(Answer::Redirect {
            status: 302,
            location: location.into(),
        })
    };
    let differences = |wanted: &str, got: &str| {
        let keys = format!("expect = 'redirect'\nlocation = \"{wanted}\"");
        differences(&keys, &redirect(got))
    };
    for (one, other) in [
        ("http://b.example", "http://b.example/"),
        ("HTTPS://B.Example:443?q", "https://b.example/?q"),
        ("http://b.example:80/#c", "http://b.example/#c"),
        ("https://b.example/c d?é", "https://b.example/c%20d?%C3%A9"),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]"),
        ("https://user@b.example", "https://user@b.example/"),
    ] {
        assert_eq!(differences(one, other), [""; 0]);
        assert_eq!(differences(other, one), [""; 0]);
    }
    for (wanted, got) in [
        ("http://b.example", "http://b.example/c"),
        ("http://b.example", "https://b.example"),
        ("http://b.example/c", "http://b.example/C"),
        ("http://b.example:443", "http://b.example"),
    ] {
        let difference = format!("the location: expected {wanted:?}, got {got:?}");
        assert_eq!(differences(wanted, got), [difference]);
    }
}

#[test]
fn how_long_an_answer_is_cached_and_by_which_facts_is_compared() {
    let minute = Duration::from_secs(60);
    let mut observed = Observed::new(Answer::Next);
    for keys in ["", "cached = false"] {
        let keys = format!("expect = 'next'\n{keys}");
        assert_eq!(differences(&keys, &observed), [""; 0]);
    }
    let not = "an answer that may not be used again";
    assert_eq!(
        differences("expect = 'next'\ncached = '60s'", &observed),
        [format!(
            "the time that the answer is cached: expected 1m, got {not}"
        )]
    );
    let by = |facts: &str| format!("expect = 'next'\ncached_by = {facts}");
    let what = "the facts by which the answer is cached";
    assert_eq!(
        differences(&by("[]"), &observed),
        [format!("{what}: expected host and port alone, got {not}")]
    );
    observed.cached = Some(minute);
    observed.asked = Facts::from_iter([Fact::User, Fact::ClientAddress]);
    for keys in [
        "cached = '60s'",
        "cached_by = ['client.user', 'client.address']",
    ] {
        let keys = format!("expect = 'next'\n{keys}");
        assert_eq!(differences(&keys, &observed), [""; 0]);
    }
    assert_eq!(
        differences(&by("['client.user']"), &observed),
        [format!(
            "{what}: expected client.user, got client.address, client.user"
        )]
    );
    assert_eq!(
        differences("expect = 'next'\ncached = false", &observed).len(),
        1
    );
}

#[test]
fn what_goes_with_an_answer_is_compared() {
    let mut observed = Observed::new(block());
    let none = "expect = 'block'\nretry_after = false\nmatched = false\nfields = { x-why = false }";
    assert_eq!(differences(none, &observed), [""; 0]);
    observed.retry_after = Some(Duration::from_secs(60));
    observed.matched = Some("rule 7".into());
    observed.fields = Message(vec![("x-why".into(), b"much".into())]);
    let right =
        "expect = 'block'\nretry_after = '60s'\nmatched = 'rule 7'\nfields = { X-Why = 'much' }";
    assert_eq!(differences(right, &observed), [""; 0]);
    assert_eq!(
        differences(none, &observed),
        [
            "the time to try again: expected none, got 1m",
            r#"the answer's field x-why: expected none, got "much""#,
            r#"the rule that decided: expected none, got "rule 7""#,
        ]
    );
}

#[test]
fn a_part_of_a_line_and_its_level_are_found_in_the_log() {
    let mut observed = Observed::new(Answer::Next);
    let expected = |log: &str| format!("expect = 'next'\nlog = {log}");
    assert_eq!(differences(&expected("[]"), &observed), [""; 0]);
    assert_eq!(
        differences(&expected("['left']"), &observed),
        [r#"the log: expected a line that contains "left", got no line"#]
    );
    observed.log.push((Level::Warn, "3 left".into()));
    assert_eq!(
        differences(&expected("['left', 'warn: 3']"), &observed),
        [""; 0]
    );
    assert_eq!(
        differences(&expected("['error: 3']"), &observed),
        [r#"the log: expected a line that contains "error: 3", got "warn: 3 left""#]
    );
    assert_eq!(
        differences(&expected("[]"), &observed),
        [r#"the log: expected no line, got "warn: 3 left""#]
    );
}

#[test]
fn the_fields_that_a_message_goes_on_with_are_compared_by_name() {
    let mut observed = Observed::new(Answer::Next);
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    observed.request = Message(vec![
        field("cookie", "a"),
        field("cookie", "b"),
        field("te", "x"),
    ]);
    observed.response = Message(vec![field("server", "x")]);
    let right = "expect = 'next'
        request_headers = { Cookie = ['a', 'b'], TE = 'x', Referer = false }
        response_headers = { server = 'x' }";
    assert_eq!(differences(right, &observed), [""; 0]);
    let wrong = "expect = 'next'
        request_headers = { cookie = 'a', referer = 'r', te = false }
        response_headers = { server = 'y' }";
    assert_eq!(
        differences(wrong, &observed),
        [
            r#"the request's field cookie: expected "a", got ["a", "b"]"#,
            r#"the request's field referer: expected "r", got none"#,
            r#"the request's field te: expected none, got "x""#,
            r#"the response's field server: expected "y", got "x""#,
        ]
    );
}

#[test]
fn what_is_left_behind_is_compared_by_key() {
    let mut observed = Observed::new(Answer::Next);
    observed.state.insert("a".into(), b"1".into());
    observed.metrics.insert("lookups".into(), 2.0);
    observed
        .metrics
        .insert(r#"hits{a="b",list="ads"}"#.into(), 1.0);
    observed.notes.insert("mark".into(), "x".into());
    let right = "expect = 'next'
        state = { a = 1, b = false }
        metrics = { lookups = 2, other = false, 'hits{list=ads,a=b}' = 1 }
        notes = { mark = 'x', other = false }";
    assert_eq!(differences(right, &observed), [""; 0]);
    let wrong = "expect = 'next'
        state = { a = false, b = 'x' }
        metrics = { lookups = 3, other = 1 }
        notes = { mark = 'y', other = 'z' }";
    assert_eq!(
        differences(wrong, &observed),
        [
            r#"the state of "a": expected nothing, got "1""#,
            r#"the state of "b": expected "x", got nothing"#,
            "the metric lookups: expected 3, got 2",
            "the metric other: expected 1, got none",
            r#"the note "mark": expected "y", got "x""#,
            r#"the note "other": expected "z", got nothing"#,
        ]
    );
}

#[test]
fn a_tick_says_when_it_wants_to_be_called_again() {
    let tick = |keys: &str| {
        let text = format!("[[case]]\ntick = true\n{keys}");
        Cases::parse(&text, "cases.toml").unwrap().cases.remove(0)
    };
    let ticked = Observed::new(Answer::Ticked(Some(Duration::from_secs(10))));
    assert!(tick("").compare(&ticked).ok);
    assert!(tick("pause = '10s'").compare(&ticked).ok);
    assert!(!tick("pause = '20s'").compare(&ticked).ok);
    assert!(!tick("pause = false").compare(&ticked).ok);
    assert!(!tick("expect = 'error'").compare(&ticked).ok);
    let last = Observed::new(Answer::Ticked(None));
    assert!(tick("pause = false").compare(&last).ok);
    assert!(
        !tick("")
            .compare(&Observed::new(Answer::Error("no".into())))
            .ok
    );
}

#[test]
fn a_question_to_a_person_is_compared() {
    let observed = Observed::new(Answer::Ask {
        question: "May it?".into(),
        otherwise: Fallback::Block,
        wait: Duration::from_secs(60),
    });
    let right = "expect = 'ask'\nquestion = 'May it?'\notherwise = 'block'\nwait = '60s'";
    assert_eq!(differences(right, &observed), [""; 0]);
    let wrong = "expect = 'ask'\nquestion = 'Is it?'\notherwise = 'next'\nwait = '1s'";
    assert_eq!(
        differences(wrong, &observed),
        [
            r#"the question: expected "Is it?", got "May it?""#,
            r#"what holds otherwise: expected "next", got "block""#,
            "the time to wait: expected 1s, got 1m",
        ]
    );
    assert_eq!(
        differences("expect = 'drop'", &observed),
        ["the verdict: expected drop, got ask for 1m, or else block: May it?"]
    );
}

#[test]
fn the_last_opinion_of_several_hooks_counts() {
    assert_eq!(Answer::Allow.then(Answer::Next), Answer::Allow);
    assert_eq!(Answer::Allow.then(block()), block());
    assert_eq!(Answer::Next.then(Answer::Allow), Answer::Allow);
}
