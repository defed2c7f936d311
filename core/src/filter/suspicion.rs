//! Whether a filter's calls are measured exactly. That costs as much as a small filter, so it is
//! done only for a while after a call that ended late: either the thread was kept waiting, or the
//! guest has found a way to compute where no tick is noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::budget::{CpuBudget, Measure};

/// Calls that are measured after a late one.
const MEASURED: u32 = 64;

/// How many more calls of a filter are measured. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspicion(Arc<AtomicU32>);

impl Suspicion {
    /// How to measure the next call.
    pub(super) fn measure(&self) -> Measure {
        // That some calls more or fewer are measured does not matter.
        match self.0.load(Ordering::Relaxed) {
            0 => Measure::FromTheFirstTick,
            left => {
                self.0.store(left - 1, Ordering::Relaxed);
                Measure::Exactly
            }
        }
    }

    /// Whether a call that was late has computed for too long. The next calls are measured if that
    /// is so, or if it cannot be told.
    pub(super) fn is_confirmed(&self, cpu: &mut CpuBudget) -> bool {
        let exceeds = cpu.is_exceeded();
        if exceeds || !cpu.is_exact() {
            self.0.store(MEASURED, Ordering::Relaxed);
        }
        exceeds
    }
}
