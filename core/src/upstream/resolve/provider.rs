//! How questions travel to one DNS server, for the library: over UDP, or over the `connection` to
//! it. `server` makes its resolver with it.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use futures_util::stream::{Stream, StreamExt, once};
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::{ConnectionProvider, PoolContext};

use super::alias::stop_at_alias;
use super::connection::Connection;
use super::runtime::Runtime;

/// Connects to one DNS server. Clones share what is connected.
#[derive(Clone)]
pub(super) struct Provider(Arc<Shared>);

struct Shared {
    /// The server, as a log names it.
    server: Arc<str>,
    /// Where it is asked. What the library has of it lacks the scope.
    address: SocketAddr,
    runtime: Runtime,
    /// The connection to it; a server has one way besides UDP.
    connection: OnceLock<Arc<Connection>>,
    /// Whether the log has that it answers in another case.
    has_told: AtomicBool,
}

impl Provider {
    pub(super) fn new(server: Arc<str>, address: SocketAddr) -> Self {
        Self(Arc::new(Shared {
            server,
            address,
            runtime: Runtime::default(),
            connection: OnceLock::new(),
            has_told: AtomicBool::new(false),
        }))
    }
}

impl ConnectionProvider for Provider {
    type Conn = Questions;
    type FutureConn = Ready<Result<Questions, NetError>>;
    type RuntimeProvider = Runtime;

    fn new_connection(
        &self,
        _: IpAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let shared = &self.0;
        if !matches!(config.protocol, ProtocolConfig::Udp) {
            let connection = shared.connection.get_or_init(|| {
                let runtime = shared.runtime.clone();
                Arc::new(Connection::new(shared.address, config, context, runtime))
            });
            return Ok(ready(Ok(Questions::Connected(connection.clone()))));
        }
        let questions = UdpClientStream::builder(shared.address, shared.runtime.clone())
            .with_timeout(Some(context.options.timeout))
            .with_os_port_selection(context.options.os_port_selection)
            .avoid_local_ports(context.options.avoid_local_udp_ports.clone())
            .with_bind_addr(config.bind_addr)
            // The socket does it.
            .with_max_retries(1);
        let questions = Questions::Udp(questions.exchange(), self.clone());
        Ok(ready(Ok(questions)))
    }

    fn runtime_provider(&self) -> &Runtime {
        &self.0.runtime
    }
}

/// A way by which a server is asked.
#[derive(Clone)]
pub(super) enum Questions {
    Udp(DnsExchange<Runtime>, Provider),
    Connected(Arc<Connection>),
}

impl DnsHandle for Questions {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = Runtime;

    fn send(&self, question: DnsRequest) -> Self::Response {
        match self.clone() {
            Self::Udp(exchange, provider) => {
                let answers = exchange.send(question);
                let answers = answers.inspect(move |answer| provider.look_at(answer));
                Box::pin(answers.map(|answer| answer.map(stop_at_alias)))
            }
            Self::Connected(connection) => {
                let answer = async move { connection.ask(question).await.map(stop_at_alias) };
                Box::pin(once(answer))
            }
        }
    }
}

impl Provider {
    /// An answer that does not repeat the case of its question is not taken: the library asks again
    /// over TCP. A server that always answers so makes each name slower, which the log tells once.
    fn look_at(&self, answer: &Result<DnsResponse, NetError>) {
        if matches!(answer, Err(NetError::QueryCaseMismatch))
            && !self.0.has_told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                server = %self.0.server,
                "an answer of a DNS server does not have the case of the question, so it may be forged and is not taken; \
                 the question is asked again over TCP. If the server is an old one, [egress] case_randomization = false \
                 saves that"
            );
        }
    }
}
