//! Tells in every hook which facts it can know and what it can change, in a line of the log:
//! `HOOK knows FACT, FACT, …`. Written against the contract itself, so that it can ask for
//! everything in every hook.
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
use portcullis::filter::types::{HeaderError, Verdict};
use portcullis::filter::{
    answer, client, exchange, log, notes, outcome, request, request_headers, response_headers,
};

/// What is known, by the contract's names.
fn known() -> Vec<&'static str> {
    let header = "x-known";
    let can_set = |set: Result<(), HeaderError>| !matches!(set, Err(HeaderError::Immutable));
    let facts = [
        ("exchange.id", !exchange::id().is_empty()),
        ("exchange.host", !exchange::host().is_empty()),
        ("exchange.port", exchange::port() != 0),
        ("exchange.protocol", !exchange::protocol().is_empty()),
        ("exchange.found-in", !exchange::found_in().is_empty()),
        ("exchange.server-name", exchange::server_name().is_some()),
        ("exchange.listener", !exchange::listener().is_empty()),
        ("exchange.started", exchange::started() != 0),
        ("client.address", client::address().is_some()),
        ("client.user", client::user().is_some()),
        ("client.groups", !client::groups().is_empty()),
        ("request.method", !request::method().is_empty()),
        ("request.url", !request::url().is_empty()),
        ("request-headers", !request_headers::all().is_empty()),
        (
            "request-headers.set",
            can_set(request_headers::set(header, b"1")),
        ),
        ("response-headers", !response_headers::all().is_empty()),
        (
            "response-headers.set",
            can_set(response_headers::set(header, b"1")),
        ),
        ("outcome.how", !outcome::how().is_empty()),
        ("outcome.status", outcome::status().is_some()),
        ("outcome.bytes-to-client", outcome::bytes_to_client() != 0),
        ("answer", can_set(answer::add_field(header, b"1"))),
        ("notes", notes::get("host").is_some()),
    ];
    let known = facts.into_iter().filter(|(_, is_known)| *is_known);
    known.map(|(fact, _)| fact).collect()
}

fn tell(hook: &str) {
    let line = format!("{hook} knows {}.", known().join(", "));
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
