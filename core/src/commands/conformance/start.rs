//! How a filter begins.

use std::sync::Arc;

use super::judging::verdict;
use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::filter::{Filter, Hook, Instance};

/// How many instances must answer alike.
const INSTANCES: usize = 100;

pub(super) async fn run(checks: &mut Checks, filter: &Arc<Filter>) {
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
    let asked: Vec<&str> = instance.asked().iter().map(|fact| fact.name()).collect();
    if asked.is_empty() {
        checks.pass("I4");
    } else {
        checks.warn(
            "I4",
            format!(
                "init asks for {}, which it can never know",
                asked.join(", ")
            ),
            "ask in the hook that judges",
        );
    }
    check_configurations(checks, filter).await;
    let judges = judges(filter);
    check_instances(checks, filter, judges.collect()).await;
}

/// What is no configuration of any filter must be an error that says so.
async fn check_configurations(checks: &mut Checks, filter: &Filter) {
    let mut tally = Tally::new(Errors::Answer);
    for config in ["{}", "[]", "7", "", "{\"\\u0000\": {}}"] {
        let started = Instance::start(&filter.with_config(config)).await;
        tally.take(&format!("init, with the configuration `{config}`"), started);
        if tally.is_failed() {
            break;
        }
    }
    checks.add_tally("I2", tally, "let init answer with an error");
}

async fn check_instances(checks: &mut Checks, filter: &Arc<Filter>, judges: Vec<Hook>) {
    for hook in &judges {
        let question = Question::plain(*hook);
        let mut first = None;
        for _ in 0..INSTANCES {
            // What it has counted is not the instance's.
            let fresh = filter.with_state(filter.settings.limits.state);
            let answer = verdict(Asked::new(&fresh).answer(&question).await);
            let first = first.get_or_insert_with(|| answer.clone());
            if answer != *first {
                return checks.fail(
                    "I3",
                    format!("{question}: one instance says {answer}, another {first}"),
                    "keep nothing in an instance that the next one does not know; use state",
                );
            }
        }
    }
    if !judges.is_empty() {
        checks.pass("I3");
    }
}
