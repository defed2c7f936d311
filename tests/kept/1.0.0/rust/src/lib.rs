//! Built for contract 1.0.0, with every hook; calls every function and gives every verdict. What it
//! answers is in ../languages.toml, as are the answers of the filters in JavaScript and Python.

wit_bindgen::generate!({ path: "wit", world: "kept:filter/filter", generate_all });

use exports::portcullis::filter::{
    exchange_ended, judge_host, judge_request, judge_response, lifecycle, tick,
};
use portcullis::filter::feeds::{FeedError, Kind};
use portcullis::filter::log::Level;
use portcullis::filter::metrics::Label;
use portcullis::filter::state::StateError;
use portcullis::filter::types::{
    Fallback, Field, HeaderError, IpAddress, Page, Question, Redirection, Refusal, Verdict,
};
use portcullis::filter::{
    answer, client, clock, domains, exchange, feeds, log, metrics, notes, outcome, random, request,
    request_headers, response_headers, state,
};

struct Kept;

export!(Kept);

type Answer = Result<Verdict, String>;

fn block(parts: &[&str]) -> Answer {
    let reason = parts.join(" ");
    Ok(Verdict::Block(Refusal {
        status: 403,
        reason,
    }))
}

fn number(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            return text(digits);
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

fn header_failure(failed: Result<(), HeaderError>) -> &'static str {
    match failed {
        Ok(()) => "none",
        Err(HeaderError::Forbidden) => "forbidden",
        Err(HeaderError::Immutable) => "immutable",
        Err(HeaderError::InvalidSyntax | HeaderError::SizeExceeded | HeaderError::Other(_)) => {
            "other"
        }
    }
}

fn state_failure<T>(failed: Result<T, StateError>) -> &'static str {
    match failed {
        Ok(_) => "none",
        Err(StateError::NotANumber) => "not-a-number",
        Err(_) => "other",
    }
}

impl lifecycle::Guest for Kept {
    fn init(config: String) -> Result<(), String> {
        if config.starts_with('{') {
            Ok(())
        } else {
            Err("it is not an object".into())
        }
    }
}

impl judge_host::Guest for Kept {
    fn judge(host: String, port: u16) -> Answer {
        notes::set("host", &[&*host, &number(port.into())].join(":"));
        match host.split('.').next().unwrap_or_default() {
            "allow" => Ok(Verdict::Allow),
            "drop" => Ok(Verdict::Drop),
            "redirect" => Ok(Verdict::Redirect(Redirection {
                status: 307,
                location: "http://other.example/".into(),
            })),
            "replace" => Ok(Verdict::Replace(Page {
                status: 201,
                content_type: "text/plain".into(),
                body: b"page".into(),
            })),
            "ask" => Ok(Verdict::Ask(Question {
                text: "May it?".into(),
                otherwise: Fallback::Next,
                wait: 1000,
            })),
            "block" => {
                _ = answer::add_field("X-Kept", b"yes");
                answer::retry_after(60_000);
                answer::matched("a rule");
                block(&["kept"])
            }
            "keep" => {
                client::user();
                answer::keep(1000);
                Ok(Verdict::Next)
            }
            "error" => Err("no answer".into()),
            "exchange" => about_exchange(),
            "client" => about_client(),
            "feeds" => about_feeds(),
            "state" => about_state(),
            "clock" => about_clock(),
            "random" => {
                let same = random::number() == random::number();
                let word = if same { "same" } else { "other" };
                block(&[word, &number(random::bytes(4).len() as u64)])
            }
            "domains" => {
                let domain = |host| domains::registrable(host).unwrap_or("none".into());
                block(&[&domain("www.example.co.uk"), &domain("192.0.2.1")])
            }
            "log" => {
                log::write(Level::Debug, "a line of debug");
                log::write(Level::Info, "a line of info");
                log::write(Level::Warn, "a line of warn");
                log::write(Level::Error, "a line of error");
                Ok(Verdict::Next)
            }
            "metrics" => {
                let label = Label {
                    name: "label".into(),
                    value: "value".into(),
                };
                metrics::count("counter", 2, &[label]);
                metrics::gauge("gauge", -1.5, &[]);
                metrics::observe("histogram", 0.5, &[]);
                Ok(Verdict::Next)
            }
            _ => Ok(Verdict::Next),
        }
    }
}

fn about_exchange() -> Answer {
    exchange::id();
    let started = if exchange::started() > clock::now() {
        "later"
    } else {
        "before"
    };
    block(&[
        &exchange::host(),
        &number(exchange::port().into()),
        &exchange::protocol(),
        &exchange::found_in(),
        &exchange::server_name().unwrap_or("none".into()),
        &exchange::listener(),
        started,
    ])
}

fn about_client() -> Answer {
    let Some(IpAddress::Ipv4((a, b, c, d))) = client::address() else {
        return block(&["other"]);
    };
    let address = [a, b, c, d].map(|part| number(part.into())).join(".");
    let user = client::user().unwrap_or("none".into());
    block(&["ipv4", &address, &user, &client::groups().join("+")])
}

fn about_feeds() -> Answer {
    let kind = |kind| match kind {
        Kind::Listed => "listed",
        Kind::Excepted => "excepted",
    };
    let found = feeds::find(&exchange::host());
    let excepted = feeds::find_in(&["list".into()], "ok.example");
    let unknown = feeds::find_in(&["other".into()], "ok.example");
    let (Some(found), Ok(Some(excepted)), Err(FeedError::Unknown(_))) = (found, excepted, unknown)
    else {
        return block(&["other"]);
    };
    let names = feeds::names().join("+");
    block(&[
        &names,
        &found.feed,
        &found.rule,
        kind(found.kind),
        kind(excepted.kind),
        "unknown",
    ])
}

fn about_state() -> Answer {
    let failed = |_| "the state fails".to_owned();
    let created = state::compare_and_set("number", None, Some(b"1"), None).map_err(failed)?;
    let total = state::increment("number", 2, Some(1000)).map_err(failed)?;
    state::set("word", b"text", Some(1000)).map_err(failed)?;
    let not_a_number = state_failure(state::increment("word", 1, None));
    state::remove("word").map_err(failed)?;
    let value = |key| state::get(key).map(|value| value.map_or("none".into(), text));
    block(&[
        if created { "created" } else { "there" },
        &number(total as u64),
        not_a_number,
        &value("word").map_err(failed)?,
        &value("number").map_err(failed)?,
    ])
}

fn about_clock() -> Answer {
    let time = clock::local(Some("Europe/Berlin"))?;
    let parts = [
        time.month,
        time.day,
        time.weekday,
        time.hour,
        time.minute,
        time.second,
    ];
    let parts = parts.map(|part| number(part.into())).join(" ");
    let year = |year: i16| number(year as u64);
    block(&[
        &number(clock::now()),
        &year(time.year),
        &parts,
        &year(clock::local(None)?.year),
        if clock::local(Some("Nowhere")).is_ok() {
            "known"
        } else {
            "unknown"
        },
    ])
}

fn first(values: Vec<Vec<u8>>) -> Vec<u8> {
    values.into_iter().next().unwrap_or(b"none".into())
}

/// The library's ways to sort would be half of this filter.
fn put_in_order(names: &mut [String]) {
    for end in 1..names.len() {
        let mut at = end;
        while at > 0 && names[at] < names[at - 1] {
            names.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// Both interfaces have the same functions, of other modules.
macro_rules! edit {
    ($headers:ident, $failed:expr) => {{
        _ = $headers::set("X-Failure", $failed.as_bytes());
        let mut names = $headers::names();
        names.retain(|name| name.starts_with("x-"));
        put_in_order(&mut names);
        _ = $headers::append("X-Names", names.join(",").as_bytes());
        _ = $headers::remove("X-Remove");
        let mut all = $headers::all();
        all.push(Field {
            name: "X-More".into(),
            value: first($headers::get("X-Old")),
        });
        _ = $headers::set_all(&all);
    }};
}

impl judge_request::Guest for Kept {
    fn judge(method: String, url: String) -> Answer {
        if method == "POST" {
            let host = notes::get("host").unwrap_or("none".into());
            return block(&[&request::method(), &request::url(), &method, &url, &host]);
        }
        edit!(
            request_headers,
            header_failure(request_headers::set("Host", b"other.example"))
        );
        Ok(Verdict::Next)
    }
}

impl judge_response::Guest for Kept {
    fn judge(status: u16) -> Answer {
        if status == 500 {
            let failure = text(first(request_headers::get("X-Failure")));
            return block(&[&number(status.into()), &request::method(), &failure]);
        }
        edit!(
            response_headers,
            header_failure(request_headers::set("X-Late", b"1"))
        );
        Ok(Verdict::Next)
    }
}

impl exchange_ended::Guest for Kept {
    fn ended() -> Result<(), String> {
        let label = |name: &str, value| Label {
            name: name.into(),
            value,
        };
        let none = || "none".to_owned();
        let labels = [
            label("how", outcome::how()),
            label(
                "status",
                outcome::status().map_or_else(none, |status| number(status.into())),
            ),
            label("host", notes::get("host").unwrap_or_else(none)),
        ];
        metrics::count(
            "bytes",
            outcome::bytes_from_client() + outcome::bytes_to_client(),
            &labels,
        );
        metrics::gauge("seconds", outcome::duration() as f64 / 1000.0, &[]);
        Ok(())
    }
}

impl tick::Guest for Kept {
    fn tick() -> Result<Option<u64>, String> {
        Ok(Some(60_000))
    }
}
