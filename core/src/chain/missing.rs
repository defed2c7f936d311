//! A place in the chain that has no filter although the operator counts on one: the file is
//! refused, not there, or not compiled yet. `plugins` says which places these are; a session asks
//! them as it asks filters.

use std::sync::Arc;

use http::StatusCode;

use crate::config::OnError;
use crate::filter::Hook;
use crate::verdict::{Besides, Judgement, Verdict};

/// A place without a filter that can judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The filter's name, or the setting that nothing can be judged without.
    pub(crate) name: Arc<str>,
    /// What becomes of requests.
    pub(crate) on_error: OnError,
    /// Why there is no filter, for the operator.
    pub(crate) reason: Arc<str>,
}

impl Missing {
    /// Whether it is asked in that hook. The host is judged in every exchange. Where a filter
    /// before has allowed it, the request is still to be judged.
    pub(super) fn answers(&self, hook: Hook) -> bool {
        match hook {
            Hook::Host => true,
            Hook::Request => self.on_error == OnError::Block,
            _ => false,
        }
    }

    /// What happens to a request that comes here.
    pub(super) fn judge(&self) -> Judgement {
        let reason = format!(
            "{} is configured and cannot judge; the proxy's log says why",
            self.name
        );
        unjudged(&self.name, self.on_error, reason)
    }
}

/// What happens to a request that a filter cannot judge: the only place that decides it. `reason`
/// is what the client is told.
pub(super) fn unjudged(name: &Arc<str>, on_error: OnError, reason: String) -> Judgement {
    match on_error {
        OnError::Skip => Judgement {
            besides: Some(Box::new(Besides {
                skipped: vec![name.clone()],
                ..Besides::default()
            })),
            ..Judgement::PASS
        },
        OnError::Block => Judgement {
            verdict: Verdict::Block {
                status: StatusCode::SERVICE_UNAVAILABLE,
                reason: reason.into(),
            },
            filter: Some(name.clone()),
            failed: true,
            ..Judgement::PASS
        },
    }
}
