//! The time that each kind of call may take. `instance` holds calls to it.

use std::time::Duration;

use crate::config::FilterLimits;

/// The time that something may take.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
    /// The settings' names.
    pub(super) names: [&'static str; 2],
}

impl Allowance {
    pub(super) fn call(limits: &FilterLimits) -> Self {
        Self {
            cpu: limits.cpu,
            wall: limits.wall,
            names: ["cpu", "wall"],
        }
    }

    /// Making an instance and its `init` happen once, not per request: they get more time than a
    /// call.
    pub(super) fn start(limits: &FilterLimits) -> Self {
        Self {
            cpu: limits.start_cpu,
            wall: limits.start_wall,
            names: ["start_cpu", "start_wall"],
        }
    }

    /// What happens in the background happens seldom, and no request waits for it.
    pub(super) fn background(limits: &FilterLimits) -> Self {
        Self::start(limits)
    }
}
