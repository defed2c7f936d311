//! The head of a response, from the origin's bytes to what the client is told.

use std::fmt::Debug;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, duplex};

use super::fields::{assert_none, is_of_connection, is_writable, nominated};
use crate::config::MAX_FIELDS;
use crate::downstream::forward;
use crate::upstream::framing::end_of_head;
use crate::upstream::request::RequestBody;
use crate::upstream::stream::mend::{is_sound, mend};
use crate::upstream::stream::{blank_lines, is_interim, pieces};

/// In bytes. A stream reads more than this in several turns.
const ONE_TURN: usize = 64 << 10;

/// Mending a head moves neither its end nor anything that hyper reads without it, and makes nothing
/// of what is dangerous. What goes on to the client is of this exchange and not of the connection,
/// and its end is told at most once. Wherever the bytes are cut on the way, hyper is given the
/// same.
pub fn response_head(data: &[u8]) {
    if data.len() <= ONE_TURN {
        let (sent, longest) = until_refused(data);
        assert_cut_anywhere(sent, longest);
    }
    let Some(end) = end_of_head(data, 0) else {
        return;
    };
    let head = &data[..end];
    if !head.starts_with(b"HTTP/") {
        assert!(is_sound(head));
        return;
    }
    let mended = mend(head);
    if is_sound(head) {
        assert_eq!(text(&mended), text(head), "a sound head is left alone");
    }
    assert!(mended.len() <= head.len(), "{:?}", text(&mended));
    assert_eq!(
        end_of_head(&mended, 0),
        Some(mended.len()),
        "the end has moved: {:?}",
        text(&mended)
    );
    assert_eq!(text(&mend(&mended)), text(&mended), "mended twice");
    assert_eq!(
        dangerous(&mended),
        dangerous(head),
        "CR or NUL is gone: {:?}",
        text(&mended)
    );

    let before = read(head);
    let after = read(&mended);
    if let Some(before) = &before {
        assert_same(before, after.as_ref());
    }
    if let Some(mut response) = after {
        let nominated = nominated(response.headers());
        if forward::sanitize_response(&mut response).is_ok() {
            assert_sanitized(response.headers());
            assert_none(&nominated, response.headers());
        }
    }
}

/// The bytes that hyper reads, and the length of the longest head in them. It refuses what does not
/// begin like a status line, so that nothing behind that is mended.
fn until_refused(data: &[u8]) -> (&[u8], usize) {
    let (mut at, mut longest) = (0, 0);
    loop {
        at += blank_lines(&data[at..]);
        let rest = &data[at..];
        if rest.iter().zip(b"HTTP/1.").any(|(a, b)| a != b) {
            return (&data[..at], longest);
        }
        let end = end_of_head(rest, 0);
        longest = longest.max(end.unwrap_or(rest.len()));
        match end {
            Some(end) if is_interim(&rest[..end]) => at += end,
            _ => return (data, longest),
        }
    }
}

/// Heads are found and mended in whatever pieces they come, several of them in one piece included,
/// where no head is too long.
fn assert_cut_anywhere(sent: &[u8], head_size: usize) {
    let whole = pieces::read(&[sent], head_size);
    let lengths: [fn(u8) -> usize; 2] = [|_| 1, |first| 1 + usize::from(first % 16)];
    for length in lengths {
        let cut = pieces::read(&cut(sent, length), head_size);
        assert_eq!(cut, whole, "{:?}", text(sent));
    }
}

/// Pieces, the first byte of each of which says how long it is.
fn cut(mut rest: &[u8], length: fn(u8) -> usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some(first) = rest.first() {
        let (piece, behind) = rest.split_at(length(*first).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Mending changes nothing that could be read before but `Transfer-Encoding: identity`. Without it,
/// a length counts that did not count before, and may be wrong.
fn assert_same<B: Debug>(before: &Response<B>, after: Option<&Response<B>>) {
    let is_identity = |(name, value): &(&HeaderName, &HeaderValue)| {
        **name == TRANSFER_ENCODING && value.as_bytes().eq_ignore_ascii_case(b"identity")
    };
    let Some(after) = after else {
        assert!(before.headers().iter().any(|field| is_identity(&field)));
        return;
    };
    assert_eq!(before.status(), after.status());
    let fields = before.headers().iter();
    let meant = fields.filter(|field| !is_identity(field));
    // The order of different names may change with the first field of one of them.
    let meant: HeaderMap = meant
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(&meant, after.headers());
}

fn assert_sanitized(headers: &HeaderMap) {
    assert!(is_writable(headers));
    let mut of_connection = headers.keys().filter(|name| is_of_connection(name));
    assert_eq!(of_connection.next(), None);
    assert!(!headers.contains_key(TRANSFER_ENCODING));
    let lengths: Vec<_> = headers.get_all(CONTENT_LENGTH).iter().collect();
    assert!(lengths.len() <= 1, "{lengths:?}");
    for length in lengths {
        let is_number = length.as_bytes().iter().all(u8::is_ascii_digit);
        assert!(is_number, "{length:?}");
    }
}

/// How many bytes there are that could end a line or a text for some readers: NUL, and CR without
/// LF.
fn dangerous(head: &[u8]) -> usize {
    let next = head.iter().skip(1).map(Some).chain([None]);
    let is_dangerous = |(byte, next): &(&u8, Option<&u8>)| match **byte {
        b'\0' => true,
        b'\r' => *next != Some(&b'\n'),
        _ => false,
    };
    head.iter().zip(next).filter(is_dangerous).count()
}

/// What hyper reads. It wants to have sent a request before.
fn read(head: &[u8]) -> Option<Response<Incoming>> {
    let mut client = http1::Builder::new();
    client.max_headers(MAX_FIELDS);
    let (near, mut origin) = duplex(head.len().max(1024));
    let cx = &mut Context::from_waker(Waker::noop());
    let handshake = pin!(client.handshake::<_, RequestBody>(TokioIo::new(near)));
    let Poll::Ready(Ok((mut requests, connection))) = handshake.poll(cx) else {
        unreachable!("nothing has to be waited for");
    };
    let mut response = pin!(requests.send_request(Request::new(RequestBody::empty())));
    let mut connection = pin!(connection);
    assert!(connection.as_mut().poll(cx).is_pending());
    let written = Pin::new(&mut origin).poll_write(cx, head);
    assert!(matches!(written, Poll::Ready(Ok(n)) if n == head.len()));
    let _ = connection.as_mut().poll(cx);
    match response.as_mut().poll(cx) {
        Poll::Ready(response) => response.ok(),
        Poll::Pending => None,
    }
}

fn text(head: &[u8]) -> String {
    head.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sound_is_read_and_what_is_not_is_refused() {
        let response = read(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n").unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["a"]),
            (404, &"b".parse().unwrap())
        );
        assert!(read(b"HTTP/1.1 200 OK\r\nA\r: b\r\n\r\n").is_none());
    }
}
