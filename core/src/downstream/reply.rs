//! What an exchange leads to: a reply, or a rejection with its meaning. The connection that speaks
//! the client's protocol turns both into bytes; nothing here is made for one protocol.

use std::rc::Rc;

use bytes::Bytes;
use http::Response;

use super::tunnels::TunnelPermit;
use crate::chain::LocalChain;
use crate::error::Error;
use crate::upstream::OriginSocket;
use crate::upstream::response::ResponseBody;
use crate::verdict::Judgement;

/// What an exchange leads to if nothing stands against it.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The origin's response.
    Origin(Response<ResponseBody>),
    /// A response of the proxy's own.
    Local(Response<Bytes>),
    /// The connection stops being HTTP and is joined with the origin.
    Tunnel(Response<()>, Upgrade),
}

/// The origin's side of a tunnel that is about to begin.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(crate) stream: OriginSocket,
    /// What the origin has already sent.
    pub(crate) early: Bytes,
    /// Judges what the client shows of the server that it wants; none where nothing is looked at.
    pub(crate) chain: Option<Rc<LocalChain>>,
    /// Counts the tunnel for as long as it lives.
    pub(crate) _permit: TunnelPermit,
}

/// Why an exchange is not served.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The filters are against it.
    Judged(Rc<Judgement>),
    /// It cannot be served.
    Failed(Error),
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
