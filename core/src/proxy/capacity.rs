//! How many connections and lookups there may be, as the settings and the limit of open files
//! allow. Computed once at the start by `proxy`. Each kind has a share of its own, so that clients,
//! origins and names that are slow cannot take all descriptors, nor can clients that are refused;
//! the rest is for the control thread.

use crate::config::{Config, Limits, Listener};
use crate::upstream::Bounds;
use crate::upstream::resolve::LOOKUPS;

/// For lists, filters that are compiled, logs and listeners.
const RESERVE: u64 = 128;

/// For each worker: its runtime, and lookups in files.
const RESERVE_PER_WORKER: u64 = 8;

/// A client and its origin take one each.
const PER_CONNECTION: u64 = 2;

/// Idle connections to origins of one worker, however many descriptors there are.
const MOST_IDLE: u64 = 256;

/// Clients that are refused, and as many that are turned away, however many descriptors there are.
const MOST_ASIDE: u64 = 64;

/// What there may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Connections of clients.
    pub(crate) connections: usize,
    /// The most connections of one client, if the settings say so.
    pub(super) per_client: Option<usize>,
    /// Clients that are not allowed and are read and answered as clients are, with an access line
    /// each. They take no room from others. Those on top of that are answered unread.
    pub(super) refused: usize,
    /// Clients that are turned away and for which the proxy waits until they have read their
    /// answer.
    pub(super) turned_away: usize,
    /// What each worker has for origins.
    pub(crate) upstream: Bounds,
}

impl Capacity {
    /// `descriptors` is the limit of open files, if the system has one.
    pub(crate) fn new(limits: &Limits, workers: usize, descriptors: Option<u64>) -> Self {
        let workers = workers.max(1) as u64;
        let all = descriptors.unwrap_or(u64::MAX / 10);
        let reserve = RESERVE.saturating_add(RESERVE_PER_WORKER * workers);
        // Under a very low limit some clients can still be served.
        let usable = all.saturating_sub(reserve).max(all / 4).max(10);
        let share = usable / 10 / workers;
        let idle = share.clamp(1, MOST_IDLE);
        let lookups = share.clamp(1, LOOKUPS as u64);
        let aside = (usable / 40).clamp(2, MOST_ASIDE);
        // What the others may not take under a high limit is for connections, too. Under a very low
        // limit with many workers, half of it is for connections.
        let others = workers * (idle + lookups) + 2 * aside;
        let connections = usable.saturating_sub(others).max(usable / 2) / PER_CONNECTION;
        Self {
            connections: limits.connections.min(count(connections)),
            per_client: limits.connections_per_client,
            refused: count(aside),
            turned_away: count(aside),
            upstream: Bounds {
                idle: count(idle),
                lookups: count(lookups),
            },
        }
    }
}

impl Capacity {
    /// How many connections a client of a listener may have, if that is limited. Clients beyond
    /// this machine may each have half of all unless the settings say otherwise.
    pub(super) fn per_client(&self, listener: &Listener) -> Option<usize> {
        let half = || (!listener.is_local()).then(|| self.connections.div_ceil(2));
        self.per_client.or_else(half)
    }

    /// What the settings and this system allow. The log says if the system allows less.
    pub(super) fn of_system(config: &Config) -> Self {
        let workers = config.proxy.workers.get();
        let capacity = Self::new(&config.limits, workers, descriptors());
        let wanted = config.limits.connections;
        if capacity.connections < wanted {
            tracing::warn!(
                connections = capacity.connections,
                wanted,
                "the limit of open files allows fewer connections than [limits] connections; raise it (LimitNOFILE= in a \
                 systemd unit, ulimit -n in a shell)"
            );
        }
        capacity
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The limit of open files of this process, if there is one.
fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        getrlimit(Resource::Nofile).current
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn capacity(descriptors: u64) -> Capacity {
        Capacity::new(&Limits::default(), 2, Some(descriptors))
    }

    #[test]
    fn all_together_leave_the_reserve_or_most_of_a_very_low_limit() {
        for (descriptors, workers) in [
            (64, 1),
            (64, 2),
            (200, 1),
            (200, 8),
            (256, 2),
            (256, 8),
            (1024, 1),
            (1024, 2),
            (1024, 8),
            (1024, 64),
            (4096, 8),
            (20_000, 2),
            (20_000, 64),
            (1 << 20, 64),
        ] {
            let limits = Limits {
                connections: usize::MAX,
                ..Limits::default()
            };
            let Capacity {
                connections,
                per_client: _,
                refused,
                turned_away,
                upstream: Bounds { idle, lookups },
            } = Capacity::new(&limits, workers, Some(descriptors));
            let of_workers = workers * (idle + lookups);
            let taken = (2 * connections + of_workers + refused + turned_away) as u64;
            let reserve = RESERVE + RESERVE_PER_WORKER * workers as u64;
            let kept = reserve.min(descriptors * 3 / 4);
            assert!(
                taken + kept <= descriptors,
                "{taken} of {descriptors} with {workers} workers"
            );
            assert!(connections > 0 && idle > 0 && lookups > 0 && refused > 0 && turned_away > 0);
        }
    }

    #[test]
    fn what_others_may_not_take_is_for_connections() {
        assert_eq!(capacity(20_000).connections, 9_352);
        assert_eq!(capacity(1024).connections, 330);
    }

    #[test]
    fn the_settings_bound_what_the_system_would_allow() {
        let unlimited = Capacity::new(&Limits::default(), 2, None);
        assert_eq!(unlimited.connections, Limits::default().connections);
        let Bounds { idle, lookups } = unlimited.upstream;
        assert_eq!((idle, lookups), (256, 256));
        assert_eq!((unlimited.refused, unlimited.turned_away), (64, 64));
        assert_eq!(capacity(1024).connections, 330);
    }

    #[test]
    fn one_client_has_half_of_the_connections_where_clients_come_from_elsewhere() {
        let [here, beyond] =
            [[127, 0, 0, 1], [0; 4]].map(|address| Listener::at(SocketAddr::from((address, 1))));
        assert_eq!(capacity(1024).per_client(&here), None);
        assert_eq!(capacity(1024).per_client(&beyond), Some(165));
        let limits = Limits {
            connections_per_client: Some(7),
            ..Limits::default()
        };
        let set = Capacity::new(&limits, 2, None);
        assert_eq!(set.per_client(&here), Some(7));
    }
}
