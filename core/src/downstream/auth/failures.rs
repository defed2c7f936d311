//! How often clients have failed to log in: one that guesses is soon not listened to any more.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::flow::ClientKey;

/// How many clients are remembered. One that was not heard of for longest is forgotten first.
const MOST: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// In this time a client may fail as often as the settings say.
const PERIOD: Duration = Duration::from_mins(1);

/// The clients that have failed. Each failure is forgiven after its share of the period, and as
/// many as may be in a period may be at once.
#[derive(Debug)]
pub(super) struct Failures {
    /// When the last failure of a client is forgiven.
    forgiven: LruCache<ClientKey, Instant>,
    share: Duration,
}

impl Failures {
    /// `most` failures of a client in a minute.
    pub(super) fn new(most: u32) -> Self {
        Self {
            forgiven: LruCache::new(MOST),
            share: PERIOD / most.max(1),
        }
    }

    /// How long a client has to wait before it may try again; none if it may now.
    pub(super) fn wait(&self, client: ClientKey, now: Instant) -> Option<Duration> {
        let forgiven = self.forgiven.peek(&client)?;
        // What is left when there is room for one more.
        let room = PERIOD - self.share;
        let wait = forgiven.saturating_duration_since(now).checked_sub(room)?;
        (!wait.is_zero()).then_some(wait)
    }

    pub(super) fn add(&mut self, client: ClientKey, now: Instant) {
        let share = self.share;
        let forgiven = self.forgiven.get_or_insert_mut(client, || now);
        *forgiven = (*forgiven).max(now) + share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_fail_some_times_at_once_and_then_as_failures_are_forgiven() {
        let (mut failures, start) = (Failures::new(10), Instant::now());
        let client = ClientKey::test(1);
        for _ in 0..10 {
            assert_eq!(failures.wait(client, start), None);
            failures.add(client, start);
        }
        let share = Duration::from_secs(6);
        assert_eq!(failures.wait(client, start), Some(share));
        assert_eq!(failures.wait(ClientKey::test(2), start), None);
        let second = Duration::from_secs(1);
        assert_eq!(failures.wait(client, start + share - second), Some(second));
        assert_eq!(failures.wait(client, start + share), None);
        failures.add(client, start + share);
        assert_eq!(failures.wait(client, start + share), Some(share));
        // All is forgiven.
        let later = start + 2 * PERIOD;
        failures.add(client, later);
        assert_eq!(failures.wait(client, later), None);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_who_was_not_heard_of() {
        let (mut failures, now) = (Failures::new(1), Instant::now());
        for client in 0..=MOST.get() as u64 {
            failures.add(ClientKey::test(client), now);
        }
        assert_eq!(failures.forgiven.len(), MOST.get());
        assert_eq!(failures.wait(ClientKey::test(0), now), None);
        assert!(failures.wait(ClientKey::test(1), now).is_some());
    }
}
