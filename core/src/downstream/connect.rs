//! CONNECT requests: judged, dialled, and only then granted (RFC 9110, section 9.3.6). Called by the connection.

use std::rc::Rc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response, request};
use hyper::body::{Body, Incoming};

use crate::downstream::connection::{Connection, Reply};
use crate::downstream::exchange::{Exchange, Refusal};
use crate::downstream::head;
use crate::downstream::respond::Form;
use crate::error::Error;
use crate::flow::{Flow, Protocol};
use crate::target::Target;

/// Connects to the target that the request names. What the client sends before it has the answer waits in hyper's buffer.
pub(crate) async fn open(
    connection: &Connection,
    request: Request<Incoming>,
    form: Form,
    exchange: &mut Exchange,
) -> Result<Reply, Refusal> {
    let (head, body) = request.into_parts();
    head::check(&head)?;
    let target = target(&head)?;
    exchange.aim(&target);
    // A body would stand where the tunnel's first bytes are.
    if !body.is_end_stream()
        || head
            .headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0")
    {
        return Err(Error::MalformedRequest("a CONNECT request has no body").into());
    }
    let worker = &connection.worker;
    let flow = Flow {
        target: &target,
        protocol: Protocol::Connect,
        client: connection.client,
    };
    let judgement = worker.chain().judge_host(&flow).await;
    exchange.judged(&flow, judgement, form)?;
    let socket = worker.upstream.dial(&target).await?;
    Ok(Reply::Tunnel {
        head: Response::new(()),
        socket,
        early: Bytes::new(),
    })
}

/// Authority-form: a host and a port, nothing else (RFC 9112, section 3.2.3).
fn target(head: &request::Parts) -> Result<Rc<Target>, Error> {
    match head.uri.authority() {
        Some(authority) if head.uri.scheme().is_none() => {
            Ok(Rc::new(Target::parse(authority.as_str(), None)?))
        }
        _ => Err(Error::MalformedRequest(
            "the target of CONNECT is a host and a port, as in example.com:443",
        )),
    }
}
