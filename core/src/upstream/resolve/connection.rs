//! The connection to a DNS server that is not asked over UDP: TCP, TLS or HTTPS. All questions
//! share one, which is made when the first is asked and again when it has broken. `provider` has
//! one for each server. The library would make one for each question that finds none, and would ask
//! those that their server has closed one after the other.

use std::io::{self, ErrorKind::TimedOut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::PoolContext;
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::{RuntimeProvider, Spawn};
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::tls::tls_client_connect;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, DnsMultiplexer, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, Query, ResponseCode};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use super::https::{Endpoint, Https, no_name};
use super::runtime::Runtime;
use crate::upstream::dial;

/// Where a connection leads, and the one that there is now.
pub(super) struct Connection {
    address: SocketAddr,
    protocol: ProtocolConfig,
    tls: Arc<ClientConfig>,
    /// For one question and its answer, connecting included.
    limit: Duration,
    most_questions: usize,
    runtime: Runtime,
    current: Mutex<Current>,
}

type Current = Arc<Shared>;

/// A connection that all questions share.
#[derive(Default)]
struct Shared {
    /// It is empty until the server has been connected to.
    exchange: OnceCell<Exchange>,
    /// When the server has said something over it.
    heard: Mutex<Option<Instant>>,
}

/// A connection, by what is spoken on it.
enum Exchange {
    /// Messages one behind the other, by the library.
    Stream(DnsExchange<Runtime>),
    Https(Https),
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Option<Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    pub(super) fn new(
        address: SocketAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
        runtime: Runtime,
    ) -> Self {
        Self {
            address,
            protocol: config.protocol.clone(),
            tls: Arc::new(context.tls.clone()),
            limit: context.options.timeout,
            most_questions: context.options.max_active_requests,
            runtime,
            current: Mutex::default(),
        }
    }

    /// The answer to a question.
    pub(super) async fn ask(&self, question: DnsRequest) -> Result<DnsResponse, NetError> {
        let deadline = Instant::now() + self.limit;
        let current = self.current().clone();
        let was_open = current.exchange.initialized();
        let mut answer = self.ask_over(&current, question.clone(), deadline).await;
        // A server closes a connection that is idle, and may do so while a question is on its way.
        let is_closed = |error: &NetError| is_broken(error) && !matches!(error, NetError::Timeout);
        if was_open && answer.as_ref().is_err_and(is_closed) {
            let next = self.current().clone();
            answer = self.ask_over(&next, question, deadline).await;
        }
        answer.map_err(|error| self.explained(error))
    }

    async fn ask_over(
        &self,
        current: &Current,
        question: DnsRequest,
        deadline: Instant,
    ) -> Result<DnsResponse, NetError> {
        let begun = Instant::now();
        let connecting = current.exchange.get_or_try_init(|| self.connect());
        let connected = timeout_at(deadline, connecting).await;
        let exchange = connected.unwrap_or_else(|_| Err(io::Error::from(TimedOut).into()));
        let exchange = exchange.inspect_err(|_| self.forget(current))?;
        let query = question.queries.first().cloned();
        let asking = async {
            match exchange {
                Exchange::Stream(stream) => stream.send(question).first_answer().await,
                Exchange::Https(https) => https.ask(question).await,
            }
        };
        let answer = timeout_at(deadline, asking).await;
        let answer = answer.unwrap_or(Err(NetError::Timeout));
        let answer = answer.and_then(|answer| about(query.as_ref(), answer));
        match &answer {
            // One slow name says nothing of a connection that brings answers to others. What is
            // silent may be gone without a word.
            Err(NetError::Timeout) if current.heard().is_some_and(|heard| heard > begun) => {}
            Err(error) if is_broken(error) => self.forget(current),
            _ => *current.heard() = Some(Instant::now()),
        }
        answer
    }

    /// The library keeps no reason that comes with the kind of an error of sockets, which is what
    /// TLS has, too.
    fn explained(&self, error: NetError) -> NetError {
        match error {
            error @ (NetError::Dns(_)
            | NetError::Proto(_)
            | NetError::Timeout
            | NetError::Msg(_)) => error,
            error if self.protocol == ProtocolConfig::Tcp => error,
            NetError::Io(error) if dial::shortage(&error).is_none() => error.to_string().into(),
            error @ NetError::Io(_) => error,
            error => error.to_string().into(),
        }
    }

    async fn connect(&self) -> Result<Exchange, NetError> {
        let (address, runtime) = (self.address, &self.runtime);
        let stream = match &self.protocol {
            ProtocolConfig::Https { server_name, path } => {
                let endpoint = Endpoint {
                    address,
                    name: server_name,
                    path,
                };
                let https = Https::connect(endpoint, &self.tls, runtime).await?;
                return Ok(Exchange::Https(https));
            }
            ProtocolConfig::Tls { server_name } => self.connect_tls(server_name).await?,
            ProtocolConfig::Udp | ProtocolConfig::Tcp => {
                let (limit, most) = (self.limit, Some(self.most_questions));
                TcpClientStream::exchange(address, None, limit, most, runtime.clone()).await?
            }
        };
        Ok(Exchange::Stream(stream))
    }

    /// The library's own way would keep the name to itself, by which some servers tell whose
    /// settings hold.
    async fn connect_tls(&self, name: &str) -> Result<DnsExchange<Runtime>, NetError> {
        let name = ServerName::try_from(name).map_err(|_| no_name(name))?;
        let runtime = self.runtime.clone();
        let tls = self.tls.clone();
        let (stream, sender) = tls_client_connect(self.address, name.to_owned(), tls, runtime);
        let questions = DnsMultiplexer::new(stream.await?, sender)
            .with_timeout(self.limit)
            .with_max_active_requests(self.most_questions);
        let (exchange, background) = DnsExchange::from_stream(questions);
        self.runtime.create_handle().spawn_bg(background);
        Ok(exchange)
    }

    /// The next question connects anew, unless another has done so already.
    fn forget(&self, broken: &Current) {
        let mut current = self.current();
        if Arc::ptr_eq(&current, broken) {
            *current = Current::default();
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer, if it is one to this question. The library finds the question by its number alone,
/// which is free for another one as soon as it waits no longer.
fn about(question: Option<&Query>, answer: DnsResponse) -> Result<DnsResponse, NetError> {
    let is_about = |said: &Query| {
        question.is_some_and(|asked| {
            asked.query_type() == said.query_type()
                && asked.name().to_lowercase() == said.name().to_lowercase()
        })
    };
    // A server that could not read the question need not repeat it.
    let is_error = answer.metadata.response_code != ResponseCode::NoError;
    let is_right = match answer.queries.first() {
        Some(said) => is_about(said),
        None => is_error,
    };
    if is_right {
        Ok(answer)
    } else {
        Err("the server has answered another question".to_owned().into())
    }
}

/// Whether the connection is of no use any more. What the server has answered came over one that
/// is, and the library tells of an answer of HTTP without success in a text.
fn is_broken(error: &NetError) -> bool {
    !matches!(error, NetError::Dns(_) | NetError::Msg(_))
}
