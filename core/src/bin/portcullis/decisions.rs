//! The commands by which people decide about hosts.

use portcullis::commands::{NewDecision, Ruling, decide, list_decisions, remove_decisions};
use portcullis::config::Sources;

use super::args::{Decision, Decisions};
use super::{load, print_line, print_result};

/// `allow` and `deny`.
pub(crate) fn about(sources: &Sources, verdict: Ruling, said: Decision) -> anyhow::Result<()> {
    let mut new = NewDecision::about(verdict, said.host);
    new.exact = said.exact;
    new.time = said.time;
    new.scope = said.scope.into_scope();
    make(sources, &new, said.json)
}

pub(crate) fn make(sources: &Sources, new: &NewDecision, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    print_result(&decide(&config, new)?, json)
}

pub(crate) fn run(sources: &Sources, command: Decisions) -> anyhow::Result<()> {
    let config = load(sources)?;
    match command {
        Decisions::List { json } => print_result(&list_decisions(&config)?, json),
        Decisions::Remove { ids } => {
            remove_decisions(&config, &ids)?;
            print_line("removed")
        }
    }
}
