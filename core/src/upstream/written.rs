//! What was written to an origin of a request that may be sent again. A connection turns the record
//! on for such a request and reads it when it breaks; knows nothing of pools and retries.
//!
//! hyper gives an unwritten request back but not a written one. The bytes on their way to the
//! socket are cheaper to keep than a copy of each request, and are read only in the rare case.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, join, sink};

use super::request::RequestBody;
use crate::config::MAX_FIELDS;

/// An idle connection keeps no more memory than this for its next record.
const KEPT_CAPACITY: usize = 1024;

/// The head of the request that was written last.
#[derive(Debug, Default)]
pub(super) struct WrittenHead {
    is_on: Cell<bool>,
    bytes: RefCell<Vec<u8>>,
    /// How many of them the system has taken.
    taken: Cell<usize>,
}

/// A stream whose output is recorded while the record is on.
#[derive(Debug)]
pub(super) struct Recorded<S> {
    stream: S,
    head: Rc<WrittenHead>,
}

impl WrittenHead {
    /// A request without a body is written next, and may have to be sent again.
    pub(super) fn begin(&self) {
        self.is_on.set(true);
    }

    /// The request is not sent again.
    pub(super) fn forget(&self) {
        if self.is_on.replace(false) {
            let mut bytes = self.bytes.borrow_mut();
            bytes.clear();
            bytes.shrink_to(KEPT_CAPACITY);
            self.taken.set(0);
        }
    }

    /// The request as it was written, if it was written whole.
    pub(super) fn request(&self) -> Option<Request<RequestBody>> {
        let bytes = self.bytes.borrow();
        let read = Cell::new(None);
        let service = service_fn(|request: Request<Incoming>| {
            read.set(Some(request.map(|_| RequestBody::empty())));
            pending::<Result<Response<RequestBody>, Infallible>>()
        });
        let mut server = http1::Builder::new();
        server.header_read_timeout(None).max_headers(MAX_FIELDS);
        let io = TokioIo::new(join(&bytes[..], sink()));
        let mut reading = pin!(server.serve_connection(io, service));
        let _ = reading
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        read.take()
    }

    /// A piece may be offered again until the system has taken it.
    fn record<'a>(&self, offered: impl Iterator<Item = &'a [u8]>, taken: &Poll<io::Result<usize>>) {
        if !self.is_on.get() {
            return;
        }
        let mut bytes = self.bytes.borrow_mut();
        bytes.truncate(self.taken.get());
        offered.for_each(|piece| bytes.extend_from_slice(piece));
        if let Poll::Ready(Ok(taken)) = taken {
            self.taken.set(self.taken.get() + taken);
        }
    }
}

impl<S> Recorded<S> {
    pub(super) fn new(stream: S, head: Rc<WrittenHead>) -> Self {
        Self { stream, head }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(cx, data);
        self.head.record([data].into_iter(), &taken);
        taken
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.head
            .record(pieces.iter().map(|piece| &**piece), &taken);
        taken
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const HEAD: &[u8] = b"PUT /a?b HTTP/1.1\r\nhost: a\r\nvia: 1\r\nvia: \xff\r\n\r\n";

    async fn write(stream: &mut Recorded<impl AsyncWrite + Unpin>, bytes: &[u8]) {
        stream.write_all(bytes).await.expect("it is read");
    }

    #[tokio::test]
    async fn a_head_that_is_taken_bit_by_bit_is_recorded_once() {
        let head = Rc::<WrittenHead>::default();
        // The sender has to wait after every four bytes.
        let (near, mut far) = duplex(4);
        let mut stream = Recorded::new(near, head.clone());
        head.begin();
        let mut read = vec![0; HEAD.len()];
        let (_, received) = tokio::join!(write(&mut stream, HEAD), far.read_exact(&mut read));
        received.expect("it is written");
        let again = head.request().expect("the head is whole");
        assert_eq!(again.method(), "PUT");
        assert_eq!(again.uri(), "/a?b");
        let fields: Vec<_> = again
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let expected: [(_, &[u8]); 3] = [("host", b"a"), ("via", b"1"), ("via", b"\xff")];
        assert_eq!(fields, expected);
    }

    #[tokio::test]
    async fn a_head_that_the_system_does_not_take_is_recorded_too() {
        let head = Rc::<WrittenHead>::default();
        let (near, far) = duplex(4);
        drop(far);
        let mut stream = Recorded::new(near, head.clone());
        head.begin();
        stream.write_all(HEAD).await.expect_err("no one reads");
        assert!(head.request().is_some());
    }

    #[tokio::test]
    async fn what_is_forgotten_or_not_to_be_recorded_is_not_there() {
        let head = Rc::<WrittenHead>::default();
        let (near, _far) = duplex(1024);
        let mut stream = Recorded::new(near, head.clone());
        write(&mut stream, HEAD).await;
        assert!(head.request().is_none(), "the record is off");
        head.begin();
        write(&mut stream, &HEAD[..20]).await;
        assert!(head.request().is_none(), "the head is not whole");
        head.forget();
        head.begin();
        write(&mut stream, HEAD).await;
        assert!(head.request().is_some());
    }
}
