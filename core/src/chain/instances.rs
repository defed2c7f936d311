//! The instances of one filter on one worker, whatever kind of filter it is. `local` decides when a
//! call is made; this module knows how a filter of each kind is brought to life and kept.

use std::cell::RefCell;

use crate::filter::{Failure, Filter, FilterAnswer, HookCall, Instance};

/// The idle instances of a filter. There is one kind of filter today.
#[derive(Debug)]
pub(super) enum Instances {
    Component(RefCell<Vec<Instance>>),
}

impl Instances {
    /// Without an instance yet.
    pub(super) fn new() -> Self {
        Self::Component(RefCell::default())
    }

    /// Calls an idle instance or a new one. The instance is kept only if it gave a valid answer.
    pub(super) async fn call(
        &self,
        filter: &Filter,
        call: HookCall<'_>,
    ) -> Result<FilterAnswer, Failure> {
        let Self::Component(idle) = self;
        // The guard must end before the first await: another request may want an instance
        // meanwhile.
        let taken = idle.borrow_mut().pop();
        let mut instance = match taken {
            Some(instance) => instance,
            // Boxed because it is rare and would size the future of every request.
            None => Box::pin(Instance::start(filter)).await?,
        };
        let answer = instance.judge(call).await?;
        if !instance.should_retire() {
            idle.borrow_mut().push(instance);
        }
        Ok(answer)
    }

    /// Has an instance ready, if one can be made.
    pub(super) async fn warm_up(&self, filter: &Filter) {
        let Self::Component(idle) = self;
        if idle.borrow().is_empty()
            && let Ok(instance) = Instance::start(filter).await
        {
            idle.borrow_mut().push(instance);
        }
    }

    /// The linear memories of the idle instances, in bytes.
    pub(super) fn memory(&self) -> usize {
        let Self::Component(idle) = self;
        idle.borrow().iter().map(Instance::memory).sum()
    }
}
