//! What came of all cases: a line for each, and what is not as expected.

use std::fmt;

use serde::Serialize;

use crate::compare::{Difference, Outcome};

/// What came of a file. Its text is a line for each case, with what is different below; by serde,
/// an object with the same fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who was asked.
    pub filter: String,
    /// The file of cases.
    pub file: String,
    /// How many cases went as expected.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// In order.
    pub cases: Vec<Outcome>,
}

impl Report {
    /// A report on `filter`.
    pub fn new(filter: &str, file: &str, cases: Vec<Outcome>) -> Self {
        let passed = cases.iter().filter(|case| case.ok).count();
        Self {
            filter: filter.to_owned(),
            file: file.to_owned(),
            passed,
            failed: cases.len() - passed,
            cases,
        }
    }

    /// Whether every case went as expected.
    pub fn is_ok(&self) -> bool {
        self.failed == 0
    }

    /// The same without the cases that went as expected.
    #[must_use]
    pub fn failures(mut self) -> Self {
        self.cases.retain(|case| !case.ok);
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self
            .cases
            .iter()
            .map(|case| format!("{}:{}", self.file, case.line))
            .collect();
        let width = places.iter().map(String::len).max().unwrap_or_default();
        for (case, place) in self.cases.iter().zip(places) {
            let word = if case.ok { "ok" } else { "FAIL" };
            writeln!(f, "{word:4}  {place:width$}  {}", case.name)?;
            for Difference {
                what,
                expected,
                got,
            } in &case.differences
            {
                writeln!(f, "        {what}")?;
                writeln!(f, "          expected  {expected}")?;
                writeln!(f, "          got       {got}")?;
            }
        }
        let Self {
            filter,
            passed,
            failed,
            ..
        } = self;
        match failed {
            0 => write!(f, "{filter}: all {passed} cases went as expected"),
            _ => write!(
                f,
                "{filter}: {failed} of {} cases did not go as expected",
                passed + failed
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_for_each_case_and_says_what_is_different() {
        let outcome = |line, name: &str, differences: Vec<Difference>| Outcome {
            name: name.into(),
            line,
            ok: differences.is_empty(),
            differences,
        };
        let difference = Difference {
            what: "the verdict".into(),
            expected: "next".into(),
            got: "allow".into(),
        };
        let cases = vec![
            outcome(3, "one", vec![]),
            outcome(12, "two", vec![difference]),
        ];
        let report = Report::new("guard", "a.toml", cases);
        assert!(!report.is_ok());
        let failures = "\
FAIL  a.toml:12  two
        the verdict
          expected  next
          got       allow
guard: 1 of 2 cases did not go as expected";
        assert_eq!(
            report.to_string(),
            format!("ok    a.toml:3   one\n{failures}")
        );
        assert_eq!(report.failures().to_string(), failures);
    }
}
