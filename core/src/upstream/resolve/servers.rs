//! Asks name servers one after the other, as resolv.conf(5) has it: in the order in which they are
//! named, and the next one if a server does not answer or answers that it cannot. `resolve` calls
//! it. The library would ask two at a time and take an error of either for the answer.
//!
//! IPv4 and IPv6 addresses are asked for apart. Some name servers drop questions for IPv6
//! addresses, and a name whose IPv4 address is known must not wait for them.

use std::borrow::Cow;
use std::future::Future;
#[cfg(test)]
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RecordType;
use lru::LruCache;
use tokio::time::timeout;

use super::alias::{self, Alias};
use super::by_name::ByName;
use super::cache::{Cache, Said, joined};
use super::failure::{Absence, Failure};
use super::pending::Found;
use super::place::{Find, Place};
use super::server::{Heard, Server, Way};
use crate::config::NameServer;

/// How long the addresses of one family wait for those of the other (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// How often each server is asked, as resolv.conf(5) has it.
const ATTEMPTS: usize = 2;

/// What became of the question for one family.
type Answered = Result<Said, Failure>;

/// Who is asked, or why none can be.
pub(super) type Asked = Result<Arc<Servers>, Failure>;

/// The servers that the settings name for some domains.
pub(super) type Split = ByName<Asked>;

/// How long a name is asked for its IPv4 addresses alone after those of IPv6 have come too late.
/// Without this each of its connections would wait for [`RESOLUTION_DELAY`].
const LATE_FOR: Duration = Duration::from_secs(60);

/// Names of which that is remembered.
const LATE_NAMES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");

/// The name servers of one configuration.
#[derive(Debug)]
pub(super) struct Servers {
    in_order: Vec<Place>,
    /// Since when a name's IPv6 addresses are late.
    late: Mutex<LruCache<Box<str>, Instant>>,
}

impl Servers {
    /// The servers of the settings. `find` finds those that are written by their names.
    pub(super) fn configured(
        settings: &[NameServer],
        way: &Way,
        find: &Arc<dyn Find>,
    ) -> Result<Self, Failure> {
        let places = settings.iter();
        let places = places.map(|setting| Place::configured(setting, way, find));
        Ok(Self::new(places.collect::<Result<_, Failure>>()?))
    }

    /// Those of the machine.
    pub(super) fn of_machine(
        config: &ResolverConfig,
        options: &ResolverOpts,
        way: &Way,
    ) -> Result<Self, Failure> {
        let servers = config.name_servers().iter().map(|server| {
            let (domain, search) = (config.domain().cloned(), config.search().to_vec());
            let config = ResolverConfig::from_parts(domain, search, vec![server.clone()]);
            let server = Server::of_machine(config, options.clone(), way)?;
            Ok(Place::At(Arc::new(server)))
        });
        Ok(Self::new(servers.collect::<Result<_, Failure>>()?))
    }

    fn new(in_order: Vec<Place>) -> Self {
        Self {
            in_order,
            late: Mutex::new(LruCache::new(LATE_NAMES)),
        }
    }

    /// The addresses of `name`, those of IPv6 first; at least one.
    ///
    /// An alias that belongs to servers of `split` is asked of these.
    pub(super) async fn addresses(&self, name: &str, cache: &Cache, split: &Split) -> Found {
        if self.is_late(name)
            && let Ok(Ok(v4)) = self.ask(name, RecordType::A, cache, split).await
        {
            return Ok(v4);
        }
        let v6 = self.ask(name, RecordType::AAAA, cache, split);
        let v4 = self.ask(name, RecordType::A, cache, split);
        match both(v6, v4).await {
            (Some(Ok(v6)), Some(Ok(v4))) => Ok(joined(v6, v4)?),
            (None, Some(Ok(v4))) => {
                self.late().put(name.into(), Instant::now());
                Ok(v4?)
            }
            // What is known of one family is enough, but that the name is nowhere is for both to
            // say.
            (Some(Ok(Ok(addresses))), _) | (_, Some(Ok(Ok(addresses)))) => Ok(addresses),
            (Some(Ok(Err(Absence::Name))), _) | (_, Some(Ok(Err(Absence::Name)))) => {
                Err(Absence::Name.into())
            }
            (_, Some(Err(failure))) | (Some(Err(failure)), _) => Err(failure),
            (Some(Ok(Err(absence))), None) => Err(absence.into()),
            (None, None) => Err(NetError::NoConnections.into()),
        }
    }

    /// Their addresses, in the order in which they are named.
    #[cfg(test)]
    pub(super) fn ips(&self) -> Vec<IpAddr> {
        let places = self.in_order.iter();
        let addresses = places.filter_map(|place| match place {
            Place::At(server) => Some(server.ip()),
            Place::Named(_) => None,
        });
        addresses.collect()
    }

    fn is_late(&self, name: &str) -> bool {
        let mut late = self.late();
        late.get(name)
            .is_some_and(|since| since.elapsed() < LATE_FOR)
    }

    fn late(&self) -> MutexGuard<'_, LruCache<Box<str>, Instant>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of one family, or follows the name to where it leads, which may be nowhere.
    async fn ask(&self, name: &str, record: RecordType, cache: &Cache, split: &Split) -> Answered {
        if let Some(said) = cache.get(name, record) {
            return Ok(said);
        }
        let (mut asked, mut others) = (Cow::Borrowed(name), None::<Arc<Self>>);
        let mut ttl = Duration::MAX;
        for _ in 0..=alias::MOST {
            let servers = others.as_deref().unwrap_or(self);
            let alias = match servers.ask_in_order(&asked, record).await? {
                Heard::Alias(alias) => alias,
                Heard::Said(mut answer, aliases) => {
                    let elsewhere = |alias: &Alias| servers.leaves(alias.host(), split);
                    match aliases.into_iter().find(elsewhere) {
                        Some(alias) => alias,
                        None => {
                            answer.ttl = answer.ttl.min(ttl);
                            cache.put(name, record, &answer);
                            return Ok(answer.said);
                        }
                    }
                }
            };
            ttl = ttl.min(alias.ttl);
            if let Some(found) = split.find(alias.host()) {
                others = Some(found.clone()?);
            }
            asked = alias.name.into();
        }
        Err(NetError::from("its aliases do not end".to_owned()).into())
    }

    /// Whether others are asked for a host.
    fn leaves(&self, host: &str, split: &Split) -> bool {
        split.find(host).is_some_and(|others| {
            let is_self = others.as_ref().is_ok_and(|it| std::ptr::eq(&**it, self));
            !is_self
        })
    }

    /// Asks until a server gives an answer, which may be that there is none.
    async fn ask_in_order(&self, name: &str, record: RecordType) -> Result<Heard, Failure> {
        let mut failure = NetError::NoConnections.into();
        let order = self.order();
        for round in 0..ATTEMPTS {
            for place in &order {
                let answer = match place.server(round).await {
                    Ok(server) => server.ask(name, record).await,
                    Err(unfound) => Err(unfound),
                };
                match answer {
                    Ok(heard) => return Ok(heard),
                    Err(next) => failure = next,
                }
            }
        }
        Err(failure)
    }

    /// As they are named, but those that did not answer lately stand behind the others.
    fn order(&self) -> Vec<&Place> {
        let (last, mut order): (Vec<_>, Vec<_>) =
            self.in_order.iter().partition(|place| place.is_silent());
        order.extend(last);
        order
    }
}

/// Both answers; none for the one that takes longer than [`RESOLUTION_DELAY`] after the other has
/// brought addresses.
async fn both(
    first: impl Future<Output = Answered>,
    second: impl Future<Output = Answered>,
) -> (Option<Answered>, Option<Answered>) {
    async fn rest(answer: &Answered, other: impl Future<Output = Answered>) -> Option<Answered> {
        match answer {
            Ok(Ok(_)) => timeout(RESOLUTION_DELAY, other).await.ok(),
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
