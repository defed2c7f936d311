//! The body of an answer on its way down to the client: a page of the proxy's own or what the origin sends. The record of its exchange
//! ends with it. Frames pass one at a time, so a slow client slows its origin down; nothing is collected.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::downstream::exchange::Exchange;
use crate::upstream::response::{ResponseBody, is_last};

/// The body of an answer on its way to the client. The record of its exchange ends with it.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    source: Source,
    exchange: Option<Exchange>,
}

#[derive(Debug)]
enum Source {
    Page(Bytes),
    Origin(ResponseBody),
}

impl AnswerBody {
    /// Nothing, and nothing to record: what follows is a tunnel.
    pub(crate) fn none() -> Self {
        Self {
            source: Source::Page(Bytes::new()),
            exchange: None,
        }
    }

    /// A page of the proxy's own.
    pub(crate) fn page(page: Bytes, mut exchange: Exchange) -> Self {
        exchange.complete();
        Self {
            source: Source::Page(page),
            exchange: Some(exchange),
        }
    }

    pub(crate) fn origin(body: ResponseBody, mut exchange: Exchange) -> Self {
        if body.is_end_stream() {
            exchange.complete();
        }
        Self {
            source: Source::Origin(body),
            exchange: Some(exchange),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let frame = match &mut this.source {
            Source::Page(page) if page.is_empty() => None,
            Source::Page(page) => Some(Ok(Frame::data(std::mem::take(page)))),
            Source::Origin(body) => ready!(Pin::new(body).poll_frame(cx)),
        };
        if let Some(exchange) = &mut this.exchange {
            match &frame {
                Some(Ok(frame)) => {
                    exchange.received(frame.data_ref().map_or(0, Bytes::len) as u64);
                }
                Some(Err(error)) => exchange.fail(error),
                None => {}
            }
            if this.source.is_end() || frame.as_ref().is_none_or(is_last) {
                exchange.complete();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Page(page) => SizeHint::with_exact(page.len() as u64),
            Source::Origin(body) => body.size_hint(),
        }
    }
}

impl Source {
    fn is_end(&self) -> bool {
        match self {
            Self::Page(page) => page.is_empty(),
            Self::Origin(body) => body.is_end_stream(),
        }
    }
}
