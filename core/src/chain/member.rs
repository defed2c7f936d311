//! A filter's place in chains: the filter, and what all workers together learn of it. It lasts as
//! long as the filter's files stay as they are, through any number of generations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::quarantine::Quarantine;
use crate::config::Mode;
use crate::filter::Filter;
use crate::verdict::{Judgement, VerdictKind};

/// One filter among others.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) filter: Arc<Filter>,
    pub(crate) quarantine: Quarantine,
    pub(crate) shadow: ShadowCounts,
    pub(crate) ended: EndedCounts,
    /// Of the calls of `exchange-ended` alone.
    pub(super) end_quarantine: Quarantine,
}

/// What became of the calls of `exchange-ended`.
#[derive(Debug, Default)]
pub(crate) struct EndedCounts(AtomicU64);

impl EndedCounts {
    /// One was not made, as too many were waiting or have failed.
    pub(super) fn lose(&self) {
        count(&self.0);
    }

    /// How many were not made.
    pub(crate) fn lost(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Member {
    pub(crate) fn new(filter: Arc<Filter>) -> Self {
        let limits = &filter.settings.limits;
        // A permit, an instance, its `init`, the call.
        let longest_call = 2 * (limits.start_wall + limits.wall);
        let quarantine =
            || Quarantine::new(filter.settings.quarantine, longest_call, Instant::now());
        Self {
            quarantine: quarantine(),
            end_quarantine: quarantine(),
            shadow: ShadowCounts::default(),
            ended: EndedCounts::default(),
            filter,
        }
    }

    pub(crate) fn is_shadow(&self) -> bool {
        self.filter.settings.mode == Mode::Shadow
    }
}

/// What a filter in shadow mode would have done.
#[derive(Debug, Default)]
pub(crate) struct ShadowCounts {
    passed: AtomicU64,
    allowed: AtomicU64,
    blocked: AtomicU64,
    redirected: AtomicU64,
    replaced: AtomicU64,
    dropped: AtomicU64,
    edited: AtomicU64,
    failed: AtomicU64,
    unasked: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ShadowTally {
    /// Requests that it had no opinion on.
    pub(crate) passed: u64,
    pub(crate) allowed: u64,
    pub(crate) blocked: u64,
    pub(crate) redirected: u64,
    pub(crate) replaced: u64,
    pub(crate) dropped: u64,
    /// Requests and responses whose header fields it would have changed; they are counted by its
    /// verdict as well.
    pub(crate) edited: u64,
    pub(crate) failed: u64,
    /// Requests that came faster than it judges.
    pub(crate) unasked: u64,
}

impl ShadowCounts {
    pub(super) fn judged(&self, judgement: &Judgement) {
        if judgement.headers().is_some() {
            count(&self.edited);
        }
        count(match judgement.verdict.parts().kind {
            VerdictKind::Next => &self.passed,
            VerdictKind::Allow => &self.allowed,
            VerdictKind::Block => &self.blocked,
            VerdictKind::Redirect => &self.redirected,
            VerdictKind::Replace => &self.replaced,
            VerdictKind::Drop => &self.dropped,
            // A question counts as what happens without an answer.
            VerdictKind::Ask => &self.passed,
        });
    }

    pub(super) fn failed(&self) {
        count(&self.failed);
    }

    pub(super) fn not_asked(&self) {
        count(&self.unasked);
    }

    pub(crate) fn tally(&self) -> ShadowTally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ShadowTally {
            passed: read(&self.passed),
            allowed: read(&self.allowed),
            blocked: read(&self.blocked),
            redirected: read(&self.redirected),
            replaced: read(&self.replaced),
            dropped: read(&self.dropped),
            edited: read(&self.edited),
            failed: read(&self.failed),
            unasked: read(&self.unasked),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl std::fmt::Display for ShadowTally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            passed,
            allowed,
            blocked,
            redirected,
            replaced,
            dropped,
            edited,
            failed,
            unasked,
        } = self;
        write!(
            f,
            "{blocked} would be blocked, {redirected} redirected, {replaced} replaced, {dropped} dropped, {allowed} allowed, {passed} passed; {edited} would \
             be changed; {failed} failed, {unasked} not asked about"
        )
    }
}
