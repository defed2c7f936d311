//! The body of a request on its way to the origin. Made by `downstream` of what the client sends,
//! carried by a connection. Frames pass one at a time, so a slow origin slows its client down;
//! nothing is collected.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::PROXY_AUTHORIZATION;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio_util::task::TaskTracker;

use crate::timer::UploadProgress;

/// Ready when the client may be told to send its body.
pub(crate) type ContinueGate = Pin<Box<dyn Future<Output = ()>>>;

/// Whether a request may be sent again although its origin may have seen it (RFC 9110, section
/// 9.2.2).
pub(super) fn is_repeatable(request: &Request<RequestBody>) -> bool {
    request.method().is_idempotent() && request.body().is_empty()
}

/// The body of a request as the client sends it. Clones are the same body: what answers the client
/// sees how much of it is left when the origin does not get it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientBody(Option<Rc<RefCell<Incoming>>>);

impl From<Incoming> for ClientBody {
    fn from(incoming: Incoming) -> Self {
        let has_body = !incoming.is_end_stream();
        Self(has_body.then(|| Rc::new(RefCell::new(incoming))))
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &self.0 {
            Some(incoming) => Pin::new(&mut *incoming.borrow_mut()).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let incoming = self.0.as_ref();
        incoming.is_none_or(|incoming| incoming.borrow().is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some(incoming) => incoming.borrow().size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

/// The body of a request on its way to the origin.
#[derive(Debug, Default)]
pub(crate) struct RequestBody(Option<Sending>);

struct Sending {
    body: ClientBody,
    upload: Rc<UploadProgress>,
    gate: Option<ContinueGate>,
}

/// A body that is still on its way when the response comes, and goes on without the response.
#[derive(Debug)]
pub(crate) struct OutlivingUpload<'a, R> {
    pub(crate) progress: Rc<UploadProgress>,
    /// Is held for as long as the body goes on: the client may be gone by then.
    pub(crate) room: R,
    /// How long it may rest.
    pub(crate) idle: Duration,
    pub(crate) tasks: &'a TaskTracker,
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// A body that is counted in `upload`. With a gate, nothing is read before it opens: hyper
    /// sends `100 Continue` to the client as soon as its body is asked for.
    pub(crate) fn new(
        body: ClientBody,
        upload: Rc<UploadProgress>,
        gate: Option<ContinueGate>,
    ) -> Self {
        Self(Some(Sending { body, upload, gate }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(sending) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let upload = &sending.upload;
        if let Some(gate) = &mut sending.gate {
            if upload.has_ended() {
                return Poll::Pending;
            }
            ready!(gate.as_mut().poll(cx));
            sending.gate = None;
        }
        let mut frame = Pin::new(&mut sending.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            // It is for this proxy alone, as it is in a head.
            trailers.remove(PROXY_AUTHORIZATION);
        }
        match &frame {
            Poll::Pending => upload.wait_for_client(),
            Poll::Ready(None) => upload.end(),
            Poll::Ready(Some(frame)) => {
                let data = frame.as_ref().ok().and_then(Frame::data_ref);
                upload.add(data.map_or(0, Bytes::len) as u64);
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|sending| sending.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some(sending) => sending.body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.upload.end();
    }
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending")
            .field("upload", &self.upload)
            .finish_non_exhaustive()
    }
}
