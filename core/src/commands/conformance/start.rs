//! How a filter begins.

use super::judging::verdict;
use super::now;
use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::filter::clock::Clock;
use crate::filter::{Filter, Hook, Instance};

/// How many instances must answer alike, one after the other.
const INSTANCES: usize = 100;

pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    let mut tally = Tally::new(Errors::Fail);
    let started = tally.take(&"init", Instance::start(filter).await);
    checks.add_tally(
        "I1",
        tally,
        "see the message, and the settings beside the filter",
    );
    let Some(instance) = started else {
        return checks.stop("no instance starts, see I1");
    };
    let astray = instance.astray();
    if astray.is_empty() {
        checks.pass("I4");
    } else {
        checks.warn(
            "I4",
            format!(
                "init calls {}: nothing is known there of an exchange, nor is what is said heard",
                astray.join(", ")
            ),
            "call it in the hooks of an exchange",
        );
    }
    check_configurations(checks, filter).await;
    let judges = judges(filter);
    check_instances(checks, filter, judges.collect()).await;
}

/// What is not a configuration of any filter must not end it. The proxy hands over an object, and
/// only one that fits the filter's schema; others may hand over anything.
async fn check_configurations(checks: &mut Checks, filter: &Filter) {
    let mut tally = Tally::new(Errors::Answer);
    for config in ["{}", "[]", "7", "", "{\"\\u0000\": {}}"] {
        let started = Instance::start(&filter.with_config(config)).await;
        tally.take(&format!("init, with the configuration `{config}`"), started);
        if tally.is_failed() {
            break;
        }
    }
    checks.add_tally(
        "I2",
        tally,
        "let init answer with an error that says what is wrong",
    );
}

/// Has one instance asked again and again answer as new ones do, of which each is asked once. What
/// filters keep in `state` is the same for both.
async fn check_instances(checks: &mut Checks, filter: &Filter, judges: Vec<Hook>) {
    // A filter may keep a generator of numbers, which begins with what it was given at random.
    let may_differ = filter.uses("random");
    for hook in &judges {
        let question = Question::plain(*hook);
        // To begin with, they have the same state and will be given the same numbers.
        let [of_one, of_many] = [0, 1].map(|_| filter.isolated(&Clock::manual(now())));
        let mut lasting = Asked::new(&of_one);
        for _ in 0..INSTANCES {
            if may_differ {
                lasting = Asked::new(&of_one);
            }
            let old = verdict(lasting.answer(&question).await);
            let new = verdict(Asked::new(&of_many).answer(&question).await);
            if old != new {
                return checks.fail(
                    "I3",
                    format!("{question}: one instance says {old}, another {new}"),
                    "keep nothing in an instance that the next one does not know; use state",
                );
            }
        }
    }
    if !judges.is_empty() {
        checks.pass("I3");
    }
}
