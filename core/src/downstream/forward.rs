//! Absolute-form requests: judged, forwarded, answered (RFC 9112, section 3.2.2). Called by the
//! connection; `head` has the rules that a request must keep to, `headers` those of the fields of
//! one hop.

use std::rc::Rc;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, MAX_FORWARDS, TE, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, request};
use hyper::body::{Body, Incoming};
use tokio_util::sync::CancellationToken;

use super::auth::basic;
use super::exchange::Exchange;
use super::head;
use super::headers::{KnownFields, has_token};
use super::interim::Interims;
use super::per_client::ConnectionPermit;
use super::reply::{Rejection, Reply, Upgrade};
use super::respond;
use super::session::Session;
use super::tunnels::TunnelPermit;
use crate::error::Error;
use crate::target::HTTP_PORT;
use crate::timer::{Step, UploadProgress};
use crate::upstream::UpstreamConnection;
use crate::upstream::request::{ClientBody, ContinueGate, OutlivingUpload, RequestBody};
use crate::upstream::response::ResponseBody;

const PROXY_SUPPORT: HeaderName = HeaderName::from_static("proxy-support");

/// Takes one request to its origin and the response back.
pub(crate) async fn forward(
    session: &Session,
    request: Request<ClientBody>,
    exchange: &mut Exchange,
) -> Result<Reply, Rejection> {
    let (mut head, body) = request.into_parts();
    let fields = head::check(&head)?;
    let worker = &session.worker;
    let (pseudonym, has_via) = (&worker.pseudonym, fields.has(&VIA));
    if is_for_the_proxy(&mut head)? {
        let is_health_check = has_via && pseudonym.is_asked_by_itself(&head.headers);
        exchange.record_health_check(is_health_check);
        return Ok(Reply::Local(respond::options()));
    }
    let is_about_the_server = head.method == Method::OPTIONS && has_no_path(&head.uri);
    let (authority, mut path) = parse_absolute_form(std::mem::take(&mut head.uri))?;
    let destination = session.destination(authority.as_str())?;
    let target = &destination.route.target;
    exchange.set_target(target);
    if has_via && pseudonym.is_in(&head.headers) {
        return Err(Error::Loop.into());
    }
    let client = session.login(|| basic::credentials(&head.headers)).await?;
    let mut filters = session.admit(&client, target, exchange).await?;
    let route = worker.upstream.route(&destination.route, client.client());
    exchange.record_route(&route);

    let upgrade = sanitize_request(&mut head, fields, &body, &destination.host);
    let url = || format!("http://{}{path}", target.authority(HTTP_PORT));
    exchange.record_judgement(filters.judge_request(&mut head, url).await)?;
    let upgrade = Wanted::of(session, upgrade)?;

    pseudonym.append_to(&mut head.headers, head.version);
    // HTTP/1.0 knows no interim responses (RFC 9110, section 15.2).
    let interims = (head.version != Version::HTTP_10).then_some(&session.interims);
    head.version = Version::HTTP_11;
    if is_about_the_server {
        path = PathAndQuery::from_static("*");
    }
    head.uri = Uri::from(path);
    let (request, upload) = into_upstream(head, body, interims);
    if let Some(upload) = &upload {
        exchange.track_upload(upload);
        session.deadlines.track_upload(upload.clone());
    }
    // What is sent again has no body, so it waits for no `100 Continue`.
    let listen = |again: &mut Request<RequestBody>| collect(interims, again, None);
    let (upstream, asker) = (&worker.upstream, &session.asker);
    let sending = upstream.send(&route, request, &listen, asker, &session.deadlines);
    let (mut response, connection) = sending.await?;
    exchange.record_peer(connection.peer(), connection.route());

    let switched = sanitize_response(&mut response)?;
    if connection.has_owner() {
        say_that_logins_are_kept_apart(&mut response);
    }
    let status = response.status();
    let judged = filters.judge_response(status, response.headers_mut());
    exchange.record_judgement(judged.await)?;
    let upgrade = upgrade.map(|wanted| wanted.or(switched));
    into_client(session, response, connection, upload, upgrade).await
}

/// Another protocol that the client wants to go on in.
struct Wanted {
    protocol: HeaderValue,
    /// Room for the tunnel that the connection would become.
    permit: TunnelPermit,
}

impl Wanted {
    fn of(session: &Session, protocol: Option<HeaderValue>) -> Result<Option<Self>, Error> {
        let Some(protocol) = protocol else {
            return Ok(None);
        };
        let permit = session.worker.tunnels.permit(session.client.address)?;
        Ok(Some(Self { protocol, permit }))
    }

    /// The origin may choose one of several.
    fn or(self, chosen: Option<HeaderValue>) -> Self {
        Self {
            protocol: chosen.unwrap_or(self.protocol),
            ..self
        }
    }
}

/// Some clients do not log in through a proxy that does not say so (RFC 4559, section 6).
fn say_that_logins_are_kept_apart(response: &mut Response<Incoming>) {
    if response.status() == StatusCode::UNAUTHORIZED {
        let kept = HeaderValue::from_static("Session-Based-Authentication");
        response.headers_mut().insert(PROXY_SUPPORT, kept);
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
    let mut hops = head.headers.get_all(MAX_FORWARDS).iter();
    let hops = match (hops.next(), hops.next()) {
        (None, _) => return Ok(false),
        (Some(hops), None) => number(hops),
        (Some(_), Some(_)) => None,
    };
    let hops = hops.ok_or(Error::MalformedRequest("Max-Forwards is not a number"))?;
    if let Some(left) = hops.checked_sub(1) {
        head.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
    }
    Ok(hops == 0)
}

/// Digits and nothing else.
fn number(value: &HeaderValue) -> Option<u32> {
    let digits = value.to_str().ok()?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

/// Whether an absolute URL ends with its authority. OPTIONS then asks about the server as a whole,
/// which is written `*` (RFC 9112, section 3.2.4). `Uri` puts a slash there, but that slash does
/// not stand behind the authority in the text that the two were read from.
fn has_no_path(uri: &Uri) -> bool {
    let (Some(authority), Some(path)) = (uri.authority(), uri.path_and_query()) else {
        return false;
    };
    path == "/" && authority.as_str().as_bytes().as_ptr_range().end != path.as_str().as_ptr()
}

/// Where the request goes, and what it asks for there.
pub(crate) fn parse_absolute_form(uri: Uri) -> Result<(Authority, PathAndQuery), Error> {
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
pub(crate) fn sanitize_request(
    head: &mut request::Parts,
    fields: KnownFields,
    body: &ClientBody,
    host: &HeaderValue,
) -> Option<HeaderValue> {
    let headers = &mut head.headers;
    let is_empty = body.is_end_stream();
    let is_1_0 = head.version == Version::HTTP_10;
    let may_switch = fields.has(&UPGRADE) && is_empty && !is_1_0;
    let upgrade = may_switch.then(|| wanted_upgrade(headers)).flatten();
    let takes_trailers = fields.has(&TE) && has_token(headers, &TE, "trailers");

    fields.remove_hop_by_hop(headers);
    if let Some(protocol) = &upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    } else if takes_trailers {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if fields.has(&EXPECT) && (is_empty || is_1_0) {
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

/// HTTP/2 is not offered to origins: the requests inside would pass unseen (RFC 9113, section 3.1
/// has dropped `h2c`, too).
fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(UPGRADE)?;
    let wanted = has_token(headers, &CONNECTION, "upgrade") && !has_token(headers, &UPGRADE, "h2c");
    wanted.then(|| protocol.clone())
}

/// The request as the origin gets it, with the progress of its body if it has one.
fn into_upstream(
    head: request::Parts,
    body: ClientBody,
    interims: Option<&Arc<Interims>>,
) -> (Request<RequestBody>, Option<Rc<UploadProgress>>) {
    let mut request = Request::from_parts(head, RequestBody::empty());
    let has_body = !body.is_end_stream();
    let expects = has_body && request.headers().contains_key(EXPECT);
    let agreed = expects.then(CancellationToken::new);
    collect(interims, &mut request, agreed.clone());
    if !has_body {
        return (request, None);
    }
    let upload = Rc::new(UploadProgress::default());
    let gate = agreed.map(expect_continue);
    *request.body_mut() = RequestBody::new(body, upload.clone(), gate);
    (request, Some(upload))
}

/// Collects the interim responses to `request` for a client that knows of such.
fn collect(
    interims: Option<&Arc<Interims>>,
    request: &mut Request<RequestBody>,
    agreed: Option<CancellationToken>,
) {
    if let Some(interims) = interims {
        interims.collect(request, agreed);
    }
}

/// Ready when the origin has sent `100 Continue`, or has let enough time pass.
fn expect_continue(agreed: CancellationToken) -> ContinueGate {
    Box::pin(async move {
        // Too late is as good as agreed: an origin may know nothing of expectations.
        let _ = Step::Expectation.bound(agreed.cancelled_owned()).await;
    })
}

/// Takes out of a response what is not the client's. Returns the protocol that the origin switches
/// to.
pub(crate) fn sanitize_response(
    response: &mut Response<Incoming>,
) -> Result<Option<HeaderValue>, Error> {
    let is_empty = response.body().is_end_stream();
    let headers = response.headers_mut();
    let fields = KnownFields::of(headers);
    let switched = fields.has(&UPGRADE).then(|| headers[UPGRADE].clone());
    if fields.has(&TRANSFER_ENCODING) && !is_empty {
        check_coding(headers)?;
    }
    keep_one_length(headers);
    fields.remove_hop_by_hop(headers);
    Ok(switched)
}

/// Makes a response the client's.
async fn into_client(
    session: &Session,
    response: Response<Incoming>,
    connection: Box<UpstreamConnection>,
    upload: Option<Rc<UploadProgress>>,
    upgrade: Option<Wanted>,
) -> Result<Reply, Rejection> {
    let (mut head, incoming) = response.into_parts();
    let pseudonym = &session.worker.pseudonym;
    pseudonym.append_to(&mut head.headers, head.version);
    head.version = Version::HTTP_11;

    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        let Some(Wanted { protocol, permit }) = upgrade else {
            return Err(Error::InvalidResponse("it switches protocols unasked").into());
        };
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
        let (stream, early) = connection.into_stream().await.ok_or(Error::Closed)?;
        let head = Response::from_parts(head, ());
        let upgrade = Upgrade {
            stream,
            early,
            // The two go on in the protocol that they have agreed upon.
            chain: None,
            _permit: permit,
        };
        return Ok(Reply::Tunnel(head, upgrade));
    }
    let is_cancelled = upload
        .as_ref()
        .is_some_and(|upload| upload.cancel_if_not_started());
    let upload = outliving(session, upload);
    let pool = session.worker.upstream.pool();
    let mut body = ResponseBody::new(incoming, connection, pool, upload);
    body.read_ahead().await.map_err(Error::Upstream)?;
    let mut response = Response::from_parts(head, body);
    if is_cancelled {
        // The client may send its body all the same, and it is not read.
        respond::close(&mut response);
    }
    Ok(Reply::Origin(response))
}

/// The body of a request whose origin answers while it still reads. Where there is no room for it
/// to go on alone, it goes on for as long as the response.
fn outliving(
    session: &Session,
    upload: Option<Rc<UploadProgress>>,
) -> Option<OutlivingUpload<'_, Rc<ConnectionPermit>>> {
    let progress = upload.filter(|upload| upload.is_running())?;
    Some(OutlivingUpload {
        progress,
        room: session.permit.for_upload()?,
        idle: session.worker.limits.idle,
        tasks: &session.worker.tasks,
    })
}

/// A response whose end two readers could see at different places is not forwarded (RFC 9112,
/// section 6.3).
fn check_coding(headers: &HeaderMap) -> Result<(), Error> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !codings.next().is_some_and(is_chunked) || codings.next().is_some() {
        return Err(Error::InvalidResponse(
            "its transfer coding is not plain chunked",
        ));
    }
    if headers.contains_key(CONTENT_LENGTH) {
        return Err(Error::InvalidResponse(
            "it has both a length and a transfer coding",
        ));
    }
    Ok(())
}

/// Equal lengths, several times: hyper has read them and writes one.
fn keep_one_length(headers: &mut HeaderMap) {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let is_plain = |length: &HeaderValue| length.as_bytes().iter().all(u8::is_ascii_digit);
    let one = lengths.next().is_none_or(is_plain) && lengths.next().is_none();
    if !one {
        headers.remove(CONTENT_LENGTH);
    }
}
