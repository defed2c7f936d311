//! The time and the memory that calls take, and the hooks that nothing waits for.

use std::time::{Duration, Instant};

use bytesize::ByteSize;
use portcullis_contract::Outcome;

use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::config::FilterLimits;
use crate::filter::{Ending, Filter, Hook};

/// Calls of which the slowest hundredth is looked at, and what they leave in the memory.
const CALLS: usize = 500;

/// What the calls of one hook have taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    hook: Hook,
    /// What only one call in a hundred exceeds.
    time: Duration,
    /// By how much the memory of an instance has grown since its first call, in bytes.
    growth: usize,
}

/// Makes the checks of the hooks that nothing waits for.
pub(super) async fn run_background(checks: &mut Checks, filter: &Filter) {
    if filter.hooks.has(Hook::Tick) {
        check_ticks(checks, filter).await;
    }
    if filter.hooks.has(Hook::Ended) {
        check_ends(checks, filter).await;
    }
}

/// Makes the check of what answers take.
pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    let mut taken = Vec::new();
    for hook in judges(filter) {
        let mut tally = Tally::new(Errors::Answer);
        match measure(filter, hook, &mut tally).await {
            Some(of_hook) => taken.push(of_hook),
            None => return checks.add_tally("T1", tally, "see the message"),
        }
    }
    if taken.is_empty() {
        return;
    }
    let (seen, fixes) = excesses(&taken, &filter.settings.limits);
    if seen.is_empty() {
        checks.pass("T1");
    } else {
        checks.warn("T1", seen.join("; "), fixes.join("; "));
    }
}

/// What takes more than a tenth of what there is of it, and what to do about that.
fn excesses(taken: &[Taken], limits: &FilterLimits) -> (Vec<String>, Vec<String>) {
    let slowest = taken.iter().max_by_key(|taken| taken.time);
    let largest = taken.iter().max_by_key(|taken| taken.growth);
    let time = slowest.and_then(|taken| taken.excess_of_time(limits));
    let memory = largest.and_then(|taken| taken.excess_of_memory(limits));
    [time, memory].into_iter().flatten().unzip()
}

impl Taken {
    fn excess_of_time(&self, limits: &FilterLimits) -> Option<(String, String)> {
        // Computing for so long, a call would exceed the one or the other.
        let (limit, setting) = if limits.wall < limits.cpu {
            (limits.wall, "wall")
        } else {
            (limits.cpu, "cpu")
        };
        let (hook, time) = (self.hook.name(), self.time);
        let seen = format!("one call of {hook} in a hundred takes {time:?}, of {limit:?}");
        let fix = format!("prepare in init what does not change, or raise [limits] {setting}");
        (time > limit / 10).then_some((seen, fix))
    }

    /// What a runtime of JavaScript or Python has at rest is not counted, large as it may be: what
    /// calls add to it is what brings an instance to its limit, and has it replaced before.
    fn excess_of_memory(&self, limits: &FilterLimits) -> Option<(String, String)> {
        let [grown, limit] = [self.growth, limits.memory].map(|bytes| ByteSize(bytes as u64));
        let hook = self.hook.name();
        let seen = format!(
            "{CALLS} calls of {hook} have the memory of an instance grow by {grown}, of {limit}"
        );
        let fix = "let each call free what it has allocated, or raise [limits] memory".to_owned();
        (self.growth > limits.memory / 10).then_some((seen, fix))
    }
}

/// Makes the calls of a hook; none if one fails.
async fn measure(filter: &Filter, hook: Hook, tally: &mut Tally) -> Option<Taken> {
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
    Some(Taken {
        hook,
        time: times[CALLS * 99 / 100],
        growth: asked.growth(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(hook: Hook, milliseconds: u64, mebibytes: usize) -> Taken {
        Taken {
            hook,
            time: Duration::from_millis(milliseconds),
            growth: mebibytes << 20,
        }
    }

    #[test]
    fn a_tenth_of_a_limit_passes_and_more_is_told_of_the_hook_that_takes_most() {
        let limits = FilterLimits {
            cpu: Duration::from_millis(50),
            wall: Duration::from_millis(100),
            memory: 40 << 20,
            ..FilterLimits::default()
        };
        let (seen, fixes) = excesses(&[taken(Hook::Host, 5, 4)], &limits);
        assert!(seen.is_empty() && fixes.is_empty(), "{seen:?}");

        let all = [taken(Hook::Host, 6, 5), taken(Hook::Request, 7, 8)];
        let (seen, fixes) = excesses(&all, &limits);
        let expected = [
            "one call of judge-request in a hundred takes 7ms, of 50ms",
            "500 calls of judge-request have the memory of an instance grow by 8.0 MiB, of 40.0 MiB",
        ];
        assert_eq!(seen, expected);
        assert!(fixes[0].ends_with("[limits] cpu"), "{fixes:?}");
        assert!(fixes[1].ends_with("[limits] memory"), "{fixes:?}");

        let limits = FilterLimits {
            wall: Duration::from_millis(20),
            ..limits
        };
        let (seen, fixes) = excesses(&[taken(Hook::Response, 3, 0)], &limits);
        assert_eq!(
            seen,
            ["one call of judge-response in a hundred takes 3ms, of 20ms"]
        );
        assert!(fixes[0].ends_with("[limits] wall"), "{fixes:?}");
    }
}
