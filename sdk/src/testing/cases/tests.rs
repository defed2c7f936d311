use std::cell::Cell;

use super::*;
use crate::{Host, Verdict, feeds, metrics, state};

/// Does what the first label of the host says.
#[derive(Debug)]
struct Obeys {
    instances_before: usize,
    greeting: String,
}

thread_local! {
    static INSTANCES: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    greeting: String,
}

impl Filter for Obeys {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        if config.greeting == "refuse" {
            return Err(Error::new("greeting: too short"));
        }
        Ok(Self {
            instances_before: INSTANCES.replace(INSTANCES.get() + 1),
            greeting: config.greeting,
        })
    }

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        let host: &Host = flow.host();
        match host.as_str().split('.').next().unwrap_or_default() {
            "allow" => Ok(Verdict::ALLOW),
            "greet" => Ok(Verdict::block(&self.greeting)),
            "client" => Ok(Verdict::block(format!("{:?}", flow.client().address()))),
            "protocol" => Ok(Verdict::block(format!(
                "{:?} {}",
                flow.protocol(),
                flow.port()
            ))),
            "instance" => Ok(Verdict::block(self.instances_before.to_string())),
            "listed" => Ok(Verdict::block(
                feeds::lookup("malware", host)?.unwrap_or_default(),
            )),
            "count" => {
                metrics::count("asked", 1);
                let count = state::increment(host, 1, Some(Duration::from_secs(60)))?;
                Ok(Verdict::NEXT.cache_for(Scope::Host, Duration::from_micros(count as u64)))
            }
            "invalid" => Ok(Verdict::block("x").with_status(200)),
            "elsewhere" => Ok(Verdict::redirect("http://b.example")),
            "fail" => Err(Error::new("out of order")),
            "panic" => panic!("at {host}"),
            _ => Ok(Verdict::NEXT),
        }
    }

    fn judge_request(&self, _: &Flow, request: &mut Request) -> Result<Verdict, Error> {
        crate::warn!("{} {}", request.method(), request.url());
        request.remove_header("Referer")?;
        Ok(match request.header("X-Block") {
            Some(reason) => Verdict::block(reason.text()),
            None => Verdict::NEXT,
        })
    }

    fn judge_response(
        &self,
        _: &Flow,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        response.set_header(
            "X-Referer",
            request
                .header("Referer")
                .map_or("gone".into(), |value| value.text().into_owned()),
        )?;
        Ok(match response.status() {
            404 => Verdict::replace("text/plain", "nothing here").with_status(410),
            _ => Verdict::NEXT,
        })
    }

    fn tick(&self) -> Result<Duration, Error> {
        state::set("ticked", self.instances_before.to_string(), None)?;
        Ok(Duration::from_secs(10))
    }
}

fn report(text: &str) -> Report {
    INSTANCES.set(0);
    run::<Obeys>(text, "cases.toml").unwrap()
}

fn assert_ok(text: &str) {
    let report = report(text);
    assert!(report.is_ok(), "\n{report}");
}

#[test]
fn a_host_is_judged_with_all_that_the_case_says_of_it() {
    assert_ok(
        r#"
        [config]
        greeting = "hello"
        [feeds]
        malware = ["evil.example"]

        [[case]]
        host = "greet.example"
        expect = "block"
        reason = "hello"

        [[case]]
        host = "client.example"
        client = "10.0.0.7"
        expect = "block"
        reason = "Some(10.0.0.7)"

        [[case]]
        host = "protocol.example:8443"
        expect = "block"
        reason = "Connect 8443"

        [[case]]
        host = "protocol.example"
        protocol = "http"
        expect = "block"
        reason = "Http 80"

        [[case]]
        host = "listed.evil.example"
        expect = "block"
        reason = "evil.example"
        "#,
    );
}

#[test]
fn state_and_time_go_on_until_a_case_is_fresh() {
    assert_ok(
        r#"
        [[case]]
        host = "count.example"
        expect = "next"
        cached = "1ms"
        state = { "count.example" = 1 }
        metrics = { asked = 1 }

        [[case]]
        after = "59s"
        host = "count.example"
        expect = "next"
        state = { "count.example" = 2 }

        [[case]]
        after = "1s"
        host = "other.example"
        expect = "next"
        cached = false
        state = { "count.example" = false }
        metrics = { asked = 2 }

        [[case]]
        fresh = true
        host = "count.example"
        expect = "next"
        state = { "count.example" = 1 }
        metrics = { asked = 1 }
        "#,
    );
}

#[test]
fn a_request_is_judged_hook_by_hook_as_long_as_it_passes() {
    assert_ok(
        r#"
        [[case]]
        name = "all three hooks pass, and the first has an opinion"
        url = "http://allow.example/a"
        headers = { Referer = "http://b.example/", Cookie = "a=1" }
        response = {}
        expect = "allow"
        log = ["warn: GET http://allow.example/a"]
        request_headers = { Referer = false, Cookie = "a=1" }
        response_headers = { X-Referer = "gone" }

        [[case]]
        name = "a host that is blocked is not judged as a request"
        url = "http://greet.example/"
        expect = "block"
        log = []

        [[case]]
        name = "a request that is blocked has no response"
        url = "http://a.example/"
        headers = { X-Block = "no" }
        response = { status = 404 }
        expect = "block"
        reason = "no"

        [[case]]
        url = "http://a.example/"
        response = { status = 404 }
        expect = "replace"
        status = 410
        body = "nothing here"
        "#,
    );
}

#[test]
fn a_failure_is_an_answer_and_the_filter_is_made_again() {
    assert_ok(
        r#"
        [[case]]
        host = "instance.example"
        expect = "block"
        reason = "1"

        [[case]]
        host = "fail.example"
        expect = "error"
        error = "the filter reports: out of order"

        [[case]]
        host = "panic.example"
        expect = "error"
        error = "the filter trapped"
        log = ["error: at panic.example"]

        [[case]]
        host = "invalid.example"
        expect = "error"
        error = "a block needs a status from 400 to 599"

        [[case]]
        host = "instance.example"
        expect = "block"
        reason = "4"
        "#,
    );
}

#[test]
fn an_instance_of_its_own_ticks() {
    assert_ok(
        r#"
        [[case]]
        host = "instance.example"
        expect = "block"
        reason = "1"

        [[case]]
        tick = true
        pause = "10s"
        state = { ticked = 2 }

        [[case]]
        host = "instance.example"
        expect = "block"
        reason = "1"
        "#,
    );
}

#[test]
fn what_is_not_as_expected_is_reported_with_its_line() {
    let report =
        report("[[case]]\nhost = 'elsewhere.example'\nexpect = 'redirect'\nstatus = 307\n");
    assert_eq!(
        report.to_string(),
        "\
FAIL  cases.toml:1  elsewhere.example
        the status
          expected  307
          got       302
Obeys: 1 of 1 cases did not go as expected"
    );
}

#[test]
fn a_configuration_that_the_filter_refuses_is_no_failed_case() {
    let refused = run::<Obeys>(
        "[config]\ngreeting = 'refuse'\n[[case]]\nhost = 'a'\nexpect = 'next'",
        "cases.toml",
    );
    assert_eq!(
        refused.unwrap_err(),
        "cases.toml: Obeys refuses its configuration: greeting: too short"
    );
    let broken = run::<Obeys>("[[case]]", "cases.toml").unwrap_err();
    assert!(
        broken.starts_with("cases.toml:1:1: a case asks"),
        "{broken}"
    );
}

#[test]
#[should_panic(expected = "FAIL  src/testing/cases/wrong.toml:2  a.example")]
fn a_case_that_fails_fails_the_test() {
    crate::testing::cases::<Obeys>("src/testing/cases/wrong.toml");
}

#[test]
#[should_panic(expected = "cannot read no/such/file.toml")]
fn a_file_that_is_not_there_fails_the_test() {
    crate::testing::cases::<Obeys>("no/such/file.toml");
}
