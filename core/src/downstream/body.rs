//! The body of a reply on its way to the client: a page of the proxy's own or what the origin
//! sends. The exchange and its record end with it. Frames pass one at a time, so a slow client
//! slows its origin down; nothing is collected.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::exchange::Exchange;
use crate::timer::Deadlines;
use crate::upstream::response::{ResponseBody, is_last};

/// The body of a reply on its way to the client.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    source: Source,
    /// None for what comes before a tunnel, which records the exchange itself.
    running: Option<Running>,
    /// Why the body ends before its time. It is told when the client has been sent what came
    /// before: hyper would throw away what it holds.
    broken: Option<hyper::Error>,
}

#[derive(Debug)]
enum Source {
    Local(Bytes),
    Origin(ResponseBody),
}

/// An exchange that ends when this is dropped.
#[derive(Debug)]
struct Running {
    exchange: Box<Exchange>,
    deadlines: Rc<Deadlines>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(late) = self.deadlines.take_failure() {
            self.exchange.fail(&late);
        }
        self.deadlines.end_exchange();
    }
}

impl ReplyBody {
    /// Nothing, and nothing to record: what follows is a tunnel.
    pub(crate) fn none() -> Self {
        Self {
            source: Source::Local(Bytes::new()),
            running: None,
            broken: None,
        }
    }

    /// A page of the proxy's own.
    pub(crate) fn local(page: Bytes, exchange: Box<Exchange>, deadlines: Rc<Deadlines>) -> Self {
        Self::new(Source::Local(page), exchange, deadlines)
    }

    pub(crate) fn origin(
        body: ResponseBody,
        exchange: Box<Exchange>,
        deadlines: Rc<Deadlines>,
    ) -> Self {
        Self::new(Source::Origin(body), exchange, deadlines)
    }

    fn new(source: Source, mut exchange: Box<Exchange>, deadlines: Rc<Deadlines>) -> Self {
        // hyper asks for no frame where there is none, and for none of a response to HEAD.
        if source.is_end() || exchange.is_head() {
            exchange.complete();
        }
        deadlines.begin_body();
        Self {
            source,
            running: Some(Running {
                exchange,
                deadlines,
            }),
            broken: None,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let frame = match (&mut this.source, this.broken.take()) {
            (_, Some(error)) => Some(Err(error)),
            (Source::Local(page), None) if page.is_empty() => None,
            (Source::Local(page), None) => Some(Ok(Frame::data(std::mem::take(page)))),
            (Source::Origin(body), None) => ready!(Pin::new(body).poll_frame(cx)),
        };
        if let Some(Running {
            exchange,
            deadlines,
        }) = &mut this.running
        {
            match &frame {
                Some(Err(_)) if !deadlines.has_flushed() => {
                    this.broken = frame.and_then(Result::err);
                    return Poll::Pending;
                }
                Some(Ok(frame)) => {
                    exchange.add_bytes_down(frame.data_ref().map_or(0, Bytes::len) as u64);
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
            Source::Local(page) => SizeHint::with_exact(page.len() as u64),
            Source::Origin(body) => body.size_hint(),
        }
    }
}

impl Source {
    fn is_end(&self) -> bool {
        match self {
            Self::Local(page) => page.is_empty(),
            Self::Origin(body) => body.is_end_stream(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::time::Instant;

    use super::*;
    use crate::config::Limits;

    #[tokio::test]
    async fn a_page_is_complete_when_the_client_is_sent_it_and_not_before() {
        let limits = Rc::new(Limits::default());
        let deadlines = Rc::new(Deadlines::since(Instant::now(), limits));
        let exchange = Box::new(Exchange::unlogged());
        let mut body = ReplyBody::local(Bytes::from("page"), exchange, deadlines);
        let is_complete = |body: &ReplyBody| {
            let running = body.running.as_ref();
            running.is_some_and(|running| running.exchange.is_complete())
        };
        assert!(!is_complete(&body));
        let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(frame, Poll::Ready(Some(Ok(_)))));
        assert!(is_complete(&body));
    }
}
