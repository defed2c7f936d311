//! The instances of one filter on one worker, whatever kind of filter it is. `local` decides when a
//! call is made; this module knows how a filter of each kind is brought to life and kept.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::config::FilterLimits;
use crate::filter::{Failure, Filter, FilterAnswer, HookCall, Instance};
use crate::verdict::Notes;

/// Starting instances may take this part of the time.
const START_SHARE: u32 = 10;

/// How many instances may wear out soon: some requests need much memory.
const WORN_OUT_IN_A_ROW: u32 = 3;

/// The idle instances of a filter. There is one kind of filter today.
#[derive(Debug)]
pub(super) enum Instances {
    Component(Components),
}

/// Instances of a component.
#[derive(Debug)]
pub(super) struct Components {
    #[expect(
        clippy::vec_box,
        reason = "each call moves an instance out and in again"
    )]
    idle: RefCell<Vec<Box<Instance>>>,
    starts: StartBudget,
    /// How many instances in a row were worn out by a few calls.
    worn_out: Cell<u32>,
}

/// The time that starting instances may take. A filter that fails or wears out at every call would
/// otherwise keep the worker busy with making new ones.
#[derive(Debug)]
pub(super) struct StartBudget {
    /// In nanoseconds; below 0 where an instance took longer than there was time.
    left: Cell<i128>,
    most: i128,
    /// When it was looked at last.
    at: Cell<Instant>,
}

impl Instances {
    /// Without an instance yet.
    pub(super) fn new(limits: &FilterLimits) -> Self {
        Self::Component(Components {
            idle: RefCell::default(),
            starts: StartBudget::new(limits, Instant::now()),
            worn_out: Cell::new(0),
        })
    }

    /// Calls an idle instance or a new one. The instance is kept only if it gave a valid answer.
    pub(super) async fn call(
        &self,
        filter: &Filter,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<FilterAnswer, Failure> {
        let Self::Component(components) = self;
        let mut instance = loop {
            // The guard must end before the first await: another request may want an instance
            // meanwhile.
            let taken = components.idle.borrow_mut().pop();
            let mut instance = match taken {
                Some(instance) => instance,
                // Boxed because it is rare and would size the future of every request.
                None => Box::new(Box::pin(components.starts.start(filter)).await?),
            };
            if instance.knows_feeds() {
                break instance;
            }
        };
        let answer = instance.call(call, notes).await?;
        if instance.should_retire() {
            components.retire(&instance)?;
        } else {
            components.idle.borrow_mut().push(instance);
        }
        Ok(answer)
    }

    /// Has an instance ready, if one can be made.
    pub(super) async fn warm_up(&self, filter: &Filter) {
        let Self::Component(Components { idle, .. }) = self;
        if idle.borrow().is_empty()
            && let Ok(instance) = Instance::start(filter).await
        {
            idle.borrow_mut().push(Box::new(instance));
        }
    }

    /// The linear memories of the idle instances, in bytes.
    pub(super) fn memory(&self) -> usize {
        let Self::Component(Components { idle, .. }) = self;
        idle.borrow().iter().map(|instance| instance.memory()).sum()
    }
}

impl Components {
    /// Fails if one instance after the other is worn out by a few calls.
    fn retire(&self, instance: &Instance) -> Result<(), Failure> {
        let Some(failure) = instance.worn_out() else {
            self.worn_out.set(0);
            return Ok(());
        };
        self.worn_out.set(self.worn_out.get().saturating_add(1));
        if self.worn_out.get() > WORN_OUT_IN_A_ROW {
            return Err(failure);
        }
        Ok(())
    }
}

impl StartBudget {
    fn new(limits: &FilterLimits, now: Instant) -> Self {
        let instances = u32::try_from(limits.concurrency.max(2)).unwrap_or(u32::MAX);
        let most = nanos(limits.start_cpu.saturating_mul(instances));
        Self {
            left: Cell::new(most),
            most,
            at: Cell::new(now),
        }
    }

    async fn start(&self, filter: &Filter) -> Result<Instance, Failure> {
        let begun = Instant::now();
        if self.left_at(begun) <= 0 {
            return Err(Failure::Starts(START_SHARE));
        }
        // Also if the request that needs it ends before.
        let _charge = Charge {
            budget: self,
            begun,
            most: filter.settings.limits.start_cpu,
        };
        Instance::start(filter).await
    }

    fn left_at(&self, now: Instant) -> i128 {
        let passed = now.saturating_duration_since(self.at.replace(now));
        let left = self.left.get() + nanos(passed / START_SHARE);
        self.left.set(left.min(self.most));
        self.left.get()
    }

    fn spend(&self, time: Duration) {
        self.left.set(self.left.get() - nanos(time));
    }
}

/// A start that is under way. What it takes by the clock counts, up to what it may compute: others
/// compute meanwhile.
struct Charge<'a> {
    budget: &'a StartBudget,
    begun: Instant,
    most: Duration,
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        self.budget.spend(self.begun.elapsed().min(self.most));
    }
}

/// More than a century fits.
fn nanos(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_takes_a_tenth_of_the_time_in_the_long_run() {
        const SECOND: Duration = Duration::from_secs(1);
        let mut now = Instant::now();
        let budget = StartBudget::new(&FilterLimits::default(), now);
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
}
