//! What the chain decided, and who decided it. Plain values: made by the chain, rendered by `respond`, logged by `exchange`.

use std::sync::Arc;

use http::StatusCode;

/// The answer of a filter, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No opinion: the next filter is asked.
    Next,
    /// The request passes and no further filter is asked.
    Allow,
    /// The request is refused with a client or server error status (400-599).
    Block {
        /// The status of the answer.
        status: StatusCode,
        /// One line for the client and the access log.
        reason: String,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: StatusCode,
        /// An absolute http or https URL.
        location: String,
    },
}

impl Verdict {
    /// The word that logs and `explain` use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Allow => "allow",
            Self::Block { .. } => "block",
            Self::Redirect { .. } => "redirect",
        }
    }
}

/// An entry of a feed that covered the judged host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The feed's name.
    pub feed: Arc<str>,
    /// The listed domain: the host itself or one of its parents.
    pub rule: Box<str>,
}

/// The verdict of the whole chain. `Verdict::Next` here means that no filter had an opinion: the request passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What happens to the request.
    pub verdict: Verdict,
    /// The filter that decided; none when every filter passed.
    pub filter: Option<Arc<str>>,
    /// The feed entry that the deciding filter had found, if it looked one up.
    pub matched: Option<Match>,
    /// The deciding filter could not judge, and its `on_error = "block"` refused the request.
    pub failed: bool,
}

impl Judgement {
    /// No filter objected.
    pub const PASS: Self = Self {
        verdict: Verdict::Next,
        filter: None,
        matched: None,
        failed: false,
    };
}
