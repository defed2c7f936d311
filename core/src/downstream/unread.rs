//! What is left of a request that its origin does not get. The connection can serve another request
//! only when all of this one has been read (RFC 9112, section 9.3). Called by the connection.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body, Frame};

use crate::timer::Step;
use crate::upstream::request::ClientBody;

/// What is read and thrown away so that the connection can be kept, in bytes. A new connection
/// costs less than more than that.
const LITTLE: u64 = 64 * 1024;

/// The client waits for `100 Continue`, and hyper sends that to it as soon as its body is asked
/// for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expects;

/// Reads the rest of a body away if that is little and comes soon. Returns whether nothing is left.
pub(super) async fn discard(body: ClientBody, expects: Option<Expects>) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if expects.is_some() || body.size_hint().lower() > LITTLE {
        return false;
    }
    Step::Rest.bound(read_little(body)).await.unwrap_or(false)
}

async fn read_little(mut body: ClientBody) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return false;
        };
        read += frame.data_ref().map_or(0, Bytes::len) as u64;
        if read > LITTLE {
            return false;
        }
        if Frame::is_trailers(&frame) {
            break;
        }
    }
    true
}
