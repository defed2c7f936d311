//! What lists have done: how many of their names have ever decided about an exchange, and which
//! entries do most often. It is counted in `snapshot` and kept beside the copies by `cache`, from
//! which another process learns of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::source::{List, Source};
use super::{Feeds, blocking};
use crate::error::ErrorChain;

/// Time between two writes, as long as anything is counted.
const HITS_EVERY: Duration = Duration::from_mins(1);

/// What a list has done since its feed was added. A new list takes over what was counted of the
/// entries that it has, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListHits {
    /// How often any entry has decided, also one that the list no longer has. Exceptions and
    /// entries of an allow feed have decided where no filter refuses the host then.
    pub(crate) hits: u64,
    /// Names of which an entry has decided.
    pub(crate) matched: usize,
    /// When counting began.
    pub(crate) since: SystemTime,
    /// The entries that have decided most often, the most frequent first.
    pub(crate) top: Vec<RuleHits>,
}

/// An entry that has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleHits {
    /// The entry as it is written.
    pub(crate) rule: String,
    /// Its line, or its place in a list without lines, from 1.
    pub(crate) line: u32,
    /// About how many exchanges. The number is exact until some thousand entries have decided.
    pub(crate) hits: u32,
}

impl List {
    /// What it has done, with `top` of its entries; none if nothing was counted.
    pub(super) fn hits(&self, top: usize) -> Option<ListHits> {
        let list = &self.snapshot;
        let hits = list.all_hits();
        let since = Duration::from_secs(list.counted_since());
        let frequent = list.most_frequent(top).into_iter();
        let top = frequent.map(|(found, hits)| RuleHits {
            rule: found.rule(),
            line: found.line,
            hits,
        });
        (hits > 0).then(|| ListHits {
            hits,
            matched: list.matched(),
            since: SystemTime::UNIX_EPOCH + since,
            top: top.collect(),
        })
    }
}

impl Feeds {
    /// Keeps what is counted, once a minute, for as long as it is polled.
    pub(super) async fn keep_hits(self: &Arc<Self>) {
        loop {
            sleep(HITS_EVERY).await;
            let feeds = self.clone();
            blocking(move || feeds.save_hits()).await;
        }
    }

    /// Writes what was counted since the last time beside the copies of lists. It waits for the
    /// disk. What cannot be written is logged and tried again the next time.
    pub(crate) fn save_hits(&self) {
        let lists = self.lists.load_full();
        for list in lists.feeds.values().flat_map(|feed| &feed.lists) {
            // The file of one that was retired may be another's by now.
            if let Some(_writes) = list.source.writes() {
                self.cache.save_hits(list);
            }
        }
    }
}

impl Source {
    /// Says that counting begins anew.
    pub(super) fn log_hits_lost(&self, error: &dyn std::error::Error) {
        let error = ErrorChain(error).to_string();
        tracing::warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error,
            "the hits of the list begin anew: those that were counted before are not used"
        );
        self.state().hits_error = Some(error);
    }
}
