//! The way to origins: resolves a route's host, asks the policy about every address, dials, and
//! sends requests over idle connections where there are any. Called by `downstream` after the chain
//! has judged; of clients it knows who they are, and of filters nothing.

mod absolute;
mod connection;
mod dial;
mod direct;
pub(crate) mod framing;
mod login;
mod parent;
pub(crate) mod policy;
mod pool;
mod reach;
pub(crate) mod reclaim;
pub(crate) mod reload;
pub(crate) mod request;
pub(crate) mod resolve;
pub(crate) mod response;
mod route;
pub(crate) mod shortage;
mod socket;
pub(crate) mod spelling;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
mod turns;
mod written;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::task::yield_now;
use tokio::time::interval;

use self::connection::SendError;
pub(crate) use self::connection::UpstreamConnection;
#[cfg(unix)]
pub(crate) use self::dial::dial_own_socket;
pub(crate) use self::dial::{Connected, dial_self};
pub(crate) use self::parent::{Fault, Parent, Parents, ParentsError, choose};
use self::policy::Policy;
pub(crate) use self::pool::logins::Logins;
use self::pool::{Pool, SWEEP_INTERVAL};
use self::reach::NoWay;
use self::request::RequestBody;
use self::resolve::Resolver;
pub(crate) use self::route::{Route, Scheme};
use self::shortage::Shortage;
pub(crate) use self::socket::OriginSocket;
use self::spelling::Spellings;
use crate::config::{Egress, Limits, OwnListeners};
use crate::error::Error;
use crate::flow::{Client, ClientKey};
use crate::target::Target;
use crate::timer::Deadlines;
use crate::upstream::reclaim::Reclaimer;
use crate::upstream::reload::Reloads;

/// A worker's way to origins: its resolver and its idle connections.
#[derive(Debug)]
pub(crate) struct Upstream {
    resolver: Resolver,
    policy: Policy,
    parents: Parents,
    pool: Rc<Pool>,
    connect_timeout: Duration,
    head_size: usize,
    /// Of descriptors or memory. Idle connections of clients hear of it.
    pub(crate) shortage: Shortage,
    reclaimer: Reclaimer,
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
        let others = self.logins.borrow().of_other_user();
        self.logins.replace(Rc::new(others));
    }
}

/// How much there may be at a time of what takes a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Idle connections, those on which clients have logged in included.
    pub(crate) idle: usize,
    /// Names that are looked up, and addresses that are tried beside another one.
    pub(crate) lookups: usize,
}

impl Upstream {
    /// `own` are the proxy's listeners, which are never dialled; `parents` are other proxies.
    pub(crate) fn new(
        egress: &Egress,
        limits: &Limits,
        bounds: Bounds,
        own: &OwnListeners,
        parents: Parents,
        reloads: Reloads,
        reclaimer: Reclaimer,
    ) -> Self {
        let policy = Policy::new(egress, own);
        let shared = Arc::new(policy.clone());
        Self {
            resolver: Resolver::new(egress, shared, limits.resolve, bounds.lookups, reloads),
            policy,
            parents,
            pool: Rc::new(Pool::new(bounds.idle)),
            connect_timeout: limits.connect,
            head_size: limits.head_size,
            shortage: Shortage::default(),
            reclaimer,
        }
    }

    /// Whether the operator lets clients have a host of this name, which is not resolved.
    pub(crate) fn judge_name(&self, name: &Target) -> Result<(), policy::Refusal> {
        self.policy.judge_name(name)
    }

    /// The way for a client's requests. `direct` is the one that leads straight to the target.
    pub(crate) fn route(&self, direct: &Rc<Route>, client: &Client) -> Rc<Route> {
        if self.parents.is_empty() {
            return direct.clone();
        }
        match self.parents.find(&direct.target, client) {
            None => direct.clone(),
            Some(parent) => {
                let (target, scheme) = (direct.target.clone(), direct.scheme);
                let known = self.resolver.known(&target);
                let leaves_name = known.is_none_or(|known| known.is_empty());
                Rc::new(Route {
                    leaves_name,
                    ..Route::through(target, scheme, parent.clone())
                })
            }
        }
    }

    /// Sends a request over an idle connection or a new one and waits for the head of the response.
    /// A connection on which its client has logged in comes before all others.
    ///
    /// A connection may close while its next request is on the way. Such a request is sent again
    /// over a new connection if the origin cannot have seen it. If it is idempotent and has no
    /// body, it is also sent again when the origin closed the connection before its response was
    /// complete (RFC 9110, section 9.2.2). All other requests go over a connection that has just
    /// been seen open, or over a new one.
    ///
    /// A request that the origin may have seen is read back from what was written of it. `listen`
    /// is called with it then, and has its interim responses collected again.
    pub(crate) async fn send(
        &self,
        route: &Rc<Route>,
        mut request: Request<RequestBody>,
        listen: &dyn Fn(&mut Request<RequestBody>),
        asker: &Asker,
        deadlines: &Deadlines,
    ) -> Result<(Response<Incoming>, Box<UpstreamConnection>), Error> {
        self.judge_unresolved(route)?;
        let origin_form = match route.parent().filter(|_| route.is_absolute()) {
            Some(parent) => Some(absolute::write(
                &mut request,
                &route.target,
                parent.login(),
            )?),
            None => None,
        };
        let logins = &asker.logins.borrow().clone();
        while let Some(mut connection) = self.take_idle(route, &request, logins) {
            self.judge_reached(route, connection.peer())?;
            match connection
                .send(request, logins, &asker.spellings, deadlines)
                .await
            {
                Ok(response) => return answered(response, connection),
                Err(SendError::NotSent(unsent)) => request = *unsent,
                Err(SendError::Repeatable(again)) => {
                    request = *again;
                    listen(&mut request);
                    break;
                }
                Err(SendError::Failed(error)) => return Err(error),
            }
        }
        // Most requests go over a connection that is there, and need no room for this.
        let request = (request, origin_form);
        Box::pin(self.send_anew(route, request, listen, asker, deadlines)).await
    }

    /// Sends a request over a new connection. A parent proxy that breaks off makes way for the next
    /// one if the request may be repeated. `origin_form` is what the request names where it goes
    /// straight to its origin.
    async fn send_anew(
        &self,
        route: &Rc<Route>,
        (mut request, origin_form): (Request<RequestBody>, Option<Uri>),
        listen: &dyn Fn(&mut Request<RequestBody>),
        asker: &Asker,
        deadlines: &Deadlines,
    ) -> Result<(Response<Incoming>, Box<UpstreamConnection>), Error> {
        let logins = &asker.logins.borrow().clone();
        let parent = route.parent();
        for _ in 0..parent.map_or(1, |parent| parent.size()) {
            let connected = match self.dial_route(route, asker.client, &[]).await {
                Err(NoWay::Unreached(error)) => {
                    let direct = fallback(route).ok_or(error)?;
                    if let Some(uri) = origin_form {
                        absolute::undo(&mut request, uri);
                    }
                    return Box::pin(self.send(&direct, request, listen, asker, deadlines)).await;
                }
                connected => connected?,
            };
            let proxy = parent.zip(connected.member);
            let mut connection =
                UpstreamConnection::open(route.clone(), connected, self.head_size).await?;
            let error = match connection
                .send(request, logins, &asker.spellings, deadlines)
                .await
            {
                Ok(response) => {
                    if let Some((parent, place)) = proxy {
                        parent.record_reached(place);
                    }
                    return answered(response, connection);
                }
                Err(error) => error,
            };
            let Some((parent, place)) = proxy.filter(|_| error.is_broken_connection()) else {
                return Err(error.into());
            };
            parent.record_failure(place, Fault::Broken, &Error::Closed);
            request = match error {
                SendError::NotSent(unsent) => *unsent,
                SendError::Repeatable(mut again) => {
                    listen(&mut again);
                    *again
                }
                SendError::Failed(error) => return Err(error),
            };
        }
        Err(Error::Closed)
    }

    fn take_idle(
        &self,
        route: &Route,
        request: &Request<RequestBody>,
        logins: &Logins,
    ) -> Option<Box<UpstreamConnection>> {
        let is_repeatable = request::is_repeatable(request);
        if let Some(mut connection) = logins.take(route)
            && (is_repeatable || connection.is_open())
        {
            return Some(connection);
        }
        if is_repeatable {
            self.pool.take(route)
        } else {
            self.pool.take_steady(route)
        }
    }

    /// Connects to the target of a route, through a parent proxy if the route says so and one can
    /// be reached. `marks` are for that proxy: those of the proxies that the request has been
    /// through, and of this one (Via). Returns the way that was taken.
    pub(crate) async fn dial(
        &self,
        route: &Rc<Route>,
        client: ClientKey,
        marks: &[HeaderValue],
    ) -> Result<(Connected, Rc<Route>), Error> {
        self.judge_unresolved(route)?;
        match self.dial_route(route, client, marks).await {
            Err(NoWay::Unreached(error)) => {
                let direct = fallback(route).ok_or(error)?;
                Ok((self.dial_direct(&direct, client).await?, direct))
            }
            connected => Ok((connected?, route.clone())),
        }
    }

    async fn dial_route(
        &self,
        route: &Route,
        client: ClientKey,
        marks: &[HeaderValue],
    ) -> Result<Connected, NoWay> {
        match route.parent() {
            None => Ok(self.dial_direct(route, client).await?),
            Some(parent) => self.dial_through(parent, route, marks).await,
        }
    }

    /// Judges what is known of a target whose name a parent proxy resolves: the name, the port, and
    /// the addresses that need no name server.
    fn judge_unresolved(&self, route: &Route) -> Result<(), Error> {
        if route.parent().is_some() {
            let (target, scheme) = (&route.target, route.scheme);
            let known = self.resolver.known(target).unwrap_or_default();
            self.policy.judge_unresolved(target, scheme, &known)?;
        }
        Ok(())
    }

    /// Whether a connection that is kept may lead where it does.
    fn judge_reached(&self, route: &Route, peer: SocketAddr) -> Result<(), Error> {
        // The address of a parent proxy says nothing of the target.
        if route.parent().is_none() {
            self.policy.judge(&route.target, route.scheme, peer.ip())?;
        }
        Ok(())
    }

    /// The connections to origins on which a new client will log in.
    pub(crate) fn logins(&self) -> Logins {
        Logins::new(&self.pool)
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

    /// Whenever a worker is short of descriptors or memory, closes all idle connections of this
    /// one, also those on which clients have logged in, and has those of clients closed. It has no
    /// end.
    pub(crate) async fn close_idle_when_asked(&self) {
        let mut reclaims = self.reclaimer.subscribe();
        loop {
            let closing = reclaims.next().await;
            self.pool.clear();
            self.shortage.announce();
            // Those of clients are closed by their own tasks.
            yield_now().await;
            drop(closing);
        }
    }

    /// Closes all idle connections and keeps none from now on.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// What a parent proxy says for itself is not the origin's response.
fn answered(
    response: Response<Incoming>,
    connection: Box<UpstreamConnection>,
) -> Result<(Response<Incoming>, Box<UpstreamConnection>), Error> {
    if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && let Some(parent) = connection
            .route()
            .parent()
            .filter(|_| connection.route().is_absolute())
    {
        return Err(reach::refused_by(parent, response.status()));
    }
    Ok((response, connection))
}

/// The way straight to the origin, if requests may take it while no parent proxy is there.
fn fallback(route: &Route) -> Option<Rc<Route>> {
    let parent = route.parent()?;
    let direct = || Rc::new(Route::direct(route.target.clone(), route.scheme));
    parent.may_go_direct().then(direct)
}
