//! What a test asks a filter about: exchanges, messages and how exchanges have ended.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, SystemTime};

use crate::proxy::mock::{self, Known};
use crate::proxy::{ExchangeFacts, Fields, OutcomeFacts};
use crate::{Exchange, FoundIn, Host, How, Outcome, Protocol, Request, Response};

/// A CONNECT request to that host, port 443, that nothing else is known of. The host may be spelled
/// in any way that a [`Host`] can be.
///
/// ```
/// use portcullis_sdk::{Protocol, testing};
///
/// let exchange = testing::exchange("WWW.Example.").with_port(8443).with_client("10.0.0.7");
/// assert_eq!(exchange.host(), "www.example");
/// assert_eq!((exchange.port(), exchange.protocol()), (8443, Protocol::Connect));
/// ```
///
/// # Panics
///
/// If the text is not a host.
#[track_caller]
pub fn exchange(host: &str) -> MockExchange {
    let host: Host = parsed(host);
    MockExchange::new(Known {
        host: host.as_str().to_owned(),
        port: 443,
        id: mock::next_exchange().to_string(),
        protocol: Protocol::Connect.as_str().to_owned(),
        found_in: FoundIn::Request.as_str().to_owned(),
        server_name: None,
        listener: String::new(),
        started: mock::now(),
        address: None,
        user: None,
        groups: Vec::new(),
    })
}

/// An [`Exchange`] of a test, which can be passed wherever a hook wants one.
#[derive(Debug)]
pub struct MockExchange {
    known: Known,
    facts: ExchangeFacts,
    exchange: Exchange,
}

impl MockExchange {
    pub(super) fn new(known: Known) -> Self {
        let facts = ExchangeFacts::new(known.clone());
        Self {
            exchange: Exchange::new(facts.clone()),
            facts,
            known,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Known)) -> Self {
        change(&mut self.known);
        Self::new(self.known)
    }

    /// The same to another port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        self.with(|known| known.port = port)
    }

    /// The same by another protocol.
    #[must_use]
    pub fn with_protocol(self, protocol: impl Into<Protocol>) -> Self {
        self.with(|known| known.protocol = protocol.into().to_string())
    }

    /// The same with its host found elsewhere.
    #[must_use]
    pub fn with_found_in(self, place: impl Into<FoundIn>) -> Self {
        self.with(|known| known.found_in = place.into().to_string())
    }

    /// The same with that name in the TLS handshake.
    #[must_use]
    pub fn with_server_name(self, name: impl Into<String>) -> Self {
        self.with(|known| known.server_name = Some(name.into()))
    }

    /// The same on that listener.
    #[must_use]
    pub fn with_listener(self, name: impl Into<String>) -> Self {
        self.with(|known| known.listener = name.into())
    }

    /// The same, begun at another time than the clock of the test shows.
    #[must_use]
    pub fn with_started(self, time: SystemTime) -> Self {
        self.with(|known| known.started = time)
    }

    /// The same for a client at that address.
    ///
    /// # Panics
    ///
    /// If the text is not an IP address.
    #[must_use]
    #[track_caller]
    pub fn with_client(self, address: &str) -> Self {
        let address: IpAddr = parsed(address);
        self.with(|known| known.address = Some(address.to_canonical()))
    }

    /// The same for a client that has logged in by that name.
    #[must_use]
    pub fn with_user(self, name: impl Into<String>) -> Self {
        self.with(|known| known.user = Some(name.into()))
    }

    /// The same for a client in these groups.
    #[must_use]
    pub fn with_groups<G: Into<String>>(self, names: impl IntoIterator<Item = G>) -> Self {
        self.with(|known| known.groups = names.into_iter().map(Into::into).collect())
    }

    /// The facts that the filter has asked for so far, as the contract names them: a verdict that
    /// is kept is used again where they agree.
    ///
    /// ```
    /// use portcullis_sdk::testing;
    ///
    /// let exchange = testing::exchange("www.example").with_user("ada");
    /// exchange.client().user();
    /// exchange.protocol();
    /// assert_eq!(exchange.asked(), ["exchange.protocol", "client.user"]);
    /// ```
    pub fn asked(&self) -> Vec<&'static str> {
        self.facts.asked().iter().map(|fact| fact.name()).collect()
    }

    pub(super) fn facts(&self) -> &ExchangeFacts {
        &self.facts
    }
}

impl Deref for MockExchange {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.exchange
    }
}

/// A request without header fields.
///
/// ```
/// use portcullis_sdk::testing;
///
/// let request = testing::request("GET", "http://www.example/").with_header("Cookie", "a=1");
/// assert_eq!(request.headers().names(), ["cookie"]);
/// ```
pub fn request(method: impl Into<String>, url: impl Into<String>) -> MockRequest {
    MockRequest(Request::new(method.into(), url.into(), Fields::default()))
}

/// A [`Request`] of a test, which can be passed wherever a hook wants one.
#[derive(Clone, Debug)]
pub struct MockRequest(Request);

impl MockRequest {
    /// The same with one more header field, whatever its name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        let fields = self.0.headers_mut().fields_mut();
        fields.give(name, value.into());
        self
    }
}

impl Deref for MockRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.0
    }
}

impl DerefMut for MockRequest {
    fn deref_mut(&mut self) -> &mut Request {
        &mut self.0
    }
}

/// A response without header fields.
///
/// ```
/// use portcullis_sdk::testing;
///
/// let response = testing::response(200).with_header("Server", "secret/1.0");
/// assert_eq!(response.headers().get("server").unwrap(), "secret/1.0");
/// ```
pub fn response(status: u16) -> MockResponse {
    MockResponse(Response::new(status, Fields::default()))
}

/// A [`Response`] of a test, which can be passed wherever a hook wants one.
#[derive(Clone, Debug)]
pub struct MockResponse(Response);

impl MockResponse {
    /// The same with one more header field, whatever its name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        let fields = self.0.headers_mut().fields_mut();
        fields.give(name, value.into());
        self
    }
}

impl Deref for MockResponse {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.0
    }
}

impl DerefMut for MockResponse {
    fn deref_mut(&mut self) -> &mut Response {
        &mut self.0
    }
}

/// The end of an exchange, without a status, without any bytes and at once.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{How, testing};
///
/// let outcome = testing::outcome(How::Blocked).with_status(403);
/// assert_eq!((outcome.status(), outcome.duration()), (Some(403), Duration::ZERO));
/// ```
pub fn outcome(how: impl Into<How>) -> MockOutcome {
    MockOutcome(Outcome::new(OutcomeFacts {
        how: how.into().to_string(),
        ..OutcomeFacts::default()
    }))
}

/// An [`Outcome`] of a test, which can be passed wherever a hook wants one.
#[derive(Debug)]
pub struct MockOutcome(Outcome);

impl MockOutcome {
    fn with(mut self, change: impl FnOnce(&mut OutcomeFacts)) -> Self {
        change(self.0.facts_mut());
        self
    }

    /// The same with that status for the client.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.with(|facts| facts.status = Some(status))
    }

    /// The same with so many bytes from the client.
    #[must_use]
    pub fn with_bytes_from_client(self, bytes: u64) -> Self {
        self.with(|facts| facts.bytes_from_client = bytes)
    }

    /// The same with so many bytes to the client.
    #[must_use]
    pub fn with_bytes_to_client(self, bytes: u64) -> Self {
        self.with(|facts| facts.bytes_to_client = bytes)
    }

    /// The same after so long.
    #[must_use]
    pub fn with_duration(self, duration: Duration) -> Self {
        self.with(|facts| facts.duration = duration)
    }

    /// The same of an HTTP request that the proxy has forwarded.
    #[must_use]
    pub fn with_request(self, method: impl Into<String>, url: impl Into<String>) -> Self {
        self.with(|facts| {
            facts.method = method.into();
            facts.url = url.into();
        })
    }
}

impl Deref for MockOutcome {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.0
    }
}

/// A test with a mistake should stop where the mistake is.
#[track_caller]
fn parsed<T: std::str::FromStr<Err: fmt::Display>>(text: &str) -> T {
    match text.parse() {
        Ok(value) => value,
        Err(problem) => panic!("{text:?}: {problem}"),
    }
}
