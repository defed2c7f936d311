//! What a self-test has found, as a table for people and by serde for programs.

use std::fmt;

use serde::Serialize;

use super::case::Case;
use super::plan::{Plan, Planned};
use super::step::{Outcome, Sent, Way};
use crate::error::Escaped;

/// What a proxy did with what it was asked for, beside what its settings say. As text it is a table
/// for each listener. By serde it is an object with `listeners` (each `listener`, `client` if it
/// has an address, and `rows`) and the numbers of rows that are `held`, `broken` and `untried`. A
/// row has `asked`, `by`, `decides`, `answer`, `result`, `tries` (each `asked`, `expected`,
/// `decided_by` if it is refused, `happened` and `holds`) and `left_out`, reasons why more was not
/// asked for.
#[derive(Debug, Serialize)]
pub struct SelfTest {
    pub(super) listeners: Vec<Listener>,
    held: usize,
    broken: usize,
    untried: usize,
}

/// What was asked for at one listener.
#[derive(Debug, Serialize)]
pub(super) struct Listener {
    pub(super) listener: String,
    /// The client's address there, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// One case by one way.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    asked: &'static str,
    by: &'static str,
    decides: &'static str,
    /// What the client is answered where the settings are against it and no filter says another
    /// status.
    answer: String,
    result: Verdict,
    tries: Vec<Try>,
    left_out: Vec<String>,
}

/// Whether a policy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Held,
    Broken,
    /// Nothing could be asked for without harm.
    Untried,
}

/// One request.
#[derive(Debug, Serialize)]
struct Try {
    asked: String,
    expected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    happened: String,
    holds: bool,
}

impl SelfTest {
    pub(super) fn new(listeners: Vec<Listener>) -> Self {
        let rows = || listeners.iter().flat_map(|listener| &listener.rows);
        let count = |verdict| rows().filter(|row| row.result == verdict).count();
        Self {
            held: count(Verdict::Held),
            broken: count(Verdict::Broken),
            untried: count(Verdict::Untried),
            listeners,
        }
    }

    /// How many rows hold.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many rows do not hold.
    pub fn broken(&self) -> usize {
        self.broken
    }
}

impl Row {
    /// Compares what has happened with what was planned. `outcomes` are those of the plan's steps,
    /// in their order.
    pub(super) fn new(case: &Case, way: Way, plan: Plan, outcomes: &[Outcome]) -> Self {
        let mut left_out = plan.left_out;
        let mut tries = Vec::new();
        for (planned, outcome) in plan.planned.iter().zip(outcomes) {
            let holds = outcome.is(&planned.expected);
            let silent = (!holds).then(|| says_nothing(planned, outcome)).flatten();
            if let Some(why) = silent {
                left_out.push(why);
                continue;
            }
            tries.push(Try::new(planned, outcome, holds));
        }
        Self {
            asked: case.asked,
            by: way.name(),
            decides: case.rule,
            answer: case.outcome(way).to_string(),
            result: if tries.is_empty() {
                Verdict::Untried
            } else if tries.iter().all(|it| it.holds) {
                Verdict::Held
            } else {
                Verdict::Broken
            },
            tries,
            left_out,
        }
    }
}

/// Why an outcome says nothing of what was planned, if it does not.
fn says_nothing(planned: &Planned, outcome: &Outcome) -> Option<String> {
    let step = &planned.step;
    match (outcome, &planned.expected) {
        // A filter that counts requests, or the limit of logins, is against the self-test itself.
        (outcome, _) if outcome.is_throttled() => Some(format!(
            "the proxy takes no more for now: {outcome}; try again later"
        )),
        (Outcome::Refused(_), Outcome::Passed(_)) if step.way == Way::Socks4 => {
            Some("SOCKS 4 does not say whether the host is refused or not there".to_owned())
        }
        (Outcome::Absent(_), _) if shows_name(planned) => {
            Some(format!("there is no tunnel to {}: {outcome}", step.host))
        }
        (outcome, _) if shows_name(planned) && step.way == Way::Socks4 && outcome.is_reply() => {
            Some("SOCKS 4 does not say why there is no tunnel".to_owned())
        }
        _ => None,
    }
}

fn shows_name(planned: &Planned) -> bool {
    matches!(planned.step.sent, Sent::Hello(_) | Sent::Request(_))
}

impl Try {
    fn new(planned: &Planned, outcome: &Outcome, holds: bool) -> Self {
        Self {
            asked: planned.step.to_string(),
            expected: planned.expected.to_string(),
            decided_by: planned.by.clone(),
            happened: outcome.to_string(),
            holds,
        }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Held => "holds",
            Self::Broken => "BROKEN",
            Self::Untried => "-",
        }
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for listener in &self.listeners {
            writeln!(f, "{listener}")?;
        }
        let Self {
            held,
            broken,
            untried,
            ..
        } = self;
        writeln!(f, "{held} hold, {broken} broken, {untried} not tried")?;
        if *held == 0 && *broken == 0 {
            writeln!(f, "nothing could be tried, so that nothing is shown")?;
        }
        Ok(())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.listener)?;
        if let Some(client) = &self.client {
            write!(f, ", as client {client}")?;
        }
        writeln!(f, "\n")?;
        let width = self.rows.iter().map(|row| row.asked.len()).max();
        let width = width.unwrap_or_default();
        for row in &self.rows {
            let (asked, by, result) = (row.asked, row.by, row.result.word());
            writeln!(f, "  {asked:width$}  {by:8}  {result:6}  {}", row.summary())?;
            for broken in row.tries.iter().filter(|it| !it.holds) {
                writeln!(f, "      {broken}")?;
            }
        }
        Ok(())
    }
}

impl Row {
    /// What has happened, without what is told apart.
    fn summary(&self) -> String {
        let mut said: Vec<(String, usize)> = Vec::new();
        for one in self.tries.iter().filter(|it| it.holds) {
            let text = match &one.decided_by {
                Some(by) => format!("{} by {by}", one.happened),
                None => one.happened.clone(),
            };
            match said.iter_mut().find(|(known, _)| *known == text) {
                Some((_, times)) => *times += 1,
                None => said.push((text, 1)),
            }
        }
        let said = said.into_iter().map(|(text, times)| match times {
            1 => text,
            times => format!("{text}, {times} times"),
        });
        let left_out = self.left_out.iter().map(|why| {
            if self.tries.is_empty() {
                format!("not tried: {why}")
            } else {
                format!("some not tried: {why}")
            }
        });
        Escaped(said.chain(left_out).collect::<Vec<_>>().join("; ")).to_string()
    }
}

/// One that does not hold.
impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, happened) = (Escaped(&self.asked), Escaped(&self.happened));
        write!(
            f,
            "{asked}: {happened}, and should be {}",
            Escaped(&self.expected)
        )?;
        match &self.decided_by {
            Some(by) => write!(f, " by {}", Escaped(by)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::CASES;
    use super::super::step::{Host, Step};
    use super::*;

    fn planned(expected: Outcome) -> Planned {
        Planned {
            step: Step::new(Way::Http, Host::name("a.example"), 80),
            expected,
            by: Some("the filter guard".into()),
        }
    }

    fn refused(said: &str) -> Outcome {
        Outcome::Refused(said.into())
    }

    fn told(plan: Plan, outcomes: &[Outcome]) -> SelfTest {
        let rows = vec![Row::new(&CASES[4], Way::Http, plan, outcomes)];
        SelfTest::new(vec![Listener {
            listener: "127.0.0.1:3000".into(),
            client: Some("127.0.0.1".into()),
            rows,
        }])
    }

    #[test]
    fn what_should_be_refused_and_passes_is_broken_and_told() {
        let plan = || [Ok(planned(refused("403")))].into_iter().collect::<Plan>();
        let broken = told(plan(), &[Outcome::Passed("200".into())]);
        assert_eq!((broken.held(), broken.broken()), (0, 1));
        let text = broken.to_string();
        let line =
            "a.example, port 80: let pass (200), and should be refused (403) by the filter guard";
        assert!(text.contains(line) && text.contains("BROKEN"), "{text}");
        let other = told(plan(), &[refused("407")]);
        assert_eq!(other.broken(), 1, "{other}");
        let held = told(plan(), &[refused("403")]);
        assert_eq!((held.held(), held.broken()), (1, 0), "{held}");
    }

    #[test]
    fn what_was_not_tried_is_no_pass() {
        let none = told(Plan::nothing("it would be sent"), &[]);
        assert_eq!((none.held(), none.broken()), (0, 0));
        assert!(
            none.to_string().contains("not tried: it would be sent"),
            "{none}"
        );
        let plan = [Ok(planned(refused("403")))].into_iter().collect::<Plan>();
        let throttled = told(plan, &[refused("429 http_request_denied")]);
        assert_eq!((throttled.held(), throttled.broken()), (0, 0));
        assert!(
            throttled.to_string().contains("takes no more for now"),
            "{throttled}"
        );
    }
}
