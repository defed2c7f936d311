//! Counts the memories and tables of an instance against its limits. wasmtime asks before one
//! grows, and `instance` asks afterwards whether a limit was met.

use wasmtime::ResourceLimiter;

use super::Failure;
use crate::config::FilterLimits;

/// Most core instances and tables of one component, each. Language runtimes have a handful.
const MAX_ITEMS: usize = 64;

/// Most memories of one component. Each reserves gigabytes of address space.
const MAX_MEMORIES: usize = 8;

/// The limits of one instance, and what it uses of them.
#[derive(Debug)]
pub(super) struct ResourceLimits {
    /// All memories together, in bytes.
    memory: Usage,
    /// All tables together, in elements.
    table: Usage,
}

#[derive(Debug)]
struct Usage {
    used: usize,
    limit: usize,
    /// How much was granted last, in case the system does not have it.
    granted: usize,
    /// Whether the limit was met during the running call.
    refused: bool,
}

impl ResourceLimits {
    pub(super) fn new(limits: &FilterLimits) -> Self {
        Self {
            memory: Usage::new(limits.memory),
            table: Usage::new(limits.table),
        }
    }

    /// All memories together, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory.used
    }

    /// Begins a call: a limit that a call before it met does not explain its failure.
    pub(super) fn forget_refusals(&mut self) {
        (self.memory.refused, self.table.refused) = (false, false);
    }

    /// The limit that the running call has met, which explains its failure.
    pub(super) fn refusal(&self) -> Option<Failure> {
        match (self.memory.refused, self.table.refused) {
            (true, _) => Some(Failure::Memory(self.memory.limit)),
            (_, true) => Some(Failure::Table(self.table.limit)),
            (false, false) => None,
        }
    }
}

impl Usage {
    fn new(limit: usize) -> Self {
        Self {
            used: 0,
            limit,
            granted: 0,
            refused: false,
        }
    }

    /// Decides whether one memory or table among several may grow from `current` to `desired`.
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

    fn rollback(&mut self) {
        self.used -= std::mem::take(&mut self.granted);
    }
}

impl ResourceLimiter for ResourceLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.rollback();
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
        self.table.rollback();
        Ok(())
    }

    fn instances(&self) -> usize {
        MAX_ITEMS
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_ITEMS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ResourceLimits {
        ResourceLimits::new(&FilterLimits {
            memory: 100,
            table: 10,
            ..FilterLimits::default()
        })
    }

    #[test]
    fn all_memories_share_one_limit() {
        let mut limits = limits();
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert_eq!(limits.memory(), 100);
        assert!(limits.refusal().is_none());
        assert!(!limits.memory_growing(40, 41, None).unwrap());
        assert!(!limits.memory_growing(0, usize::MAX, None).unwrap());
        assert!(matches!(limits.refusal(), Some(Failure::Memory(100))));
    }

    #[test]
    fn tables_have_a_limit_of_their_own() {
        let mut limits = limits();
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert!(!limits.table_growing(10, 11, None).unwrap());
        assert!(matches!(limits.refusal(), Some(Failure::Table(10))));
    }

    #[test]
    fn what_the_system_does_not_give_is_not_counted() {
        let mut limits = limits();
        assert!(limits.memory_growing(0, 100, None).unwrap());
        limits
            .memory_grow_failed(wasmtime::Error::msg("no memory"))
            .unwrap();
        assert_eq!(limits.memory(), 0);
    }
}
