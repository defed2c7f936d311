//! What a client's connection knows: its worker, its client, how it came in, and the clocks.
//! Handlers of requests get it as `&Session`; a worker makes one for each
//! connection. What is spoken on it, HTTP/1 or another protocol, is the business of `connection`.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::VIA;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_contract::FoundIn;
use tokio::time::Instant;
#[cfg(any(test, fuzzing))]
use {
    super::worker::{ExchangeIds, WorkerConfig},
    crate::chain::{Chain, background_calls},
    tokio::sync::watch,
    tokio_util::sync::CancellationToken,
};

use super::auth::Credentials;
use super::bandwidth::Allowance;
use super::exchange::{Begin, Exchange, Place};
use super::interim::Interims;
use super::per_client::ConnectionPermit;
use super::reply::{Rejection, Upgrade};
use super::worker::Worker;
use crate::chain::decisions::Decision;
use crate::chain::{FilterSession, LocalChain};
use crate::config::is_loopback;
use crate::error::Error;
use crate::flow::{Client, ClientKey, Flow, Protocol};
use crate::target::{HTTP_PORT, Target};
use crate::timer::Deadlines;
use crate::upstream::{Asker, Route, Scheme};
use crate::verdict::{Judgement, Notes};

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) worker: Rc<Worker>,
    pub(crate) client: Arc<Client>,
    pub(crate) deadlines: Rc<Deadlines>,
    /// How fast the client may be. None if nothing is limited.
    pub(crate) allowance: Option<Rc<Allowance>>,
    /// How many requests have come.
    requests: Cell<usize>,
    pub(crate) arrival: Arrival,
    pub(crate) admission: Admission,
    /// The connection's own room, which an upload may hold for longer.
    pub(crate) permit: Rc<ConnectionPermit>,
    /// The same client, as origins are asked for it.
    pub(crate) asker: Asker,
    /// What origins have said before their responses.
    pub(crate) interims: Arc<Interims>,
    /// The destination of the last request. A client sends many to one place, and parsing an
    /// authority takes time.
    destination: RefCell<Option<Rc<Destination>>>,
    /// Whom the client has logged in as last. It logs in with each request, most often as the same
    /// user.
    logged_in: RefCell<Option<Arc<Client>>>,
}

/// Where a client's connection came from, and where to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The number of the listener.
    pub(crate) listener: usize,
    /// The port is of use in the log only. Clients of a Unix socket have no address.
    pub(crate) client: Option<SocketAddr>,
    pub(crate) ingress: Ingress,
    /// When it was accepted.
    pub(crate) at: Instant,
}

/// How a client's connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ingress {
    /// The client has connected to a listener of the proxy.
    Direct,
    /// A load balancer has, which has said whose connection it is.
    Announced,
    /// A load balancer has, and says that the connection is its own, or not whose it is.
    Balancer,
}

/// Whether a client may use the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Allowed,
    /// Each of its requests is refused.
    Refused,
}

/// A client that may use the proxy, and has logged in if it has to.
#[derive(Debug)]
pub(crate) struct Admitted(Arc<Client>);

impl Admitted {
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.0
    }
}

/// A place that a client has named.
#[derive(Debug)]
pub(crate) struct Destination {
    authority: Box<str>,
    pub(crate) route: Rc<Route>,
    /// What the Host field says there.
    pub(crate) host: HeaderValue,
}

impl Destination {
    /// Reads the authority of an `http` URL.
    pub(crate) fn parse(authority: &str) -> Result<Self, Error> {
        let target = Target::parse(authority, Some(HTTP_PORT))?;
        let host = HeaderValue::try_from(target.authority(HTTP_PORT));
        Ok(Self {
            authority: authority.into(),
            host: host.expect("a canonical host is printable ASCII"),
            route: Rc::new(Route::direct(Rc::new(target), Scheme::Http)),
        })
    }
}

impl Arrival {
    /// To the first listener, from this address.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn direct(client: SocketAddr) -> Self {
        Self {
            listener: 0,
            client: Some(client),
            ingress: Ingress::Direct,
            at: Instant::now(),
        }
    }

    /// The client's address, IPv4 in its own spelling.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.client.map(|client| client.ip().to_canonical())
    }

    /// Whether the client is a program on this machine. Behind a balancer it can be anywhere, and
    /// what is announced is an address of the balancer's machine.
    pub(crate) fn is_local(&self) -> bool {
        self.ingress == Ingress::Direct && self.ip().is_none_or(is_loopback)
    }
}

impl Session {
    pub(crate) fn new(
        worker: Rc<Worker>,
        arrival: Arrival,
        admission: Admission,
        permit: ConnectionPermit,
    ) -> Self {
        let client = worker.groups.client(arrival.ip(), None);
        Self {
            allowance: worker.bandwidth.allowance(&client).map(Rc::new),
            requests: Cell::new(0),
            asker: Asker {
                client: ClientKey::of(client.address),
                logins: RefCell::new(Rc::new(worker.upstream.logins())),
                spellings: Rc::default(),
            },
            client: Arc::new(client),
            deadlines: Rc::new(Deadlines::since(arrival.at, worker.limits.clone())),
            arrival,
            admission,
            permit: Rc::new(permit),
            interims: Arc::default(),
            destination: RefCell::default(),
            logged_in: RefCell::default(),
            worker,
        }
    }

    /// A session with these filters, of a proxy that has no other and writes no log.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn alone(chain: Chain) -> Self {
        let own = SocketAddr::from(([127, 0, 0, 1], 1));
        let chains = watch::channel(Arc::new(chain)).1;
        let config = WorkerConfig::of_test(own, chains, CancellationToken::new());
        Self::of_test(config)
    }

    /// A session of a proxy with these settings.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_test(config: WorkerConfig) -> Self {
        let own = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut ids = ExchangeIds::of_workers(1, SystemTime::now());
        let ids = Rc::new(ids.next().expect("those of one worker"));
        let worker = Worker::new(config, ids, background_calls().0);
        let (arrival, permit) = (Arrival::direct(own), ConnectionPermit::of_test());
        Self::new(Rc::new(worker), arrival, Admission::Allowed, permit)
    }

    /// The name of the listener that the client has connected to.
    pub(crate) fn listener(&self) -> &Arc<str> {
        &self.worker.listeners[self.arrival.listener]
    }

    /// The same for the access log. Where there is no other listener, it goes without saying.
    pub(crate) fn logged_listener(&self) -> Option<&Arc<str>> {
        (self.worker.listeners.len() > 1).then(|| self.listener())
    }

    /// Counts a request. Returns whether it is the last that the connection may have.
    pub(crate) fn count_request(&self) -> bool {
        let count = self.requests.get() + 1;
        self.requests.set(count);
        let most = self.worker.limits.requests_per_connection;
        most.is_some_and(|most| count >= most)
    }

    /// The destination that the authority of an `http` URL names.
    pub(crate) fn destination(&self, authority: &str) -> Result<Rc<Destination>, Error> {
        let mut last = self.destination.borrow_mut();
        match &*last {
            Some(destination) if *destination.authority == *authority => Ok(destination.clone()),
            _ => {
                let destination = Rc::new(Destination::parse(authority)?);
                *last = Some(destination.clone());
                Ok(destination)
            }
        }
    }

    /// Who asks, by the credentials of this one request: nothing is known from those before it.
    pub(crate) async fn login(
        &self,
        credentials: impl FnOnce() -> Result<Option<Credentials>, Error>,
    ) -> Result<Admitted, Error> {
        // Whatever the protocol, nothing is done for such a client.
        if self.admission == Admission::Refused {
            return Err(Error::ClientNotAllowed);
        }
        match &self.worker.gate {
            None => Ok(Admitted(self.client.clone())),
            Some(gate) => {
                let user = gate.login(credentials(), self.client.address).await?;
                Ok(Admitted(self.client_as(user)))
            }
        }
    }

    /// The client of this connection, speaking for a user.
    fn client_as(&self, user: Arc<str>) -> Arc<Client> {
        let mut last = self.logged_in.borrow_mut();
        if let Some(client) = &*last {
            if client.user.as_ref() == Some(&user) {
                return client.clone();
            }
            // Origins know the connections to them by the user before.
            self.asker.forget_logins();
        }
        let groups = &self.worker.groups;
        let client = Arc::new(groups.client(self.client.address, Some(user)));
        if let Some(allowance) = &self.allowance {
            allowance.set_client(&client);
        }
        *last = Some(client.clone());
        client
    }

    /// The record of an exchange that has begun at this time. In a box, as hyper moves a response
    /// with its body many times.
    pub(crate) fn exchange(
        &self,
        started: Instant,
        method: Option<&Method>,
        protocol: Protocol,
    ) -> Box<Exchange> {
        let (log, id) = (&self.worker.access_log, self.worker.next_id());
        let client = &self.client;
        let mut exchange = Box::new(Exchange::new(log, id, started, client, method, protocol));
        exchange.record_connection(self.logged_listener(), self.allowance.as_ref());
        exchange
    }

    /// Has the chain judge the host of an exchange. Returns the filters, for the exchange's other
    /// hooks.
    pub(crate) async fn admit<'a>(
        &'a self,
        Admitted(client): &'a Admitted,
        target: &'a Rc<Target>,
        exchange: &mut Exchange,
    ) -> Result<FilterSession<'a>, Rejection> {
        exchange.set_client(client);
        let now = SystemTime::now();
        exchange.record_judged_at(now);
        let flow = self.flow(client, exchange.begin(), target);
        let decision = self.decision(client, target, now);
        let filters = FilterSession::begin(self.worker.chain(), flow, decision);
        exchange.watch(filters.watcher());
        exchange.record_judgement(filters.judge_host().await)?;
        Ok(filters)
    }

    fn flow<'a>(&'a self, client: &'a Arc<Client>, begin: Begin, target: &'a Target) -> Flow<'a> {
        Flow {
            exchange: begin.exchange,
            target,
            protocol: begin.protocol.name(),
            found_in: FoundIn::Request.name(),
            server_name: None,
            client,
            listener: self.listener(),
            started: begin.started,
        }
    }

    /// What a person has decided about a host.
    fn decision(&self, client: &Client, target: &Target, now: SystemTime) -> Option<Arc<Decision>> {
        let decisions = &self.worker.decisions;
        decisions.find(target.host(), client, now)
    }

    /// Has the filters of an exchange judge the name that the client of its tunnel has shown.
    /// `notes` are what they have noted about the exchange before.
    pub(crate) async fn judge_shown_name(
        &self,
        chain: Rc<LocalChain>,
        client: &Arc<Client>,
        begin: Begin,
        (name, place): (&Target, Place),
        notes: Vec<(Arc<str>, Notes)>,
    ) -> Judgement {
        let flow = Flow {
            found_in: place.found_in().name(),
            server_name: (place == Place::Handshake).then(|| name.host()),
            ..self.flow(client, begin, name)
        };
        let decision = self.decision(client, name, SystemTime::now());
        let filters = FilterSession::resume(chain, flow, decision, notes);
        filters.judge_host().await
    }

    /// Judges a host and, if it passes, connects to it: what every protocol does that asks for a
    /// tunnel. `headers` are those of the request, where there are any.
    pub(crate) async fn open(
        &self,
        client: &Admitted,
        target: &Rc<Target>,
        headers: Option<&HeaderMap>,
        exchange: &mut Exchange,
    ) -> Result<Upgrade, Rejection> {
        let filters = self.admit(client, target, exchange).await?;
        let permit = self.worker.tunnels.permit(self.client.address)?;
        let upstream = &self.worker.upstream;
        let direct = Rc::new(Route::direct(target.clone(), Scheme::Tunnel));
        let route = upstream.route(&direct, &client.0);
        exchange.record_route(&route);
        let marks = if route.parent().is_some() {
            self.marks(headers)
        } else {
            Vec::new()
        };
        let (connected, route) = upstream.dial(&route, self.asker.client, &marks).await?;
        exchange.record_peer(connected.peer, &route);
        Ok(Upgrade {
            stream: connected.stream,
            early: connected.early,
            chain: Some(filters.chain().clone()),
            _permit: permit,
        })
    }

    /// The marks of the proxies that a request has been through, and of this one (RFC 9110, section
    /// 7.6.3).
    fn marks(&self, headers: Option<&HeaderMap>) -> Vec<HeaderValue> {
        let before = headers.into_iter().flat_map(|headers| headers.get_all(VIA));
        let own = self.worker.pseudonym.via();
        before.chain([own]).cloned().collect()
    }
}
