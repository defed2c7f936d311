//! What a writer tells of lines that it could not write: in the program's log, at once, then now
//! and then, and at the end.

use std::io;
use std::time::{Duration, Instant};

use super::lane::Kind;

/// Between two reports.
const INTERVAL: Duration = Duration::from_secs(10);

/// What was lost since the start, so that a report that is lost itself is made up for by the next.
#[derive(Debug)]
pub(super) struct Reports {
    output: String,
    access: u64,
    program: u64,
    failure: Option<io::Error>,
    /// Something was lost, or has failed, since the last report.
    is_due: bool,
    last: Option<Instant>,
}

impl Reports {
    pub(super) fn new(output: String) -> Self {
        Self {
            output,
            access: 0,
            program: 0,
            failure: None,
            is_due: false,
            last: None,
        }
    }

    pub(super) fn add_losses(&mut self, kind: Kind, lines: u64) {
        match kind {
            Kind::Access => self.access += lines,
            Kind::Program => self.program += lines,
        }
        self.is_due |= lines > 0;
    }

    pub(super) fn set_failure(&mut self, source: io::Error) {
        self.failure = Some(source);
        self.is_due = true;
    }

    /// In what time the next report is due; none if there is nothing to tell.
    pub(super) fn due_in(&self) -> Option<Duration> {
        if !self.is_due {
            return None;
        }
        let since = self.last.map(|last| last.elapsed());
        Some(since.map_or(Duration::ZERO, |since| INTERVAL.saturating_sub(since)))
    }

    /// Tells what there is if it is time, or `now`. Whether it did.
    pub(super) fn tell(&mut self, now: bool) -> bool {
        if !self.due_in().is_some_and(|time| now || time.is_zero()) {
            return false;
        }
        let (to, access, program) = (&self.output, self.access, self.program);
        match self.failure.take() {
            Some(error) => tracing::error!(
                to,
                %error,
                lost_access_lines = access,
                lost_program_lines = program,
                "cannot write log lines; they are lost until this is mended"
            ),
            None => tracing::warn!(
                to,
                lost_access_lines = access,
                lost_program_lines = program,
                "log lines were lost: they came faster than they could be written"
            ),
        }
        self.is_due = false;
        self.last = Some(Instant::now());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_at_once_then_rarely_and_at_the_end() {
        let mut reports = Reports::new("stderr".into());
        assert!(!reports.tell(true), "there is nothing to tell");
        reports.add_losses(Kind::Access, 0);
        assert_eq!(reports.due_in(), None);
        reports.add_losses(Kind::Access, 3);
        assert!(reports.tell(false));
        reports.add_losses(Kind::Program, 1);
        assert!(reports.due_in().is_some());
        assert!(!reports.tell(false), "it was told a moment ago");
        assert!(reports.tell(true));
        assert_eq!(reports.due_in(), None);
        reports.set_failure(io::ErrorKind::StorageFull.into());
        assert!(reports.tell(true));
    }
}
