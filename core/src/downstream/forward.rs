//! Absolute-form requests: judged, forwarded, answered (RFC 9112, section 3.2.2). Called by the connection.

use std::rc::Rc;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, MAX_FORWARDS, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, request};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::downstream::connection::{Connection, Reply};
use crate::downstream::exchange::{Exchange, Refusal};
use crate::downstream::head;
use crate::downstream::headers::{has_token, remove_hop_by_hop};
use crate::downstream::respond::{self, Form};
use crate::error::Error;
use crate::flow::{Flow, Protocol, RequestHead};
use crate::upstream::link::Link;
use crate::upstream::request::{Gate, RequestBody, Upload};
use crate::upstream::response::ResponseBody;

/// How long a client that expects `100 Continue` waits for an origin that does not send it (RFC 9110, section 10.1.1).
const EXPECTATION: Duration = Duration::from_secs(1);

/// Takes one request to its origin and the response back.
pub(crate) async fn forward(
    connection: &Connection,
    request: Request<Incoming>,
    form: Form,
    exchange: &mut Exchange,
) -> Result<Reply, Refusal> {
    let (mut head, body) = request.into_parts();
    head::check(&head)?;
    if is_for_the_proxy(&mut head)? {
        return Ok(Reply::Page(respond::options()));
    }
    let (authority, path) = split(std::mem::take(&mut head.uri))?;
    let destination = connection.destination(authority.as_str())?;
    let target = &destination.target;
    exchange.aim(target);
    let worker = &connection.worker;
    if worker.pseudonym.is_in(&head.headers) {
        return Err(Error::Loop.into());
    }
    let chain = worker.chain();
    let flow = Flow {
        target,
        protocol: Protocol::Http,
        client: connection.client,
    };
    exchange.judged(&flow, chain.judge_host(&flow).await, form)?;

    let upgrade = prepare(&mut head, &body, &destination.host);
    let mut seen = Seen::default();
    if chain.judges_requests() || chain.judges_responses() {
        seen.url = format!("http://{}{path}", target.authority(80));
    }
    if chain.judges_requests() {
        let headers = &mut head.headers;
        let judgement = chain.judge_request(&flow, &head.method, &seen.url, headers);
        exchange.judged(&flow, judgement.await, form)?;
    }
    if chain.judges_responses() {
        seen.method.clone_from(&head.method);
    }
    if chain.recalls_requests() {
        seen.headers.clone_from(&head.headers);
    }
    worker.pseudonym.append_to(&mut head.headers, head.version);
    head.version = Version::HTTP_11;
    head.uri = Uri::from(path);

    let (request, upload) = outgoing(head, body);
    if let Some(upload) = &upload {
        exchange.uploads(upload);
    }
    let mut patience = connection.patience(upload.clone());
    let (mut response, link) = worker.upstream.send(target, request, &mut patience).await?;
    let switched = clean(&mut response)?;
    if chain.judges_responses() {
        let status = response.status();
        let judgement = chain.judge_response(&flow, seen.head(), status, response.headers_mut());
        exchange.judged(&flow, judgement.await, form)?;
    }
    let upgrade = upgrade.map(|wanted| switched.unwrap_or(wanted));
    receive(connection, response, link, upload, upgrade).await
}

/// What those who judge the response may want to know of the request.
#[derive(Default)]
struct Seen {
    method: Method,
    url: String,
    headers: HeaderMap,
}

impl Seen {
    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        }
    }
}

/// OPTIONS can be addressed to a proxy (RFC 9110, sections 7.6.2 and 9.3.7).
fn is_for_the_proxy(head: &mut request::Parts) -> Result<bool, Error> {
    if head.method != Method::OPTIONS {
        return Ok(false);
    }
    if head.uri.scheme().is_none() && head.uri.path() == "*" {
        return Ok(true);
    }
    let Some(hops) = head.headers.get(MAX_FORWARDS) else {
        return Ok(false);
    };
    let hops = hops.to_str().ok().and_then(|hops| hops.parse::<u32>().ok());
    let hops = hops.ok_or(Error::MalformedRequest("Max-Forwards is not a number"))?;
    if let Some(left) = hops.checked_sub(1) {
        head.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
    }
    Ok(hops == 0)
}

/// Where the request goes, and what it asks for there.
fn split(uri: Uri) -> Result<(Authority, PathAndQuery), Error> {
    let parts = uri.into_parts();
    match (parts.scheme, parts.authority) {
        (Some(scheme), Some(authority)) if scheme == Scheme::HTTP => {
            let root = || PathAndQuery::from_static("/");
            Ok((authority, parts.path_and_query.unwrap_or_else(root)))
        }
        (Some(_), _) => Err(Error::UnsupportedScheme),
        (None, _) => Err(Error::MalformedRequest(
            "this is a proxy: the target must be a whole URL, as in GET http://example.com/",
        )),
    }
}

/// Makes the fields fit for the next hop. Returns the protocol that the client wants to switch to.
fn prepare(head: &mut request::Parts, body: &Incoming, host: &HeaderValue) -> Option<HeaderValue> {
    let headers = &mut head.headers;
    let is_empty = body.is_end_stream();
    let is_1_0 = head.version == Version::HTTP_10;
    let upgrade = wanted_upgrade(headers).filter(|_| is_empty && !is_1_0);
    let takes_trailers = has_token(headers, &TE, "trailers");

    remove_hop_by_hop(headers);
    if let Some(protocol) = &upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    } else if takes_trailers {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if is_empty || is_1_0 {
        headers.remove(EXPECT);
    }
    if !is_empty && body.size_hint().exact().is_none() {
        // Without it, hyper takes for granted that a GET has no body.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // The host that was judged is the host that the origin sees (RFC 9112, section 3.2.2).
    if headers.get(HOST) != Some(host) {
        headers.insert(HOST, host.clone());
    }
    upgrade
}

/// HTTP/2 is not offered to origins: the requests inside would pass unseen (RFC 9113, section 3.1, has dropped it, too).
fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(UPGRADE)?;
    let wanted = has_token(headers, &CONNECTION, "upgrade") && !has_token(headers, &UPGRADE, "h2c");
    wanted.then(|| protocol.clone())
}

/// The request as the origin gets it, with a gauge of its body if it has one.
fn outgoing(head: request::Parts, body: Incoming) -> (Request<RequestBody>, Option<Rc<Upload>>) {
    let mut request = Request::from_parts(head, RequestBody::empty());
    if body.is_end_stream() {
        return (request, None);
    }
    let upload = Rc::new(Upload::default());
    let gate = request
        .headers()
        .contains_key(EXPECT)
        .then(|| continued(&mut request));
    *request.body_mut() = RequestBody::new(body, upload.clone(), gate);
    (request, Some(upload))
}

/// Ready when the origin has sent `100 Continue`, or has let enough time pass.
fn continued(request: &mut Request<RequestBody>) -> Gate {
    let agreed = CancellationToken::new();
    let agree = agreed.clone();
    hyper::ext::on_informational(request, move |response| {
        if response.status() == StatusCode::CONTINUE {
            agree.cancel();
        }
    });
    Box::pin(async move {
        // Too late is as good as agreed: an origin may know nothing of expectations.
        let _ = timeout(EXPECTATION, agreed.cancelled_owned()).await;
    })
}

/// Takes out of a response what is not the client's. Returns the protocol that the origin switches to.
fn clean(response: &mut Response<Incoming>) -> Result<Option<HeaderValue>, Error> {
    let is_empty = response.body().is_end_stream();
    let headers = response.headers_mut();
    let switched = headers.get(UPGRADE).cloned();
    check_framing(headers, is_empty)?;
    remove_hop_by_hop(headers);
    Ok(switched)
}

/// Makes a response the client's.
async fn receive(
    connection: &Connection,
    response: Response<Incoming>,
    link: Box<Link>,
    upload: Option<Rc<Upload>>,
    upgrade: Option<HeaderValue>,
) -> Result<Reply, Refusal> {
    let (mut head, incoming) = response.into_parts();
    let pseudonym = &connection.worker.pseudonym;
    pseudonym.append_to(&mut head.headers, head.version);
    head.version = Version::HTTP_11;

    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        let Some(protocol) = upgrade else {
            return Err(Error::InvalidResponse("it switches protocols unasked").into());
        };
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
        let (socket, early) = link.into_socket().await.ok_or(Error::Closed)?;
        let head = Response::from_parts(head, ());
        return Ok(Reply::Tunnel {
            head,
            socket,
            early,
        });
    }
    let worker = &connection.worker;
    let is_forgone = upload.as_ref().is_some_and(|upload| upload.forgo());
    let body = ResponseBody::new(
        incoming,
        link,
        worker.upstream.pool(),
        upload,
        worker.limits.idle,
        &worker.tasks,
    );
    let mut response = Response::from_parts(head, body);
    if is_forgone {
        // The client may send its body all the same, and nobody reads it.
        respond::close(&mut response);
    }
    Ok(Reply::Origin(response))
}

/// A response whose end is a matter of opinion is not forwarded (RFC 9112, section 6.3).
fn check_framing(headers: &mut HeaderMap, is_empty: bool) -> Result<(), Error> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let (false, Some(coding)) = (is_empty, codings.next()) {
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(Error::InvalidResponse(
                "its transfer coding is not plain chunked",
            ));
        }
        if headers.contains_key(CONTENT_LENGTH) {
            return Err(Error::InvalidResponse(
                "it has both a length and a transfer coding",
            ));
        }
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let is_plain = |length: &HeaderValue| length.as_bytes().iter().all(u8::is_ascii_digit);
    let one = lengths.next().is_none_or(is_plain) && lengths.next().is_none();
    if !one {
        // Equal lengths, several times: hyper has read them and writes one.
        headers.remove(CONTENT_LENGTH);
    }
    Ok(())
}
