//! Whether a filter's calls are measured exactly. That costs as much as a small filter, so it is
//! done only for a while after a call that ended late: either the thread was kept waiting, or the
//! guest has found a way to compute where no tick is noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::budget::{CpuBudget, Measure};

/// Calls that are measured after the first late one.
const MEASURED: u32 = 64;

/// The most that are.
const MOST_MEASURED: u32 = 4096;

/// How many more calls of a filter are measured. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspicion(Arc<Calls>);

#[derive(Debug, Default)]
struct Calls {
    left: AtomicU32,
    /// How many were measured after the last late call.
    measured: AtomicU32,
}

impl Suspicion {
    /// How to measure the next call.
    pub(super) fn measure(&self) -> Measure {
        // That some calls more or fewer are measured does not matter.
        match self.0.left.load(Ordering::Relaxed) {
            0 => Measure::FromTheFirstTick,
            left => {
                self.0.left.store(left - 1, Ordering::Relaxed);
                Measure::Exactly
            }
        }
    }

    /// Whether a call that was late has computed for too long. The next calls are measured if that
    /// is so, or if it cannot be told: twice as many as the last time.
    pub(super) fn is_confirmed(&self, cpu: &mut CpuBudget) -> bool {
        let exceeds = cpu.is_exceeded();
        if exceeds || !cpu.is_exact() {
            let before = self.0.measured.load(Ordering::Relaxed);
            let measured = before.saturating_mul(2).clamp(MEASURED, MOST_MEASURED);
            self.0.measured.store(measured, Ordering::Relaxed);
            self.0.left.store(measured, Ordering::Relaxed);
        }
        exceeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_late_call_twice_as_many_are_measured() {
        let suspicion = Suspicion::default();
        assert_eq!(suspicion.measure(), Measure::FromTheFirstTick);
        for measured in [64, 128, 256, 512, 1024, 2048, 4096, 4096] {
            // Of this call it is not known whether it has computed.
            assert!(!suspicion.is_confirmed(&mut CpuBudget::default()));
            for _ in 0..measured {
                assert_eq!(suspicion.measure(), Measure::Exactly);
            }
            assert_eq!(suspicion.measure(), Measure::FromTheFirstTick);
        }
    }
}
