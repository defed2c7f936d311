//! What a client gets that is not served: a rejected request, or what is not HTTP at all. Of the
//! latter nothing is known but the reason, because hyper has thrown it away; the page, the fields
//! and the access line are those of every refusal. Called by the connection.

use std::io::{self, Write};

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::exchange::Exchange;
use super::reply::Rejection;
use super::respond::{self, PageFormat};
use super::session::Session;
use crate::error::Error;
use crate::flow::Protocol;

/// Renders a rejection as a response and records it.
pub(crate) fn reject(
    rejection: &Rejection,
    exchange: &mut Exchange,
    format: PageFormat,
) -> Response<Bytes> {
    let mut response = match rejection {
        Rejection::Judged(judgement) => respond::judgement(judgement, exchange, format),
        Rejection::Failed(error) => {
            exchange.fail(error);
            respond::error(error, format)
        }
    };
    if exchange.protocol() == Protocol::Connect {
        // What was sent ahead is meant for the origin: nothing more is read (RFC 9931, section 8).
        respond::close(&mut response);
    }
    exchange.record_status(response.status());
    response
}

/// Tells a client why it is not understood. Its connection is closed afterwards.
pub(crate) async fn answer(
    session: &Session,
    error: Error,
    stream: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let worker = &session.worker;
    let mut exchange = Exchange::new(
        &worker.access_log,
        worker.next_id(),
        session.deadlines.begin_exchange(),
        &session.client,
        None,
        Protocol::Http,
    );
    let rejection = Rejection::Failed(error);
    let response = reject(&rejection, &mut exchange, PageFormat::Text);
    stream.write_all(&encode(&response)?).await?;
    exchange.add_bytes_down(response.body().len() as u64);
    Ok(())
}

fn encode(response: &Response<impl AsRef<[u8]>>) -> io::Result<Vec<u8>> {
    let body = response.body().as_ref();
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = Vec::new();
    write!(bytes, "HTTP/1.1 {} {reason}\r\n", status.as_str())?;
    for (name, value) in response.headers() {
        write!(bytes, "{name}: ")?;
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    write!(
        bytes,
        "content-length: {}\r\ndate: {date}\r\n\r\n",
        body.len()
    )?;
    bytes.extend_from_slice(body);
    Ok(bytes)
}
