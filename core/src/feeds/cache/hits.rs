//! The hits of lists on disk: `feeds/NAME.hits`, beside the copies, so that they outlive a restart
//! and `feed list` can show them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use tracing::warn;

use super::{Cache, read_at_most};
use crate::config::file::{self, Kind};
use crate::error::ErrorChain;
use crate::feeds::snapshot::{HitsRefused, Key, Snapshot, key_of};
use crate::feeds::source::{List, Source};

/// More than the file of a short list has. Longer ones tell their key in their snapshots.
const SHORT: u64 = 1 << 20;

impl Cache {
    /// Writes what a list has counted since the last time, if anything. A failure is logged once
    /// until a write succeeds.
    pub(crate) fn save_hits(&self, list: &List) {
        // Those of a list that stands in for another are of no use to that.
        if list.before.is_some() {
            return;
        }
        let path = self.hits(&list.source.copy());
        let write = |bytes: &[u8]| {
            std::fs::create_dir_all(&self.dir)?;
            file::replace(&path, Kind::Private, |file| file.write_all(bytes))?;
            self.lacks_hits.store(false, Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = list.snapshot.save_hits(write)
            && !self.lacks_hits.swap(true, Ordering::Relaxed)
        {
            warn!(
                path = %path.display(),
                error = %ErrorChain(&error),
                consequence = "`portcullis feed list` does not show them, and a restart forgets them",
                hint = "make [cache] dir a folder that the proxy may write to, with room on its disk",
                "cannot write the hits of lists"
            );
        }
    }

    /// Has a list go on counting from what was written, if that is of this very list.
    pub(crate) fn restore_hits(&self, source: &Source, list: &Snapshot) {
        let bytes = read_at_most(&self.hits(&source.copy()), list.longest_hits() as u64 + 1);
        let restored = match bytes {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            bytes => bytes.map_err(HitsRefused::from),
        };
        let restored = restored.and_then(|bytes| list.restore_hits(&bytes));
        if let Err(error) = restored {
            source.log_hits_lost(&error);
        }
    }

    /// The key of the list of that name when its hits were written. With the same key a list in
    /// memory is the same again after a restart.
    pub(crate) fn key_of_hits(&self, name: &str) -> Option<Key> {
        key_of(&read_at_most(&self.hits(name), SHORT).ok()?)
    }

    fn hits(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.hits"))
    }
}
