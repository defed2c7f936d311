//! Connects straight to origins: resolves, asks the policy, and dials. A part of `upstream`;
//! `reach` resolves and dials parent proxies by it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::time::timeout;

use super::Upstream;
use super::dial::{self, Connected, Dialled};
use super::route::Route;
use crate::error::Error;
use crate::flow::ClientKey;
use crate::target::Target;

impl Upstream {
    /// Resolves the target, asks the policy about each address, and dials. Both families take
    /// turns, each address with a head start over the next.
    pub(super) async fn dial_direct(
        &self,
        route: &Route,
        client: ClientKey,
    ) -> Result<Connected, Error> {
        let (target, scheme) = (&route.target, route.scheme);
        self.policy.judge_target(target, scheme)?;
        let addresses = dial::interleave(self.addresses(target, client).await?);
        let addresses = self.policy.permitted(target, scheme, addresses)?;
        let racing = self.race(addresses, client);
        let dialled = match timeout(self.connect_timeout, racing).await {
            Ok(Ok(dialled)) => dialled,
            Ok(Err(source)) if dial::is_out_of_descriptors(&source) => {
                return Err(Error::NoRoom(dial::NO_DESCRIPTOR));
            }
            Ok(Err(source)) => {
                return Err(Error::Connect {
                    target: target.to_string(),
                    source,
                });
            }
            Err(_) => {
                return Err(Error::ConnectTimeout {
                    target: target.to_string(),
                });
            }
        };
        Ok(dialled.into())
    }

    /// The addresses of a host. If there are no descriptors for the lookup, idle connections are
    /// closed and it is tried again.
    pub(super) async fn addresses(
        &self,
        target: &Target,
        client: ClientKey,
    ) -> Result<Vec<IpAddr>, Error> {
        match self.resolver.addresses(target, client).await {
            Err(Error::NoRoom(_)) => {
                self.reclaimer.reclaim().await;
                self.resolver.addresses(target, client).await
            }
            addresses => addresses,
        }
    }

    /// The first connection that succeeds. If there are no more descriptors, idle connections of all
    /// workers make room for it.
    pub(super) async fn race(
        &self,
        addresses: Vec<SocketAddr>,
        client: ClientKey,
    ) -> io::Result<Dialled> {
        let turns = self.resolver.turns();
        match dial::race(addresses.clone(), turns, client).await {
            Err(error) if dial::is_out_of_descriptors(&error) => {
                self.reclaimer.reclaim().await;
                dial::race(addresses, turns, client).await
            }
            dialled => dialled,
        }
    }
}
