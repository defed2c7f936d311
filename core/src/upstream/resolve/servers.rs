//! Asks name servers one after the other, as resolv.conf(5) has it: in the order in which they are
//! named, and the next one if a server does not answer or answers that it cannot. `resolve` calls
//! it. The library would ask two at a time and take an error of either for the answer.
//!
//! IPv4 and IPv6 addresses are asked for apart. Some name servers drop questions for IPv6
//! addresses, and a name whose IPv4 address is known must not wait for them. Those who cannot reach
//! that address can ask for the others then.

use std::borrow::Cow;
use std::future::Future;
use std::iter::repeat;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RecordType;
use lru::LruCache;
use tokio::time::timeout;

use super::alias::{self, Alias};
use super::by_name::ByName;
use super::cache::{Cache, Said, joined};
use super::failure::{Absence, Failure};
use super::pending::{Found, Pending};
use super::place::{Find, Place};
use super::search::Search;
use super::server::{Heard, Server, Way};
use super::system::NameServers;
use crate::config::NameServer;
use crate::flow::ClientKey;
use crate::upstream::turns::Turns;

/// How long IPv4 addresses wait for those of IPv6 (RFC 8305, section 3).
pub(super) const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

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

/// Addresses of a name, those of IPv6 first.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) known: Arc<[IpAddr]>,
    /// The question for the other family, which had no answer in time. It is for those who can
    /// reach none of the addresses that are known.
    pub(crate) late: Option<Question>,
}

/// What is asked for one family of a name.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    servers: Arc<Servers>,
    name: Box<str>,
    record: RecordType,
    cache: Arc<Cache>,
    split: Arc<Split>,
}

impl Addresses {
    /// No others are asked for.
    pub(super) fn all(known: impl Into<Arc<[IpAddr]>>) -> Self {
        Self {
            known: known.into(),
            late: None,
        }
    }
}

impl Question {
    /// Asks when it is the client's turn, or waits for the answer with others who ask the same.
    pub(super) async fn ask_in_turn(&self, turns: &Turns, client: ClientKey) -> Answered {
        let asked = &self.servers.asked_again;
        let key = format!("{} {}", self.record, self.name);
        if let Some(question) = asked.get(&key) {
            return question.await;
        }
        let (question, turn) = (self.clone(), turns.take(client).await);
        let ask = async move {
            let _turn = turn;
            question.ask().await
        };
        asked.join(&key, || ask).await
    }

    async fn ask(&self) -> Answered {
        let (name, record) = (&self.name, self.record);
        self.servers
            .ask(name, record, &self.cache, &self.split)
            .await
    }
}

/// The name servers of one configuration.
#[derive(Debug)]
pub(super) struct Servers {
    in_order: Vec<Place>,
    search: Search,
    /// For all that is asked for one name.
    limit: Duration,
    /// Since when a name's IPv6 addresses are late.
    late: Mutex<LruCache<Box<str>, Instant>>,
    /// The questions for addresses that were late, by family and name.
    asked_again: Pending<Said>,
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
        let places = places.collect::<Result<_, Failure>>()?;
        Ok(Self::new(places, Search::default(), way))
    }

    /// Those of the machine.
    pub(super) fn of_machine(machine: &NameServers, way: &Way) -> Result<Self, Failure> {
        let (config, options) = (&machine.config, &machine.options);
        let search = Search::of_machine(config, options);
        let scopes = machine.scopes.iter().copied().chain(repeat(0));
        let servers = config.name_servers().iter().zip(scopes);
        let servers = servers.map(|(server, scope)| {
            let server = Server::of_machine((server.clone(), scope), options.clone(), way)?;
            Ok(Place::At(Arc::new(server)))
        });
        let places = servers.collect::<Result<_, Failure>>()?;
        Ok(Self::new(places, search, way))
    }

    fn new(in_order: Vec<Place>, search: Search, way: &Way) -> Self {
        Self {
            in_order,
            search,
            limit: way.limit,
            late: Mutex::new(LruCache::new(LATE_NAMES)),
            asked_again: Pending::default(),
        }
    }

    /// What is known of a name, if that is enough to answer without asking.
    pub(super) fn remembered(&self, name: &str, cache: &Cache) -> Option<Said> {
        let mut absence = Absence::Name;
        for candidate in self.search.candidates(name) {
            match cache.addresses(&candidate)? {
                Ok(addresses) => return Some(Ok(addresses)),
                Err(said) => absence = absence.or(said),
            }
        }
        Some(Err(absence))
    }

    /// The addresses of `name`, those of IPv6 first; at least one. A failure is not that there is
    /// no such name, so it does not lead to the next one that it may stand for.
    ///
    /// An alias that belongs to servers of `split` is asked of these.
    pub(super) async fn addresses(
        self: &Arc<Self>,
        name: &str,
        cache: &Arc<Cache>,
        split: &Arc<Split>,
    ) -> Found<Addresses> {
        let mut absence = Absence::Name;
        for candidate in self.search.candidates(name) {
            match self.addresses_of(&candidate, cache, split).await {
                Err(Failure::Absent(said)) => absence = absence.or(said),
                found => return found,
            }
        }
        Err(absence.into())
    }

    /// The same for a whole name.
    async fn addresses_of(
        self: &Arc<Self>,
        name: &str,
        cache: &Arc<Cache>,
        split: &Arc<Split>,
    ) -> Found<Addresses> {
        let question = |record| Question {
            servers: self.clone(),
            name: name.into(),
            record,
            cache: cache.clone(),
            split: split.clone(),
        };
        let without = |said: Said, question| -> Found<Addresses> {
            let (known, late) = (said?, Some(question));
            Ok(Addresses { known, late })
        };
        let (v6, v4) = (question(RecordType::AAAA), question(RecordType::A));
        if self.is_late(name)
            && let Ok(Ok(known)) = v4.ask().await
        {
            return without(Ok(known), v6);
        }
        // Half of the time, so that what is known by then is told in time.
        let said = both(v6.ask(), v4.ask(), self.limit / 2).await;
        match said {
            (Some(Ok(v6)), Some(Ok(v4))) => Ok(Addresses::all(joined(v6, v4)?)),
            (None, Some(Ok(said))) => {
                if said.is_ok() {
                    self.late().put(name.into(), Instant::now());
                }
                without(said, v6)
            }
            (Some(Ok(said)), None) => without(said, v4),
            // What is known of one family is enough, whatever is said of the other.
            (Some(Ok(Ok(known))), _) | (_, Some(Ok(Ok(known)))) => Ok(Addresses::all(known)),
            (Some(Ok(Err(Absence::Name))), _) | (_, Some(Ok(Err(Absence::Name)))) => {
                Err(Absence::Name.into())
            }
            (_, Some(Err(failure))) | (Some(Err(failure)), _) => Err(failure),
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

/// Both answers; none for the one that takes too long after the other has brought addresses, or has
/// said that there is no such name, which is about both (RFC 8020). Too long is longer than
/// [`RESOLUTION_DELAY`] for IPv6, and than `patience` for IPv4: without its addresses, a network
/// that has no IPv6 would reach nothing, and some servers know no name that has none of IPv6.
async fn both(
    v6: impl Future<Output = Answered>,
    v4: impl Future<Output = Answered>,
    patience: Duration,
) -> (Option<Answered>, Option<Answered>) {
    async fn after(
        answer: &Answered,
        other: impl Future<Output = Answered>,
        patience: Duration,
    ) -> Option<Answered> {
        match answer {
            Ok(Ok(_) | Err(Absence::Name)) => timeout(patience, other).await.ok(),
            Ok(Err(Absence::Address)) | Err(_) => Some(other.await),
        }
    }
    match select(pin!(v6), pin!(v4)).await {
        Either::Left((v6, v4)) => {
            let v4 = after(&v6, v4, patience).await;
            (Some(v6), v4)
        }
        Either::Right((v4, v6)) => {
            let v6 = after(&v4, v6, RESOLUTION_DELAY).await;
            (v6, Some(v4))
        }
    }
}
