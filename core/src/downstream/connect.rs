//! CONNECT requests: judged, dialled, and only then granted (RFC 9110, section 9.3.6). Called by
//! the connection.

use std::rc::Rc;

use http::header::{CONTENT_LENGTH, VIA};
use http::{Request, Response, request};
use hyper::body::Body;

use super::auth::basic;
use super::exchange::Exchange;
use super::head;
use super::reply::{Rejection, Reply};
use super::session::Session;
use crate::error::Error;
use crate::target::Target;
use crate::upstream::request::ClientBody;

/// Connects to the target that the request names. What the client sends before it has the answer
/// waits in hyper's buffer.
pub(crate) async fn connect(
    session: &Session,
    request: Request<ClientBody>,
    exchange: &mut Exchange,
) -> Result<Reply, Rejection> {
    let (head, body) = request.into_parts();
    let fields = head::check(&head)?;
    let target = target(&head)?;
    exchange.set_target(&target);
    if fields.has(&VIA) && session.worker.pseudonym.is_in(&head.headers) {
        return Err(Error::Loop.into());
    }
    // A body would stand where the tunnel's first bytes are.
    if !body.is_end_stream()
        || head
            .headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0")
    {
        return Err(Error::MalformedRequest("a CONNECT request has no body").into());
    }
    let client = session.login(|| basic::credentials(&head.headers)).await?;
    let opening = session.open(&client, &target, Some(&head.headers), exchange);
    let upgrade = opening.await?;
    Ok(Reply::Tunnel(Response::new(()), upgrade))
}

/// Authority-form: a host and a port, nothing else (RFC 9112, section 3.2.3).
pub(crate) fn target(head: &request::Parts) -> Result<Rc<Target>, Error> {
    match head.uri.authority() {
        Some(authority) if head.uri.scheme().is_none() => {
            Ok(Rc::new(Target::parse(authority.as_str(), None)?))
        }
        _ => Err(Error::MalformedRequest(
            "the target of CONNECT is a host and a port, as in example.com:443",
        )),
    }
}
