//! Names to addresses: addresses as they are, this machine's own names, those of the settings, the
//! hosts file, and then name servers. `upstream` asks before it dials, and `feeds` before a list is
//! fetched. This module knows nothing of connections, clients or filters.

mod alias;
mod blocking;
mod bootstrap;
mod by_name;
mod cache;
mod connection;
mod failure;
mod https;
pub(crate) mod order;
mod pending;
mod place;
mod provider;
mod runtime;
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
mod scope;
mod search;
mod server;
mod servers;
mod system;
#[cfg(test)]
mod tests;
pub(crate) mod trust;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::Hosts;
use hickory_resolver::net::NetError;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use self::blocking::Calls;
use self::bootstrap::Bootstrap;
use self::by_name::ByName;
use self::cache::Cache;
use self::failure::{Absence, Failure};
use self::pending::{Found, Pending};
use self::place::Find;
use self::server::Way;
pub(crate) use self::servers::{Addresses, Question};
use self::servers::{Asked, Servers, Split};
use self::system::{Files, Version};
use super::dial;
use super::policy::Policy;
use super::turns::Turns;
use crate::config::{DnsCache, Egress, NameServer};
use crate::error::Error;
use crate::flow::ClientKey;
use crate::target::Target;
use crate::upstream::reload::Reloads;

/// Least time between two looks at the machine's files, which a lookup pays for.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// How long the addresses of a family that was late are waited for. Their question is sent once
/// more if it is lost. A server that drops it must not have clients wait for seconds to hear that
/// an origin is down.
const LATE_LIMIT: Duration = Duration::from_secs(1);

/// Names that are looked up at a time unless there is a smaller bound. Each takes a socket.
pub(crate) const LOOKUPS: usize = 256;

/// Resolves names, with a cache of its own. Each worker has one, and the feeds have one.
#[derive(Debug)]
pub(crate) struct Resolver {
    source: Source,
    /// The addresses that the settings give.
    known: Arc<ByName<Vec<IpAddr>>>,
    limit: Duration,
    check_interval: Duration,
    state: Mutex<State>,
    lookups: Turns,
    calls: Calls,
}

/// Where a resolver learns what it knows.
#[derive(Clone, Debug)]
struct Source {
    /// Of the settings. If there are none, the machine says which servers to ask.
    configured: Arc<[NameServer]>,
    /// The same for some domains.
    name_servers: Arc<BTreeMap<String, Vec<NameServer>>>,
    files: Files,
    reloads: Reloads,
    way: Way,
    /// Finds the servers that are written by their names.
    find: Arc<dyn Find>,
    bounds: DnsCache,
}

#[derive(Debug)]
struct State {
    names: Names,
    /// The version of the files that `names` was made of. None if they could not be read, so that
    /// they are to be read again.
    version: Option<Version>,
    checked: Instant,
    /// How many reloads there were then.
    reloads: u64,
}

/// What the machine's files say.
struct Loaded {
    hosts: Hosts,
    /// The error is that it is not known which servers to ask.
    servers: Result<Asked, NetError>,
    /// Why one of the files could not be read, if that may pass.
    shortage: Option<io::Error>,
}

/// Who is asked for a name. Clones share it.
#[derive(Clone, Debug)]
struct Names {
    hosts: Arc<Hosts>,
    /// None where it is not known which servers to ask. The system's own functions are called
    /// then, each time on a thread that may block.
    servers: Option<Asked>,
    /// Those that the settings name for some domains.
    split: Arc<Split>,
    cache: Arc<Cache>,
    pending: Pending<Addresses>,
}

impl Resolver {
    /// A resolver for which one name may take as long as `limit`, and that looks up so many at a
    /// time. It asks no server where `policy` has the proxy itself.
    pub(crate) fn new(
        egress: &Egress,
        policy: Arc<Policy>,
        limit: Duration,
        lookups: usize,
        reloads: Reloads,
    ) -> Self {
        let files = (Files::default(), CHECK_INTERVAL);
        let resolver = Self::with_files(egress, policy, limit, files, reloads);
        Self {
            lookups: Turns::new(lookups),
            ..resolver
        }
    }

    fn with_files(
        egress: &Egress,
        policy: Arc<Policy>,
        limit: Duration,
        (files, check_interval): (Files, Duration),
        reloads: Reloads,
    ) -> Self {
        let known = Arc::new(ByName::patterns(egress.hosts.clone()));
        let way = Way {
            limit,
            case_randomization: egress.case_randomization,
            tls: trust::client_config(egress).map_err(Arc::new),
            policy,
        };
        let source = Source {
            configured: egress.resolvers.as_slice().into(),
            name_servers: Arc::new(egress.name_servers.clone()),
            find: Arc::new(Bootstrap::new(known.clone(), files.clone(), &way)),
            files,
            reloads,
            way,
            bounds: egress.dns_cache.clone(),
        };
        // Before they are read: a change while they are read is seen at the next look.
        let (version, reloads) = (source.version(), source.reloads.count());
        let Loaded {
            hosts,
            servers,
            shortage,
        } = source.load();
        shortage.iter().for_each(system::tell_of_shortage);
        let servers = servers.inspect_err(|error| {
            tracing::warn!(
                %error,
                "cannot tell which DNS servers to ask; names are resolved by the system, which is \
                 slower. Set [egress] resolvers"
            );
        });
        let names = Names {
            hosts: Arc::new(hosts),
            servers: servers.ok(),
            split: source.split(),
            cache: source.cache(),
            pending: Pending::default(),
        };
        Self {
            known,
            source,
            limit,
            check_interval,
            state: Mutex::new(State {
                names,
                version: shortage.is_none().then_some(version),
                checked: Instant::now(),
                reloads,
            }),
            lookups: Turns::new(LOOKUPS),
            calls: Calls::default(),
        }
    }

    /// The addresses of the target's host, in the order of preference; at least one. The proxy
    /// itself, too, is a client.
    pub(crate) async fn addresses(
        &self,
        target: &Target,
        client: ClientKey,
    ) -> Result<Addresses, Error> {
        if let Some(known) = self.known(target) {
            return Ok(Addresses::all(known));
        }
        let host = target.host();
        // A lookup is rare beside the requests of a connection, and its future is large.
        match timeout(self.limit, Box::pin(self.look_up(host, client))).await {
            Ok(Ok(addresses)) if !addresses.known.is_empty() => Ok(addresses),
            Ok(Ok(_)) => Err(Failure::from(Absence::Address).of(host)),
            Ok(Err(failure)) => Err(failure.of(host)),
            Err(_) => Err(Failure::Timeout.of(host)),
        }
    }

    /// The addresses of a family that was late. None if there are none, or if they do not come
    /// soon.
    pub(crate) async fn late(&self, question: &Question, client: ClientKey) -> Arc<[IpAddr]> {
        let asking = Box::pin(question.ask_in_turn(&self.lookups, client));
        match timeout(self.limit.min(LATE_LIMIT), asking).await {
            Ok(Ok(Ok(addresses))) => addresses,
            _ => Arc::default(),
        }
    }

    /// The turns for lookups, which are also for what else takes a descriptor for a moment.
    pub(super) fn turns(&self) -> &Turns {
        &self.lookups
    }

    /// The addresses of a host that no name server is asked for: it is an address, this machine, or
    /// one whose addresses the settings have.
    pub(crate) fn known(&self, target: &Target) -> Option<Vec<IpAddr>> {
        known_by(&self.known, target)
    }

    async fn look_up(&self, host: &str, client: ClientKey) -> Found<Addresses> {
        let Names {
            hosts,
            servers,
            split,
            cache,
            pending,
        } = self.names().await;
        let name = absolute(host);
        let own = system::addresses_in(&hosts, &name);
        if !own.is_empty() {
            return Ok(Addresses::all(own));
        }
        let servers = match split.find(host) {
            // What these servers know is not asked of others.
            Some(split) => Some(split.clone()?),
            None => servers.transpose()?,
        };
        if let Some(servers) = &servers
            && let Some(said) = servers.remembered(&name, &cache)
        {
            return Ok(Addresses::all(said?));
        }
        // A name that is being looked up for another client needs no turn.
        if let Some(lookup) = pending.get(host) {
            return lookup.await;
        }
        let turn = self.lookups.take(client).await;
        let (calls, call) = (self.calls.clone(), self.source.files.call);
        let ask = async move |name: String| {
            let _turn = turn;
            match servers {
                Some(servers) => servers.addresses(&name, &cache, &split).await,
                None => Ok(Addresses::all(calls.make(client, call, name).await?)),
            }
        };
        pending.join(host, || ask(name.into_owned())).await
    }

    /// Who is to be asked now.
    async fn names(&self) -> Names {
        match self.changed() {
            Some(version) => self.reload(version).await,
            None => self.state().names.clone(),
        }
    }

    /// The new version of the machine's files, if they have changed or are to be read again. They
    /// are looked at only if the last look was long enough ago.
    fn changed(&self) -> Option<Version> {
        let mut state = self.state();
        let reloads = self.source.reloads.count();
        let is_told = state.reloads != reloads;
        if !is_told && state.checked.elapsed() < self.check_interval {
            return None;
        }
        state.reloads = reloads;
        // Other lookups do not wait for the one that reads the files.
        state.checked = Instant::now();
        let version = self.source.version();
        (is_told || state.version.as_ref() != Some(&version)).then_some(version)
    }

    async fn reload(&self, version: Version) -> Names {
        let source = self.source.clone();
        // A hosts file can be long.
        let loaded = spawn_blocking(move || source.load()).await;
        let mut state = self.state();
        // Only a panic in a parser of these files ends it early, and names stay as they were then.
        if let Ok(loaded) = loaded {
            state.take_over(version, loaded, &self.source);
        }
        state.names.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Has what the files say hold.
    fn take_over(&mut self, version: Version, loaded: Loaded, source: &Source) {
        if let Some(error) = loaded.shortage {
            // It is told once.
            if self.version.take().is_some() {
                system::tell_of_shortage(&error);
            }
            return;
        }
        tracing::debug!("the machine's name servers or its hosts file have changed");
        self.version = Some(version);
        let names = &mut self.names;
        names.hosts = Arc::new(loaded.hosts);
        // A server that was given up is asked again, over another connection.
        names.split = source.split();
        names.cache = source.cache();
        // What is asked of the servers from before is no answer for those who come later.
        names.pending = Pending::default();
        match loaded.servers {
            Ok(servers) => names.servers = Some(servers),
            Err(error) => tracing::warn!(
                %error,
                "cannot tell which DNS servers to ask now; those from before are asked. \
                 Mend /etc/resolv.conf or set [egress] resolvers"
            ),
        }
    }
}

impl Source {
    fn version(&self) -> Version {
        self.files.version(self.configured.is_empty())
    }

    fn load(&self) -> Loaded {
        let mut shortage = None;
        let hosts = self.files.hosts().unwrap_or_else(|error| {
            shortage = Some(error);
            Hosts::default()
        });
        let servers = if self.configured.is_empty() {
            let settings = self.files.name_servers();
            if let Err(NetError::Io(error)) = &settings
                && dial::shortage(error).is_some()
            {
                shortage = Some(io::Error::other(error.clone()));
            }
            settings.map(|machine| Servers::of_machine(&machine, &self.way).map(Arc::new))
        } else {
            Ok(self.asked(&self.configured))
        };
        Loaded {
            hosts,
            servers,
            shortage,
        }
    }

    /// Servers of the settings. What stands against them stands against every name: no others are
    /// asked in their place.
    fn asked(&self, servers: &[NameServer]) -> Asked {
        Servers::configured(servers, &self.way, &self.find).map(Arc::new)
    }

    fn split(&self) -> Arc<Split> {
        let servers = self.name_servers.iter();
        let split = servers.map(|(domain, servers)| (domain.clone(), self.asked(servers)));
        Arc::new(ByName::domains(split.collect()))
    }

    /// An empty one.
    fn cache(&self) -> Arc<Cache> {
        Arc::new(Cache::new(&self.bounds))
    }
}

/// The same for a resolver with these settings.
#[cfg(feature = "cli")]
pub(crate) fn known(egress: &Egress, target: &Target) -> Option<Vec<IpAddr>> {
    known_by(&ByName::patterns(egress.hosts.clone()), target)
}

fn known_by(hosts: &ByName<Vec<IpAddr>>, target: &Target) -> Option<Vec<IpAddr>> {
    let host = target.host();
    if let Some(ip) = target.ip() {
        return Some(vec![ip]);
    }
    if is_localhost(host) {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    hosts.find(host).cloned()
}

/// Whole names are asked for as they were judged, never with a search domain behind them (RFC
/// 1535). Only names of one label are completed, as they are everywhere else on the machine.
fn absolute(host: &str) -> Cow<'_, str> {
    if host.contains('.') {
        format!("{host}.").into()
    } else {
        host.into()
    }
}

/// These names never leave the machine (RFC 6761, section 6.3).
fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}
