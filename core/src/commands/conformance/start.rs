//! How a filter begins.

use std::sync::Arc;

use super::exchanges::{Question, ask};
use super::report::Checks;
use crate::error::Causes;
use crate::filter::{Failure, Filter, Hook, Instance};

/// How many instances must answer alike.
const INSTANCES: usize = 100;

pub(super) async fn run(checks: &mut Checks, filter: &Arc<Filter>) {
    match Instance::start(filter).await {
        Ok(instance) => {
            checks.pass("I1");
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
        }
        Err(failure) => {
            let fix = "see the message, and the settings beside the filter";
            return checks.fail("I1", Causes(&failure).to_string(), fix);
        }
    }
    check_configurations(checks, filter).await;
    if filter.hooks.has(Hook::Host) {
        check_instances(checks, filter).await;
    }
}

/// What is no configuration of any filter must be an error that says so.
async fn check_configurations(checks: &mut Checks, filter: &Filter) {
    let mut failed = None;
    for config in ["{}", "[]", "7", "", "{\"\\u0000\": {}}"] {
        match Instance::start(&filter.with_config(config)).await {
            Ok(_) | Err(Failure::Init(_)) => {}
            Err(failure) => {
                failed = Some(format!(
                    "with the configuration `{config}`: {}",
                    Causes(&failure)
                ));
                break;
            }
        }
    }
    checks.add_result("I2", failed, "let init answer with an error");
}

async fn check_instances(checks: &mut Checks, filter: &Arc<Filter>) {
    let mut answers = Vec::new();
    for _ in 0..INSTANCES {
        // What it has counted is not the instance's.
        let fresh = filter.with_state(filter.settings.limits.state);
        let answer = match Instance::start(&fresh).await {
            Ok(mut instance) => ask(&mut instance, &Question::plain()).await,
            Err(failure) => Err(Causes(&failure).to_string()),
        };
        answers.push(answer);
    }
    let first = &answers[0];
    let other = answers.iter().find(|answer| *answer != first);
    checks.add_result(
        "I3",
        other.map(|other| format!("one instance says {other:?}, another {first:?}")),
        "keep nothing in an instance that the next one does not know; use state",
    );
}
