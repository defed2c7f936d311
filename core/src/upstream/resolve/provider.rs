//! How questions travel to one DNS server, for the library: over UDP, or over the `connection` to
//! it. `server` makes its resolver with it.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures_util::stream::{Stream, once};
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::{ConnectionProvider, PoolContext};

use super::connection::Connection;
use super::runtime::Runtime;

/// Connects to one DNS server. Clones share what is connected.
#[derive(Clone, Default)]
pub(super) struct Provider(Arc<Shared>);

#[derive(Default)]
struct Shared {
    runtime: Runtime,
    /// The connection to it; a server has one way besides UDP.
    connection: OnceLock<Arc<Connection>>,
}

impl ConnectionProvider for Provider {
    type Conn = Questions;
    type FutureConn = Ready<Result<Questions, NetError>>;
    type RuntimeProvider = Runtime;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let shared = &self.0;
        if !matches!(config.protocol, ProtocolConfig::Udp) {
            let connection = shared.connection.get_or_init(|| {
                let runtime = shared.runtime.clone();
                Arc::new(Connection::new(ip, config, context, runtime))
            });
            return Ok(ready(Ok(Questions::Connected(connection.clone()))));
        }
        let address = SocketAddr::new(ip, config.port);
        let questions = UdpClientStream::builder(address, shared.runtime.clone())
            .with_timeout(Some(context.options.timeout))
            .with_os_port_selection(context.options.os_port_selection)
            .avoid_local_ports(context.options.avoid_local_udp_ports.clone())
            .with_bind_addr(config.bind_addr)
            // The socket does it.
            .with_max_retries(1);
        Ok(ready(Ok(Questions::Udp(questions.exchange()))))
    }

    fn runtime_provider(&self) -> &Runtime {
        &self.0.runtime
    }
}

/// A way by which a server is asked.
#[derive(Clone)]
pub(super) enum Questions {
    Udp(DnsExchange<Runtime>),
    Connected(Arc<Connection>),
}

impl DnsHandle for Questions {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = Runtime;

    fn send(&self, question: DnsRequest) -> Self::Response {
        match self.clone() {
            Self::Udp(exchange) => Box::pin(exchange.send(question)),
            Self::Connected(connection) => {
                Box::pin(once(async move { connection.ask(question).await }))
            }
        }
    }
}
