//! How fast clients may send and receive: one token bucket for each client and one for each group
//! that has a limit, shared by all workers. `session` keeps the [`Allowance`] of its client;
//! `rate_limited` spends it on what passes between the client and the proxy.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{self, Limits};
use crate::flow::{Client, ClientKey};
use crate::timer::ResettableTimer;

/// A client that has rested may move what its rate allows in this time at once.
const BURST: Duration = Duration::from_secs(1);

/// A connection moves what the rate allows in this part of a second, and waits for its turn. So a
/// client with a hundred busy connections waits a second for it, and the proxy's question to itself
/// as well.
const TURNS: u64 = 100;

/// The least and the most that a connection moves in a turn, in bytes. Less would be a system call
/// for every few bytes, and more than the second is not read at a time anyway.
const PIECE: [u64; 2] = [512, 64 << 10];

/// With so many clients, those that owe nothing are looked for first.
const LEAST_SWEEP: usize = 1024;

/// The limits of the settings. Clones share their buckets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bandwidth(Option<Arc<Limited>>);

#[derive(Debug)]
struct Limited {
    started: Instant,
    /// Bytes a second.
    per_client: Option<u64>,
    clients: Mutex<Table>,
    groups: HashMap<Box<str>, Arc<Bucket>>,
}

/// The buckets of clients.
#[derive(Debug)]
struct Table {
    buckets: HashMap<ClientKey, Arc<Bucket>>,
    /// With so many clients, those are forgotten that need not be remembered.
    sweep_at: usize,
}

/// What may be moved at a rate, as the point in time at which all that was moved is paid for: the
/// generic cell rate algorithm (ITU-T I.371), which needs one number.
#[derive(Debug)]
struct Bucket {
    /// Bytes a second.
    rate: u64,
    /// Nanoseconds since the start.
    paid_at: AtomicU64,
}

/// What a connection may move, which it shares with the others of its client and of its groups.
#[derive(Debug)]
pub(crate) struct Allowance {
    bandwidth: Arc<Limited>,
    buckets: RefCell<Vec<Arc<Bucket>>>,
    sending: Turn,
    receiving: Turn,
    /// Whether the connection has waited since it was asked last.
    has_waited: Cell<bool>,
}

/// The turn of one direction of a connection: a client that sends without end does not keep itself
/// from receiving.
#[derive(Debug)]
struct Turn {
    at: Cell<Instant>,
    timer: RefCell<ResettableTimer>,
}

/// A direction, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Sending,
    Receiving,
}

impl Bandwidth {
    pub(crate) fn new(limits: &Limits, groups: &BTreeMap<String, config::Group>) -> Self {
        let groups = groups.iter().filter_map(|(name, group)| {
            let bucket = Arc::new(Bucket::new(group.bandwidth?));
            Some((name.as_str().into(), bucket))
        });
        let limited = Limited {
            started: Instant::now(),
            per_client: limits.bandwidth_per_client,
            clients: Mutex::new(Table {
                buckets: HashMap::new(),
                sweep_at: LEAST_SWEEP,
            }),
            groups: groups.collect(),
        };
        let is_limited = limited.per_client.is_some() || !limited.groups.is_empty();
        Self(is_limited.then(|| Arc::new(limited)))
    }

    /// What a new connection of a client may move. None if nothing is limited.
    pub(crate) fn allowance(&self, client: &Client) -> Option<Allowance> {
        let bandwidth = self.0.clone()?;
        let buckets = bandwidth.buckets(client);
        let turn = bandwidth.turn(&buckets);
        Some(Allowance {
            buckets: RefCell::new(buckets),
            bandwidth,
            sending: Turn::at(turn),
            receiving: Turn::at(turn),
            has_waited: Cell::new(false),
        })
    }
}

impl Limited {
    /// The buckets that a client pays into. Clients of a Unix socket have no address, so that they
    /// cannot be told apart, and pay into those of groups alone.
    fn buckets(&self, client: &Client) -> Vec<Arc<Bucket>> {
        let groups = client.groups.iter();
        let groups = groups.filter_map(|group| self.groups.get(&**group).cloned());
        let rate = self.per_client.filter(|_| client.address.is_some());
        let own = rate.map(|rate| {
            let mut table = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.since_start(Instant::now());
            table.bucket(ClientKey::of(client.address), rate, now)
        });
        own.into_iter().chain(groups).collect()
    }

    /// The turn of a connection that begins to pay into these buckets: when all that others have
    /// moved is paid for.
    fn turn(&self, buckets: &[Arc<Bucket>]) -> Instant {
        let paid = buckets.iter().map(|bucket| bucket.paid_at());
        self.started + Duration::from_nanos(paid.max().unwrap_or_default())
    }

    fn since_start(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.started))
    }
}

impl Table {
    fn bucket(&mut self, client: ClientKey, rate: u64, now: u64) -> Arc<Bucket> {
        if self.buckets.len() >= self.sweep_at {
            // A client that has closed its connections still owes what they have moved.
            self.buckets.retain(|_, bucket| {
                Arc::strong_count(bucket) > 1 || bucket.paid_at.load(Ordering::Relaxed) > now
            });
            self.sweep_at = (2 * self.buckets.len()).max(LEAST_SWEEP);
        }
        let bucket = self.buckets.entry(client);
        bucket
            .or_insert_with(|| Arc::new(Bucket::new(rate)))
            .clone()
    }
}

impl Bucket {
    fn new(rate: u64) -> Self {
        Self {
            rate,
            paid_at: AtomicU64::new(0),
        }
    }

    /// When all that was moved is paid for, but for what may be moved at once.
    fn paid_at(&self) -> u64 {
        let paid_at = self.paid_at.load(Ordering::Relaxed);
        paid_at.saturating_sub(nanos(BURST))
    }

    /// Charges what was moved. Returns when more may be.
    fn charge(&self, bytes: u64, now: u64) -> u64 {
        let cost = bytes.saturating_mul(1_000_000_000) / self.rate;
        let paid = |paid: u64| Some(paid.max(now).saturating_add(cost));
        let before = self
            .paid_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid)
            .unwrap_or_default();
        let paid_at = before.max(now).saturating_add(cost);
        paid_at.saturating_sub(nanos(BURST))
    }
}

impl Allowance {
    /// The connection has another client from here on: a user has logged in.
    pub(crate) fn set_client(&self, client: &Client) {
        let buckets = self.bandwidth.buckets(client);
        let turn = self.bandwidth.turn(&buckets);
        for direction in [&self.sending, &self.receiving] {
            direction.at.set(direction.at.get().max(turn));
        }
        self.buckets.replace(buckets);
    }

    /// Whether the connection has had to wait for a turn since this was asked last.
    pub(super) fn take_waited(&self) -> bool {
        self.has_waited.take()
    }

    fn turn(&self, direction: Direction) -> &Turn {
        match direction {
            Direction::Sending => &self.sending,
            Direction::Receiving => &self.receiving,
        }
    }

    /// Ready when the connection may move something. Returns how many bytes.
    pub(super) fn poll(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<usize> {
        let buckets = self.buckets.borrow();
        let Some(rate) = buckets.iter().map(|bucket| bucket.rate).min() else {
            return Poll::Ready(usize::MAX);
        };
        let Turn { at, timer } = self.turn(direction);
        let at = at.get();
        if Instant::now() < at && timer.borrow_mut().poll(at, cx).is_pending() {
            self.has_waited.set(true);
            return Poll::Pending;
        }
        let [least, most] = PIECE;
        Poll::Ready((rate / TURNS).clamp(least, most) as usize)
    }

    /// The connection has moved something. Its next turn comes when this is paid for, and all that
    /// others have moved before.
    pub(super) fn charge(&self, direction: Direction, bytes: usize) {
        let buckets = self.buckets.borrow();
        if buckets.is_empty() || bytes == 0 {
            return;
        }
        let now = self.bandwidth.since_start(Instant::now());
        let next = buckets
            .iter()
            .map(|bucket| bucket.charge(bytes as u64, now));
        let next = Duration::from_nanos(next.max().unwrap_or_default());
        let at = self.bandwidth.started + next;
        self.turn(direction).at.set(at);
    }
}

impl Turn {
    fn at(at: Instant) -> Self {
        Self {
            at: Cell::new(at),
            timer: RefCell::new(ResettableTimer::at(at)),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_owe_nothing_are_forgotten() {
        let mut table = Table {
            buckets: HashMap::new(),
            sweep_at: LEAST_SWEEP,
        };
        let mut bucket = |number, now| table.bucket(ClientKey::test(number), 1000, now);
        let connected = bucket(0, 0);
        // It has moved what its rate allows in a minute, and has gone.
        bucket(1, 0).charge(60_000, 0);
        (2..LEAST_SWEEP as u64).for_each(|number| drop(bucket(number, 0)));
        let second = 1_000_000_000;
        bucket(LEAST_SWEEP as u64, 10 * second);
        assert_eq!(table.buckets.len(), 3);
        assert!(table.buckets.contains_key(&ClientKey::test(1)));
        assert_eq!(Arc::strong_count(&connected), 2);
    }
}
