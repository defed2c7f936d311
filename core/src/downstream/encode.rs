//! Messages as bytes, where hyper does not write them: interim responses, and answers to clients
//! that hyper's server never gets to know. Bodies are in memory.

use std::io::Write;

use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;

/// The status line and the fields, without the empty line behind them.
pub(crate) fn head(status: StatusCode, fields: &HeaderMap, out: &mut Vec<u8>) {
    let reason = status.canonical_reason().unwrap_or_default();
    write!(out, "HTTP/1.1 {} {reason}\r\n", status.as_str()).expect("a vector takes all");
    for (name, value) in fields {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

/// A whole response, with its length and date.
pub(crate) fn response(response: &Response<impl AsRef<[u8]>>) -> Vec<u8> {
    let body = response.body().as_ref();
    let mut bytes = Vec::new();
    head(response.status(), response.headers(), &mut bytes);
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    write!(
        bytes,
        "content-length: {}\r\ndate: {date}\r\n\r\n",
        body.len()
    )
    .expect("a vector takes all");
    bytes.extend_from_slice(body);
    bytes
}
