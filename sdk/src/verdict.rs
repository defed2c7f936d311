//! The answer of a hook.

/// The answer of a hook. Filters are asked in order, and the first answer that is not [`Verdict::Next`] decides for that hook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// No opinion: ask the next filter.
    Next,
    /// Let it pass and ask no further filter.
    Allow,
    /// Refuse the request; see [`Verdict::block`].
    Block {
        /// The HTTP status of the answer, 400 to 599.
        status: u16,
        /// One line, shown to the client and written to the access log.
        reason: String,
    },
    /// Send the client elsewhere; see [`Verdict::redirect`].
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// An absolute http or https URL.
        location: String,
    },
}

impl Verdict {
    /// Refuses the request with status 403. The reason, one line, is shown to the client and written to the access log.
    pub fn block(reason: impl Into<String>) -> Self {
        Self::Block {
            status: 403,
            reason: reason.into(),
        }
    }

    /// Sends the client to `location`, an absolute http or https URL, with status 302. A CONNECT request cannot be redirected and
    /// is refused instead.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::Redirect {
            status: 302,
            location: location.into(),
        }
    }

    /// The same with another status: 400 to 599 where it blocks; 301, 302, 303, 307 or 308 where it redirects. The proxy counts
    /// any other as a failure of the filter. [`Verdict::Next`] and [`Verdict::Allow`] have no status and stay as they are.
    #[must_use]
    pub fn with_status(mut self, code: u16) -> Self {
        if let Self::Block { status, .. } | Self::Redirect { status, .. } = &mut self {
            *status = code;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_forbidden_or_found_until_another_is_asked_for() {
        let block = |status| Verdict::Block {
            status,
            reason: "no".into(),
        };
        assert_eq!(Verdict::block("no"), block(403));
        assert_eq!(Verdict::block("no").with_status(451), block(451));

        let redirect = |status| Verdict::Redirect {
            status,
            location: "http://a.example/".into(),
        };
        assert_eq!(Verdict::redirect("http://a.example/"), redirect(302));
        assert_eq!(
            Verdict::redirect("http://a.example/").with_status(308),
            redirect(308)
        );
        assert_eq!(Verdict::Next.with_status(451), Verdict::Next);
    }
}
