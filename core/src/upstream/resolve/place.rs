//! Where a DNS server of the settings is: at the address that is written there, or where its name
//! leads. `servers` has the places in order.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::failure::Failure;
use super::pending::Found;
use super::server::{Server, Way};
use crate::config::{NameServer, ServerHost};
use crate::upstream::dial::interleave;

/// Least time between two questions for the address of a server that cannot be reached.
const FIND_AGAIN: Duration = Duration::from_secs(5);

/// Finds the addresses of DNS servers.
pub(super) trait Find: Debug + Send + Sync {
    fn find(&self, host: &str) -> BoxFuture<'static, Found>;
}

#[derive(Debug)]
pub(super) enum Place {
    /// It has an address.
    At(Arc<Server>),
    /// Its address has to be found.
    Named(Box<Named>),
}

/// A server that is written by its name.
#[derive(Debug)]
pub(super) struct Named {
    setting: NameServer,
    host: Box<str>,
    way: Way,
    find: Arc<dyn Find>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One for each address. They are as they were found, until none can be reached.
    servers: Arc<[Arc<Server>]>,
    /// When the addresses were asked for.
    asked: Option<Instant>,
    /// Why there are none.
    unfound: Option<Arc<str>>,
}

impl State {
    fn was_asked_lately(&self) -> bool {
        self.asked.is_some_and(|at| at.elapsed() < FIND_AGAIN)
    }
}

impl Place {
    pub(super) fn configured(
        setting: &NameServer,
        way: &Way,
        find: &Arc<dyn Find>,
    ) -> Result<Self, Failure> {
        Ok(match &setting.host {
            ServerHost::Address(ip) => Self::At(Arc::new(Server::configured(setting, *ip, way)?)),
            ServerHost::Name(host) => Self::Named(Box::new(Named {
                setting: setting.clone(),
                host: host.clone(),
                way: way.clone(),
                find: find.clone(),
                state: Mutex::default(),
            })),
        })
    }

    /// The server to ask; each `round` of asking for a name tries another address.
    pub(super) async fn server(&self, round: usize) -> Result<Arc<Server>, Failure> {
        let named = match self {
            Self::At(server) => return Ok(server.clone()),
            Self::Named(named) => named,
        };
        let servers = named.servers().await?;
        let (last, mut order): (Vec<_>, Vec<_>) =
            servers.iter().partition(|server| server.is_silent());
        order.extend(last);
        let server = order.get(round).or(order.last());
        Ok(Arc::clone(server.expect("a name has an address")))
    }

    /// Whether it is asked after the others.
    pub(super) fn is_silent(&self) -> bool {
        match self {
            Self::At(server) => server.is_silent(),
            Self::Named(named) => {
                let state = named.state();
                let mut servers = state.servers.iter();
                if state.servers.is_empty() {
                    return state.unfound.is_some() && state.was_asked_lately();
                }
                servers.all(|server| server.is_silent())
            }
        }
    }
}

impl Named {
    /// One for each of its addresses; at least one.
    async fn servers(&self) -> Result<Arc<[Arc<Server>]>, Failure> {
        let known = {
            let state = self.state();
            let is_recent = state.was_asked_lately();
            let known = Some(state.servers.clone()).filter(|servers| !servers.is_empty());
            if let Some(servers) = &known
                && (is_recent || !servers.iter().all(|server| server.is_failing()))
            {
                return Ok(servers.clone());
            }
            if let (None, Some(reason), true) = (&known, &state.unfound, is_recent) {
                return Err(self.unfound(reason));
            }
            known
        };
        match self.find.find(&self.host).await {
            Ok(addresses) => self.take(&addresses),
            // It says nothing of the server.
            Err(error) if error.shortage().is_some() => known.ok_or(error),
            Err(error) => {
                let reason: Arc<str> = error.to_string().into();
                self.state().asked = Some(Instant::now());
                // It may be reached where it was once more.
                known.ok_or_else(|| self.note_unfound(&reason))
            }
        }
    }

    /// Remembers that no address is known, and tells it once.
    fn note_unfound(&self, reason: &Arc<str>) -> Failure {
        let mut state = self.state();
        if state.unfound.replace(reason.clone()).is_none() {
            tracing::warn!(
                server = %self.setting.label(),
                %reason,
                "the address of a DNS server is not found; the others of its list are asked until it is. Write its \
                 address, and its name behind #, so that it need not be"
            );
        }
        self.unfound(reason)
    }

    fn unfound(&self, reason: &Arc<str>) -> Failure {
        Failure::Unfound {
            server: self.setting.label().into(),
            reason: reason.clone(),
        }
    }

    /// Servers at addresses that are still right stay, with their connections.
    fn take(&self, addresses: &[IpAddr]) -> Result<Arc<[Arc<Server>]>, Failure> {
        let mut state = self.state();
        state.asked = Some(Instant::now());
        let servers = interleave(addresses.to_vec()).map(|ip| {
            let known = state.servers.iter().find(|server| server.ip() == ip);
            match known {
                Some(server) => Ok(server.clone()),
                None => Server::configured(&self.setting, ip, &self.way).map(Arc::new),
            }
        });
        let servers: Arc<[_]> = servers.collect::<Result<_, Failure>>()?;
        state.servers = servers.clone();
        state.unfound = None;
        Ok(servers)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;
    use crate::config::Transport;

    /// Leads every name to its addresses.
    #[derive(Debug, Default)]
    struct Finder(Mutex<(Vec<IpAddr>, usize)>);

    /// Has no descriptor for a lookup.
    #[cfg(unix)]
    #[derive(Debug)]
    struct Short;

    #[cfg(unix)]
    impl Find for Short {
        fn find(&self, _: &str) -> BoxFuture<'static, Found> {
            let shortage = std::io::Error::from(rustix::io::Errno::MFILE);
            std::future::ready(Err(Failure::from(shortage))).boxed()
        }
    }

    impl Finder {
        fn lead(&self, addresses: &[&str]) {
            let addresses = addresses.iter().map(|ip| ip.parse().unwrap());
            self.0.lock().unwrap().0 = addresses.collect();
        }

        fn times(&self) -> usize {
            self.0.lock().unwrap().1
        }
    }

    impl Find for Finder {
        fn find(&self, _: &str) -> BoxFuture<'static, Found> {
            let (addresses, times) = &mut *self.0.lock().unwrap();
            *times += 1;
            let found = match addresses.as_slice() {
                [] => Err(Failure::Timeout),
                addresses => Ok(addresses.into()),
            };
            std::future::ready(found).boxed()
        }
    }

    fn place(finder: &Arc<impl Find + 'static>) -> Place {
        let setting = NameServer {
            host: ServerHost::Name("dns.example".into()),
            port: 53,
            transport: Transport::Plain,
        };
        let find: Arc<dyn Find> = finder.clone();
        Place::configured(&setting, &Way::of_test(), &find).unwrap()
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn that_there_is_no_descriptor_for_a_lookup_says_nothing_of_a_server() {
        let place = place(&Arc::new(Short));
        let failure = place.server(0).await.unwrap_err();
        assert!(failure.shortage().is_some(), "{failure}");
        assert!(!place.is_silent());
    }

    async fn ip(place: &Place, round: usize) -> String {
        place.server(round).await.unwrap().ip().to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_again_when_none_of_its_addresses_can_be_reached() {
        let finder = Arc::new(Finder::default());
        finder.lead(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
        let place = place(&finder);
        // Each round tries another address, and both families have their turn.
        assert_eq!(ip(&place, 0).await, "192.0.2.1");
        assert_eq!(ip(&place, 1).await, "2001:db8::1");
        for next in ["2001:db8::1", "192.0.2.2", "192.0.2.1"] {
            assert!(!place.is_silent());
            let server = place.server(0).await.unwrap();
            server.note_silence(&Failure::Timeout);
            assert_eq!(ip(&place, 0).await, next);
        }
        assert!(place.is_silent());

        finder.lead(&["192.0.2.1", "192.0.2.9"]);
        assert_eq!(finder.times(), 1, "it was looked up a moment ago");
        advance(FIND_AGAIN).await;
        // One that is known to fail stays behind.
        assert_eq!(ip(&place, 0).await, "192.0.2.9");
        assert_eq!(finder.times(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_whose_name_is_lost_is_tried_where_it_was() {
        let finder = Arc::new(Finder::default());
        let place = place(&finder);
        let unfound = place.server(0).await;
        assert!(matches!(unfound, Err(Failure::Unfound { .. })));
        // Meanwhile others are asked first, and its name is not looked up for each of their names.
        assert!(place.is_silent());
        let unfound = place.server(0).await;
        assert!(matches!(unfound, Err(Failure::Unfound { .. })));
        assert_eq!(finder.times(), 1);
        advance(FIND_AGAIN).await;
        assert!(!place.is_silent());
        finder.lead(&["192.0.2.1"]);
        let server = place.server(0).await.unwrap();
        server.note_silence(&Failure::Timeout);
        finder.lead(&[]);
        advance(FIND_AGAIN).await;
        assert_eq!(ip(&place, 0).await, "192.0.2.1");
        assert_eq!(ip(&place, 0).await, "192.0.2.1");
        assert_eq!(finder.times(), 3);
    }
}
