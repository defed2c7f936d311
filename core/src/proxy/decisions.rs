//! Keeps the decisions of people current: what their file says holds when it has changed. A task of
//! the control thread.

use std::path::{Path, PathBuf};

use super::follow::{Followed, Reader};
use crate::chain::decisions::store::Store;
use crate::chain::decisions::{Decision, Decisions};
use crate::error::{ErrorChain, StartError};
use crate::flow::groups::Groups;

/// The file of decisions, and the decisions in use.
#[derive(Debug)]
pub(super) struct DecisionsFile {
    store: Store,
    file: PathBuf,
    decisions: Decisions,
    groups: Groups,
    /// Whether the file has been read before.
    was_read: bool,
}

/// The decisions that hold at the start.
pub(super) fn read(store: &Store) -> Result<Decisions, StartError> {
    let read = store.read();
    let decisions = Decisions::default();
    decisions.replace(read.map_err(|error| StartError::Decisions(error.into()))?);
    Ok(decisions)
}

impl DecisionsFile {
    pub(super) fn new(store: Store, decisions: Decisions, groups: Groups) -> Self {
        Self {
            file: store.file(),
            store,
            decisions,
            groups,
            was_read: false,
        }
    }
}

impl Followed for DecisionsFile {
    type Content = Vec<Decision>;

    fn file(&self) -> &Path {
        &self.file
    }

    fn reader(&self) -> Reader<Vec<Decision>> {
        let store = self.store.clone();
        Box::new(move || store.read().map_err(|error| ErrorChain(&error).to_string()))
    }

    fn take_over(&mut self, read: Vec<Decision>) {
        self.decisions.replace(read.clone());
        // That there are none goes without saying at the start.
        if self.was_read || !read.is_empty() {
            tracing::info!(decisions = read.len(), file = %self.file.display(), "decisions in use");
        }
        self.was_read = true;
        for decision in &read {
            check_group(decision, &self.groups);
        }
    }

    fn refuse(&self, reason: &str) {
        tracing::error!(
            error = reason,
            consequence = "the decisions in use stay as they are; the next start would fail",
            "the decisions cannot be read"
        );
    }
}

fn check_group(decision: &Decision, groups: &Groups) {
    if let Some(group) = decision.missing_group(groups) {
        tracing::warn!(
            %decision,
            group,
            "a decision holds for no client, as [groups] has no such group; mend [groups] or remove it"
        );
    }
}
