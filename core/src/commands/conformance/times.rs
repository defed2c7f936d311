//! The time that calls take, and the hooks that nothing waits for.

use std::time::{Duration, Instant};

use portcullis_contract::Outcome;

use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::filter::{Ending, Filter, Hook};

/// Calls of which the slowest hundredth is looked at.
const CALLS: usize = 500;

/// Makes the checks of the hooks that nothing waits for.
pub(super) async fn run_background(checks: &mut Checks, filter: &Filter) {
    if filter.hooks.has(Hook::Tick) {
        check_ticks(checks, filter).await;
    }
    if filter.hooks.has(Hook::Ended) {
        check_ends(checks, filter).await;
    }
}

/// Makes the check of the time that answers take.
pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    let limits = &filter.settings.limits;
    // Computing for so long, a call would exceed the one or the other.
    let (limit, setting) = if limits.wall < limits.cpu {
        (limits.wall, "wall")
    } else {
        (limits.cpu, "cpu")
    };
    let mut slowest = None;
    for hook in judges(filter) {
        let mut tally = Tally::new(Errors::Answer);
        let Some(time) = slow_time(filter, hook, &mut tally).await else {
            return checks.add_tally("T1", tally, "see the message");
        };
        slowest = slowest
            .filter(|(longest, _)| *longest >= time)
            .or(Some((time, hook)));
    }
    let Some((time, hook)) = slowest else {
        return;
    };
    if time <= limit / 10 {
        return checks.pass("T1");
    }
    checks.warn(
        "T1",
        format!(
            "one call of {} in a hundred takes {time:?}, of {limit:?}",
            hook.name()
        ),
        format!("prepare in init what does not change, or raise [limits] {setting}"),
    );
}

/// What only one call in a hundred exceeds; none if a call fails.
async fn slow_time(filter: &Filter, hook: Hook, tally: &mut Tally) -> Option<Duration> {
    let (mut asked, question) = (Asked::new(filter), Question::plain(hook));
    let mut times = Vec::with_capacity(CALLS);
    // The first call has an instance made.
    asked.ask(&question, tally).await;
    for _ in 0..CALLS {
        let begun = Instant::now();
        asked.ask(&question, tally).await;
        times.push(begun.elapsed());
        if !tally.is_clean() {
            return None;
        }
    }
    times.sort();
    Some(times[CALLS * 99 / 100])
}

async fn check_ticks(checks: &mut Checks, filter: &Filter) {
    let mut tally = Tally::new(Errors::Answer);
    let twice = [Question::plain(Hook::Tick), Question::plain(Hook::Tick)];
    Asked::new(filter).ask_all(twice, &mut tally).await;
    let fix = "answer with the time of the next call, or with an error";
    checks.add_tally("T2", tally, fix);
}

async fn check_ends(checks: &mut Checks, filter: &Filter) {
    let mut tally = Tally::new(Errors::Answer);
    let ends = [Outcome::Passed, Outcome::Failed].map(|how| Question {
        client: Default::default(),
        ending: Ending {
            how,
            status: None,
            bytes_from_client: 0,
            bytes_to_client: u64::MAX,
            duration: Duration::MAX,
        },
        ..Question::plain(Hook::Ended)
    });
    Asked::new(filter).ask_all(ends, &mut tally).await;
    checks.add_tally("T3", tally, "take every fact as one that may not be known");
}
