//! The body of a response on its way from the origin. Reading it drives the connection that it
//! comes from.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use super::connection::UpstreamConnection;
use super::pool::Pool;
use super::request::OutlivingUpload;

/// A response's body. Reading it drives the connection, which goes back to the pool at its end.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    incoming: Incoming,
    /// Read ahead.
    first: Option<Frame<Bytes>>,
    connection: Option<Box<UpstreamConnection>>,
    /// Where a connection that goes on without the response sees when the response moves.
    moved_at: Option<Rc<Cell<Instant>>>,
    pool: Rc<Pool>,
}

impl ResponseBody {
    /// `upload` is the body of the request, if the response has overtaken it.
    pub(crate) fn new<R: 'static>(
        incoming: Incoming,
        connection: Box<UpstreamConnection>,
        pool: &Rc<Pool>,
        upload: Option<OutlivingUpload<'_, R>>,
    ) -> Self {
        // Neither direction may wait for the other.
        let (connection, moved_at) = match upload {
            Some(upload) => (None, Some(connection.detach(upload))),
            None => (Some(connection), None),
        };
        Self {
            incoming,
            first: None,
            connection,
            moved_at,
            pool: pool.clone(),
        }
    }

    /// Reads what is there of the body. An origin that has broken off by now has not responded.
    pub(crate) async fn read_ahead(&mut self) -> Result<(), hyper::Error> {
        if self.is_end_stream() {
            return Ok(());
        }
        let frame = poll_fn(|cx| match self.poll_incoming(cx) {
            Poll::Ready(Some(frame)) => Poll::Ready(frame.map(Some)),
            Poll::Ready(None) | Poll::Pending => Poll::Ready(Ok(None)),
        });
        self.first = frame.await?;
        Ok(())
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut incoming = Pin::new(&mut self.incoming);
        let frame = match &mut self.connection {
            None => ready!(incoming.poll_frame(cx)),
            Some(connection) => {
                let mut unwoken = Context::from_waker(Waker::noop());
                match incoming.as_mut().poll_frame(&mut unwoken) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        ready!(connection.advance(cx, |cx| incoming.as_mut().poll_frame(cx)))
                    }
                }
            }
        };
        if let Some(moved_at) = &self.moved_at {
            moved_at.set(Instant::now());
        }
        if frame.as_ref().is_none_or(is_last) {
            self.return_link();
        }
        Poll::Ready(frame)
    }

    fn return_link(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.release(&*self.pool);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => self.poll_incoming(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.incoming.size_hint();
        let ahead = self.first.as_ref().and_then(Frame::data_ref);
        match (hint.exact(), ahead) {
            (Some(rest), Some(ahead)) => SizeHint::with_exact(rest + ahead.len() as u64),
            _ => hint,
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.return_link();
        }
    }
}

/// Trailers are the last frame: hyper asks for no other.
pub(crate) fn is_last(frame: &Result<Frame<Bytes>, hyper::Error>) -> bool {
    frame.as_ref().is_ok_and(Frame::is_trailers)
}
