//! Asks name servers one after the other, as resolv.conf(5) has it: in the order in which they are
//! named, and the next one if a server does not answer or answers that it cannot. `resolve` calls
//! it. The library would ask two at a time and take an error of either for the answer.
//!
//! IPv4 and IPv6 addresses are asked for apart. Some name servers drop questions for IPv6
//! addresses, and a name whose IPv4 address is known must not wait for them.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RecordType;
use lru::LruCache;
use tokio::time::timeout;

use super::provider::Provider;

/// How long the addresses of one family wait for those of the other (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// How often each server is asked, as resolv.conf(5) has it.
const ATTEMPTS: usize = 2;

/// How long a server that did not answer is asked after the others.
const LAST_FOR: Duration = Duration::from_secs(30);

/// How long it is believed that there is no such name, or that it has no address. Its zone may say
/// a day, which is long for a name that was asked for a moment before it was made.
const NOTHING_FOR: Duration = Duration::from_secs(60);

/// What a name server said about one family: addresses, perhaps none, or why it said nothing.
type Answer = Result<Vec<IpAddr>, NetError>;

/// How long a name is asked for its IPv4 addresses alone after those of IPv6 have come too late.
/// Without this each of its connections would wait for [`RESOLUTION_DELAY`].
const LATE_FOR: Duration = Duration::from_secs(60);

/// Names of which that is remembered.
const LATE_NAMES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");

/// The name servers of one configuration, each with a cache of its own.
#[derive(Debug)]
pub(super) struct Servers {
    in_order: Vec<Server>,
    /// Since when a name's IPv6 addresses are late.
    late: Mutex<LruCache<Box<str>, Instant>>,
}

#[derive(Debug)]
struct Server {
    ip: IpAddr,
    resolver: Resolver<Provider>,
    /// When it last did not answer.
    silent: Mutex<Option<Instant>>,
}

impl Servers {
    /// The servers of the settings.
    pub(super) fn configured(addresses: &[SocketAddr], limit: Duration) -> Result<Self, NetError> {
        let servers = addresses.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Self::new(&config, ResolverOpts::default(), limit)
    }

    /// The servers of `config`, for names that may take as long as `limit`.
    pub(super) fn new(
        config: &ResolverConfig,
        mut options: ResolverOpts,
        limit: Duration,
    ) -> Result<Self, NetError> {
        // A server that does not answer must leave time for the next ones.
        options.timeout = limit / 3;
        // That is for `ask` to do.
        options.attempts = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.negative_max_ttl = Some(NOTHING_FOR);
        let server = |server: &NameServerConfig| {
            let (domain, search) = (config.domain().cloned(), config.search().to_vec());
            let config = ResolverConfig::from_parts(domain, search, vec![server.clone()]);
            let builder = Resolver::builder_with_config(config, Provider::default());
            Ok(Server {
                ip: server.ip,
                resolver: builder.with_options(options.clone()).build()?,
                silent: Mutex::default(),
            })
        };
        let servers = config.name_servers().iter().map(server);
        Ok(Self {
            in_order: servers.collect::<Result<_, NetError>>()?,
            late: Mutex::new(LruCache::new(LATE_NAMES)),
        })
    }

    /// The addresses of `name`, those of IPv6 first.
    pub(super) async fn addresses(&self, name: &str) -> Answer {
        if self.is_late(name)
            && let Ok(v4) = self.ask(name, RecordType::A).await
            && !v4.is_empty()
        {
            return Ok(v4);
        }
        let v6 = self.ask(name, RecordType::AAAA);
        let v4 = self.ask(name, RecordType::A);
        match both(v6, v4).await {
            (Some(Ok(v6)), Some(Ok(v4))) => Ok([v6, v4].concat()),
            (None, Some(Ok(v4))) => {
                self.late().put(name.into(), Instant::now());
                Ok(v4)
            }
            (Some(Ok(addresses)), _) | (_, Some(Ok(addresses))) => Ok(addresses),
            // That there is no such name holds for both.
            (Some(Err(v6)), Some(Err(v4))) => Err(if v6.is_nx_domain() { v6 } else { v4 }),
            (Some(Err(error)), None) | (None, Some(Err(error))) => Err(error),
            (None, None) => Err(NetError::NoConnections),
        }
    }

    /// Their addresses, in the order in which they are named.
    #[cfg(test)]
    pub(super) fn ips(&self) -> Vec<IpAddr> {
        let servers = self.in_order.iter();
        servers.map(|server| server.ip).collect()
    }

    fn is_late(&self, name: &str) -> bool {
        let mut late = self.late();
        late.get(name)
            .is_some_and(|since| since.elapsed() < LATE_FOR)
    }

    fn late(&self) -> MutexGuard<'_, LruCache<Box<str>, Instant>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until a server gives an answer, which may be that there is none.
    async fn ask(&self, name: &str, record: RecordType) -> Answer {
        let mut failure = NetError::NoConnections;
        let order = self.order();
        for server in (0..ATTEMPTS).flat_map(|_| &order) {
            match server.resolver.lookup(name, record).await {
                Ok(found) => {
                    server.note(None);
                    let records = found.answers().iter();
                    return Ok(records.filter_map(|found| found.data.ip_addr()).collect());
                }
                Err(error) if error.is_no_records_found() => {
                    server.note(None);
                    return Err(error);
                }
                Err(error) => {
                    // A server that drops questions for IPv6 addresses may answer all others.
                    if record == RecordType::A && is_silence(&error) {
                        server.note(Some(Instant::now()));
                    }
                    tracing::debug!(server = %server.ip, name, %record, %error, "no answer");
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    /// As they are named, but those that did not answer lately stand behind the others.
    fn order(&self) -> Vec<&Server> {
        let (last, mut order): (Vec<_>, Vec<_>) =
            self.in_order.iter().partition(|server| server.is_silent());
        order.extend(last);
        order
    }
}

impl Server {
    fn note(&self, silent: Option<Instant>) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
    }

    fn is_silent(&self) -> bool {
        let silent = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|since| since.elapsed() < LAST_FOR)
    }
}

/// Both answers; none for the one that takes longer than [`RESOLUTION_DELAY`] after the other has
/// brought addresses.
async fn both(
    first: impl Future<Output = Answer>,
    second: impl Future<Output = Answer>,
) -> (Option<Answer>, Option<Answer>) {
    async fn rest(answer: &Answer, other: impl Future<Output = Answer>) -> Option<Answer> {
        match answer {
            Ok(addresses) if !addresses.is_empty() => timeout(RESOLUTION_DELAY, other).await.ok(),
            _ => Some(other.await),
        }
    }
    match select(pin!(first), pin!(second)).await {
        Either::Left((first, second)) => {
            let second = rest(&first, second).await;
            (Some(first), second)
        }
        Either::Right((second, first)) => {
            let first = rest(&second, first).await;
            (first, Some(second))
        }
    }
}

/// Whether a server has said nothing at all.
fn is_silence(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Timeout | NetError::Io(_) | NetError::NoConnections
    )
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn that_there_is_no_such_name_is_believed_for_a_minute_at_most() {
        let server = "127.0.0.1:1".parse().unwrap();
        let servers = Servers::configured(&[server], Duration::from_secs(5)).unwrap();
        let options = servers.in_order[0].resolver.options();
        assert_eq!(options.negative_max_ttl, Some(Duration::from_secs(60)));
    }
}
