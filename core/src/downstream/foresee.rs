//! How traffic would be refused, computed without traffic: `commands` compares a running proxy with
//! it. The answers are those that traffic gets, made in the same places.

use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::respond::{self, PageFormat};
use super::socks;
use super::socks::message::{self, Version};
pub(crate) use super::tunnel::ACCESS_DENIED;
use crate::error::Error;
use crate::flow::Protocol;
use crate::verdict::{Judgement, Verdict};

/// What a refused client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An answer of HTTP, with its Proxy-Status field if it has one.
    Http(StatusCode, Option<HeaderValue>),
    /// The code in an answer of SOCKS.
    Socks(u8),
    /// The connection is closed without an answer.
    Nothing,
}

/// What follows for a client from a verdict that stops its request.
pub(crate) fn of_judgement(judgement: &Judgement, host: &str, protocol: Protocol) -> Refusal {
    if judgement.verdict == Verdict::Drop {
        return Refusal::Nothing;
    }
    match version(protocol) {
        Some(version) => of_reply(message::Reply::NotAllowed, version),
        None => {
            let format = PageFormat::Text;
            of_response(&respond::judgement(judgement, host, protocol, format, None))
        }
    }
}

/// What a client is told of an error.
pub(crate) fn of_error(error: &Error, protocol: Protocol) -> Refusal {
    match version(protocol) {
        Some(version) => of_reply(socks::reply_to(error), version),
        None => of_response(&respond::error(error, PageFormat::Text)),
    }
}

/// What a client of SOCKS is told that has not logged in where it has to: one of version 5 that
/// none of its methods will do, and one of version 4 that it has failed.
pub(crate) fn of_missing_login(protocol: Protocol) -> Refusal {
    match version(protocol) {
        Some(Version::V5) => Refusal::Socks(message::greeting_answer(None)[1]),
        Some(version) => of_reply(message::Malformed::Version4.reply(), version),
        None => of_error(&Error::Unauthenticated(""), protocol),
    }
}

fn version(protocol: Protocol) -> Option<Version> {
    match protocol {
        Protocol::Socks4 => Some(Version::V4),
        Protocol::Socks5 => Some(Version::V5),
        Protocol::Http | Protocol::Connect => None,
    }
}

fn of_reply(reply: message::Reply, version: Version) -> Refusal {
    // The code is the second byte in both versions.
    Refusal::Socks(reply.to_bytes(version)[1])
}

fn of_response<T>(response: &Response<T>) -> Refusal {
    let fields: &HeaderMap = response.headers();
    Refusal::Http(
        response.status(),
        fields.get(respond::PROXY_STATUS).cloned(),
    )
}
