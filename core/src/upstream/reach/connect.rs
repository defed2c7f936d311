//! Asks a parent proxy for a tunnel by CONNECT (RFC 9110, section 9.3.6).

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION, VIA};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::config::MAX_FIELDS;
use crate::error::Error;
use crate::target::Target;
use crate::upstream::absolute::UNWRITABLE;
use crate::upstream::parent::Login;
use crate::upstream::socket::OriginSocket;
use crate::upstream::stream::OriginStream;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnect {
    /// The proxy answers, and is against it.
    #[error("it answers {0}")]
    Refused(StatusCode),
    /// The proxy breaks off or answers with something else than HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// Its answer does not come for all that it sends.
    #[error("it sent an invalid answer: {0}")]
    Endless(&'static str),
}

/// The stream as it leads to the target, and what was read of it already.
pub(super) async fn tunnel(
    socket: OriginSocket,
    request: Request<String>,
    head_size: usize,
) -> Result<(OriginSocket, Bytes), NoConnect> {
    let (stream, gauge) = OriginStream::new(socket, head_size);
    gauge.begin_request(&Rc::default());
    let mut client = http1::Builder::new();
    client.max_headers(MAX_FIELDS).max_header_size(head_size);
    let (mut requests, mut connection) = client.handshake(TokioIo::new(stream)).await?;
    let mut ended = false;
    let response = {
        let mut response = pin!(requests.send_request(request));
        let response = poll_fn(|cx| {
            gauge.begin_turn();
            let mut broken = None;
            if !ended && let Poll::Ready(end) = Pin::new(&mut connection).poll(cx) {
                ended = true;
                broken = end.err();
            }
            // What comes behind them is not mended, and hyper may break off there.
            if gauge.has_too_many_interims() {
                return Poll::Ready(Err(NoConnect::Endless("too many interim responses")));
            }
            if let Some(error) = broken {
                return Poll::Ready(Err(NoConnect::Broken(error)));
            }
            match response.as_mut().poll(cx) {
                Poll::Pending if gauge.is_endless(head_size) => {
                    Poll::Ready(Err(NoConnect::Endless("its head does not end")))
                }
                response => response.map_err(NoConnect::Broken),
            }
        });
        response.await?
    };
    if !response.status().is_success() {
        return Err(NoConnect::Refused(response.status()));
    }
    drop(response);
    if !ended {
        // It ends where HTTP does.
        poll_fn(|cx| {
            gauge.begin_turn();
            Pin::new(&mut connection).poll(cx)
        })
        .await?;
    }
    let parts = connection.into_parts();
    let (socket, held) = parts.io.into_inner().into_parts();
    if held.is_empty() {
        return Ok((socket, parts.read_buf));
    }
    Ok((socket, [&parts.read_buf[..], &held].concat().into()))
}

/// A request for a tunnel. `marks` are those of the proxies that it has been through, and of this
/// one: a request that runs in a circle is known by them.
pub(super) fn request(
    target: &Target,
    login: Option<&Login>,
    marks: &[HeaderValue],
) -> Result<Request<String>, Error> {
    let authority = target.to_string();
    let uri = Uri::try_from(&*authority).ok();
    // URLs may have hosts that requests cannot name, such as `a{b`.
    let (Some(uri), Ok(host)) = (uri, HeaderValue::try_from(&*authority)) else {
        return Err(UNWRITABLE);
    };
    let mut request = Request::new(String::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    for mark in marks {
        headers.append(VIA, mark.clone());
    }
    if let Some(login) = login {
        headers.insert(PROXY_AUTHORIZATION, login.basic.clone());
    }
    Ok(request)
}
