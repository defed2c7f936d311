//! Connects straight to origins: resolves, asks the policy, and dials. A part of `upstream`;
//! `reach` resolves and dials parent proxies by it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt;
use tokio::time::timeout;

use super::Upstream;
use super::dial::{self, Connected, Dialled};
use super::policy::Refusal;
use super::resolve::{Addresses, Question};
use super::route::Route;
use crate::error::Error;
use crate::flow::ClientKey;
use crate::target::Target;

impl Upstream {
    /// Resolves the target, asks the policy about each address, and dials. Both families take
    /// turns, each address with a head start over the next. A family that is late joins when there
    /// is nothing else to dial.
    pub(super) async fn dial_direct(
        &self,
        route: &Route,
        client: ClientKey,
    ) -> Result<Connected, Error> {
        let target = &route.target;
        self.policy.judge_target(target, route.scheme)?;
        let Addresses { known, mut late } = self.addresses(target, client).await?;
        let mut permitted = self.permitted(route, &known);
        if permitted.is_err()
            && let Some(question) = late.take()
        {
            let others = self.resolver.late(&question, client).await;
            if !others.is_empty() {
                permitted = self.permitted(route, &others).or(permitted);
            }
        }
        let late = late.as_ref().map(|question| (route, question));
        let racing = self.race(permitted?, late, client);
        let dialled = match timeout(self.connect_timeout, racing).await {
            Ok(Ok(dialled)) => dialled,
            Ok(Err(source)) => return Err(dial::failure(target.to_string(), source)),
            Err(_) => {
                return Err(Error::ConnectTimeout {
                    target: target.to_string(),
                });
            }
        };
        Ok(dialled.into())
    }

    /// Those of a target's addresses that may be dialled.
    fn permitted(&self, route: &Route, addresses: &[IpAddr]) -> Result<Vec<SocketAddr>, Refusal> {
        let addresses = dial::interleave(addresses.to_vec());
        self.policy
            .permitted(&route.target, route.scheme, addresses)
    }

    /// Those of a target's late addresses that may be dialled.
    async fn late(&self, route: &Route, question: &Question, client: ClientKey) -> Vec<SocketAddr> {
        let addresses = self.resolver.late(question, client).await;
        self.permitted(route, &addresses).unwrap_or_default()
    }

    /// The addresses of a host. If the machine has no room for the lookup, idle connections are
    /// closed and it is tried again.
    pub(super) async fn addresses(
        &self,
        target: &Target,
        client: ClientKey,
    ) -> Result<Addresses, Error> {
        match self.resolver.addresses(target, client).await {
            Err(Error::NoRoom(_)) => {
                self.reclaimer.reclaim().await;
                self.resolver.addresses(target, client).await
            }
            addresses => addresses,
        }
    }

    /// The first connection that succeeds. If the machine has no room for it, idle connections of
    /// all workers make some. `late` asks for the rest of a target's addresses.
    pub(super) async fn race(
        &self,
        addresses: Vec<SocketAddr>,
        late: Option<(&Route, &Question)>,
        client: ClientKey,
    ) -> io::Result<Dialled> {
        let turns = self.resolver.turns();
        let others = || {
            let (route, question) = late?;
            Some(self.late(route, question, client).boxed_local())
        };
        match dial::race(addresses.clone(), others(), turns, client).await {
            Err(error) if dial::shortage(&error).is_some() => {
                self.reclaimer.reclaim().await;
                dial::race(addresses, others(), turns, client).await
            }
            dialled => dialled,
        }
    }
}
