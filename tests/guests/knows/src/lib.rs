//! Tells in every hook which facts it can know, what it can change and which hooks' notes it can
//! read after it has written one there, in a line of the log:
//! `HOOK knows [FACT=VALUE, FACT=VALUE, …]`. Written against the contract itself, so that it can
//! ask for everything in every hook.
#![cfg(target_family = "wasm")]
#![expect(missing_docs, unsafe_code, reason = "wit-bindgen's expansion")]

wit_bindgen::generate!({
    path: "../../../sdk/wit",
    inline: "
        package author:knows;

        world knows {
            include portcullis:filter/capabilities@1.0.0;
            include portcullis:filter/lifecycle-hook@1.0.0;
            include portcullis:filter/judge-host-hook@1.0.0;
            include portcullis:filter/judge-request-hook@1.0.0;
            include portcullis:filter/judge-response-hook@1.0.0;
            include portcullis:filter/exchange-ended-hook@1.0.0;
            include portcullis:filter/tick-hook@1.0.0;
        }
    ",
    world: "author:knows/knows",
    generate_all,
});

use exports::portcullis::filter::{
    exchange_ended, judge_host, judge_request, judge_response, lifecycle, tick,
};
use portcullis::filter::types::{Field, HeaderError, IpAddress, Verdict};
use portcullis::filter::{
    answer, client, exchange, log, notes, outcome, request, request_headers, response_headers,
};

const HOOKS: [&str; 6] = [
    "init",
    "tick",
    "judge-host",
    "judge-request",
    "judge-response",
    "exchange-ended",
];

/// What is known, by the contract's names.
fn known(hook: &str) -> Vec<String> {
    let header = "x-known";
    let can_set = |set: Result<(), HeaderError>| {
        let can = !matches!(set, Err(HeaderError::Immutable));
        can.then(|| "yes".to_owned()).unwrap_or_default()
    };
    let facts = [
        ("exchange.id", exchange::id()),
        ("exchange.host", exchange::host()),
        ("exchange.port", number(exchange::port().into())),
        ("exchange.protocol", exchange::protocol()),
        ("exchange.found-in", exchange::found_in()),
        (
            "exchange.server-name",
            exchange::server_name().unwrap_or_default(),
        ),
        ("exchange.listener", exchange::listener()),
        ("exchange.started", number(exchange::started())),
        ("client.address", address()),
        ("client.user", client::user().unwrap_or_default()),
        ("client.groups", client::groups().join("+")),
        ("request.method", request::method()),
        ("request.url", request::url()),
        ("request-headers", names(request_headers::all())),
        (
            "request-headers.set",
            can_set(request_headers::set(header, b"1")),
        ),
        ("response-headers", names(response_headers::all())),
        (
            "response-headers.set",
            can_set(response_headers::set(header, b"1")),
        ),
        ("outcome.how", outcome::how()),
        (
            "outcome.status",
            number(outcome::status().unwrap_or_default().into()),
        ),
        (
            "outcome.bytes-from-client",
            number(outcome::bytes_from_client()),
        ),
        (
            "outcome.bytes-to-client",
            number(outcome::bytes_to_client()),
        ),
        ("outcome.duration", number(outcome::duration())),
        ("answer", can_set(answer::add_field(header, b"1"))),
        ("notes", notes::get("host").unwrap_or_default()),
        ("notes.set", noted(hook)),
    ];
    let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
    known
        .map(|(fact, value)| format!("{fact}={value}"))
        .collect()
}

/// Writes a note under the name of this hook. Returns the hooks of which there is one.
fn noted(hook: &str) -> String {
    notes::set(&key(hook), "yes");
    let noted = |hook: &&str| notes::get(&key(hook)).is_some();
    HOOKS
        .into_iter()
        .filter(noted)
        .collect::<Vec<_>>()
        .join("+")
}

fn key(hook: &str) -> String {
    hook.replace('-', "_")
}

/// Empty where nothing is known.
fn number(value: u64) -> String {
    if value == 0 {
        String::new()
    } else {
        value.to_string()
    }
}

fn names(fields: Vec<Field>) -> String {
    let names: Vec<String> = fields.into_iter().map(|field| field.name).collect();
    names.join("+").to_ascii_lowercase()
}

fn address() -> String {
    match client::address() {
        Some(IpAddress::Ipv4((a, b, c, d))) => format!("{a}.{b}.{c}.{d}"),
        Some(IpAddress::Ipv6(parts)) => format!("{parts:?}"),
        None => String::new(),
    }
}

fn tell(hook: &str) {
    let line = format!("{hook} knows [{}]", known(hook).join(", "));
    log::write(log::Level::Info, &line);
}

struct Knows;

impl lifecycle::Guest for Knows {
    fn init(_: String) -> Result<(), String> {
        tell("init");
        Ok(())
    }
}

impl judge_host::Guest for Knows {
    fn judge(host: String, _: u16) -> Result<Verdict, String> {
        notes::set("host", &host);
        tell("judge-host");
        Ok(Verdict::Next)
    }
}

impl judge_request::Guest for Knows {
    fn judge(_: String, _: String) -> Result<Verdict, String> {
        tell("judge-request");
        Ok(Verdict::Next)
    }
}

impl judge_response::Guest for Knows {
    fn judge(_: u16) -> Result<Verdict, String> {
        tell("judge-response");
        Ok(Verdict::Next)
    }
}

impl exchange_ended::Guest for Knows {
    fn ended() -> Result<(), String> {
        tell("exchange-ended");
        Ok(())
    }
}

impl tick::Guest for Knows {
    fn tick() -> Result<Option<u64>, String> {
        tell("tick");
        Ok(None)
    }
}

export!(Knows);
