//! What a battery has found, as text for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use super::BATTERY;
use super::finding::Finding;
use super::tally::Tally;
use crate::error::Escaped;

/// What to do where the filter could not show what it does.
pub(super) const BUSY: &str = "run the battery again when the machine has less to do";

/// What to do about an error that is reported in place of a verdict.
const ON_ERROR: &str =
    "give a verdict, if there is one; such exchanges fare as the operator's `on_error` says";

/// What one check looks at.
struct Row {
    /// Never used again for something else.
    id: &'static str,
    about: &'static str,
    /// Why there are filters of which it is not made.
    otherwise: &'static str,
}

const fn row(id: &'static str, about: &'static str, otherwise: &'static str) -> Row {
    Row {
        id,
        about,
        otherwise,
    }
}

const JUDGE: &str = "it has no hook that judges";
const MESSAGE: &str = "it has neither judge-request nor judge-response";
const BROKEN: &str = "it is not whole WebAssembly, see S2";

/// The checks of the battery.
const CHECKS: [Row; 30] = [
    row("S1", "it loads", ""),
    row("S2", "it exports a hook of the contract", ""),
    row("S3", "what it imports is granted", BROKEN),
    row("S4", "it imports nothing but the contract", BROKEN),
    row(
        "S5",
        "it describes its configuration by a JSON Schema that the proxy can use",
        BROKEN,
    ),
    row(
        "S6",
        "it fits into the limits of size, memory and compiling",
        "",
    ),
    row("I1", "an instance starts with the settings beside it", ""),
    row(
        "I2",
        "init does not trap on what is not a configuration: it takes it or says what is wrong",
        "",
    ),
    row(
        "I3",
        "a hundred instances answer alike, and as one does that is asked a hundred times",
        JUDGE,
    ),
    row("I4", "init asks and says nothing about an exchange", ""),
    row("J1", "a plain exchange is judged", JUDGE),
    row(
        "J2",
        "odd hosts are judged: one label, 253 bytes, A-labels, addresses, public suffixes",
        JUDGE,
    ),
    row("J3", "the ports 1, 80, 443 and 65535 are judged", JUDGE),
    row(
        "J4",
        "no client, no user and a thousand groups are judged",
        JUDGE,
    ),
    row("J5", "words that are not known yet are taken", JUDGE),
    row(
        "J6",
        "each verdict can be carried out as it is: status, URL, length, one line",
        JUDGE,
    ),
    row("J7", "the same question has the same answer", JUDGE),
    row(
        "J8",
        "an answer that is kept is the one that other exchanges would get",
        "it lets no answer of judge-host be kept",
    ),
    row("J9", "every protocol is judged", JUDGE),
    row(
        "R1",
        "odd fields are taken: not UTF-8, empty, repeated, 64 KiB, 300 of them",
        MESSAGE,
    ),
    row(
        "R2",
        "fields that it does not know are left as they are",
        "it uses no header fields, or leaves none that it does not know",
    ),
    row(
        "R3",
        "a field that may not be changed is not a failure",
        "it changes and adds no header fields",
    ),
    row(
        "R4",
        "every class of status is judged",
        "it has no judge-response",
    ),
    row(
        "R5",
        "an unknown method and a long URL are judged",
        "it has no judge-request",
    ),
    row(
        "H1",
        "a state that is full, too small or out of reach is not a failure",
        "it does not import state",
    ),
    row(
        "H2",
        "a feed that is empty, not granted or not there is not a failure",
        "it does not import feeds",
    ),
    row(
        "H3",
        "metrics and notes beyond their bounds are not a failure",
        "it imports neither metrics nor notes",
    ),
    row(
        "T1",
        "an answer takes at most a tenth of [limits] cpu, and 500 leave at most a tenth of memory",
        JUDGE,
    ),
    row("T2", "tick returns, also the second time", "it has no tick"),
    row(
        "T3",
        "exchange-ended returns, also where nothing is known",
        "it has no exchange-ended",
    ),
];

/// One check of the battery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is called in every version of the battery.
    pub id: &'static str,
    /// What it looks at.
    pub about: &'static str,
    /// How it has come out.
    pub finding: Finding,
    /// What was seen, if it has not passed; of a check that is not applicable, why.
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
    /// Whether it was judged, and no check has failed.
    pub ok: bool,
    /// All checks, in order.
    pub checks: Vec<Check>,
}

/// The checks that have been made.
#[derive(Debug, Default)]
pub(super) struct Checks {
    made: Vec<Check>,
    /// Why those that have not been made cannot be.
    stopped: Option<&'static str>,
    /// The first verdict that cannot be carried out.
    invalid: Option<String>,
    /// The first verdict that is carried out with another text.
    amended: Option<String>,
}

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

    /// What the questions of a check have come to, with what there is to do about it.
    pub(super) fn add_tally(&mut self, id: &'static str, tally: Tally, fix: &'static str) {
        self.invalid = self.invalid.take().or_else(|| tally.invalid.clone());
        self.amended = self.amended.take().or_else(|| tally.amended.clone());
        match tally.worst() {
            None => self.pass(id),
            Some((Finding::Environment, seen)) => self.environment(id, seen, BUSY),
            Some((Finding::Warn, seen)) => self.warn(id, seen, ON_ERROR),
            Some((finding, seen)) => self.add(id, finding, Some(seen), Some(fix.into())),
        }
    }

    /// Makes the check of the verdicts that all others have brought.
    pub(super) fn check_verdicts(&mut self) {
        match (self.invalid.take(), self.amended.take()) {
            (Some(seen), _) => {
                self.fail("J6", seen, "see the contract for what each verdict may be")
            }
            (None, Some(seen)) => self.warn(
                "J6",
                seen,
                "make it one short line; the proxy cuts it, and makes spaces of line breaks",
            ),
            (None, None) => self.pass("J6"),
        }
    }

    /// No further check can be made.
    pub(super) fn stop(&mut self, why: &'static str) {
        self.stopped = Some(why);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    fn add(
        &mut self,
        id: &'static str,
        finding: Finding,
        seen: Option<String>,
        fix: Option<String>,
    ) {
        self.made.push(Check {
            id,
            about: about(id),
            finding,
            seen,
            fix,
        });
    }

    /// All checks of the battery. What was not made is not applicable.
    fn finish(self) -> Vec<Check> {
        let made = |id| self.made.iter().find(|check| check.id == id).cloned();
        let check = |row: &Row| {
            made(row.id).unwrap_or_else(|| Check {
                id: row.id,
                about: row.about,
                finding: Finding::NotApplicable,
                seen: Some(self.stopped.unwrap_or(row.otherwise).to_owned()),
                fix: None,
            })
        };
        CHECKS.iter().map(check).collect()
    }
}

fn about(id: &str) -> &'static str {
    let found = CHECKS.iter().find(|row| row.id == id);
    found.map_or("", |row| row.about)
}

impl Conformance {
    pub(super) fn new(filter: String, contract: Option<String>, checks: Checks) -> Self {
        let is_judged = checks.stopped.is_none();
        let checks = checks.finish();
        Self {
            filter,
            battery: BATTERY,
            contract,
            ok: is_judged && checks.iter().all(|check| check.finding != Finding::Fail),
            checks,
        }
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contract = self.contract.as_deref().unwrap_or("an unknown contract");
        writeln!(
            f,
            "{}, built for portcullis:filter@{}, battery {}",
            Escaped(&self.filter),
            Escaped(contract),
            self.battery
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
                write!(f, "\n    {}", Escaped(seen))?;
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
            0 if !self.ok => write!(f, "\n\nnot judged: mend first what has `environment`"),
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
        let needs = "R1  not applicable  odd fields are taken: not UTF-8, empty, repeated, 64 \
                     KiB, 300 of them\n    it has neither judge-request nor judge-response";
        assert!(text.contains(needs), "{text}");

        let mut checks = Checks::default();
        checks.stop("it does not load, see S1");
        checks.environment("S1", "its settings say: enabled = false", "enable it");
        let found = Conformance::new("guard".into(), None, checks);
        assert!(!found.ok);
        let text = found.to_string();
        assert!(text.contains("\n    it does not load, see S1"), "{text}");
        assert!(
            text.ends_with("\n\nnot judged: mend first what has `environment`"),
            "{text}"
        );
    }

    /// The ids of a report are looked up in the list of its battery.
    #[test]
    fn an_id_is_the_name_of_one_check() {
        let mut ids: Vec<_> = CHECKS.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CHECKS.len());
    }
}
