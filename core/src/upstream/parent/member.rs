//! One parent proxy, and how it fares: how many connections lead to it, and whether it could be
//! reached. Nothing is sent to find that out but what clients want.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{ProxyAddress, ProxyProtocol};
use crate::target::Target;

/// How long a proxy is left alone that has failed. The time doubles with each failure.
pub(super) const FIRST_REST: Duration = Duration::from_secs(1);

/// The longest time.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// One parent proxy.
#[derive(Debug)]
pub(crate) struct Member {
    address: ProxyAddress,
    connections: Arc<AtomicUsize>,
    failing: Mutex<Option<Failing>>,
}

/// How a proxy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not there.
    Unreachable,
    /// It was there, and has broken off or does not speak its protocol.
    Broken,
}

/// A proxy has failed.
#[derive(Clone, Copy, Debug)]
struct Failing {
    fault: Fault,
    /// When it is tried again.
    until: Instant,
    /// How long it was left alone before that.
    rest: Duration,
}

/// A connection to a proxy, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct MemberPermit(Arc<AtomicUsize>);

impl Member {
    pub(super) fn new(address: &ProxyAddress) -> Self {
        Self {
            address: address.clone(),
            connections: Arc::default(),
            failing: Mutex::default(),
        }
    }

    pub(crate) fn protocol(&self) -> ProxyProtocol {
        self.address.protocol
    }

    /// Where the proxy itself is.
    pub(crate) fn target(&self) -> &Target {
        &self.address.target
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection that leads here.
    pub(in crate::upstream) fn permit(&self) -> MemberPermit {
        self.connections.fetch_add(1, Ordering::Relaxed);
        MemberPermit(self.connections.clone())
    }

    /// Until when the proxy is left alone. None if it is not.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        let failing = *self.failing();
        failing
            .map(|failing| failing.until)
            .filter(|until| *until > now)
    }

    /// Whether it is left alone because it was not there.
    pub(super) fn is_unreachable(&self, now: Instant) -> bool {
        let failing = *self.failing();
        failing.is_some_and(|it| it.until > now && it.fault == Fault::Unreachable)
    }

    /// The proxy was reached. Returns whether it has failed before.
    pub(super) fn record_reached(&self) -> bool {
        self.failing().take().is_some()
    }

    /// The proxy has failed. Returns how long it is left alone, unless others have said so already.
    pub(super) fn record_failure(&self, fault: Fault) -> Option<Duration> {
        let now = Instant::now();
        let mut failing = self.failing();
        let rest = match *failing {
            Some(Failing { until, .. }) if until > now => return None,
            Some(Failing { rest, .. }) => (2 * rest).min(LONGEST_REST),
            None => FIRST_REST,
        };
        *failing = Some(Failing {
            fault,
            until: now + rest,
            rest,
        });
        Some(rest)
    }

    fn failing(&self) -> MutexGuard<'_, Option<Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MemberPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn member() -> Member {
        let target = Target::new("parent.example", 3128).unwrap();
        Member::new(&ProxyAddress {
            protocol: ProxyProtocol::Http,
            target,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_is_left_alone_for_longer_each_time_until_it_is_reached() {
        let member = member();
        let mut rests = Vec::new();
        for _ in 0..8 {
            let rest = member.record_failure(Fault::Broken).unwrap();
            rests.push(rest.as_secs());
            assert!(member.rests_until(Instant::now()).is_some());
            // Requests that were under way fail, too.
            assert_eq!(member.record_failure(Fault::Broken), None);
            advance(rest).await;
            assert!(member.rests_until(Instant::now()).is_none());
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(member.record_reached());
        assert!(!member.record_reached());
        assert_eq!(member.record_failure(Fault::Broken), Some(FIRST_REST));
    }

    #[test]
    fn a_connection_counts_until_it_ends() {
        let member = member();
        let (first, second) = (member.permit(), member.permit());
        assert_eq!(member.connections(), 2);
        drop(first);
        assert_eq!(member.connections(), 1);
        drop(second);
        assert_eq!(member.connections(), 0);
    }
}
