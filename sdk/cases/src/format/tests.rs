mod refused;

use std::time::Duration;

use portcullis_contract::{Fact, Facts, Fallback, FoundIn, Outcome, Protocol, VerdictKind};

use super::*;
use crate::case::{Ended, ExchangeFacts, Expected, Message, Question, Word};

fn read(text: &str) -> Result<Cases, String> {
    Cases::parse(text, "cases.toml").map_err(|error| error.to_string())
}

/// A file with one case.
fn case(keys: &str) -> Result<Case, String> {
    let mut cases = read(&format!("[[case]]\n{keys}"))?.cases;
    Ok(cases.remove(0))
}

#[test]
fn a_file_may_hold_as_little_as_a_host_and_a_verdict() {
    let cases = read("[[case]]\nhost = 'a.example'\nexpect = 'next'").unwrap();
    assert_eq!((cases.config, cases.now), (None, SystemTime::UNIX_EPOCH));
    let case = &cases.cases[0];
    assert_eq!(
        (&*case.name, case.line, case.fresh),
        ("a.example", 1, false)
    );
    let question = Question::Host {
        host: "a.example".into(),
        port: 443,
        protocol: Protocol::Connect,
    };
    assert_eq!(case.question, question);
    let expected = Expected {
        verdict: Some(Word::Verdict(VerdictKind::Next)),
        ..Expected::default()
    };
    assert_eq!(case.expected, expected);
    let nothing = read("[feeds]").unwrap_err();
    assert_eq!(nothing, "cases.toml:1:1: there is no [[case]] in it");
}

#[test]
fn a_case_knows_the_line_on_which_it_begins() {
    let text = "# about\n\n[[case]]\nhost = 'a'\nexpect = 'next'\n\n[[case]] # more\nhost = 'b'\nexpect = 'next'\n";
    let lines: Vec<usize> = read(text)
        .unwrap()
        .cases
        .iter()
        .map(|case| case.line)
        .collect();
    assert_eq!(lines, [3, 7]);
}

#[test]
fn the_time_may_be_a_date_of_toml() {
    for now in [
        "'2026-03-02T09:00:00Z'",
        "2026-03-02T09:00:00Z",
        "2026-03-02 09:00:00Z",
    ] {
        let cases = read(&format!(
            "now = {now}\n[[case]]\nhost = 'a'\nexpect = 'next'"
        ));
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_000);
        assert_eq!(cases.unwrap().now, expected, "{now}");
    }
}

#[test]
fn all_that_surrounds_the_filter_stands_at_the_top() {
    let cases = read(
        "now = '2026-03-02T09:00:00Z'
         [config]
         block = ['a']
         since = 1979-05-27
         [config.rate]
         each = 1.5
         [feeds]
         malware = ['Evil.Example.', '10.0.0.1', '@@Good.Evil.Example', '10.1.2.3/8']
         empty = []
         [[case]]
         host = 'a'
         expect = 'next'",
    )
    .unwrap();
    assert_eq!(
        cases.now,
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_000)
    );
    assert_eq!(
        cases.config.unwrap(),
        r#"{"block":["a"],"rate":{"each":1.5},"since":"1979-05-27"}"#
    );
    assert_eq!(
        cases.feeds["malware"],
        [
            "evil.example",
            "10.0.0.1",
            "@@good.evil.example",
            "10.0.0.0/8"
        ]
    );
    assert_eq!(cases.feeds["empty"], [""; 0]);
}

#[test]
fn a_request_has_all_that_a_filter_can_see_of_it() {
    let case = case(
        "url = 'http://A.example:8080/b?c#d'
         method = 'POST'
         headers = { Cookie = ['a=1', 'b=2'], Referer = 'http://b.example/' }
         response = { headers = { Server = 'x' } }
         client = '::ffff:10.0.0.7'
         after = '1m 30s'
         fresh = true
         expect = 'allow'
         request_headers = { Cookie = false, Referer = 'x', X-A = ['1', '2'] }
         response_headers = { Server = false }",
    )
    .unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let request = [
        field("cookie", "a=1"),
        field("cookie", "b=2"),
        field("referer", "http://b.example/"),
    ];
    assert_eq!(
        case.question,
        Question::Request {
            host: "a.example".into(),
            port: 8080,
            url: "http://a.example:8080/b?c".into(),
            method: "POST".into(),
            request: Message(request.into()),
            response: Some((200, Message([field("server", "x")].into()))),
        }
    );
    assert_eq!(case.facts.client, Some([10, 0, 0, 7].into()));
    assert_eq!((case.after, case.fresh), (Duration::from_secs(90), true));
    let expected = case.expected.request_headers;
    assert_eq!(expected["cookie"], [""; 0]);
    assert_eq!(expected["referer"], ["x"]);
    assert_eq!(expected["x-a"], ["1", "2"]);
    assert_eq!(case.expected.response_headers["server"], [""; 0]);
}

#[test]
fn of_an_https_url_the_proxy_sees_the_host() {
    let asked = |keys: &str| case(&format!("{keys}\nexpect = 'next'")).unwrap();
    let case = asked("url = 'https://a.example/b'");
    assert_eq!(case.name, "https://a.example/b");
    assert_eq!(case.question, asked("host = 'a.example:443'").question);
    let Question::Host { port, protocol, .. } = asked("host = 'a'\nprotocol = 'http'").question
    else {
        panic!("a host is asked about");
    };
    assert_eq!((port, protocol), (80, Protocol::Http));
}

#[test]
fn what_is_left_behind_may_be_text_a_number_or_nothing() {
    let case = case(
        "host = 'a'
         expect = 'next'
         state = { a = 'x', 'b.example' = 2, c = false }
         metrics = { lookups = 3, share = 0.5, other = false, 'hits{b=x,a=y}' = 1 }
         notes = { mark = 'x', other = false }
         cached = '60s'
         cached_by = ['client.user', 'exchange.found-in']
         log = []",
    )
    .unwrap();
    let expected = case.expected;
    assert_eq!(expected.state["a"].as_deref(), Some("x"));
    assert_eq!(expected.state["b.example"].as_deref(), Some("2"));
    assert_eq!(expected.state["c"], None);
    assert_eq!(expected.metrics["lookups"], Some(3.0));
    assert_eq!(expected.metrics["share"], Some(0.5));
    assert_eq!(expected.metrics["other"], None);
    assert_eq!(expected.metrics[r#"hits{a="y",b="x"}"#], Some(1.0));
    assert_eq!(expected.cached, Some(Some(Duration::from_secs(60))));
    let facts = Facts::from_iter([Fact::FoundIn, Fact::User]);
    assert_eq!(expected.cached_by, Some(facts));
    assert_eq!(expected.notes["mark"].as_deref(), Some("x"));
    assert_eq!(expected.notes["other"], None);
    assert_eq!(expected.log, Some(vec![]));
}

#[test]
fn what_is_known_of_an_exchange_may_be_said_of_every_question() {
    let facts = |keys: &str| {
        let keys = format!("host = 'a.example'\nexpect = 'next'\n{keys}");
        case(&keys).unwrap().facts
    };
    assert_eq!(facts(""), ExchangeFacts::default());
    let known = facts(
        "client = '10.0.0.7'\nuser = 'ada'\ngroups = ['staff', 'kids']\n\
         listener = 'lan'\nfound_in = 'host-field'\nserver_name = 'b.example'",
    );
    let expected = ExchangeFacts {
        client: Some([10, 0, 0, 7].into()),
        user: Some("ada".into()),
        groups: vec!["staff".into(), "kids".into()],
        listener: "lan".into(),
        found_in: FoundIn::HostField,
        server_name: Some("b.example".into()),
    };
    assert_eq!(known, expected);
    for asked in ["host = 'A.example:8443'", "url = 'https://a.example/b'"] {
        let keys = format!("{asked}\nexpect = 'next'\nfound_in = 'server-name'");
        let facts = case(&keys).unwrap().facts;
        assert_eq!(facts.server_name.as_deref(), Some("a.example"), "{asked}");
    }
}

#[test]
fn a_filter_may_be_told_how_the_exchange_ends() {
    let ended = case(
        "host = 'a'
         expect = 'next'
         ended = { how = 'passed', status = 200, bytes_from_client = 1, bytes_to_client = 2, duration = '1s' }",
    );
    let expected = Ended {
        how: Outcome::Passed,
        status: Some(200),
        bytes_from_client: 1,
        bytes_to_client: 2,
        duration: Duration::from_secs(1),
    };
    assert_eq!(ended.unwrap().ended, Some(expected));
    let short = case("host = 'a'\nexpect = 'next'\nended = { how = 'dropped' }").unwrap();
    assert_eq!(short.ended.unwrap().status, None);
}

#[test]
fn a_verdict_may_ask_a_person_or_say_more() {
    let ask =
        case("host = 'a'\nexpect = 'ask'\nquestion = 'May it?'\notherwise = 'next'\nwait = '1m'");
    let ask = ask.unwrap().expected;
    assert_eq!(ask.question.as_deref(), Some("May it?"));
    assert_eq!(ask.otherwise, Some(Fallback::Next));
    assert_eq!(ask.wait, Some(Duration::from_secs(60)));
    let more = case(
        "host = 'a'
         expect = 'block'
         retry_after = '60s'
         matched = false
         fields = { X-Why = 'much', age = false }",
    );
    let more = more.unwrap().expected;
    assert_eq!(more.retry_after, Some(Some(Duration::from_secs(60))));
    assert_eq!(more.matched, Some(None));
    assert_eq!(more.fields["x-why"], ["much"]);
    assert_eq!(more.fields["age"], [""; 0]);
}

#[test]
fn a_tick_needs_no_verdict() {
    let tick = case("tick = true\npause = '10s'").unwrap();
    assert_eq!((tick.question, &*tick.name), (Question::Tick, "tick"));
    assert_eq!(tick.expected.pause, Some(Some(Duration::from_secs(10))));
    assert_eq!(
        case("tick = true\npause = false").unwrap().expected.pause,
        Some(None)
    );
    assert!(case("tick = true\nexpect = 'error'\nerror = 'x'").is_ok());
}

#[test]
fn a_key_that_does_not_exist_is_named_with_its_line_and_the_nearest() {
    for (text, error) in [
        (
            "noww = ''",
            "cases.toml:1:1: unknown key `noww`; did you mean `now`?",
        ),
        (
            "[[case]]\nhost = 'a'\nexpect = 'next'\n\n[[case]]\n hots = 'a'",
            "cases.toml:6:2: unknown key `hots`; did you mean `host`?",
        ),
        (
            "[[case]]\nurl = 'http://a/'\nresponse = { state = 1 }",
            "cases.toml:3:14: unknown key `state`; did you mean `status`?",
        ),
        (
            "\n[cases]\n",
            "cases.toml:2:2: unknown key `cases`; did you mean `case`?",
        ),
        (
            "[[case]]\nwhatever = 1",
            "cases.toml:2:1: unknown key `whatever`; there are: name, fresh, after,",
        ),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.starts_with(error), "{said}");
    }
}
