//! Keeps the decisions of people current: reads their file when it changes. A task of the control
//! thread.

use std::time::Duration;

use tokio::time::sleep;

use crate::chain::decisions::Decisions;
use crate::chain::decisions::store::{Store, StoreError};
use crate::error::Causes;
use crate::plugins::{Stamp, Watch};

/// How often the file is looked at where nothing tells of its changes.
const POLL: Duration = Duration::from_secs(1);

/// Takes up each change of the file. One that cannot be read changes nothing.
pub(super) async fn follow(store: &Store, decisions: &Decisions) {
    let mut watch = Watch::new(store.dir().to_owned());
    let mut known = None;
    loop {
        watch.arm();
        // Before the file is read: a change that comes meanwhile is one more.
        let stamp = Stamp::of_file(&store.file());
        if known.as_ref() != Some(&stamp) {
            known = Some(stamp);
            match store.read() {
                Ok(read) => {
                    tracing::info!(decisions = read.len(), "decisions in use");
                    decisions.replace(read);
                }
                Err(error) => refused(&error),
            }
        }
        tokio::select! {
            () = watch.changed() => {}
            () = sleep(POLL) => {}
        }
    }
}

fn refused(error: &StoreError) {
    tracing::error!(
        error = %Causes(error),
        consequence = "the decisions in use stay as they are; the next start would fail",
        "the decisions cannot be read"
    );
}
