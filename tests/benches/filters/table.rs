//! What was measured, as a table for people.

use std::fmt;
use std::time::Duration;

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    /// What it may be at most and whether that holds; none for what is only told.
    limit: Option<(String, bool)>,
}

impl Table {
    /// Something that is good to know.
    #[expect(clippy::print_stdout, reason = "a person waits for it at the terminal")]
    pub(crate) fn tell(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        let (what, measured) = (what.into(), measured.into());
        println!("{what}: {measured}");
        self.0.push(Row {
            what,
            measured,
            limit: None,
        });
    }

    /// Something that was promised.
    #[expect(clippy::print_stdout, reason = "a person waits for it at the terminal")]
    pub(crate) fn check(
        &mut self,
        what: impl Into<String>,
        measured: impl Into<String>,
        limit: impl Into<String>,
        holds: bool,
    ) {
        let (what, measured, limit) = (what.into(), measured.into(), limit.into());
        println!("{what}: {measured} ({limit}: {})", word(holds));
        self.0.push(Row {
            what,
            measured,
            limit: Some((limit, holds)),
        });
    }

    /// Whether every promise is kept.
    pub(crate) fn holds(&self) -> bool {
        let mut limits = self.0.iter().filter_map(|row| row.limit.as_ref());
        limits.all(|(_, holds)| *holds)
    }
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "BROKEN" }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Row) -> &str| {
            let widths = self.0.iter().map(|row| cell(row).len());
            widths.max().unwrap_or_default()
        };
        let (what, measured) = (width(|row| &row.what), width(|row| &row.measured));
        for row in &self.0 {
            write!(f, "{:what$}  {:measured$}", row.what, row.measured)?;
            if let Some((limit, holds)) = &row.limit {
                write!(f, "  {limit}: {}", word(*holds))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The least of `times` that at least so many per cent of them do not exceed. Sorts them.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    let rank = (times.len() * percent).div_ceil(100);
    times[rank.max(1) - 1]
}

/// In milliseconds.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
