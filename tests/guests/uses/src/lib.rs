//! Calls in every hook the functions that are about no exchange, and tells what they answer in a
//! line of the log: `HOOK uses [FUNCTION=ANSWER, FUNCTION=ANSWER, …]`. Of two feeds, it may look
//! into `lists` and not into `hidden`. Written against the contract itself, so that it can have
//! every hook.
#![cfg(target_family = "wasm")]
#![expect(missing_docs, unsafe_code, reason = "wit-bindgen's expansion")]

wit_bindgen::generate!({
    path: "../../../sdk/wit",
    inline: "
        package author:uses;

        world uses {
            include portcullis:filter/capabilities@1.0.0;
            include portcullis:filter/lifecycle-hook@1.0.0;
            include portcullis:filter/judge-host-hook@1.0.0;
            include portcullis:filter/judge-request-hook@1.0.0;
            include portcullis:filter/judge-response-hook@1.0.0;
            include portcullis:filter/exchange-ended-hook@1.0.0;
            include portcullis:filter/tick-hook@1.0.0;
        }
    ",
    world: "author:uses/uses",
    generate_all,
});

use exports::portcullis::filter::{
    exchange_ended, judge_host, judge_request, judge_response, lifecycle, tick,
};
use portcullis::filter::types::Verdict;
use portcullis::filter::{clock, domains, feeds, log, metrics, random, state};

/// An answer of the function with that name in the contract.
type Answer = (&'static str, String);

fn of_feeds() -> [Answer; 4] {
    let host = "listed.example";
    let find_in = |feed: &str| match feeds::find_in(&[feed.to_owned()], host) {
        Ok(found) => entry(found),
        Err(feeds::FeedError::Unknown(feed)) => format!("unknown: {feed}"),
        Err(feeds::FeedError::NotGranted(feed)) => format!("not granted: {feed}"),
        Err(feeds::FeedError::Other(why)) => why,
    };
    [
        ("feeds.names", feeds::names().join("+")),
        ("feeds.find", entry(feeds::find(host))),
        ("feeds.find-in", find_in("lists")),
        ("feeds.find-in hidden", find_in("hidden")),
    ]
}

fn entry(found: Option<feeds::Match>) -> String {
    let Some(found) = found else {
        return "none".to_owned();
    };
    let kind = match found.kind {
        feeds::Kind::Listed => "listed",
        feeds::Kind::Excepted => "excepted",
    };
    let line = found.line.unwrap_or_default();
    format!("{} {} {line} {kind}", found.feed, found.rule)
}

/// Each call shows what the one before it has done.
fn of_state(hook: &str) -> [Answer; 5] {
    // Other instances may be in the same hook.
    let key = format!("{hook} {}", random::number());
    let minute = Some(60_000);
    let set = state::set(&key, b"41", minute).map(|()| "yes");
    let sum = state::increment(&key, 1, minute);
    let (expected, new) = (b"42".as_slice(), b"seen".as_slice());
    let is_set = state::compare_and_set(&key, Some(expected), Some(new), minute);
    let value = state::get(&key).map(text);
    let removed = state::remove(&key)
        .and_then(|()| state::get(&key))
        .map(text);
    [
        ("state.set", said(set)),
        ("state.increment", said(sum)),
        ("state.compare-and-set", said(is_set)),
        ("state.get", said(value)),
        ("state.remove", said(removed)),
    ]
}

fn text(value: Option<Vec<u8>>) -> String {
    match value {
        Some(value) => String::from_utf8_lossy(&value).into_owned(),
        None => "none".to_owned(),
    }
}

fn said<T: ToString>(answer: Result<T, state::StateError>) -> String {
    match answer {
        Ok(answer) => answer.to_string(),
        Err(error) => format!("{error:?}"),
    }
}

/// They answer nothing; the operator sees the numbers.
fn count(hook: &str) {
    let labels = [metrics::Label {
        name: "hook".to_owned(),
        value: hook.to_owned(),
    }];
    metrics::count("calls", 1, &labels);
    metrics::gauge("level", 0.5, &labels);
    metrics::observe("size", 2.0, &labels);
}

fn of_clock() -> [Answer; 3] {
    let now = clock::now();
    // The zone is an hour ahead of UTC.
    let is_hour_ahead = clock::local(Some("Etc/GMT-1")).is_ok_and(|local| {
        let [hour, minute, second] = [local.hour, local.minute, local.second].map(u64::from);
        let local = hour * 3600 + minute * 60 + second;
        let utc = now / 1000 % 86_400;
        (3600..3660).contains(&((local + 86_400 - utc) % 86_400))
    });
    let is_known = clock::local(Some("Nowhere/City")).is_ok();
    [
        ("clock.now", yes_or_no(now > 0)),
        ("clock.local", yes_or_no(is_hour_ahead)),
        ("clock.local nowhere", yes_or_no(is_known)),
    ]
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn of_random() -> [Answer; 2] {
    let differ = random::number() != random::number();
    [
        ("random.number", yes_or_no(differ)),
        ("random.bytes", random::bytes(5000).len().to_string()),
    ]
}

fn of_domains() -> Answer {
    let domain = domains::registrable("www.example.co.uk");
    ("domains.registrable", domain.unwrap_or_default())
}

fn tell(hook: &str) {
    count(hook);
    let mut answers = of_feeds().to_vec();
    answers.extend(of_state(hook));
    answers.extend(of_clock());
    answers.extend(of_random());
    answers.push(of_domains());
    let told: Vec<String> = answers
        .iter()
        .map(|(function, answer)| format!("{function}={answer}"))
        .collect();
    let line = format!("{hook} uses [{}]", told.join(", "));
    log::write(log::Level::Info, &line);
}

struct Uses;

impl lifecycle::Guest for Uses {
    fn init(_: String) -> Result<(), String> {
        tell("init");
        Ok(())
    }
}

impl judge_host::Guest for Uses {
    fn judge(_: String, _: u16) -> Result<Verdict, String> {
        tell("judge-host");
        Ok(Verdict::Next)
    }
}

impl judge_request::Guest for Uses {
    fn judge(_: String, _: String) -> Result<Verdict, String> {
        tell("judge-request");
        Ok(Verdict::Next)
    }
}

impl judge_response::Guest for Uses {
    fn judge(_: u16) -> Result<Verdict, String> {
        tell("judge-response");
        Ok(Verdict::Next)
    }
}

impl exchange_ended::Guest for Uses {
    fn ended() -> Result<(), String> {
        tell("exchange-ended");
        Ok(())
    }
}

impl tick::Guest for Uses {
    fn tick() -> Result<Option<u64>, String> {
        tell("tick");
        Ok(None)
    }
}

export!(Uses);
