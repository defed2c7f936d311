//! The time that starting instances of one filter may take on one worker, and which clients make
//! that necessary. A filter whose instances end at every call would otherwise keep the worker busy
//! with making new ones, and one client whose calls end them would use up what is there for all.
//! What a start may take is set aside while it is under way, as others may begin before it has
//! ended. Used by `instances`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::FilterLimits;
use crate::filter::{Failure, Filter, Instance};
use crate::flow::ClientKey;

/// Starting instances may take this part of the time.
const SHARE: u32 = 10;

/// One client may cost this part of it, and more while at least as much is left for the others.
const PARTS: u32 = 2;

/// At most so many clients have an account.
const CLIENTS: usize = 256;

/// Time for starts, which comes back at its share of the time that passes.
#[derive(Debug)]
pub(super) struct StartBudget {
    of_all: Cell<Account>,
    /// Those of clients that have cost an instance lately, or wait for one.
    of_clients: RefCell<HashMap<ClientKey, Account>>,
    /// What the last start took. So much is set aside for the next one: what it may take at most
    /// would leave no time for those that a client needs at once.
    last: Cell<Duration>,
    /// In nanoseconds.
    most: i128,
}

/// How much time is left, in nanoseconds; below 0 where an instance took longer than there was.
#[derive(Clone, Copy, Debug)]
struct Account {
    left: i128,
    /// When it was looked at last.
    at: Instant,
}

impl StartBudget {
    pub(super) fn new(limits: &FilterLimits, now: Instant) -> Self {
        let instances = u32::try_from(limits.concurrency.max(2)).unwrap_or(u32::MAX);
        let most = nanos(limits.start_cpu.saturating_mul(instances));
        let of_all = Account {
            left: most,
            at: now,
        };
        Self {
            of_all: Cell::new(of_all),
            of_clients: RefCell::default(),
            last: Cell::default(),
            most,
        }
    }

    /// Fails if the client has cost more instances than its part pays for. That holds for calls for
    /// which an instance is idle, too: the client would end that one.
    pub(super) fn admit(&self, client: ClientKey) -> Result<(), Failure> {
        if self.of_clients.borrow().is_empty() || !self.refuses(client, Instant::now()) {
            return Ok(());
        }
        Err(Failure::StartsOfClient(SHARE * PARTS))
    }

    fn refuses(&self, client: ClientKey, now: Instant) -> bool {
        let mut clients = self.of_clients.borrow_mut();
        let account = clients.get_mut(&client);
        let is_spent = account.is_some_and(|account| self.is_spent(account, now));
        is_spent && self.left_at(now) <= self.part()
    }

    /// Starts an instance for a call of the client. Returns with it what it took.
    pub(super) async fn start(
        &self,
        filter: &Filter,
        client: ClientKey,
    ) -> Result<(Instance, Duration), Failure> {
        let most = longest(&filter.settings.limits);
        let mut start = self.begin(client, most, Instant::now())?;
        let instance = Instance::start(filter).await;
        // Only a client that leaves before has lost it.
        start.is_left = false;
        let (instance, took) = (instance?, start.time());
        self.last.set(took);
        Ok((instance, took))
    }

    /// Sets time aside for a start that takes `most` at most.
    fn begin(&self, client: ClientKey, most: Duration, now: Instant) -> Result<Start<'_>, Failure> {
        if self.left_at(now) <= 0 {
            return Err(Failure::Starts(SHARE));
        }
        let set_aside = self.last.get();
        self.spend(set_aside);
        self.charge(client, set_aside, now);
        Ok(Start {
            budget: self,
            client,
            begun: now,
            most,
            set_aside,
            is_left: true,
        })
    }

    /// Notes that a call of the client has ended an instance, which took so long to start.
    pub(super) fn charge(&self, client: ClientKey, took: Duration, now: Instant) {
        let mut clients = self.of_clients.borrow_mut();
        clients.retain(|_, account| account.left_at(now, self.part(), PARTS) < self.part());
        if clients.len() >= CLIENTS && !clients.contains_key(&client) {
            let richest = clients.iter().max_by_key(|(_, account)| account.left);
            if let Some(richest) = richest.map(|(client, _)| *client) {
                clients.remove(&richest);
            }
        }
        let account = clients.entry(client).or_insert(Account {
            left: self.part(),
            at: now,
        });
        account.left = (account.left - nanos(took)).max(-self.most);
    }

    /// Gives back what was set aside for a start that took `time`.
    fn settle(&self, client: ClientKey, set_aside: Duration, time: Duration) {
        let mut of_all = self.of_all.get();
        of_all.left += nanos(set_aside) - nanos(time);
        self.of_all.set(of_all);
        let mut clients = self.of_clients.borrow_mut();
        let Some(account) = clients.get_mut(&client) else {
            return;
        };
        account.left += nanos(set_aside);
        if account.left >= self.part() {
            clients.remove(&client);
        }
    }

    fn is_spent(&self, account: &mut Account, now: Instant) -> bool {
        account.left_at(now, self.part(), PARTS) <= 0
    }

    /// What one client may cost at once.
    fn part(&self) -> i128 {
        self.most / i128::from(PARTS)
    }

    fn left_at(&self, now: Instant) -> i128 {
        let mut account = self.of_all.get();
        let left = account.left_at(now, self.most, 1);
        self.of_all.set(account);
        left
    }

    fn spend(&self, time: Duration) {
        let mut account = self.of_all.get();
        account.left -= nanos(time);
        self.of_all.set(account);
    }
}

impl Account {
    /// One that gets a part of the share, and holds so much at most.
    fn left_at(&mut self, now: Instant, most: i128, parts: u32) -> i128 {
        let passed = now.saturating_duration_since(self.at);
        self.at = now;
        self.left = most.min(self.left + nanos(passed / (SHARE * parts)));
        self.left
    }
}

/// A start that is under way. What it takes by the clock counts, up to what it may compute: others
/// compute meanwhile. It counts also if the request that needs it ends before.
struct Start<'a> {
    budget: &'a StartBudget,
    client: ClientKey,
    begun: Instant,
    most: Duration,
    set_aside: Duration,
    /// Whether the client pays if it is dropped.
    is_left: bool,
}

impl Start<'_> {
    fn time(&self) -> Duration {
        self.begun.elapsed().min(self.most)
    }
}

impl Drop for Start<'_> {
    fn drop(&mut self) {
        let time = self.time();
        self.budget.settle(self.client, self.set_aside, time);
        if self.is_left {
            self.budget.charge(self.client, time, Instant::now());
        }
    }
}

/// What a start may compute: making the instance and its `init` have `start_cpu` each.
fn longest(limits: &FilterLimits) -> Duration {
    limits.start_cpu.saturating_mul(2)
}

/// More than a century fits.
fn nanos(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const ALICE: ClientKey = ClientKey::test(1);
    const EVE: ClientKey = ClientKey::test(666);

    /// Time for eight starts of a second.
    fn budget(now: Instant) -> StartBudget {
        StartBudget::new(&FilterLimits::default(), now)
    }

    /// A start that a call of the client has made necessary, if that is admitted and there is time.
    fn costs(budget: &StartBudget, client: ClientKey, now: Instant) -> bool {
        let starts = !budget.refuses(client, now) && budget.left_at(now) > 0;
        if starts {
            budget.charge(client, SECOND, now);
            budget.spend(SECOND);
        }
        starts
    }

    #[test]
    fn starting_takes_a_tenth_of_the_time_in_the_long_run() {
        let mut now = Instant::now();
        let budget = budget(now);
        let mut starts = 0;
        for _ in 0..1000 {
            while budget.left_at(now) > 0 {
                budget.spend(SECOND);
                starts += 1;
            }
            now += SECOND;
        }
        // Four instances of two seconds at once, then a tenth.
        assert!((100..=110).contains(&starts), "{starts}");
    }

    #[test]
    fn a_client_leaves_the_others_their_part_and_may_use_what_comes_back() {
        let mut now = Instant::now();
        let budget = budget(now);
        let mut starts = 0;
        for _ in 0..1000 {
            while costs(&budget, EVE, now) {
                starts += 1;
            }
            assert!(budget.left_at(now) >= budget.part() - nanos(SECOND));
            assert!(!budget.refuses(ALICE, now));
            now += SECOND;
        }
        assert!((100..=110).contains(&starts), "{starts}");
    }

    /// A start for a call of the client that is under way, if there is time.
    fn begins(budget: &StartBudget, client: ClientKey, now: Instant) -> Option<Start<'_>> {
        if budget.refuses(client, now) {
            return None;
        }
        budget.begin(client, SECOND, now).ok()
    }

    #[test]
    fn what_a_client_starts_at_once_leaves_the_others_their_part() {
        let now = Instant::now();
        let budget = budget(now);
        budget.last.set(SECOND);
        // She has cost an instance before, and one more is all that she may.
        budget.charge(EVE, 3 * SECOND, now);
        budget.spend(3 * SECOND);
        let eves: Vec<_> = (0..4).map(|_| begins(&budget, EVE, now)).collect();
        assert_eq!(eves.iter().flatten().count(), 1);
        assert!(budget.left_at(now) >= budget.part());
        let alices: Vec<_> = (0..4).map(|_| begins(&budget, ALICE, now)).collect();
        assert!(alices.iter().all(Option::is_some));
        assert!(budget.left_at(now) >= 0);
    }

    #[test]
    fn what_a_start_did_not_take_is_given_back() {
        let now = Instant::now();
        let budget = budget(now);
        budget.last.set(SECOND);
        let mut starts = [begins(&budget, ALICE, now), begins(&budget, ALICE, now)];
        assert_eq!(budget.left_at(now), budget.most - nanos(2 * SECOND));
        for start in starts.iter_mut().flatten() {
            start.is_left = false;
            // It has taken no time.
            start.most = Duration::ZERO;
        }
        drop(starts);
        assert_eq!(budget.left_at(now), budget.most);
        assert!(budget.of_clients.borrow().is_empty());
    }

    #[test]
    fn what_is_computed_before_and_in_init_counts() {
        let limits = FilterLimits {
            start_cpu: Duration::from_millis(1),
            ..FilterLimits::default()
        };
        let long_ago = Instant::now() - Duration::from_millis(10);
        let budget = StartBudget::new(&limits, long_ago);
        let start = budget.begin(ALICE, longest(&limits), long_ago).ok();
        let time = start.as_ref().map(Start::time);
        assert_eq!(time, Some(Duration::from_millis(2)));
    }

    #[test]
    fn clients_that_cost_much_share_what_there_is() {
        let mut now = Instant::now();
        let budget = budget(now);
        let (mut alices, mut eves) = (0, 0);
        for _ in 0..1000 {
            while costs(&budget, EVE, now) {
                eves += 1;
            }
            alices += u32::from(costs(&budget, ALICE, now));
            now += SECOND;
        }
        for starts in [alices, eves] {
            assert!((45..=60).contains(&starts), "{alices} and {eves}");
        }
    }

    #[test]
    fn a_client_is_forgotten_when_it_has_paid() {
        let now = Instant::now();
        let budget = budget(now);
        budget.charge(EVE, SECOND, now);
        budget.charge(ALICE, SECOND, now + 19 * SECOND);
        assert_eq!(budget.of_clients.borrow().len(), 2);
        budget.charge(ALICE, SECOND, now + 20 * SECOND);
        assert_eq!(budget.of_clients.borrow().len(), 1);
        for client in 0..2 * CLIENTS as u64 {
            budget.charge(ClientKey::test(client), SECOND, now + 20 * SECOND);
        }
        assert_eq!(budget.of_clients.borrow().len(), CLIENTS);
        // The one that owes most is known as long as others are there.
        assert!(budget.of_clients.borrow().contains_key(&ALICE));
    }
}
