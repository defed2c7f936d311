//! One DNS server at one address. It is asked through the library, which keeps the connections to
//! it. `servers` and `place` say which one is asked when.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use rustls::ClientConfig;

use super::alias::{Alias, aliases, unanswered};
use super::cache::Answer;
use super::failure::{Absence, Failure};
use super::provider::Provider;
use crate::config::{NameServer, Transport};
use crate::upstream::dial;
use crate::upstream::policy::{Policy, Refusal};
use crate::upstream::tls::TlsError;

/// How long a server that did not answer is asked after the others.
const LAST_FOR: Duration = Duration::from_secs(30);

/// Questions that are on the way over one connection. The bounds of lookups are smaller.
const MOST_QUESTIONS: usize = 1024;

/// The longest time that a setting may have. What is shorter is for `cache` to decide.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Characters of what a library says of a failure.
const LONGEST_REASON: usize = 200;

/// How all servers are asked.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// For all that is asked for one name.
    pub(super) limit: Duration,
    pub(super) case_randomization: bool,
    /// None if no server is asked over TLS.
    pub(super) tls: Result<Option<ClientConfig>, Arc<TlsError>>,
    /// Where no server may be.
    pub(super) policy: Arc<Policy>,
}

#[cfg(test)]
impl Way {
    /// One that asks in clear text, whatever the address of a server is.
    pub(super) fn of_test() -> Self {
        Self {
            limit: Duration::from_secs(5),
            case_randomization: true,
            tls: Ok(None),
            policy: Policy::of_no_listener(),
        }
    }
}

/// What a server says of one family of a name.
#[derive(Debug)]
pub(super) enum Heard {
    /// Some addresses, or that there are none, and the aliases that lead to them.
    Said(Answer, Vec<Alias>),
    /// Another name, which has to be asked for.
    Alias(Alias),
}

#[derive(Debug)]
pub(super) struct Server {
    label: Arc<str>,
    address: SocketAddr,
    policy: Arc<Policy>,
    is_encrypted: bool,
    resolver: Resolver<Provider>,
    health: Mutex<Health>,
}

/// Whether a server answers.
#[derive(Debug, Default)]
struct Health {
    /// Since when it does not.
    silent: Option<Instant>,
    /// When it did so last.
    heard: Option<Instant>,
    /// A name for which it has said nothing in time, and nothing else since.
    unanswered: Option<Name>,
}

impl Server {
    /// One of the settings, at this address.
    pub(super) fn configured(setting: &NameServer, ip: IpAddr, way: &Way) -> Result<Self, Failure> {
        let connections = match &setting.transport {
            Transport::Plain => vec![ProtocolConfig::Udp, ProtocolConfig::Tcp],
            Transport::Tls { name } => {
                let server_name = (**name).into();
                vec![ProtocolConfig::Tls { server_name }]
            }
            Transport::Https { name, path } => vec![ProtocolConfig::Https {
                server_name: (**name).into(),
                path: (**path).into(),
            }],
        };
        let connections = connections.into_iter().map(|protocol| {
            let mut connection = ConnectionConfig::new(protocol);
            connection.port = setting.port;
            connection
        });
        let server = NameServerConfig::new(ip, true, connections.collect());
        let tls = if setting.is_encrypted() {
            way.tls.clone().map_err(Failure::Trust)?
        } else {
            None
        };
        let label = setting.label().into();
        let address = SocketAddr::new(ip, setting.port);
        Self::new(label, address, server, ResolverOpts::default(), way, tls)
    }

    /// One of the machine, at an address of this scope. It is asked in clear text as the machine
    /// says.
    pub(super) fn of_machine(
        (server, scope): (NameServerConfig, u32),
        options: ResolverOpts,
        way: &Way,
    ) -> Result<Self, Failure> {
        let first = server.connections.first().ok_or(NetError::NoConnections)?;
        let mut address = SocketAddr::new(server.ip, first.port);
        let mut label = server.ip.to_string();
        if let SocketAddr::V6(address) = &mut address
            && scope != 0
        {
            address.set_scope_id(scope);
            label = format!("{label}%{scope}");
        }
        Self::new(label.into(), address, server, options, way, None)
    }

    fn new(
        label: Arc<str>,
        address: SocketAddr,
        server: NameServerConfig,
        mut options: ResolverOpts,
        way: &Way,
        tls: Option<ClientConfig>,
    ) -> Result<Self, Failure> {
        // A server that does not answer must leave time for the next ones.
        options.timeout = way.limit / 3;
        // That is for `servers` to do.
        options.attempts = 0;
        options.use_hosts_file = ResolveHosts::Never;
        // `cache` remembers, and has to be told what the server says.
        options.cache_size = 0;
        options.positive_max_ttl = Some(YEAR);
        let is_encrypted = tls.is_some();
        // What is enciphered needs no other proof.
        options.case_randomization = way.case_randomization && !is_encrypted;
        options.max_active_requests = MOST_QUESTIONS;
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder =
            Resolver::builder_with_config(config, Provider::new(label.clone(), address));
        if let Some(tls) = tls {
            builder = builder.with_tls_config(tls);
        }
        Ok(Self {
            label,
            address,
            policy: way.policy.clone(),
            is_encrypted,
            resolver: builder.with_options(options).build()?,
            health: Mutex::default(),
        })
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// What it says of one family of a whole name.
    pub(super) async fn ask(&self, name: &str, record: RecordType) -> Result<Heard, Failure> {
        // It may be anywhere else: the settings name it, or the machine does.
        self.policy
            .judge_named(self.address)
            .map_err(|refusal| self.refuse(&refusal))?;
        // Hosts may have characters that names of the library do not, such as `_`.
        let name = Name::from_str_relaxed(name).map_err(NetError::from)?;
        let begun = Instant::now();
        let heard = self.resolver.lookup(name.clone(), record).await;
        // That it cannot answer is an answer.
        if matches!(heard, Ok(_) | Err(NetError::Dns(_))) {
            self.note_answer();
        }
        let error = match heard {
            Ok(found) => {
                let aliases = aliases(found.query().name(), found.answers());
                return Ok(Heard::Said(answer(&found), aliases));
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                if let Some(alias) = unanswered(&none) {
                    return Ok(Heard::Alias(alias));
                }
                let error = NetError::from(none.clone());
                let absence = match error.is_nx_domain() {
                    true => Absence::Name,
                    false => Absence::Address,
                };
                let answer = Answer {
                    said: Err(absence),
                    ttl: Duration::from_secs(none.negative_ttl.unwrap_or(0).into()),
                };
                return Ok(Heard::Said(answer, Vec::new()));
            }
            Err(error) => error,
        };
        tracing::debug!(server = %self.label, %name, %record, %error, "no answer");
        // A server that drops questions for IPv6 addresses may answer all others.
        let is_silence = record == RecordType::A
            && match &error {
                NetError::Timeout => !self.is_encrypted && self.is_second(name, begun),
                error => self.is_silence(error),
            };
        let failure = self.failure(error);
        if is_silence {
            self.note_silence(&failure);
        }
        Err(failure)
    }

    /// Whether it is asked after the others.
    pub(super) fn is_silent(&self) -> bool {
        let silent = self.health().silent;
        silent.is_some_and(|since| since.elapsed() < LAST_FOR)
    }

    /// Whether it did not answer when it was asked last.
    pub(super) fn is_failing(&self) -> bool {
        self.health().silent.is_some()
    }

    /// Whether an error means that the server has said nothing.
    fn is_silence(&self, error: &NetError) -> bool {
        match error {
            // What this machine lacks says nothing of the server.
            NetError::Io(error) => dial::shortage(error).is_none(),
            NetError::NoConnections => true,
            // One that is asked over TLS has been connected to. Asked after a server in clear text,
            // it would let the next names be read on the way.
            NetError::Timeout | NetError::Dns(_) | NetError::Proto(_) => false,
            // TLS and HTTP have more ways to fail than the library has kinds.
            _ => self.is_encrypted,
        }
    }

    /// Whether a name that gets no answer in time is the second one, or one more, with no answer
    /// to anything in between. A single name says nothing of others: those who answer for it may be
    /// slow themselves.
    fn is_second(&self, name: Name, begun: Instant) -> bool {
        let mut health = self.health();
        if health.heard.is_some_and(|heard| heard >= begun) {
            return false;
        }
        let is_other = |first: &Name| *first != name;
        if health.silent.is_some() || health.unanswered.as_ref().is_some_and(is_other) {
            return true;
        }
        health.unanswered = Some(name);
        false
    }

    fn note_answer(&self) {
        *self.health() = Health {
            heard: Some(Instant::now()),
            ..Health::default()
        };
    }

    fn failure(&self, error: NetError) -> Failure {
        match error {
            NetError::Timeout => Failure::Timeout,
            error if self.is_encrypted && self.is_silence(&error) => {
                // It may go on with the page of a web server.
                let reason = error.to_string();
                let reason: String = reason.chars().take(LONGEST_REASON).collect();
                Failure::Encrypted {
                    server: self.label.clone(),
                    reason: reason.into(),
                }
            }
            error => Failure::Servers(error),
        }
    }

    /// It is the proxy itself. Others are asked before it from now on.
    fn refuse(&self, refusal: &Refusal) -> Failure {
        if self.health().silent.replace(Instant::now()).is_none() {
            tracing::warn!(
                server = %self.label,
                reason = %refusal,
                "a DNS server is not asked, as it is the proxy itself; names that no other server resolves fail. \
                 Name another one in [egress], or have the proxy listen elsewhere"
            );
        }
        Failure::Own {
            server: self.label.clone(),
            reason: refusal.to_string().into(),
        }
    }

    /// The operator has to know why a server is never asked in the way that the settings say.
    pub(super) fn note_silence(&self, failure: &Failure) {
        let before = self.health().silent.replace(Instant::now());
        if before.is_none() && self.is_encrypted {
            tracing::warn!(
                server = %self.label,
                reason = %failure,
                "a DNS server does not answer; names that no other server resolves fail until it does. It is never asked \
                 in clear text"
            );
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses in an answer. Names that lead to the one with the addresses bound its time, too.
fn answer(found: &Lookup) -> Answer {
    let records = found.answers().iter();
    let addresses: Arc<[_]> = records
        .clone()
        .filter_map(|record| record.data.ip_addr())
        .collect();
    let ttl = records.map(|record| record.ttl).min().unwrap_or(0);
    let said = match addresses.is_empty() {
        true => Err(Absence::Address),
        false => Ok(addresses),
    };
    Answer {
        said,
        ttl: Duration::from_secs(ttl.into()),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::io;
    use std::time::Instant;

    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::rdata::{A, CNAME};
    use hickory_resolver::proto::rr::{RData, Record};

    use super::*;
    #[cfg(unix)]
    use crate::config::ServerHost;

    #[cfg(unix)]
    #[test]
    fn that_there_is_no_descriptor_for_a_question_is_no_silence() {
        let setting = NameServer {
            host: ServerHost::Name("dns.example".into()),
            port: 853,
            transport: Transport::Tls {
                name: "dns.example".into(),
            },
        };
        let ip = [192, 0, 2, 1].into();
        let server = Server::configured(&setting, ip, &Way::of_test()).unwrap();
        let error = |errno: rustix::io::Errno| NetError::from(io::Error::from(errno));
        let short = error(rustix::io::Errno::MFILE);
        assert!(!server.is_silence(&short));
        assert!(server.failure(short).shortage().is_some());
        let refused = error(rustix::io::Errno::CONNREFUSED);
        assert!(server.is_silence(&refused));
        assert!(server.failure(refused).shortage().is_none());
    }

    #[test]
    fn an_answer_holds_as_long_as_every_name_on_the_way_to_the_addresses() {
        let name = |text| Name::from_ascii(text).unwrap();
        let (host, target) = (name("www.example."), name("cdn.example."));
        let alias = RData::CNAME(CNAME(target.clone()));
        let address = RData::A(A([192, 0, 2, 1].into()));
        let records = [
            Record::from_rdata(host.clone(), 30, alias),
            Record::from_rdata(target.clone(), 300, address.clone()),
            Record::from_rdata(target, 600, address),
        ];
        let query = Query::query(host, RecordType::A);
        let found = Lookup::new_with_deadline(query, records, Instant::now());
        let answer = answer(&found);
        assert_eq!(answer.ttl, Duration::from_secs(30));
        assert_eq!(answer.said.unwrap().len(), 2);
    }

    #[test]
    fn a_server_on_a_link_is_asked_behind_the_interface_of_its_zone() {
        let way = Way::of_test();
        for (ip, scope, address, label) in [
            ("fe80::1", 7, "[fe80::1%7]:53", "fe80::1%7"),
            ("fe80::1", 0, "[fe80::1]:53", "fe80::1"),
            ("192.0.2.1", 0, "192.0.2.1:53", "192.0.2.1"),
        ] {
            let config = NameServerConfig::udp_and_tcp(ip.parse().unwrap());
            let options = ResolverOpts::default();
            let server = Server::of_machine((config, scope), options, &way).unwrap();
            assert_eq!(server.address, address.parse::<SocketAddr>().unwrap());
            assert_eq!(&*server.label, label);
        }
    }
}
