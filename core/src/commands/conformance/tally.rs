//! What a check has seen. A failure is judged by its kind, never by its text.

use std::fmt;

use super::finding::Finding;
use crate::error::ErrorChain;
use crate::filter::Failure;

/// What an error that the filter itself reports means for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errors {
    /// There is no reason for one.
    Fail,
    /// The operator's `on_error` decides about such exchanges, who should know that.
    Warn,
    /// It is as good an answer as any.
    Answer,
}

/// What has come of the questions of one check. The worst counts, and of that the first.
#[derive(Debug)]
pub(super) struct Tally {
    errors: Errors,
    worst: Option<(Finding, String)>,
    /// The first verdict that cannot be carried out, which is another check's matter.
    pub(super) invalid: Option<String>,
    /// The first verdict that is carried out with another text.
    pub(super) amended: Option<String>,
}

impl Tally {
    pub(super) fn new(errors: Errors) -> Self {
        Self {
            errors,
            worst: None,
            invalid: None,
            amended: None,
        }
    }

    /// Takes up what has come of a call, and gives the answer if there is one.
    pub(super) fn take<T>(
        &mut self,
        question: &dyn fmt::Display,
        answer: Result<T, Failure>,
    ) -> Option<T> {
        let failure = match answer {
            Ok(answer) => return Some(answer),
            Err(failure) => failure,
        };
        let seen = format!("{question}: {}", ErrorChain(&failure));
        if matches!(failure, Failure::Invalid(_)) {
            self.invalid.get_or_insert(seen);
        } else {
            self.see(finding(&failure, self.errors), seen);
        }
        None
    }

    /// A verdict was carried out with another text.
    pub(super) fn amended(&mut self, question: &dyn fmt::Display) {
        self.amended
            .get_or_insert_with(|| format!("{question}: its text is not one line of 1024 bytes"));
    }

    pub(super) fn see(&mut self, finding: Finding, seen: String) {
        let worst = self.worst.as_ref().map_or(0, |(worst, _)| weight(*worst));
        if weight(finding) > worst {
            self.worst = Some((finding, seen));
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.worst, Some((Finding::Fail, _)))
    }

    /// Whether nothing was seen that is worth a word.
    pub(super) fn is_clean(&self) -> bool {
        self.worst.is_none()
    }

    pub(super) fn worst(self) -> Option<(Finding, String)> {
        self.worst
    }
}

fn weight(finding: Finding) -> u8 {
    match finding {
        Finding::Pass | Finding::NotApplicable => 0,
        Finding::Warn => 1,
        Finding::Environment => 2,
        Finding::Fail => 3,
    }
}

fn finding(failure: &Failure, errors: Errors) -> Finding {
    match failure {
        Failure::Reported(_) | Failure::Init(_) => match errors {
            Errors::Fail => Finding::Fail,
            Errors::Warn => Finding::Warn,
            Errors::Answer => Finding::Pass,
        },
        Failure::Proxy(_) => Finding::Environment,
        // Which kinds these are is decided there, for every new one.
        _ if failure.is_overload() => Finding::Environment,
        _ => Finding::Fail,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::Verdict;

    fn seen(errors: Errors, failures: impl IntoIterator<Item = Failure>) -> Option<Finding> {
        let mut tally = Tally::new(errors);
        for failure in failures {
            tally.take(&"tick", Err::<(), _>(failure));
        }
        tally.worst().map(|(finding, _)| finding)
    }

    /// A filter can report any text, and a text is not a trap.
    #[test]
    fn a_failure_is_judged_by_its_kind() {
        let forged = || Failure::Reported("the filter trapped; unreachable".into());
        for (errors, expected) in [
            (Errors::Fail, Some(Finding::Fail)),
            (Errors::Warn, Some(Finding::Warn)),
            (Errors::Answer, None),
        ] {
            assert_eq!(seen(errors, [forged()]), expected);
            assert_eq!(seen(errors, [Failure::Memory(1)]), Some(Finding::Fail));
        }
        let busy = || Failure::Busy(Duration::from_secs(1));
        assert_eq!(seen(Errors::Answer, [busy()]), Some(Finding::Environment));
    }

    #[test]
    fn the_worst_counts() {
        let busy = || Failure::Busy(Duration::from_secs(1));
        let reported = || Failure::Reported("no".into());
        let all = [reported(), busy(), Failure::Memory(1), reported()];
        assert_eq!(seen(Errors::Warn, all), Some(Finding::Fail));
        let both = [reported(), busy(), reported()];
        assert_eq!(seen(Errors::Warn, both), Some(Finding::Environment));
    }

    #[test]
    fn a_verdict_that_cannot_be_carried_out_is_the_matter_of_another_check() {
        let mut tally = Tally::new(Errors::Fail);
        for status in [200, 300] {
            let invalid = Verdict::block(status, "no").unwrap_err();
            tally.take(&status, Err::<(), _>(Failure::Invalid(invalid)));
        }
        assert!(
            tally
                .invalid
                .as_ref()
                .is_some_and(|seen| seen.starts_with("200: "))
        );
        assert!(tally.is_clean());
    }
}
