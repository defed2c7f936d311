//! Which failures are a filter's own.

use std::time::Duration;

use crate::filter::Failure;
use crate::filter::trap::Trap;
use crate::verdict::Verdict;

const LIMIT: Duration = Duration::from_secs(1);

/// What a guest has done.
fn trap() -> Trap {
    Trap::new(wasmtime::Trap::MemoryOutOfBounds.into(), None)
}

/// The error of the engine where it gets no address space.
fn shortage() -> Trap {
    Trap::new(wasmtime::Error::msg("mmap failed to reserve memory"), None)
}

#[test]
fn what_the_machine_has_no_time_or_memory_for_is_not_the_filters_fault() {
    for failure in [
        Failure::Busy(LIMIT),
        Failure::Starved(LIMIT, "wall"),
        Failure::Late(LIMIT, "wall"),
        Failure::Starts(10),
        Failure::StartsOfClient(20),
        Failure::Start(shortage()),
    ] {
        assert!(failure.is_overload(), "{failure}");
    }
}

#[test]
fn what_a_filter_does_is_its_own_fault() {
    let invalid = Verdict::block(200, "no").unwrap_err();
    for failure in [
        Failure::Reported("no".into()),
        Failure::Invalid(invalid),
        Failure::Trap(trap()),
        // Such an error may come from a wrong argument of the guest, too.
        Failure::Trap(shortage()),
        Failure::Cpu(LIMIT, "cpu"),
        Failure::Wall(LIMIT, "wall"),
        Failure::Memory(1),
        Failure::Table(1),
        Failure::Stack(1),
        Failure::Transfer(1),
        Failure::WornOut {
            calls: 1,
            memory: 1,
        },
        Failure::Start(trap()),
        Failure::Init("no".into()),
        Failure::Proxy("no".into()),
    ] {
        assert!(!failure.is_overload(), "{failure}");
    }
}
