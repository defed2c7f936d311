//! The one place that resolves names and dials. Called by `http` and `connect` after the chain has judged; knows nothing of
//! clients and filters.

pub(crate) mod deadline;
pub(crate) mod link;
mod pool;
pub(crate) mod request;
mod resolve;
pub(crate) mod response;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};

use crate::config::{Egress, Limits};
use crate::error::Error;
use crate::target::Target;
use crate::upstream::deadline::ResponseDeadline;
use crate::upstream::link::{Broken, Link};
use crate::upstream::pool::{Pool, TENDING};
use crate::upstream::request::RequestBody;
use crate::upstream::resolve::Resolver;

/// How long one address may keep the next from being tried (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// A worker's way to origins: its resolver and its idle connections.
#[derive(Debug)]
pub(crate) struct Upstream {
    resolver: Resolver,
    pool: Rc<Pool>,
    connect: Duration,
    own: SocketAddr,
}

impl Upstream {
    /// `own` is the address of the proxy's listener: it is never dialled.
    pub(crate) fn new(egress: &Egress, limits: &Limits, own: SocketAddr) -> Self {
        Self {
            resolver: Resolver::new(egress, limits.resolve),
            pool: Rc::default(),
            connect: limits.connect,
            own,
        }
    }

    /// Sends a request over an idle connection or a new one and waits for the head of the response.
    ///
    /// A connection may close while its next request is on the way. Such a request is sent again over a new connection if
    /// the origin cannot have seen it, or if it is idempotent, has no body and nothing came back.
    pub(crate) async fn send(
        &self,
        target: &Rc<Target>,
        mut request: Request<RequestBody>,
        patience: &mut ResponseDeadline<'_>,
    ) -> Result<(Response<Incoming>, Box<Link>), Error> {
        while let Some(mut link) = self.pool.take(target) {
            let copy = repeatable(&request);
            match link.exchange(request, patience).await {
                Ok(response) => return Ok((response, link)),
                Err(Broken::Unsent(unsent)) => request = *unsent,
                Err(Broken::Failed(error)) => match copy {
                    Some(copy) if error.is_broken_connection() => {
                        request = copy;
                        break;
                    }
                    _ => return Err(error),
                },
            }
        }
        let mut link = Link::open(target.clone(), self.dial(target).await?).await?;
        match link.exchange(request, patience).await {
            Ok(response) => Ok((response, link)),
            Err(Broken::Failed(error)) => Err(error),
            Err(Broken::Unsent(_)) => Err(Error::Closed),
        }
    }

    /// Connects to a target. The addresses of both families take turns, each with a head start over the next.
    pub(crate) async fn dial(&self, target: &Target) -> Result<TcpStream, Error> {
        let addresses: Vec<SocketAddr> = interleave(self.resolver.addresses(target).await?)
            .map(|ip| SocketAddr::new(ip, target.port()))
            .collect();
        if addresses.iter().any(|address| self.is_own(*address)) {
            return Err(Error::Loop);
        }
        let socket = match timeout(self.connect, race(addresses)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(source)) => {
                return Err(Error::Connect {
                    target: target.to_string(),
                    source,
                });
            }
            Err(_) => {
                return Err(Error::ConnectTimeout {
                    target: target.to_string(),
                });
            }
        };
        self.refuse_own(&socket, target.port())?;
        // Requests are written in one piece; what follows must not wait for an acknowledgement.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        Ok(socket)
    }

    /// Where connections go when their response has been read.
    pub(crate) fn pool(&self) -> &Rc<Pool> {
        &self.pool
    }

    /// Closes the idle connections that have waited long enough or that their origin has closed, for ever.
    pub(crate) async fn tend(&self) {
        let mut ticks = interval(TENDING);
        loop {
            ticks.tick().await;
            self.pool.tend();
        }
    }

    /// Closes all idle connections and keeps none from now on.
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let (own, ip) = (self.own.ip().to_canonical(), reached(address.ip()));
        address.port() == self.own.port() && (ip == own || own.is_unspecified() && ip.is_loopback())
    }

    /// A listener on all addresses is also met under every other address of this machine: there, both ends are the same.
    fn refuse_own(&self, socket: &TcpStream, port: u16) -> Result<(), Error> {
        if !self.own.ip().is_unspecified() || port != self.own.port() {
            return Ok(());
        }
        match (socket.local_addr(), socket.peer_addr()) {
            (Ok(local), Ok(peer)) if local.ip() == peer.ip() => Err(Error::Loop),
            _ => Ok(()),
        }
    }
}

/// Connects to the proxy's own listener, to see whether that works.
pub(crate) async fn dial_self(own: SocketAddr) -> io::Result<TcpStream> {
    connect(SocketAddr::new(reached(own.ip()), own.port())).await
}

/// A copy of a request that may be sent twice (RFC 9110, section 9.2.2).
fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() || !request.body().is_empty() {
        return None;
    }
    let mut copy = Request::new(RequestBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Where a packet to `ip` ends up: "unspecified" means this machine.
fn reached(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// The families in turn, beginning with that of the first address (RFC 8305, section 4).
fn interleave(addresses: Vec<IpAddr>) -> impl Iterator<Item = IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = [first.into_iter(), second.into_iter()];
    let mut turn = 1;
    std::iter::from_fn(move || {
        turn = 1 - turn;
        turns[turn].next().or_else(|| turns[1 - turn].next())
    })
}

/// The first connection that succeeds, or the failure of the last address.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let waiting = match addresses.next() {
            Some(address) => {
                attempts.push(connect(address));
                !addresses.as_slice().is_empty()
            }
            None => false,
        };
        let finished = tokio::select! {
            finished = attempts.next() => finished,
            () = sleep(HEAD_START), if waiting => continue,
        };
        match finished {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(error)) => failure = error,
            None => return Err(failure),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(addresses: &[&str]) -> Vec<String> {
        interleave(addresses.iter().map(|ip| ip.parse().unwrap()).collect())
            .map(|ip| ip.to_string())
            .collect()
    }

    #[test]
    fn families_take_turns() {
        assert_eq!(
            turns(&["::1", "::2", "::3", "1.1.1.1"]),
            ["::1", "1.1.1.1", "::2", "::3"]
        );
        assert_eq!(turns(&["1.1.1.1", "::1"]), ["1.1.1.1", "::1"]);
        assert!(turns(&[]).is_empty());
    }

    #[tokio::test]
    async fn an_address_that_refuses_makes_way_for_the_next() {
        let origin = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refusing = closed.local_addr().unwrap();
        drop(closed);

        let open = origin.local_addr().unwrap();
        let socket = race(vec![refusing, open]).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), open);
        let failure = race(vec![refusing]).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }
}
