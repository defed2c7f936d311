//! What a filter can ask about the exchange that the running hook is about. Each question about a
//! fact that may differ between two exchanges to one host is noted: a kept verdict holds only where
//! these facts agree.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use portcullis_contract::{Fact, Facts};

use super::{Served, State};
use crate::filter::HookCall;
use crate::filter::bindings::portcullis::filter::{client, exchange, outcome, request, types};
use crate::filter::hook::{Ending, Uses};
use crate::flow::Client;

/// The facts of one call. What the filter does not import is not copied. The buffers are kept from
/// call to call.
#[derive(Debug, Default)]
pub(in crate::filter) struct KnownFacts {
    /// The exchange; none while the filter works in the background, and where a command asks.
    pub(super) exchange: Option<u64>,
    host: String,
    port: u16,
    protocol: &'static str,
    found_in: &'static str,
    server_name: Option<String>,
    listener: Option<Arc<str>>,
    started: Duration,
    client: Option<Arc<Client>>,
    method: String,
    url: String,
    ending: Option<Ending>,
    /// The facts that the filter has asked for.
    pub(super) asked: Facts,
}

impl KnownFacts {
    /// Forgets the call before; none is for a call that is about no exchange.
    pub(super) fn begin(&mut self, call: Option<HookCall<'_>>, uses: Uses) {
        self.asked = Facts::NONE;
        let Some(call) = call else {
            *self = Self::default();
            return;
        };
        let flow = call.flow();
        self.exchange = Some(flow.exchange).filter(|number| *number != 0);
        if uses.exchange {
            self.host.clear();
            self.host.push_str(flow.target.host());
            self.port = flow.target.port();
            self.protocol = flow.protocol;
            self.found_in = flow.found_in;
            self.server_name = flow.server_name.map(str::to_owned);
            self.listener = Some(flow.listener.clone());
            let since = flow.started.duration_since(SystemTime::UNIX_EPOCH);
            self.started = since.unwrap_or_default();
        }
        if uses.client {
            self.client = Some(flow.client.clone());
        }
        if uses.request {
            self.method.clear();
            self.url.clear();
            if let Some(request) = call.request() {
                self.method.push_str(request.method.as_str());
                self.url.push_str(request.url);
            }
        }
        self.ending = match call {
            HookCall::Ended(_, _, ending) => Some(*ending),
            HookCall::Host(_) | HookCall::Request(..) | HookCall::Response(..) => None,
        };
    }

    fn ask(&mut self, fact: Fact) -> &Self {
        self.asked.add(fact);
        self
    }
}

/// As the contract counts time.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl exchange::Host for State {
    fn id(&mut self) -> Served<String> {
        self.serve_exchange("exchange.id", |state| {
            let number = state.facts.ask(Fact::Exchange).exchange;
            number.map(|number| number.to_string()).unwrap_or_default()
        })
    }

    fn host(&mut self) -> Served<String> {
        self.serve_exchange("exchange.host", |state| state.facts.host.clone())
    }

    fn port(&mut self) -> Served<u16> {
        self.serve_exchange("exchange.port", |state| state.facts.port)
    }

    fn protocol(&mut self) -> Served<String> {
        self.serve_exchange("exchange.protocol", |state| {
            state.facts.ask(Fact::Protocol).protocol.to_owned()
        })
    }

    fn found_in(&mut self) -> Served<String> {
        self.serve_exchange("exchange.found-in", |state| {
            state.facts.ask(Fact::FoundIn).found_in.to_owned()
        })
    }

    fn server_name(&mut self) -> Served<Option<String>> {
        self.serve_exchange("exchange.server-name", |state| {
            state.facts.ask(Fact::ServerName).server_name.clone()
        })
    }

    fn listener(&mut self) -> Served<String> {
        self.serve_exchange("exchange.listener", |state| {
            let listener = state.facts.ask(Fact::Listener).listener.as_deref();
            listener.unwrap_or_default().to_owned()
        })
    }

    fn started(&mut self) -> Served<u64> {
        self.serve_exchange("exchange.started", |state| {
            milliseconds(state.facts.ask(Fact::Started).started)
        })
    }
}

impl client::Host for State {
    fn address(&mut self) -> Served<Option<types::IpAddress>> {
        self.serve_exchange("client.address", |state| {
            let client = state.facts.ask(Fact::ClientAddress).client.as_deref();
            let address = client.and_then(|client| client.address);
            if address.is_none() {
                let asked = &state.host.asked_for_missing_client;
                asked.store(true, Ordering::Relaxed);
            }
            address.map(ip_address)
        })
    }

    fn user(&mut self) -> Served<Option<String>> {
        self.serve_exchange("client.user", |state| {
            let client = state.facts.ask(Fact::User).client.as_deref();
            client.and_then(|client| client.user.as_deref().map(str::to_owned))
        })
    }

    fn groups(&mut self) -> Served<Vec<String>> {
        self.serve_exchange("client.groups", |state| {
            let client = state.facts.ask(Fact::Groups).client.as_deref();
            if client.is_some_and(|client| client.address.is_none()) {
                let asked = &state.host.asked_for_missing_client;
                asked.store(true, Ordering::Relaxed);
            }
            let groups = client.into_iter().flat_map(|client| &client.groups);
            groups.map(ToString::to_string).collect()
        })
    }
}

fn ip_address(address: IpAddr) -> types::IpAddress {
    match address {
        IpAddr::V4(address) => types::IpAddress::Ipv4(address.octets().into()),
        IpAddr::V6(address) => types::IpAddress::Ipv6(address.segments().into()),
    }
}

impl request::Host for State {
    fn method(&mut self) -> Served<String> {
        self.serve_exchange("request.method", |state| state.facts.method.clone())
    }

    fn url(&mut self) -> Served<String> {
        self.serve_exchange("request.url", |state| state.facts.url.clone())
    }
}

impl State {
    /// A fact about how the exchange has ended, or its empty value in every other hook.
    fn ending<T: Default>(
        &mut self,
        name: &'static str,
        fact: impl FnOnce(&Ending) -> T,
    ) -> Served<T> {
        self.serve_exchange(name, |state| {
            state.facts.ending.as_ref().map(fact).unwrap_or_default()
        })
    }
}

impl outcome::Host for State {
    fn how(&mut self) -> Served<String> {
        self.ending("outcome.how", |ending| ending.how.name().to_owned())
    }

    fn status(&mut self) -> Served<Option<u16>> {
        self.ending("outcome.status", |ending| {
            ending.status.map(|status| status.as_u16())
        })
    }

    fn bytes_from_client(&mut self) -> Served<u64> {
        self.ending("outcome.bytes-from-client", |ending| {
            ending.bytes_from_client
        })
    }

    fn bytes_to_client(&mut self) -> Served<u64> {
        self.ending("outcome.bytes-to-client", |ending| ending.bytes_to_client)
    }

    fn duration(&mut self) -> Served<u64> {
        self.ending("outcome.duration", |ending| milliseconds(ending.duration))
    }
}
