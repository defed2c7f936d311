//! What filters write into the log: so many lines in a second, each of them one line. `host` writes
//! them on behalf of guests.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use portcullis_contract::changes_lines;

/// Longest log line of a filter, in bytes. The rest is cut.
const LOG_LINE_BYTES: usize = 4096;

/// How many lines a filter may write in a second: it must not be able to fill a disk, or to hide
/// what others have to say.
#[derive(Debug)]
pub(super) struct LogBudget {
    pub(super) lines: usize,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    since: Option<Instant>,
    lines: usize,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Write,
    /// In its place it is said that lines are being dropped.
    Last,
    Drop,
}

impl LogBudget {
    pub(super) fn new(lines: usize) -> Self {
        Self {
            lines,
            written: Mutex::default(),
        }
    }

    pub(super) fn take(&self, now: Instant) -> Line {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |since| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if written.since.is_none_or(is_over) {
            *written = Written {
                since: Some(now),
                lines: 0,
            };
        }
        written.lines = written.lines.saturating_add(1);
        if written.lines <= self.lines {
            Line::Write
        } else if written.lines == self.lines.saturating_add(1) {
            Line::Last
        } else {
            Line::Drop
        }
    }
}

/// One line, without control characters and what changes the direction of text: a filter must not
/// be able to forge log lines.
pub(super) fn printable(message: &str) -> String {
    let mut line = String::with_capacity(message.len().min(LOG_LINE_BYTES));
    for c in message.chars() {
        if line.len() >= LOG_LINE_BYTES {
            line.push('…');
            break;
        }
        if changes_lines(c) {
            line.extend(c.escape_default())
        } else {
            line.push(c)
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_budget_are_dropped_until_the_next_second() {
        let budget = LogBudget::new(2);
        let now = Instant::now();
        let taken = [0; 5].map(|_| budget.take(now));
        assert_eq!(
            taken,
            [Line::Write, Line::Write, Line::Last, Line::Drop, Line::Drop]
        );
        assert_eq!(budget.take(now + Duration::from_millis(999)), Line::Drop);
        assert_eq!(budget.take(now + Duration::from_secs(1)), Line::Write);
    }

    #[test]
    fn a_log_message_stays_one_line() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(printable("a\u{202e}b\u{2066}"), "a\\u{202e}b\\u{2066}");
        assert!(printable(&"x".repeat(100_000)).len() < LOG_LINE_BYTES + 8);
    }
}
