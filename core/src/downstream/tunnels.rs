//! How many tunnels there may be, of all clients together and of each. `session` and `forward` ask
//! before an origin is asked for one; a client that gets none is answered with 503.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::per_client::{ClientPermit, Clients};
use crate::config::Limits;
use crate::error::Error;
use crate::log::Throttle;

/// Time between two log lines about the same limit while it is met.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The tunnels of a proxy. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct TunnelLimits {
    all: Option<Arc<Semaphore>>,
    most_of_client: Option<usize>,
    clients: Clients,
}

/// The same for one worker, with what it tells of them.
#[derive(Debug)]
pub(crate) struct Tunnels {
    limits: TunnelLimits,
    log: Throttle,
}

/// Room for a tunnel, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct TunnelPermit {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_client: Option<ClientPermit>,
}

impl TunnelLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let semaphore = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            all: limits.tunnels.map(semaphore),
            most_of_client: limits.tunnels_per_client,
            clients: Clients::default(),
        }
    }
}

impl Tunnels {
    pub(crate) fn new(limits: TunnelLimits) -> Self {
        Self {
            limits,
            log: Throttle::new(REPORT_INTERVAL, 2),
        }
    }

    /// Room for a tunnel of a client. Those without an address cannot be told apart, and only the
    /// limit of all holds for them.
    pub(crate) fn permit(&self, client: Option<IpAddr>) -> Result<TunnelPermit, Error> {
        let TunnelLimits {
            all,
            most_of_client,
            clients,
        } = &self.limits;
        let of_client = match (client, *most_of_client) {
            (Some(client), Some(most)) => match clients.permit(client, most) {
                Some(permit) => Some(permit),
                None => return Err(self.refuse_client(client, most)),
            },
            _ => None,
        };
        let of_all = match all {
            Some(all) => match all.clone().try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => return Err(self.refuse()),
            },
            None => None,
        };
        Ok(TunnelPermit {
            _of_all: of_all,
            _of_client: of_client,
        })
    }

    fn refuse_client(&self, client: IpAddr, most: usize) -> Error {
        if let Some(suppressed) = self.log.admit("client") {
            tracing::warn!(
                %client,
                tunnels = most,
                suppressed,
                "a client has as many tunnels as it may; further ones of it are answered with 503. If it needs more, raise \
                 [limits] tunnels_per_client"
            );
        }
        Error::NoRoom("this client has as many tunnels as it may")
    }

    fn refuse(&self) -> Error {
        if let Some(suppressed) = self.log.admit("all") {
            tracing::warn!(
                suppressed,
                "as many tunnels are open as may be; further ones are answered with 503. If clients need more, raise \
                 [limits] tunnels"
            );
        }
        Error::NoRoom("the proxy has as many tunnels as it may")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_has_its_room_until_it_ends() {
        let limits = TunnelLimits::new(&Limits {
            tunnels: Some(3),
            tunnels_per_client: Some(2),
            ..Limits::default()
        });
        let workers = [Tunnels::new(limits.clone()), Tunnels::new(limits)];
        let open = |worker: usize, client: u8| {
            let client = IpAddr::from([192, 0, 2, client]);
            workers[worker].permit(Some(client))
        };
        let first = [open(0, 1).unwrap(), open(1, 1).unwrap()];
        let refused = open(0, 1).unwrap_err().to_string();
        assert!(refused.contains("this client has"), "{refused}");
        let other = open(1, 2).unwrap();
        let refused = open(0, 3).unwrap_err().to_string();
        assert!(refused.contains("the proxy has"), "{refused}");
        assert!(
            workers[0].permit(None).is_err(),
            "clients without an address"
        );

        drop((first, other));
        // What was refused has taken no room.
        let third = [open(0, 3).unwrap(), open(1, 3).unwrap()];
        assert!(open(0, 1).is_ok());
        drop(third);
    }

    #[test]
    fn without_limits_there_may_be_any_number() {
        let tunnels = Tunnels::new(TunnelLimits::new(&Limits::default()));
        let client = Some(IpAddr::from([192, 0, 2, 1]));
        let open = (0..1000).map(|_| tunnels.permit(client));
        assert!(open.collect::<Result<Vec<_>, _>>().is_ok());
    }
}
