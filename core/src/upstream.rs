//! The way to origins: resolves a route's host, asks the policy about every address, dials, and
//! sends requests over idle connections where there are any. Called by `downstream` after the chain
//! has judged; knows nothing of clients and filters.

mod dial;
pub(crate) mod framing;
mod link;
mod login;
mod logins;
pub(crate) mod policy;
mod pool;
pub(crate) mod reload;
pub(crate) mod request;
pub(crate) mod resolve;
pub(crate) mod response;
mod route;
pub(crate) mod spelling;
pub(crate) mod stream;
mod written;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::{interval, timeout};

#[cfg(unix)]
pub(crate) use self::dial::dial_own_socket;
pub(crate) use self::dial::{Connected, dial_self};
pub(crate) use self::link::Link;
use self::link::SendError;
pub(crate) use self::logins::Logins;
use self::policy::Policy;
use self::pool::{Pool, SWEEP_INTERVAL};
use self::request::RequestBody;
use self::resolve::Resolver;
pub(crate) use self::route::{Route, Scheme};
use self::spelling::Spellings;
use crate::config::{Egress, Limits, OwnListeners};
use crate::error::Error;
use crate::flow::ClientKey;
use crate::target::Target;
use crate::timer::Deadlines;
use crate::upstream::reload::Reloads;

/// A worker's way to origins: its resolver and its idle connections.
#[derive(Debug)]
pub(crate) struct Upstream {
    resolver: Resolver,
    policy: Policy,
    pool: Rc<Pool>,
    connect_timeout: Duration,
    head_size: usize,
}

/// Who wants something of an origin: one client's connection.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) client: ClientKey,
    /// The connections to origins on which the client has logged in.
    pub(crate) logins: RefCell<Rc<Logins>>,
    /// How it spells fields, and how it has to be answered.
    pub(crate) spellings: Rc<Spellings>,
}

impl Asker {
    /// The client speaks for another user from now on. Where a connection to an origin is still in
    /// use, it is closed afterwards.
    pub(crate) fn forget_logins(&self) {
        self.logins.take();
    }
}

/// How much there may be at a time of what takes a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Idle connections.
    pub(crate) idle: usize,
    /// Names that are looked up.
    pub(crate) lookups: usize,
}

impl Upstream {
    /// `own` are the proxy's listeners: they are never dialled.
    pub(crate) fn new(
        egress: &Egress,
        limits: &Limits,
        bounds: Bounds,
        own: &OwnListeners,
        reloads: Reloads,
    ) -> Self {
        Self {
            resolver: Resolver::new(egress, limits.resolve, bounds.lookups, reloads),
            policy: Policy::new(egress, own),
            pool: Rc::new(Pool::new(bounds.idle)),
            connect_timeout: limits.connect,
            head_size: limits.head_size,
        }
    }

    /// Whether the operator lets clients have a host of this name, which is not resolved.
    pub(crate) fn judge_name(&self, name: &Target) -> Result<(), policy::Refusal> {
        self.policy.judge_name(name)
    }

    /// Sends a request over an idle connection or a new one and waits for the head of the response.
    /// A connection on which its client has logged in comes before all others.
    ///
    /// A connection may close while its next request is on the way. Such a request is sent again
    /// over a new connection if the origin cannot have seen it. If it is idempotent and has no
    /// body, it is also sent again when the origin closed the connection before its response was
    /// complete (RFC 9110, section 9.2.2). All other requests go over a connection that has just
    /// been seen open, or over a new one.
    pub(crate) async fn send(
        &self,
        route: &Rc<Route>,
        mut request: Request<RequestBody>,
        asker: &Asker,
        deadlines: &Deadlines,
    ) -> Result<(Response<Incoming>, Box<Link>), Error> {
        let logins = &asker.logins.borrow().clone();
        let spellings = &asker.spellings;
        while let Some(mut link) = self.take_idle(route, &request, logins) {
            self.policy
                .judge(&route.target, route.scheme, link.peer().ip())?;
            match link.send(request, logins, spellings, deadlines).await {
                Ok(response) => return Ok((response, link)),
                Err(SendError::NotSent(unsent)) => request = *unsent,
                Err(SendError::Repeatable(again)) => {
                    request = *again;
                    break;
                }
                Err(SendError::Failed(error)) => return Err(error),
            }
        }
        // Most requests go over a connection that is there, and need no room for this.
        let connected = Box::pin(self.dial(route, asker.client)).await?;
        let opening = Link::open(route.clone(), connected, self.head_size);
        let mut link = Box::pin(opening).await?;
        match link.send(request, logins, spellings, deadlines).await {
            Ok(response) => Ok((response, link)),
            Err(SendError::Failed(error)) => Err(error),
            Err(SendError::NotSent(_) | SendError::Repeatable(_)) => Err(Error::Closed),
        }
    }

    fn take_idle(
        &self,
        route: &Route,
        request: &Request<RequestBody>,
        logins: &Logins,
    ) -> Option<Box<Link>> {
        let is_repeatable = request::is_repeatable(request);
        if let Some(mut link) = logins.take(route)
            && (is_repeatable || link.is_open())
        {
            return Some(link);
        }
        if is_repeatable {
            self.pool.take(route)
        } else {
            self.pool.take_steady(route)
        }
    }

    /// Connects to the target of a route: resolves it, asks the policy about each address, and
    /// dials. Both families take turns, each address with a head start over the next.
    pub(crate) async fn dial(&self, route: &Route, client: ClientKey) -> Result<Connected, Error> {
        let (target, scheme) = (&route.target, route.scheme);
        self.policy.judge_target(target, scheme)?;
        let addresses = self.resolver.addresses(target, client).await?;
        let addresses = dial::interleave(addresses);
        let addresses = self.policy.permitted(target, scheme, addresses)?;
        let connecting = async {
            match dial::race(addresses.clone()).await {
                Err(error) if dial::is_out_of_descriptors(&error) => {
                    self.close_idle();
                    dial::race(addresses).await
                }
                connected => connected,
            }
        };
        let connected = match timeout(self.connect_timeout, connecting).await {
            Ok(Ok(connected)) => connected,
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
        if let Ok(local) = connected.stream.local_addr() {
            self.policy.check_connected(local, connected.peer)?;
        }
        // Requests are written in one piece; what follows must not wait for an acknowledgement.
        if let Err(error) = connected.stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        Ok(connected)
    }

    /// Where connections go when their response has been read.
    pub(crate) fn pool(&self) -> &Rc<Pool> {
        &self.pool
    }

    /// Closes the idle connections that have waited long enough or that their origin has closed,
    /// for ever.
    pub(crate) async fn evict_idle(&self) {
        let mut ticks = interval(SWEEP_INTERVAL);
        loop {
            ticks.tick().await;
            self.pool.evict_idle();
        }
    }

    /// Closes all idle connections, as descriptors or memory are short.
    pub(crate) fn close_idle(&self) {
        self.pool.clear();
    }

    /// Closes all idle connections and keeps none from now on.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener};

    use super::link::Keeper as _;
    use super::*;
    use crate::config::PrivateAddresses;
    use crate::target::Target;

    /// Sends a request over a connection that is there already.
    async fn reuse(private: PrivateAddresses) -> Result<(), Error> {
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = origin.local_addr().unwrap();
        let connected = dial::race(vec![address]).await.unwrap();
        let served = std::thread::spawn(move || {
            let (mut client, _) = origin.accept().unwrap();
            let head = BufReader::new(&mut client).lines();
            let is_asked = head.map_while(Result::ok).any(|line| line.is_empty());
            is_asked.then(|| client.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"))
        });
        let egress = Egress {
            private,
            ..Egress::default()
        };
        let (limits, bounds) = (
            Limits::default(),
            Bounds {
                idle: 9,
                lookups: 9,
            },
        );
        let own = OwnListeners::at(&[SocketAddr::from(([127, 0, 0, 1], 1))]);
        let upstream = Upstream::new(&egress, &limits, bounds, &own, Reloads::default());
        let target = Target::parse(&address.to_string(), None).unwrap();
        let route = Rc::new(Route::direct(Rc::new(target), Scheme::Http));
        let link = Link::open(route.clone(), connected, 1 << 16).await.unwrap();
        upstream.pool.put(link);
        let asker = Asker {
            client: ClientKey::test(1),
            logins: RefCell::default(),
            spellings: Rc::default(),
        };
        let deadlines = Deadlines::new(Rc::new(limits));
        let request = Request::new(RequestBody::empty());
        let sent = upstream.send(&route, request, &asker, &deadlines).await;
        let sent = sent.map(|(response, _)| assert_eq!(response.status(), 204));
        drop(upstream);
        assert_eq!(served.join().unwrap().is_some(), sent.is_ok());
        sent
    }

    #[tokio::test]
    async fn a_kept_connection_is_under_the_policy_too() {
        let served = reuse(PrivateAddresses::Auto).await;
        assert!(served.is_ok(), "{served:?}");
        let refused = reuse(PrivateAddresses::Deny).await;
        assert!(
            matches!(refused, Err(Error::AddressProhibited(_))),
            "{refused:?}"
        );
    }
}
