//! The other hooks, what the proxy may refuse, and the time that calls take.

use std::path::Path;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use portcullis_contract::Outcome;

use super::exchanges::{Question, ask};
use super::now;
use super::report::Checks;
use crate::error::Causes;
use crate::feeds::Feeds;
use crate::filter::{Ending, Failure, Filter, Hook, HookCall, Instance};
use crate::flow::{Flow, Inquiry, RequestHead, ResponseHead};
use crate::target::Target;

/// Calls of which the slowest hundredth is looked at.
const CALLS: usize = 500;

const JUDGE: &str = "answer with a verdict, or with an error that says why there is none";

pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    if filter.hooks.has(Hook::Request) {
        check_fields(checks, filter).await;
        check_requests(checks, filter).await;
    }
    if filter.hooks.has(Hook::Response) {
        check_statuses(checks, filter).await;
    }
    check_refusals(checks, filter).await;
    if filter.hooks.has(Hook::Host) {
        check_time(checks, filter).await;
    }
    if filter.hooks.has(Hook::Tick) {
        check_ticks(checks, filter).await;
    }
    if filter.hooks.has(Hook::Ended) {
        check_ends(checks, filter).await;
    }
}

/// A request with its response.
struct Message {
    method: Method,
    url: String,
    headers: HeaderMap,
    status: Option<StatusCode>,
}

impl Message {
    fn plain() -> Self {
        Self {
            method: Method::GET,
            url: "http://www.example.com/".into(),
            headers: HeaderMap::new(),
            status: None,
        }
    }

    /// Why the filter fails at it, on an instance of its own.
    async fn failure(&self, filter: &Filter) -> Option<String> {
        let target = Target::of_host("www.example.com", 80).ok()?;
        let inquiry = Inquiry::at(None, now());
        let mut flow = Flow::asked(&target, "http", &inquiry);
        flow.exchange = 1;
        let request = RequestHead {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        };
        let call = match self.status {
            None => HookCall::Request(&flow, request),
            Some(status) => {
                let response = ResponseHead {
                    status,
                    headers: &self.headers,
                };
                HookCall::Response(&flow, request, response)
            }
        };
        failure(filter, call).await
    }
}

async fn failure(filter: &Filter, call: HookCall<'_>) -> Option<String> {
    let failed = failed(filter, call).await;
    failed.map(|failure| format!("{}: {}", call.hook().name(), Causes(&failure)))
}

async fn failed(filter: &Filter, call: HookCall<'_>) -> Option<Failure> {
    match Instance::start(filter).await {
        Ok(mut instance) => instance.call(call, None).await.err(),
        Err(failure) => Some(failure),
    }
}

/// What is left of a failure of a hook that nothing waits for. An error that it reports is how it
/// says that it could not do its work.
fn beyond_report(failed: Option<Failure>) -> Option<String> {
    let failed = failed.filter(|failure| !matches!(failure, Failure::Reported(_)));
    failed.map(|failure| Causes(&failure).to_string())
}

async fn check_fields(checks: &mut Checks, filter: &Filter) {
    let large = vec![b'x'; 64 << 10];
    let odd: [(&'static str, &[u8]); 6] = [
        ("x-bytes", b"a\xff\xfe"),
        ("x-empty", b""),
        ("x-twice", b"1"),
        ("x-twice", b"2"),
        ("cookie", b"a=\"1; b=2\"; =; c"),
        ("x-large", &large),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in odd {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let mut many = HeaderMap::new();
    for number in 0..300 {
        if let Ok(name) = HeaderName::try_from(format!("x-{number}")) {
            many.append(name, HeaderValue::from(number));
        }
    }
    let mut failed = None;
    for headers in [headers, many] {
        let message = Message {
            headers,
            ..Message::plain()
        };
        failed = failed.or(message.failure(filter).await);
    }
    checks.add_result(
        "R1",
        failed,
        "take a field's value as bytes, and none for granted",
    );
}

async fn check_requests(checks: &mut Checks, filter: &Filter) {
    let long = format!("http://www.example.com/{}", "%20".repeat(2500));
    let mut failed = None;
    for (method, url) in [("FROBNICATE", "http://www.example.com/"), ("GET", &*long)] {
        let message = Message {
            method: Method::from_bytes(method.as_bytes()).unwrap_or_default(),
            url: url.to_owned(),
            ..Message::plain()
        };
        failed = failed.or(message.failure(filter).await);
    }
    checks.add_result("R5", failed, JUDGE);
}

async fn check_statuses(checks: &mut Checks, filter: &Filter) {
    let mut failed = None;
    for status in [200, 204, 206, 304, 399, 404, 499, 500, 599] {
        let message = Message {
            status: StatusCode::from_u16(status).ok(),
            ..Message::plain()
        };
        failed = failed.or(message.failure(filter).await);
    }
    checks.add_result("R4", failed, JUDGE);
}

/// What the proxy may say no to, the filter must live with. An error that it reports is an answer.
async fn check_refusals(checks: &mut Checks, filter: &Filter) {
    if !filter.hooks.has(Hook::Host) {
        return;
    }
    let empty = Feeds::open(
        &std::collections::BTreeMap::new(),
        Path::new("no/such/folder"),
    );
    for (id, interface, odd) in [
        ("H1", "state", filter.with_state(1)),
        ("H2", "feeds", filter.with_feeds(empty)),
        ("H3", "metrics", filter.with_full_metrics()),
    ] {
        if !filter.uses(interface) {
            continue;
        }
        let answer = match Instance::start(&odd).await {
            Ok(mut instance) => ask(&mut instance, &Question::plain()).await,
            // It says that it cannot do without.
            Err(Failure::Init(_)) => {
                checks.pass(id);
                continue;
            }
            Err(failure) => Err(Causes(&failure).to_string()),
        };
        let trapped = answer
            .err()
            .filter(|failure| failure.contains("the filter trapped"));
        checks.add_result(
            id,
            trapped,
            "answer with an error, or with what holds without it",
        );
    }
}

async fn check_time(checks: &mut Checks, filter: &Filter) {
    let Ok(mut instance) = Instance::start(filter).await else {
        return;
    };
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        if ask(&mut instance, &Question::plain()).await.is_err() {
            return;
        }
        times.push(begun.elapsed());
    }
    times.sort();
    let slow = times[CALLS * 99 / 100];
    let tenth = filter.settings.limits.cpu / 10;
    if slow <= tenth {
        return checks.pass("T1");
    }
    checks.warn(
        "T1",
        format!(
            "one call in a hundred takes {slow:?}, of {:?}",
            filter.settings.limits.cpu
        ),
        "prepare in init what does not change, or raise [limits] cpu",
    );
}

async fn check_ticks(checks: &mut Checks, filter: &Filter) {
    let failed = match Instance::start(filter).await {
        Ok(mut instance) => {
            let first = instance.tick().await.err();
            let second = if first.is_none() {
                instance.tick().await.err()
            } else {
                None
            };
            first.or(second)
        }
        Err(failure) => Some(failure),
    };
    checks.add_result(
        "T2",
        beyond_report(failed),
        "answer with the time of the next call, or with an error",
    );
}

async fn check_ends(checks: &mut Checks, filter: &Filter) {
    let Ok(target) = Target::of_host("www.example.com", 443) else {
        return;
    };
    let inquiry = Inquiry::at(None, now());
    let flow = Flow::asked(&target, "connect", &inquiry);
    let mut found = None;
    for how in [Outcome::Passed, Outcome::Failed] {
        let ending = Ending {
            how,
            status: None,
            bytes_from_client: 0,
            bytes_to_client: u64::MAX,
            duration: Duration::MAX,
        };
        let failed = failed(filter, HookCall::Ended(&flow, None, &ending)).await;
        found = found.or(beyond_report(failed));
    }
    checks.add_result("T3", found, "take every fact as one that may not be known");
}
