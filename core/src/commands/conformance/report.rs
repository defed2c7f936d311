//! What a battery has found, as text for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use super::BATTERY;

/// The checks of the battery, by id, with what each looks at. Ids are never used again for
/// something else.
pub(super) const CHECKS: [(&str, &str); 26] = [
    ("S1", "it loads"),
    ("S2", "it exports a hook of the contract"),
    ("S3", "what it imports is granted"),
    ("S4", "it imports nothing but the contract"),
    ("S5", "it describes its configuration"),
    ("I1", "an instance starts with the settings beside it"),
    (
        "I2",
        "a configuration that is none is refused and does not trap",
    ),
    ("I3", "a hundred instances answer alike"),
    ("I4", "init asks for no facts about an exchange"),
    ("J1", "a plain host is judged"),
    (
        "J2",
        "odd hosts are judged: one label, 253 bytes, A-labels, addresses, public suffixes",
    ),
    ("J3", "the ports 1, 80, 443 and 65535 are judged"),
    ("J4", "no client, no user and a thousand groups are judged"),
    ("J5", "words that are not known yet are taken"),
    ("J7", "the same question has the same answer"),
    (
        "J8",
        "an answer that is kept is the one that other exchanges would get",
    ),
    ("J9", "every protocol is judged"),
    (
        "R1",
        "odd fields are taken: not UTF-8, empty, repeated, 64 KiB, 300 of them",
    ),
    ("R4", "every class of status is judged"),
    ("R5", "an unknown method and a long URL are judged"),
    ("H1", "a full state is no failure"),
    ("H2", "a feed that is empty or not there is no failure"),
    ("H3", "names and values beyond their bounds are no failure"),
    (
        "T1",
        "an answer takes less than a tenth of its computing time",
    ),
    ("T2", "tick returns, also the second time"),
    ("T3", "exchange-ended returns, also where nothing is known"),
];

/// How a check has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// The filter does what it should.
    Pass,
    /// It may be meant, and the operator should know.
    Warn,
    /// The filter breaks the contract.
    Fail,
    /// The filter does not have what the check is about.
    NotApplicable,
    /// The filter is not to blame: something around it is missing.
    Environment,
}

impl Finding {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotApplicable => "not applicable",
            Self::Environment => "environment",
        }
    }
}

/// One check of the battery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is called in every version of the battery.
    pub id: &'static str,
    /// What it looks at.
    pub about: &'static str,
    /// How it has come out.
    pub finding: Finding,
    /// What was seen, if it has not passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What a battery has found. As text it is a line for each check; by serde it is an object with the
/// same fields.
#[derive(Clone, Debug, Serialize)]
pub struct Conformance {
    /// The filter's name.
    pub filter: String,
    /// The version of the battery.
    pub battery: &'static str,
    /// The version of the contract that the filter was built for.
    pub contract: Option<String>,
    /// Whether no check has failed.
    pub ok: bool,
    /// All checks, in order.
    pub checks: Vec<Check>,
}

/// The checks that have been made.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn pass(&mut self, id: &'static str) {
        self.add(id, Finding::Pass, None, None);
    }

    pub(super) fn warn(
        &mut self,
        id: &'static str,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(id, Finding::Warn, Some(seen.into()), Some(fix.into()));
    }

    pub(super) fn fail(
        &mut self,
        id: &'static str,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(id, Finding::Fail, Some(seen.into()), Some(fix.into()));
    }

    pub(super) fn environment(
        &mut self,
        id: &'static str,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(
            id,
            Finding::Environment,
            Some(seen.into()),
            Some(fix.into()),
        );
    }

    /// The first of a check's failures, or that it has passed.
    pub(super) fn add_result(
        &mut self,
        id: &'static str,
        failure: Option<String>,
        fix: &'static str,
    ) {
        match failure {
            None => self.pass(id),
            Some(seen) => self.fail(id, seen, fix),
        }
    }

    fn add(
        &mut self,
        id: &'static str,
        finding: Finding,
        seen: Option<String>,
        fix: Option<String>,
    ) {
        self.0.push(Check {
            id,
            about: about(id),
            finding,
            seen,
            fix,
        });
    }

    /// All checks of the battery. What was not made is not applicable.
    fn finish(self) -> Vec<Check> {
        let made = |id| self.0.iter().find(|check| check.id == id).cloned();
        let all = CHECKS.into_iter();
        all.map(|(id, about)| {
            made(id).unwrap_or(Check {
                id,
                about,
                finding: Finding::NotApplicable,
                seen: None,
                fix: None,
            })
        })
        .collect()
    }
}

fn about(id: &str) -> &'static str {
    let mut checks = CHECKS.into_iter();
    let found = checks.find(|(known, _)| *known == id);
    found.map_or("", |(_, about)| about)
}

impl Conformance {
    pub(super) fn new(filter: String, contract: Option<String>, checks: Checks) -> Self {
        let checks = checks.finish();
        Self {
            filter,
            battery: BATTERY,
            contract,
            ok: checks.iter().all(|check| check.finding != Finding::Fail),
            checks,
        }
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contract = self.contract.as_deref().unwrap_or("an unknown contract");
        writeln!(
            f,
            "{}, built for portcullis:filter@{contract}, battery {}",
            self.filter, self.battery
        )?;
        for check in &self.checks {
            write!(
                f,
                "\n{}  {:14}  {}",
                check.id,
                check.finding.name(),
                check.about
            )?;
            if let Some(seen) = &check.seen {
                write!(f, "\n    {seen}")?;
            }
            if let Some(fix) = &check.fix {
                write!(f, "\n    to do: {}", fix.replace('\n', "\n    "))?;
            }
        }
        let failed = self
            .checks
            .iter()
            .filter(|check| check.finding == Finding::Fail);
        match failed.count() {
            0 => write!(f, "\n\nok: no check fails"),
            1 => write!(f, "\n\nrefused: 1 check fails"),
            failed => write!(f, "\n\nrefused: {failed} checks fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_checked_is_not_applicable() {
        let mut checks = Checks::default();
        checks.pass("S1");
        checks.warn("S5", "nothing is said", "say it");
        let found = Conformance::new("guard".into(), Some("1.0.0".into()), checks);
        assert!(found.ok);
        assert_eq!(found.checks.len(), CHECKS.len());
        let text = found.to_string();
        assert!(text.contains("S1  pass "), "{text}");
        assert!(
            text.contains("    nothing is said\n    to do: say it"),
            "{text}"
        );
        assert!(text.contains("R1  not applicable"), "{text}");
    }
}
