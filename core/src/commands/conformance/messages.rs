//! Requests and responses that are seldom seen, and what a filter leaves of their header fields.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::finding::Finding;
use super::judging::ANSWER;
use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::filter::{Filter, Hook};

/// The hooks that see a message, with the interface by which they change its fields.
const MESSAGES: [(Hook, &str); 2] = [
    (Hook::Request, "request-headers"),
    (Hook::Response, "response-headers"),
];

/// Fields that no filter knows.
const UNKNOWN: [&str; 5] = ["x-bytes", "x-empty", "x-twice", "x-cookie", "x-large"];

/// Makes the checks that begin with R.
pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    let mut asked = Asked::new(filter);
    let messages = || MESSAGES.into_iter().map(|(hook, _)| hook);
    let has = |hook: &Hook| filter.hooks.has(*hook);
    if messages().any(|hook| has(&hook)) {
        let odd = messages().filter(has).flat_map(|hook| {
            [odd(), many()].map(|headers| Question {
                headers,
                ..Question::plain(hook)
            })
        });
        let fix = "take a field's value as bytes, and none for granted";
        ask(checks, &mut asked, "R1", odd, fix).await;
        check_round_trip(checks, &mut asked).await;
    }
    check_refused(checks, filter).await;
    if has(&Hook::Response) {
        ask(checks, &mut asked, "R4", statuses(), ANSWER).await;
    }
    if has(&Hook::Request) {
        ask(checks, &mut asked, "R5", requests(), ANSWER).await;
    }
}

async fn ask(
    checks: &mut Checks,
    asked: &mut Asked<'_>,
    id: &'static str,
    questions: impl IntoIterator<Item = Question>,
    fix: &'static str,
) {
    let mut tally = Tally::new(Errors::Warn);
    asked.ask_all(questions, &mut tally).await;
    checks.add_tally(id, tally, fix);
}

fn headers<'a>(fields: impl IntoIterator<Item = (&'static str, &'a [u8])>) -> HeaderMap {
    let fields = fields.into_iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(value);
        (
            HeaderName::from_static(name),
            value.expect("it can be sent"),
        )
    });
    let mut headers = HeaderMap::new();
    fields.for_each(|(name, value)| _ = headers.append(name, value));
    headers
}

fn odd() -> HeaderMap {
    let large = vec![b'x'; 64 << 10];
    headers([
        ("x-bytes", &b"a\xff\xfe"[..]),
        ("x-empty", b""),
        ("x-twice", b"1"),
        ("x-twice", b"2"),
        ("x-cookie", b"a=\"1; b=2\"; =; c"),
        ("cookie", b"a=\"1; b=2\"; =; c"),
        ("x-large", &large),
    ])
}

fn many() -> HeaderMap {
    let field = |number| {
        let name = HeaderName::try_from(format!("x-{number}"));
        (name.expect("it is a name"), HeaderValue::from(number))
    };
    (0..300_u16).map(field).collect()
}

/// What a filter does not mean to change has to be what it was, however it is written. What it
/// means to change is what it changes where every value is plain, too.
async fn check_round_trip(checks: &mut Checks, asked: &mut Asked<'_>) {
    let mut tally = Tally::new(Errors::Warn);
    let mut is_compared = false;
    for (hook, interface) in MESSAGES {
        if !asked.filter.hooks.has(hook) || !asked.filter.uses(interface) {
            continue;
        }
        let plain = headers(UNKNOWN.map(|name| (name, &b"1"[..])));
        let left = left(asked, &mut tally, hook, plain.clone()).await;
        let kept = |name: &&str| is_same(name, &plain, &left);
        let kept: Vec<&str> = UNKNOWN.into_iter().filter(kept).collect();
        is_compared |= !kept.is_empty();
        let odd = odd();
        let left = self::left(asked, &mut tally, hook, odd.clone()).await;
        if let Some(changed) = kept.into_iter().find(|name| !is_same(name, &odd, &left)) {
            let seen = format!(
                "{}: the field {changed} is not what it was, {}",
                hook.name(),
                shown(&left, changed)
            );
            tally.see(Finding::Fail, seen);
        }
    }
    if is_compared || !tally.is_clean() {
        let fix = "hand fields back as bytes and all of them, or set only those that change";
        checks.add_tally("R2", tally, fix);
    }
}

/// The fields as the filter leaves them.
async fn left(
    asked: &mut Asked<'_>,
    tally: &mut Tally,
    hook: Hook,
    headers: HeaderMap,
) -> HeaderMap {
    let question = Question {
        headers,
        ..Question::plain(hook)
    };
    let answer = asked.ask(&question, tally).await;
    let changed = answer.and_then(|answer| answer.headers);
    changed.map_or(question.headers, |changed| *changed)
}

fn is_same(name: &str, before: &HeaderMap, after: &HeaderMap) -> bool {
    before.get_all(name) == after.get_all(name)
}

fn shown(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    match &*values {
        [] => "it is gone".to_owned(),
        [value] if value.len() > 100 => format!("it has {} bytes", value.len()),
        values => format!("it is {values:?}"),
    }
}

/// Every change is refused as one of the proxy's own fields is.
async fn check_refused(checks: &mut Checks, filter: &Filter) {
    let refused = filter.with_refused_fields();
    let mut asked = Asked::new(&refused);
    let mut tally = Tally::new(Errors::Answer);
    let adds = filter.uses("answer");
    let changes = |hook: &Hook| {
        let mut messages = MESSAGES.into_iter();
        messages.any(|(other, interface)| other == *hook && filter.uses(interface))
    };
    let hooks = judges(filter).filter(|hook| adds || changes(hook));
    let hooks: Vec<Hook> = hooks.collect();
    if hooks.is_empty() {
        return;
    }
    let questions = hooks.into_iter().map(|hook| Question {
        headers: headers([
            ("user-agent", &b"a"[..]),
            ("cookie", b"a=1"),
            ("server", b"b"),
        ]),
        ..Question::plain(hook)
    });
    asked.ask_all(questions, &mut tally).await;
    let fix = "take it as an error that a field cannot be changed, and go on or answer with it";
    checks.add_tally("R3", tally, fix);
}

fn statuses() -> impl Iterator<Item = Question> {
    let classes = [200, 204, 206, 304, 399, 404, 499, 500, 599];
    classes.into_iter().map(|status| Question {
        status: StatusCode::from_u16(status).expect("it is one"),
        ..Question::plain(Hook::Response)
    })
}

fn requests() -> [Question; 2] {
    let unknown = Question {
        method: Method::from_bytes(b"FROBNICATE").expect("it is a method"),
        ..Question::plain(Hook::Request)
    };
    let long = Question {
        path: format!("/{}", "%20".repeat(2500)),
        ..Question::plain(Hook::Request)
    };
    [unknown, long]
}
