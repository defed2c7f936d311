//! What an instance holds, counted against what it may hold. wasmtime asks before anything grows.

use wasmtime::ResourceLimiter;

use super::Failure;
use crate::config::FilterLimits;

/// Core instances, memories and tables that one component is made of. Language runtimes come as a handful.
const PARTS: usize = 64;

/// The memories and tables of one instance.
#[derive(Debug)]
pub(super) struct Meter {
    /// In bytes.
    memory: Gauge,
    /// In elements.
    table: Gauge,
}

#[derive(Debug)]
struct Gauge {
    used: usize,
    limit: usize,
    /// How much was granted last, in case it cannot be had.
    granted: usize,
    refused: bool,
}

impl Meter {
    pub(super) fn new(limits: &FilterLimits) -> Self {
        Self {
            memory: Gauge::new(limits.memory),
            table: Gauge::new(limits.table),
        }
    }

    /// All memories together, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory.used
    }

    /// What a guest has survived does not explain what it does later.
    pub(super) fn forget_refusals(&mut self) {
        (self.memory.refused, self.table.refused) = (false, false);
    }

    /// The limit that the instance has met, which explains what it did then.
    pub(super) fn refusal(&self) -> Option<Failure> {
        match (self.memory.refused, self.table.refused) {
            (true, _) => Some(Failure::Memory(self.memory.limit)),
            (_, true) => Some(Failure::Table(self.table.limit)),
            (false, false) => None,
        }
    }
}

impl Gauge {
    fn new(limit: usize) -> Self {
        Self {
            used: 0,
            limit,
            granted: 0,
            refused: false,
        }
    }

    /// `current` and `desired` are of one memory or table among several.
    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        let fits = self
            .used
            .checked_add(more)
            .is_some_and(|sum| sum <= self.limit);
        if fits {
            self.used += more;
            self.granted = more;
        } else {
            self.refused = true;
        }
        fits
    }

    fn take_back(&mut self) {
        self.used -= std::mem::take(&mut self.granted);
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.table.grow(current, desired))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter::new(&FilterLimits {
            memory: 100,
            table: 10,
            ..FilterLimits::default()
        })
    }

    #[test]
    fn all_memories_share_one_limit() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert_eq!(meter.memory(), 100);
        assert!(meter.refusal().is_none());
        assert!(!meter.memory_growing(40, 41, None).unwrap());
        assert!(!meter.memory_growing(0, usize::MAX, None).unwrap());
        assert!(matches!(meter.refusal(), Some(Failure::Memory(100))));
    }

    #[test]
    fn tables_have_a_limit_of_their_own() {
        let mut meter = meter();
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(10, 11, None).unwrap());
        assert!(matches!(meter.refusal(), Some(Failure::Table(10))));
    }

    #[test]
    fn what_the_system_does_not_give_is_not_counted() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 100, None).unwrap());
        meter
            .memory_grow_failed(wasmtime::Error::msg("no memory"))
            .unwrap();
        assert_eq!(meter.memory(), 0);
    }
}
