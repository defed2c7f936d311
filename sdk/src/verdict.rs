//! The answer of a hook that judges.

use std::time::Duration;

use portcullis_contract::{Fallback, VerdictKind};

/// The answer of a hook that judges. Filters are asked in order, and the first answer that is not
/// [`next`](Self::next) decides for that hook.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::Verdict;
///
/// let verdict = Verdict::block("too many requests")
///     .status(429)
///     .retry_after(Duration::from_secs(60));
/// assert_eq!(verdict.reason(), Some("too many requests"));
/// ```
///
/// The operator may withhold some verdicts from a filter. Then `allow` counts as `next`;
/// `redirect`, `replace` and `drop` count as a refusal with status 403; and `ask` counts as what it
/// says for the case that no person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub(crate) decision: Decision,
    pub(crate) extras: Extras,
}

/// What a verdict does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Next,
    Allow,
    Block {
        status: u16,
        reason: String,
    },
    Redirect {
        status: u16,
        location: String,
    },
    Replace {
        status: u16,
        content_type: String,
        body: Vec<u8>,
    },
    Drop,
    Ask {
        question: String,
        otherwise: Fallback,
        wait: Duration,
    },
}

/// What it says besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) keep: Option<Duration>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) matched: Option<String>,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
}

impl Verdict {
    fn new(decision: Decision) -> Self {
        Self {
            decision,
            extras: Extras::default(),
        }
    }

    /// No opinion: the next filter is asked. What was changed in the header fields goes on with the
    /// message.
    pub fn next() -> Self {
        Self::new(Decision::Next)
    }

    /// The exchange passes this hook, and no further filter is asked there. The hooks that follow
    /// are called all the same.
    pub fn allow() -> Self {
        Self::new(Decision::Allow)
    }

    /// Refuses the exchange with status 403. The reason, one line, is shown to the client and
    /// written to the access log.
    ///
    /// ```
    /// use portcullis_sdk::{Verdict, VerdictKind};
    ///
    /// let verdict = Verdict::block("closed at night").status(451);
    /// assert_eq!(verdict.kind(), VerdictKind::Block);
    /// ```
    pub fn block(reason: impl Into<String>) -> Self {
        Self::new(Decision::Block {
            status: 403,
            reason: reason.into(),
        })
    }

    /// Sends the client to `location`, an absolute http or https URL, with status 302. Where there
    /// is no HTTP response to send (CONNECT, SOCKS, a name in a TLS handshake), the exchange is
    /// refused instead.
    ///
    /// ```
    /// use portcullis_sdk::Verdict;
    ///
    /// Verdict::redirect("https://portal.example/").status(307);
    /// ```
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(Decision::Redirect {
            status: 302,
            location: location.into(),
        })
    }

    /// Answers in place of the origin with status 200. Where there is no HTTP response to send, the
    /// exchange is refused instead. An empty content type is not sent.
    ///
    /// ```
    /// use portcullis_sdk::Verdict;
    ///
    /// Verdict::replace("text/plain", "nothing here").status(410);
    /// ```
    pub fn replace(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Decision::Replace {
            status: 200,
            content_type: content_type.into(),
            body: body.into(),
        })
    }

    /// Closes the connection, or resets the stream, without an answer.
    pub fn drop() -> Self {
        Self::new(Decision::Drop)
    }

    /// Holds the exchange until a person has decided, who is shown the question, one line. If no
    /// person decides in time, or there is none to ask, `otherwise` holds. The operator may have
    /// set a shorter time.
    ///
    /// In `judge_response` there is no time to ask, and `otherwise` holds at once.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use portcullis_sdk::{Fallback, Verdict};
    ///
    /// let question = "May the tablet go to games.example?";
    /// Verdict::ask(question, Fallback::Block, Duration::from_secs(60));
    /// ```
    pub fn ask(question: impl Into<String>, otherwise: Fallback, wait: Duration) -> Self {
        Self::new(Decision::Ask {
            question: question.into(),
            otherwise,
            wait,
        })
    }

    /// The same with another status: 400 to 599 where it blocks; 301, 302, 303, 307 or 308 where it
    /// redirects; 200 to 599 where it replaces. The proxy counts any other as a failure of the
    /// filter. Other verdicts have no status and stay as they are.
    #[must_use]
    pub fn status(mut self, code: u16) -> Self {
        if let Decision::Block { status, .. }
        | Decision::Redirect { status, .. }
        | Decision::Replace { status, .. } = &mut self.decision
        {
            *status = code;
        }
        self
    }

    /// Tells the client when to try again (Retry-After, RFC 9110, section 10.2.3), where the filter
    /// blocks, redirects or replaces.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.extras.retry_after = Some(time);
        self
    }

    /// Adds a header field to the answer, where the filter blocks, redirects or replaces. The proxy
    /// counts a field that cannot be set as a failure of the filter; see
    /// [`HeaderError`](crate::HeaderError).
    ///
    /// ```
    /// use portcullis_sdk::{Error, HeaderName, Verdict};
    ///
    /// let verdict = Verdict::replace("text/html", "<p>Closed").field("Cache-Control", "no-store");
    /// let name: HeaderName = "X-Reason".parse()?; // as a setting has it
    /// let verdict = verdict.field(&name, "closed");
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.extras.fields.push((name.into(), value.into()));
        self
    }

    /// Names the rule that decided, in one line, for the access log, the block page and `portcullis
    /// explain`. Without it they name the last entry that [`feeds`](crate::feeds) has found in this
    /// call.
    #[must_use]
    pub fn matched(mut self, rule: impl Into<String>) -> Self {
        self.extras.matched = Some(rule.into());
        self
    }

    /// Lets the proxy use this answer of `judge_host` again for so long, instead of asking. The
    /// answers of other hooks are not kept.
    ///
    /// It is used for exchanges with the same host and port that agree in every fact which the
    /// filter has asked for in this call. So a filter that has asked for the user is asked again
    /// for another user, and one that has asked for [`Exchange::id`](crate::Exchange::id) is asked
    /// every time. The proxy also asks again when the filter, its settings or a feed has changed,
    /// or to make room. Whether the answer depends on the time, on `state` or on chance, only the
    /// filter knows.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use portcullis_sdk::{Exchange, Verdict, testing};
    ///
    /// /// The proxy's own machine may go anywhere.
    /// fn judge(exchange: &Exchange) -> Verdict {
    ///     let verdict = match exchange.client().address() {
    ///         Some(address) if address.is_loopback() => Verdict::allow(),
    ///         _ => Verdict::next(),
    ///     };
    ///     verdict.keep(Duration::from_secs(60))
    /// }
    ///
    /// let exchange = testing::exchange("www.example").with_client("127.0.0.1");
    /// assert_eq!(judge(&exchange), Verdict::allow().keep(Duration::from_secs(60)));
    /// assert_eq!(exchange.asked(), ["client.address"]);
    /// ```
    #[must_use]
    pub fn keep(mut self, time: Duration) -> Self {
        self.extras.keep = Some(time);
        self
    }

    /// What it does, without its parts.
    pub fn kind(&self) -> VerdictKind {
        match self.decision {
            Decision::Next => VerdictKind::Next,
            Decision::Allow => VerdictKind::Allow,
            Decision::Block { .. } => VerdictKind::Block,
            Decision::Redirect { .. } => VerdictKind::Redirect,
            Decision::Replace { .. } => VerdictKind::Replace,
            Decision::Drop => VerdictKind::Drop,
            Decision::Ask { .. } => VerdictKind::Ask,
        }
    }

    /// The reason of a refusal.
    pub fn reason(&self) -> Option<&str> {
        match &self.decision {
            Decision::Block { reason, .. } => Some(reason),
            _ => None,
        }
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
            Decision::Next | Decision::Allow | Decision::Drop | Decision::Ask { .. } => None,
        };
        let ask = Verdict::ask("?", Fallback::Next, Duration::ZERO);
        for (verdict, usual) in [
            (Verdict::block("no"), Some(403)),
            (Verdict::redirect("http://a.example/"), Some(302)),
            (Verdict::replace("text/plain", "no"), Some(200)),
            (Verdict::next(), None),
            (Verdict::allow(), None),
            (Verdict::drop(), None),
            (ask, None),
        ] {
            assert_eq!(status(verdict.clone()), usual);
            let other = usual.map(|_| 418);
            assert_eq!(status(verdict.status(418)), other);
        }
    }
}
