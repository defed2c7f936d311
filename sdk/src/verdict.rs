//! The answer of a hook.

use std::time::Duration;

use portcullis_contract::Scope;

/// The answer of a hook. Filters are asked in order, and the first answer that is not
/// [`Verdict::NEXT`] decides for that hook.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{Decision, Scope, Verdict};
///
/// let verdict = Verdict::block("closed at night").with_status(451);
/// assert!(matches!(verdict.decision(), Decision::Block { status: 451, .. }));
///
/// // The proxy need not ask again about this host for a minute.
/// let verdict = verdict.cache_for(Scope::Host, Duration::from_secs(60));
/// assert_eq!(verdict.cached(), Some((Scope::Host, Duration::from_secs(60))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    decision: Decision,
    cached: Option<(Scope, Duration)>,
}

/// What a verdict says.
///
/// ```
/// use portcullis_sdk::{Decision, Verdict};
///
/// let reason = match Verdict::block("listed").decision() {
///     Decision::Block { reason, .. } => reason.clone(),
///     decision => panic!("{decision:?} refuses nothing"),
/// };
/// assert_eq!(reason, "listed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// No opinion: ask the next filter.
    Next,
    /// Let it pass this hook and ask no further filter there.
    Allow,
    /// Refuse the request.
    Block {
        /// The HTTP status of the answer, 400 to 599.
        status: u16,
        /// One line, shown to the client and written to the access log.
        reason: String,
    },
    /// Send the client elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// An absolute http or https URL.
        location: String,
    },
    /// Answer in place of the origin.
    Replace {
        /// 200 to 599.
        status: u16,
        /// The value of the Content-Type field; none is sent if it is empty.
        content_type: String,
        /// The content.
        body: Vec<u8>,
    },
}

impl Verdict {
    /// No opinion: the next filter is asked. What was changed in the header fields goes on with the
    /// message.
    ///
    /// ```
    /// use portcullis_sdk::{Decision, Verdict};
    ///
    /// assert_eq!(Verdict::NEXT.decision(), &Decision::Next);
    /// ```
    pub const NEXT: Self = Self::new(Decision::Next);

    /// The message passes, and no further filter is asked by this hook.
    ///
    /// ```
    /// use portcullis_sdk::{Decision, Verdict};
    ///
    /// assert_eq!(Verdict::ALLOW.decision(), &Decision::Allow);
    /// ```
    pub const ALLOW: Self = Self::new(Decision::Allow);

    const fn new(decision: Decision) -> Self {
        Self {
            decision,
            cached: None,
        }
    }

    /// Refuses the request with status 403. The reason, one line, is shown to the client and
    /// written to the access log.
    ///
    /// ```
    /// use portcullis_sdk::{Decision, Verdict};
    ///
    /// let verdict = Verdict::block("closed at night");
    /// let reason = "closed at night".to_owned();
    /// assert_eq!(verdict.decision(), &Decision::Block { status: 403, reason });
    /// ```
    pub fn block(reason: impl Into<String>) -> Self {
        Self::new(Decision::Block {
            status: 403,
            reason: reason.into(),
        })
    }

    /// Sends the client to `location`, an absolute http or https URL, with status 302. A CONNECT
    /// request cannot be redirected and is refused instead.
    ///
    /// ```
    /// use portcullis_sdk::{Decision, Verdict};
    ///
    /// let verdict = Verdict::redirect("https://portal.example/").with_status(307);
    /// let location = "https://portal.example/".to_owned();
    /// assert_eq!(verdict.decision(), &Decision::Redirect { status: 307, location });
    /// ```
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(Decision::Redirect {
            status: 302,
            location: location.into(),
        })
    }

    /// Answers in place of the origin with status 200. The answer to a CONNECT request cannot be
    /// replaced; it is refused instead.
    ///
    /// ```
    /// use portcullis_sdk::{Decision, Verdict};
    ///
    /// let verdict = Verdict::replace("text/plain", "nothing here").with_status(410);
    /// assert!(matches!(
    ///     verdict.decision(),
    ///     Decision::Replace { status: 410, body, .. } if body == b"nothing here"
    /// ));
    /// ```
    pub fn replace(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Decision::Replace {
            status: 200,
            content_type: content_type.into(),
            body: body.into(),
        })
    }

    /// The same with another status: 400 to 599 where it blocks; 301, 302, 303, 307 or 308 where it
    /// redirects; 200 to 599 where it replaces. The proxy counts any other as a failure of the
    /// filter. [`Verdict::NEXT`] and [`Verdict::ALLOW`] have no status and stay as they are.
    #[must_use]
    pub fn with_status(mut self, code: u16) -> Self {
        if let Decision::Block { status, .. }
        | Decision::Redirect { status, .. }
        | Decision::Replace { status, .. } = &mut self.decision
        {
            *status = code;
        }
        self
    }

    /// Lets the proxy use this answer of `judge_host` again for so long instead of asking. It asks
    /// again anyway when this filter, its settings or a feed has changed, or to make room. The
    /// answers of other hooks are not cached.
    #[must_use]
    pub fn cache_for(mut self, scope: Scope, time: Duration) -> Self {
        self.cached = Some((scope, time));
        self
    }

    /// What it says.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// How long it may be used again, and for what.
    pub fn cached(&self) -> Option<(Scope, Duration)> {
        self.cached
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (Decision, Option<(Scope, Duration)>) {
        (self.decision, self.cached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_usual_one_until_another_is_asked_for() {
        let status = |verdict: Verdict| match verdict.decision {
            Decision::Block { status, .. }
            | Decision::Redirect { status, .. }
            | Decision::Replace { status, .. } => Some(status),
            Decision::Next | Decision::Allow => None,
        };
        for (verdict, usual) in [
            (Verdict::block("no"), Some(403)),
            (Verdict::redirect("http://a.example/"), Some(302)),
            (Verdict::replace("text/plain", "no"), Some(200)),
            (Verdict::NEXT, None),
            (Verdict::ALLOW, None),
        ] {
            assert_eq!(status(verdict.clone()), usual);
            let other = usual.map(|_| 418);
            assert_eq!(status(verdict.with_status(418)), other);
        }
    }
}
