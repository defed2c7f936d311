//! How long single steps with a client may take. No byte that moves gives such a step more time,
//! so it needs no place in `Deadlines`. Called where the step is taken.

use std::time::Duration;

use tokio::time::{Timeout, timeout};

/// A step of a client's connection that has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A client that expects `100 Continue` waits for an origin that does not send it (RFC 9110,
    /// section 10.1.1).
    Expectation,
    /// An answer waits for the rest of a request that its origin does not get: many clients send a
    /// body a moment after the head.
    Rest,
    /// A client of SOCKS takes an answer of a few bytes.
    SocksAnswer,
    /// A client takes the answer to a request that was not one.
    Refusal,
    /// The client of a tunnel takes the few bytes that tell it that it is refused.
    LastWord,
    /// A client for which there is no room reads its answer.
    TurnedAway,
    /// The rest of what a client sends is thrown away before its connection is closed. Closed at
    /// once, the system would take back the answer that is still on its way (RFC 9112, section
    /// 9.6).
    Linger,
}

impl Step {
    const fn limit(self) -> Duration {
        match self {
            Self::Rest => Duration::from_millis(250),
            Self::Expectation | Self::LastWord | Self::TurnedAway => Duration::from_secs(1),
            Self::SocksAnswer | Self::Refusal | Self::Linger => Duration::from_secs(2),
        }
    }

    /// What comes of the step, unless it takes too long.
    pub(crate) fn bound<F: Future>(self, step: F) -> Timeout<F> {
        timeout(self.limit(), step)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_ends_with_its_limit_and_not_before() {
        for (step, limit) in [
            (Step::Expectation, 1000),
            (Step::Rest, 250),
            (Step::SocksAnswer, 2000),
            (Step::Refusal, 2000),
            (Step::LastWord, 1000),
            (Step::TurnedAway, 1000),
            (Step::Linger, 2000),
        ] {
            assert_eq!(step.bound(ready(1)).await, Ok(1), "{step:?}");
            let begun = Instant::now();
            assert!(step.bound(pending::<()>()).await.is_err());
            let took = begun.elapsed().as_millis();
            assert!(
                (limit..limit + 2).contains(&took),
                "{step:?} took {took} ms"
            );
        }
    }
}
