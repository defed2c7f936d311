//! What time it is for filters: the machine's time, or a time that is moved by hand. `host` tells
//! guests the time, and in `state` keys expire by it. The limits of calls do not depend on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A source of time. Clones show the same.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands still until it is moved.
    Manual(Arc<Manual>),
}

#[derive(Debug)]
pub(crate) struct Manual {
    start: Timestamp,
    /// The same moment as `start`.
    origin: Instant,
    /// Since the start, in milliseconds.
    passed: AtomicU64,
}

impl Clock {
    /// A clock that stands at `start`.
    pub(crate) fn manual(start: SystemTime) -> Self {
        Self::Manual(Arc::new(Manual {
            start: start.try_into().unwrap_or(Timestamp::UNIX_EPOCH),
            origin: Instant::now(),
            passed: AtomicU64::new(0),
        }))
    }

    /// Moves a manual clock. The system's clock stays as it is.
    pub(crate) fn advance(&self, time: Duration) {
        if let Self::Manual(manual) = self {
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            manual.passed.fetch_add(time, Ordering::Relaxed);
        }
    }

    /// The date and time.
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(manual) => manual
                .start
                .saturating_add(manual.passed())
                .unwrap_or(manual.start),
        }
    }

    /// A moment to measure durations with.
    pub(crate) fn instant(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(manual) => manual.origin + manual.passed(),
        }
    }

    /// The zone of the machine. For a manual clock it is UTC, so that a test does not depend on
    /// where it runs.
    pub(crate) fn zone(&self) -> TimeZone {
        match self {
            Self::System => TimeZone::system(),
            Self::Manual(_) => TimeZone::UTC,
        }
    }
}

impl Manual {
    fn passed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_moved_by_hand_stands_still_otherwise() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_000);
        let clock = Clock::manual(start);
        let (now, instant) = (clock.now(), clock.instant());
        assert_eq!(now.to_string(), "2026-03-02T09:00:00Z");
        assert_eq!((clock.now(), clock.instant()), (now, instant));
        let minute = Duration::from_secs(60);
        clock.advance(minute);
        assert_eq!(clock.now().to_string(), "2026-03-02T09:01:00Z");
        assert_eq!(clock.instant(), instant + minute);
    }
}
