//! What the proxy may say no to, and filters must live with, in every hook that they have.

use std::collections::BTreeMap;

use portcullis_contract::limits::NOTES;

use super::question::{Asked, Question};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::config::FeedGrant;
use crate::feeds::Feeds;
use crate::filter::Filter;
use crate::filter::state::StateError;
use crate::verdict::Notes;

const FIX: &str = "answer with an error, or with what holds without it";

/// Makes the checks that begin with H. The filter may look into the feeds of these names.
pub(super) async fn run(checks: &mut Checks, filter: &Filter, feeds: &[String]) {
    if filter.uses("state") {
        let failures = [
            StateError::Full,
            StateError::TooLarge,
            StateError::Unavailable,
        ];
        let failing = failures.map(|error| filter.with_failing_state(error));
        check(checks, "H1", &failing, None).await;
    }
    if filter.uses("feeds") {
        let lists = |names: &[String]| {
            let lists: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), vec![])).collect();
            Feeds::from_lists(&lists)
        };
        let withheld = FeedGrant::Named(Vec::new());
        let without = [
            filter.with_feeds(lists(&[]), FeedGrant::All),
            filter.with_feeds(lists(feeds), FeedGrant::All),
            filter.with_feeds(lists(feeds), withheld),
        ];
        check(checks, "H2", &without, None).await;
    }
    if filter.uses("metrics") || filter.uses("notes") {
        let full = [filter.with_full_metrics()];
        check(checks, "H3", &full, Some(full_notes())).await;
    }
}

/// As many as a filter may have.
fn full_notes() -> Notes {
    let mut notes = Notes::default();
    for number in 0..NOTES {
        notes.set(&format!("taken_{number}"), "");
    }
    notes
}

/// Makes a plain call of each hook of each of these. That the filter does not start, and says why,
/// is an answer, too.
async fn check(checks: &mut Checks, id: &'static str, odd: &[Filter], notes: Option<Notes>) {
    let mut tally = Tally::new(Errors::Answer);
    for filter in odd {
        let hooks = filter.hooks.exported();
        let questions = hooks.map(|hook| Question {
            notes: notes.clone(),
            ..Question::plain(hook)
        });
        Asked::new(filter).ask_all(questions, &mut tally).await;
    }
    checks.add_tally(id, tally, FIX);
}
