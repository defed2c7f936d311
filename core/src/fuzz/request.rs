//! The head of a request, from the client's bytes to what the origin is told.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::task::{Context, Waker};

use http::header::{CONNECTION, HOST, TE, UPGRADE};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use memchr::memchr;
use tokio::io::{join, sink};

use super::assert_target;
use super::fields::{assert_none, is_of_connection, is_writable, nominated};
use crate::config::MAX_FIELDS;
use crate::downstream::session::Destination;
use crate::downstream::wire::request_line::{is_plain, make_plain};
use crate::downstream::{connect, forward, head};
use crate::upstream::request::RequestBody;

/// A request that is accepted leads to one target with one spelling, whatever the client has
/// written. What goes on to the origin names that target, once, and nothing of the connection.
pub fn request_head(data: &[u8]) {
    let bytes = plain(data);
    let Some(request) = read(&bytes) else {
        return;
    };
    let (mut head, body) = request.into_parts();
    let Ok(fields) = head::check(&head) else {
        return;
    };
    if head.method == Method::CONNECT {
        if let Ok(target) = connect::target(&head) {
            assert_target(&target);
        }
        return;
    }
    let Ok((authority, path)) = forward::parse_absolute_form(std::mem::take(&mut head.uri)) else {
        return;
    };
    let Ok(destination) = Destination::parse(authority.as_str()) else {
        return;
    };
    let target = &destination.route.target;
    assert_target(target);
    let is_sent = |byte: u8| byte.is_ascii_graphic();
    assert!(path.as_str().bytes().all(is_sent), "{path:?}");
    assert!(path.as_str().starts_with(['/', '?', '*']), "{path:?}");

    let mut nominated = nominated(&head.headers);
    nominated.retain(|name| !is_of_connection(name));
    let upgrade = forward::sanitize_request(&mut head, fields, &body.into(), &destination.host);
    let headers = &head.headers;
    let hosts: Vec<_> = headers.get_all(HOST).iter().collect();
    assert_eq!(hosts, [&target.authority(80)]);
    assert!(is_writable(headers));
    assert_none(&nominated, headers);
    for name in headers.keys().filter(|name| is_of_connection(name)) {
        let is_made_here = match *name {
            CONNECTION | http::header::TRANSFER_ENCODING => true,
            UPGRADE => upgrade.is_some(),
            TE => headers[TE] == "trailers",
            _ => false,
        };
        assert!(is_made_here, "{name} goes to the origin: {headers:?}");
    }
    if let Some(connection) = headers.get(CONNECTION) {
        assert!(
            connection == "upgrade" || connection == "te",
            "{connection:?}"
        );
    }
}

/// The same request with a line that hyper may have, as a client's stream makes it.
fn plain(data: &[u8]) -> Vec<u8> {
    let is_blank = |byte: &&u8| b"\r\n".contains(byte);
    let blank = data.iter().take_while(is_blank).count();
    let mut bytes = data[blank..].to_vec();
    let Some(end) = memchr(b'\n', &bytes).map(|at| at + 1) else {
        return bytes;
    };
    let was_plain = is_plain(&bytes);
    let end = make_plain(&mut bytes, end);
    assert!(!was_plain || bytes == data[blank..], "it was plain");
    let once = bytes.clone();
    assert_eq!(make_plain(&mut bytes, end), end);
    assert!(once == bytes, "what is plain stays as it is");
    bytes
}

/// What hyper reads.
pub(super) fn read(bytes: &[u8]) -> Option<Request<Incoming>> {
    let read = Cell::new(None);
    let service = service_fn(|request: Request<Incoming>| {
        read.set(Some(request));
        pending::<Result<Response<RequestBody>, Infallible>>()
    });
    let mut server = http1::Builder::new();
    server.header_read_timeout(None).max_headers(MAX_FIELDS);
    let io = TokioIo::new(join(bytes, sink()));
    let mut reading = pin!(server.serve_connection(io, service));
    let _ = reading
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    read.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_request_is_read() {
        let request = read(b"GET http://a.example/b HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
        assert_eq!(request.uri(), "http://a.example/b");
        assert!(read(b"GET http://a.example/b\r\n\r\n").is_none());
    }
}
