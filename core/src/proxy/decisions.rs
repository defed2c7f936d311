//! Keeps the decisions of people current: reads their file when it changes. A task of the control
//! thread.

use std::time::Duration;

use tokio::time::sleep;

use crate::chain::decisions::store::Store;
use crate::chain::decisions::{Decision, Decisions};
use crate::error::{Causes, StartError};
use crate::flow::groups::Groups;
use crate::plugins::{Stamp, Watch};

/// How often the file is looked at where nothing tells of its changes.
const POLL: Duration = Duration::from_secs(1);

/// The decisions that hold at the start.
pub(super) fn read(store: &Store) -> Result<Decisions, StartError> {
    let read = store.read();
    let decisions = Decisions::default();
    decisions.replace(read.map_err(|error| StartError::Decisions(error.into()))?);
    Ok(decisions)
}

/// Takes up each change of the file. One that cannot be read changes nothing.
pub(super) async fn follow(store: &Store, decisions: &Decisions, groups: &Groups) {
    let mut watch = Watch::new(store.dir().to_owned());
    let (mut known, mut told) = (None, None);
    loop {
        watch.arm();
        // Before the file is read: a change that comes meanwhile is one more.
        let stamp = Stamp::of_file(&store.file());
        if known.as_ref() != Some(&stamp) {
            match store.read() {
                Ok(read) => {
                    decisions.replace(read.clone());
                    if known.is_some() || !read.is_empty() {
                        let file = store.file();
                        tracing::info!(decisions = read.len(), file = %file.display(), "decisions in use");
                    }
                    read.iter()
                        .for_each(|decision| check_group(decision, groups));
                    (known, told) = (Some(stamp), None);
                }
                // It may pass, so the file is read again.
                Err(error) => {
                    let said = Causes(&error).to_string();
                    if told.as_ref() != Some(&said) {
                        refused(&said);
                        told = Some(said);
                    }
                }
            }
        }
        tokio::select! {
            () = watch.changed() => {}
            () = sleep(POLL) => {}
        }
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

fn refused(error: &str) {
    tracing::error!(
        error,
        consequence = "the decisions in use stay as they are; the next start would fail",
        "the decisions cannot be read"
    );
}
