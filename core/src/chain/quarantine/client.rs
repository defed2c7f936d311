//! The clients whose calls make a filter fail, or cost an instance because they leave. No client
//! can have a filter switched off for others: one that does most of it is held back alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::QuarantineRule;
use crate::flow::ClientKey;

/// At most this many clients are watched at a time.
const WATCHED: usize = 256;

/// The clients that have had failures lately.
#[derive(Debug, Default)]
pub(super) struct Clients(HashMap<ClientKey, Record>);

/// What is known of one of them.
#[derive(Debug)]
struct Record {
    /// Since when failures are counted.
    since: Instant,
    failures: u64,
    /// Calls that it has left while the filter was running.
    abandoned: u64,
    /// Or when it left last.
    last_failure: Instant,
    /// Until when it is held back.
    held_until: Option<Instant>,
    holds_in_a_row: u32,
}

impl Clients {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the client is held back.
    pub(super) fn is_held(&self, client: ClientKey, now: Instant) -> bool {
        let record = self.0.get(&client);
        record
            .and_then(|record| record.held_until)
            .is_some_and(|until| now < until)
    }

    /// Counts a call that failed.
    pub(super) fn failed(&mut self, client: ClientKey, now: Instant, rule: &QuarantineRule) {
        self.record(client, now, rule).failures += 1;
    }

    /// Counts a call that the client has left.
    pub(super) fn abandoned(&mut self, client: ClientKey, now: Instant, rule: &QuarantineRule) {
        self.record(client, now, rule).abandoned += 1;
    }

    /// Counts a call that has not gone well.
    fn record(&mut self, client: ClientKey, now: Instant, rule: &QuarantineRule) -> &mut Record {
        self.forget_old(now, rule);
        if self.0.len() >= WATCHED && !self.0.contains_key(&client) {
            self.evict();
        }
        let record = self.0.entry(client).or_insert(Record {
            since: now,
            failures: 0,
            abandoned: 0,
            last_failure: now,
            held_until: None,
            holds_in_a_row: 0,
        });
        if now.saturating_duration_since(record.since) >= rule.window {
            record.begin(now);
        }
        record.last_failure = now;
        record
    }

    /// The failures of all, of which no client contributes more than half of what it takes; none if
    /// they are those of one.
    pub(super) fn failures_of_several(&self, rule: &QuarantineRule) -> u64 {
        let most = (rule.failures as u64).div_ceil(2);
        let failures = self.0.values().map(|record| record.failures.min(most));
        let failing = failures.filter(|failures| *failures > 0);
        let (clients, sum) = failing.fold((0, 0), |(clients, sum), more| (clients + 1, sum + more));
        if clients > 1 { sum } else { 0 }
    }

    /// Holds a client back if it alone has failed, or left, too often, and in too large a share of
    /// its calls. Returns for how long. `calls` tells how many calls of the window, or of the part
    /// of it since a time, have ended before the client left.
    pub(super) fn hold(
        &mut self,
        client: ClientKey,
        now: Instant,
        rule: &QuarantineRule,
        calls: impl FnOnce(Option<Instant>) -> u64,
    ) -> Option<Duration> {
        let record = self.0.get_mut(&client)?;
        let bad = record.failures + record.abandoned;
        if bad < rule.failures as u64 {
            return None;
        }
        // What it was held back for before says nothing of what it does now. The oldest failures
        // may be out of the window.
        let calls = (calls(record.held_until) + record.abandoned).max(bad);
        if (bad as f64 / calls as f64) < rule.share {
            return None;
        }
        let pause = rule.pause_after(record.holds_in_a_row);
        record.holds_in_a_row = record.holds_in_a_row.saturating_add(1);
        record.held_until = Some(now + pause);
        record.begin(now);
        Some(pause)
    }

    /// Forgets clients whose last failure, and the pause after it, is over.
    pub(super) fn forget_old(&mut self, now: Instant, rule: &QuarantineRule) {
        self.0.retain(|_, record| {
            let rested = record.held_until.unwrap_or(record.last_failure);
            let memory = rule.window.max(rule.pause_after(record.holds_in_a_row));
            now < rested + memory
        });
    }

    fn evict(&mut self) {
        let oldest = self.0.iter().min_by_key(|(_, record)| {
            let is_held = record.held_until.is_some();
            (is_held, record.last_failure)
        });
        if let Some(client) = oldest.map(|(client, _)| *client) {
            self.0.remove(&client);
        }
    }
}

impl Record {
    /// Counts anew.
    fn begin(&mut self, now: Instant) {
        self.since = now;
        (self.failures, self.abandoned) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rule() -> QuarantineRule {
        QuarantineRule {
            failures: 4,
            share: 0.5,
            window: 10 * SECOND,
            pause: SECOND,
            longest_pause: 5 * SECOND,
        }
    }

    #[test]
    fn a_client_that_fails_too_often_is_held_back_for_pauses_that_grow() {
        let (mut clients, mut now, rule) = (Clients::default(), Instant::now(), rule());
        let (eve, bob) = (ClientKey::test(1), ClientKey::test(2));
        for pause in [1, 2, 4, 5, 5] {
            for _ in 0..4 {
                assert_eq!(clients.hold(eve, now, &rule, |_| 4), None);
                clients.failed(eve, now, &rule);
            }
            let held = clients.hold(eve, now, &rule, |_| 4);
            assert_eq!(held, Some(pause * SECOND));
            assert!(clients.is_held(eve, now) && !clients.is_held(bob, now));
            now += pause * SECOND;
            assert!(!clients.is_held(eve, now));
        }
        clients.forget_old(now + 10 * SECOND, &rule);
        assert!(clients.is_empty());
    }

    #[test]
    fn a_client_that_fails_now_and_then_is_not_held_back() {
        let (mut clients, now, rule) = (Clients::default(), Instant::now(), rule());
        let alice = ClientKey::test(1);
        for failures in 1..100 {
            clients.failed(alice, now, &rule);
            assert_eq!(clients.hold(alice, now, &rule, |_| 3 * failures), None);
        }
        // Calls that a client leaves are counted besides.
        for left in 1..100 {
            clients.abandoned(alice, now, &rule);
            let calls = 3 * 99 + left;
            assert_eq!(clients.hold(alice, now, &rule, |_| calls), None);
        }
    }

    #[test]
    fn a_client_that_was_held_back_is_judged_by_its_calls_since_then() {
        let (mut clients, now, rule) = (Clients::default(), Instant::now(), rule());
        let eve = ClientKey::test(1);
        let fail = |clients: &mut Clients| (0..4).for_each(|_| clients.failed(eve, now, &rule));
        fail(&mut clients);
        let held = clients.hold(eve, now, &rule, |since| {
            assert_eq!(since, None);
            4
        });
        assert_eq!(held, Some(SECOND));
        fail(&mut clients);
        let held = clients.hold(eve, now, &rule, |since| {
            assert_eq!(since, Some(now + SECOND));
            4
        });
        assert_eq!(held, Some(2 * SECOND));
    }

    #[test]
    fn several_are_more_than_one_however_few_failures_it_takes() {
        let (mut clients, now) = (Clients::default(), Instant::now());
        let rule = QuarantineRule {
            failures: 1,
            ..rule()
        };
        clients.failed(ClientKey::test(1), now, &rule);
        clients.failed(ClientKey::test(1), now, &rule);
        assert_eq!(clients.failures_of_several(&rule), 0);
        clients.failed(ClientKey::test(2), now, &rule);
        assert_eq!(clients.failures_of_several(&rule), 2);
    }

    #[test]
    fn no_more_clients_are_watched_than_there_is_room_for() {
        let (mut clients, now, rule) = (Clients::default(), Instant::now(), rule());
        for client in 0..2 * WATCHED as u64 {
            clients.failed(ClientKey::test(client), now, &rule);
        }
        assert_eq!(clients.0.len(), WATCHED);
    }
}
