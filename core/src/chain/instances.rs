//! The instances of one filter on one worker, whatever kind of filter it is. `local` decides when a
//! call is made; this module knows how a filter of each kind is brought to life and kept.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::starts::StartBudget;
use crate::config::FilterLimits;
use crate::filter::{CallAnswer, Failure, Filter, HookCall, Instance, Wear};
use crate::flow::ClientKey;
use crate::verdict::Notes;

/// The idle instances of a filter. There is one kind of filter today.
#[derive(Debug)]
pub(super) enum Instances {
    Component(Components),
}

/// Instances of a component.
#[derive(Debug)]
pub(super) struct Components {
    idle: RefCell<Vec<Live>>,
    starts: StartBudget,
    wear: Cell<Wear>,
}

/// An instance, which moves out and in again with each call.
#[derive(Debug)]
struct Live {
    instance: Box<Instance>,
    /// What it took to start it.
    took: Duration,
}

impl Live {
    fn new(instance: Instance, took: Duration) -> Self {
        let instance = Box::new(instance);
        Self { instance, took }
    }
}

/// An instance that a client's call has. Unless it is given back, the client has ended it, by a
/// failure, by leaving or by wearing it out, and pays for it.
struct Loan<'a> {
    components: &'a Components,
    client: ClientKey,
    live: Option<Live>,
}

impl Instances {
    /// Without an instance yet.
    pub(super) fn new(limits: &FilterLimits) -> Self {
        Self::Component(Components {
            idle: RefCell::default(),
            starts: StartBudget::new(limits, Instant::now()),
            wear: Cell::default(),
        })
    }

    /// Calls an idle instance or a new one. The instance is kept only if it gave a valid answer.
    pub(super) async fn call(
        &self,
        filter: &Filter,
        client: ClientKey,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<CallAnswer, Failure> {
        let Self::Component(components) = self;
        components.starts.admit(client)?;
        let live = match components.idle() {
            Some(live) => live,
            // Boxed because it is rare and would size the future of every request.
            None => Box::pin(components.start(filter, client)).await?,
        };
        let mut loan = components.lend(live, client);
        let instance = loan.instance();
        let answer = instance.call(call, notes).await?;
        if instance.should_retire() {
            components.retire(instance)?;
        } else {
            loan.give_back();
        }
        Ok(answer)
    }

    /// Has an instance ready, if one can be made.
    pub(super) async fn warm_up(&self, filter: &Filter) {
        let Self::Component(Components { idle, .. }) = self;
        if !idle.borrow().is_empty() {
            return;
        }
        let begun = Instant::now();
        if let Ok(instance) = Instance::start(filter).await {
            let live = Live::new(instance, begun.elapsed());
            idle.borrow_mut().push(live);
        }
    }

    /// The linear memories of the idle instances, in bytes.
    pub(super) fn memory(&self) -> usize {
        let Self::Component(Components { idle, .. }) = self;
        let idle = idle.borrow();
        idle.iter().map(|live| live.instance.memory()).sum()
    }
}

impl Components {
    /// An idle instance that may still be called.
    fn idle(&self) -> Option<Live> {
        let mut idle = self.idle.borrow_mut();
        while let Some(mut live) = idle.pop() {
            if live.instance.knows_feeds() {
                return Some(live);
            }
        }
        None
    }

    fn lend(&self, live: Live, client: ClientKey) -> Loan<'_> {
        Loan {
            components: self,
            client,
            live: Some(live),
        }
    }

    async fn start(&self, filter: &Filter, client: ClientKey) -> Result<Live, Failure> {
        let (instance, took) = self.starts.start(filter, client).await?;
        Ok(Live::new(instance, took))
    }

    /// Fails if one instance after the other is worn out by a few calls.
    fn retire(&self, instance: &Instance) -> Result<(), Failure> {
        let mut wear = self.wear.get();
        let replaced = wear.replace(instance);
        self.wear.set(wear);
        replaced
    }
}

impl Loan<'_> {
    fn instance(&mut self) -> &mut Instance {
        let live = self.live.as_mut();
        &mut live.expect("only giving it back takes it").instance
    }

    fn give_back(mut self) {
        self.components.idle.borrow_mut().extend(self.live.take());
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            let starts = &self.components.starts;
            starts.charge(self.client, live.took, Instant::now());
        }
    }
}
