//! What the chain decided, and who decided it. Plain values: made by the chain, rendered by
//! `respond`, recorded by `exchange`.

mod matched;
mod notes;
pub(crate) mod rule;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use portcullis_contract::limits::{LOCATION_BYTES, QUESTION_BYTES, REASON_BYTES};
pub(crate) use portcullis_contract::{Fallback, VerdictKind};

pub(crate) use self::matched::{CountHits, Hit, Match, MatchKind};
pub(crate) use self::notes::{Notes, add_notes};

/// The answer of a filter, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No opinion: the next filter is asked.
    Next,
    /// The request passes this hook and no further filter is asked there.
    Allow,
    /// The request is refused with a client or server error status (400-599).
    Block {
        /// The status of the answer.
        status: StatusCode,
        /// One line for the client and the access log.
        reason: Arc<str>,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: StatusCode,
        /// An absolute http or https URL.
        location: Box<str>,
    },
    /// The client gets this in place of the origin's answer.
    Replace(Box<Page>),
    /// The connection is closed without an answer.
    Drop,
    /// A person is asked.
    Ask(Box<Question>),
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// One line.
    pub(crate) text: String,
    /// What happens if no person has decided in time.
    pub(crate) otherwise: Fallback,
    pub(crate) wait: Duration,
}

/// What all verdicts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerdictParts<'a> {
    pub(crate) kind: VerdictKind,
    /// The status of the answer that the client gets instead of the origin's.
    pub(crate) status: Option<StatusCode>,
    /// The reason of a block, the location of a redirect.
    pub(crate) text: Option<&'a str>,
}

/// An answer that a filter gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// 200 to 599.
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

/// A verdict that cannot be carried out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidVerdict(&'static str);

impl Verdict {
    /// A refusal; `status` must be 400 to 599. The reason is made one line of at most 1024 bytes.
    pub(crate) fn block(status: u16, reason: &str) -> Result<Self, InvalidVerdict> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| status.is_client_error() || status.is_server_error())
            .ok_or(InvalidVerdict("a block needs a status from 400 to 599"))?;
        Ok(Self::Block {
            status,
            reason: one_line(reason, REASON_BYTES).into(),
        })
    }

    /// A redirect; `status` must be 301, 302, 303, 307 or 308, `location` an absolute http or https
    /// URL.
    pub(crate) fn redirect(status: u16, location: &str) -> Result<Self, InvalidVerdict> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return Err(InvalidVerdict(
                "a redirect needs the status 301, 302, 303, 307 or 308",
            ));
        }
        let status = StatusCode::from_u16(status).map_err(|_| InvalidVerdict("no status"))?;
        if location.len() > LOCATION_BYTES {
            return Err(InvalidVerdict(
                "a redirect's URL is at most 8192 bytes long",
            ));
        }
        let url = url::Url::parse(location)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(InvalidVerdict(
                "a redirect needs an absolute http or https URL",
            ))?;
        Ok(Self::Redirect {
            status,
            location: String::from(url).into(),
        })
    }

    /// An answer in place of the origin's; `status` must be 200 to 599, `content_type` the value of
    /// a header field or empty.
    pub(crate) fn replace(
        status: u16,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Self, InvalidVerdict> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|_| (200..=599).contains(&status))
            .ok_or(InvalidVerdict("a page needs a status from 200 to 599"))?;
        // RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5.
        if matches!(status.as_u16(), 204 | 205 | 304) && !body.is_empty() {
            return Err(InvalidVerdict(
                "a page with the status 204, 205 or 304 has no body",
            ));
        }
        let content_type = match content_type {
            "" => None,
            text => Some(HeaderValue::from_str(text).map_err(|_| {
                InvalidVerdict("the content type of a page is not the value of a header field")
            })?),
        };
        Ok(Self::Replace(Box::new(Page {
            status,
            content_type,
            body: body.into(),
        })))
    }

    /// A question, made one line of at most 1024 bytes.
    pub(crate) fn ask(text: &str, otherwise: Fallback, wait: Duration) -> Self {
        Self::Ask(Box::new(Question {
            text: one_line(text, QUESTION_BYTES),
            otherwise,
            wait,
        }))
    }

    /// What happens where no person can be asked, which is everywhere for now.
    pub(crate) fn unasked(self) -> Self {
        match self {
            Self::Ask(question) => match question.otherwise {
                Fallback::Next => Self::Next,
                _ => Self::Block {
                    status: StatusCode::FORBIDDEN,
                    reason: question.text.into(),
                },
            },
            other => other,
        }
    }

    /// Its parts, for whatever shows, counts or stores a verdict.
    pub(crate) fn parts(&self) -> VerdictParts<'_> {
        let (kind, status, text) = match self {
            Self::Next => (VerdictKind::Next, None, None),
            Self::Allow => (VerdictKind::Allow, None, None),
            Self::Block { status, reason } => (VerdictKind::Block, Some(*status), Some(&**reason)),
            Self::Redirect { status, location } => {
                (VerdictKind::Redirect, Some(*status), Some(&**location))
            }
            Self::Replace(page) => (VerdictKind::Replace, Some(page.status), None),
            Self::Drop => (VerdictKind::Drop, None, None),
            Self::Ask(question) => (VerdictKind::Ask, None, Some(question.text.as_str())),
        };
        VerdictParts { kind, status, text }
    }

    /// The word that logs and `explain` use.
    pub(crate) fn name(&self) -> &'static str {
        self.parts().kind.name()
    }

    /// Whether the filter gives the answer, to which it may add.
    pub(crate) fn takes_additions(&self) -> bool {
        matches!(
            self,
            Self::Block { .. } | Self::Redirect { .. } | Self::Replace(_)
        )
    }

    /// Whether the request goes on.
    pub(crate) fn passes(&self) -> bool {
        self.parts().kind.passes()
    }
}

/// The beginning of a text as one line of at most so many bytes.
pub(crate) fn one_line(text: &str, bytes: usize) -> String {
    let end = text.floor_char_boundary(bytes.min(text.len()));
    text[..end]
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// What a filter adds to the answer that it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Additions {
    pub(crate) fields: Option<Box<HeaderMap>>,
    /// When the client should try again.
    pub(crate) retry_after: Option<Duration>,
}

impl Additions {
    pub(crate) const NONE: Self = Self {
        fields: None,
        retry_after: None,
    };

    /// The value of Retry-After, which has whole seconds: never too early.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let time = self.retry_after?;
        Some(time.as_secs() + u64::from(time.subsec_nanos() > 0))
    }
}

/// The verdict of the whole chain. `Verdict::Next` here means that no filter had an opinion: the
/// request passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What happens to the request.
    pub(crate) verdict: Verdict,
    /// The filter that decided; none when every filter passed.
    pub(crate) filter: Option<Arc<str>>,
    /// The rule that the deciding filter names, or the feed entry that it had found. Where every
    /// filter passed, the exception that the first of them had found which had one.
    pub(crate) matched: Option<Box<Match>>,
    /// The deciding filter could not judge, and its `on_error = "block"` refused the request.
    pub(crate) failed: bool,
    /// What filters say besides the verdict. Most say nothing.
    pub(crate) besides: Option<Box<Besides>>,
}

/// What filters say besides the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Besides {
    /// What the deciding filter adds to its answer.
    pub(crate) additions: Additions,
    /// Filters that could not judge, and that were passed over because of their `on_error =
    /// "skip"`.
    pub(crate) skipped: Vec<Arc<str>>,
    /// Filters that changed header fields.
    pub(crate) edited: Vec<Arc<str>>,
    /// What filters have noted about the exchange this time, by their names.
    pub(crate) notes: Vec<(Arc<str>, Notes)>,
    /// The header fields as the one filter that was asked left them, if it changed any. A chain has
    /// taken them over.
    pub(crate) headers: Option<Box<HeaderMap>>,
}

impl Judgement {
    /// No filter objected.
    pub(crate) const PASS: Self = Self {
        verdict: Verdict::Next,
        filter: None,
        matched: None,
        failed: false,
        besides: None,
    };

    /// Whether there is nothing in it, as in what nearly all filters say.
    pub(crate) fn says_nothing(&self) -> bool {
        self.verdict == Verdict::Next && self.matched.is_none() && self.besides.is_none()
    }

    /// The exception because of which a host that passes is on no list, if there is one.
    pub(crate) fn take_exception(&mut self) -> Option<Box<Match>> {
        let passes = self.verdict == Verdict::Next;
        let is_exception = |found: &mut Box<Match>| found.kind == MatchKind::Excepted;
        self.matched.take_if(|found| passes && is_exception(found))
    }

    /// The header fields as the one filter that was asked left them, if it changed any.
    pub(crate) fn headers(&self) -> Option<&HeaderMap> {
        self.besides.as_ref()?.headers.as_deref()
    }

    /// What filters have noted about the exchange this time, by their names.
    pub(crate) fn notes(&self) -> &[(Arc<str>, Notes)] {
        self.besides.as_ref().map_or(&[], |besides| &besides.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_carries_an_error_status_and_one_line() {
        assert_eq!(
            Verdict::block(451, "not\r\nhere"),
            Ok(Verdict::Block {
                status: StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
                reason: "not  here".into()
            })
        );
        for status in [0, 99, 200, 302, 399, 600, 999, u16::MAX] {
            assert!(Verdict::block(status, "").is_err(), "{status}");
        }
        let Ok(Verdict::Block { reason, .. }) = Verdict::block(403, &"é".repeat(5000)) else {
            panic!("a long reason is cut, not refused")
        };
        assert_eq!(reason.len(), REASON_BYTES);
    }

    #[test]
    fn a_page_is_one_that_http_has() {
        for status in [200, 299, 404, 599] {
            assert!(Verdict::replace(status, "text/plain", b"x".into()).is_ok());
        }
        for (status, kind, body) in [
            (101, "text/plain", ""),
            (199, "text/plain", ""),
            (600, "text/plain", ""),
            (204, "text/plain", "x"),
            (200, "text/plain\r\nSet-Cookie: a", ""),
        ] {
            assert!(
                Verdict::replace(status, kind, body.into()).is_err(),
                "{status} {kind}"
            );
        }
    }

    #[test]
    fn a_redirect_goes_to_the_web() {
        assert!(Verdict::redirect(302, "https://example.com/").is_ok());
        for bad in [
            "javascript:alert(1)",
            "/relative",
            "//host/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(Verdict::redirect(302, bad).is_err(), "{bad}");
        }
        let long = format!("https://example.com/{}", "x".repeat(9000));
        assert!(Verdict::redirect(302, &long).is_err());
        assert!(Verdict::redirect(304, "https://example.com/").is_err());
        let Ok(Verdict::Redirect { location, .. }) =
            Verdict::redirect(307, "https://example.com/a\r\nSet-Cookie: x")
        else {
            panic!("URL parsing removes line breaks")
        };
        assert!(!location.contains(['\r', '\n']));
    }
}
