//! What feeds have done, as people ask for it: how many of the names on a list have ever decided
//! about an exchange, and which entries do most often. It is counted in `snapshot`.

use std::sync::Arc;

use super::Feeds;

/// What a feed has done since the proxy has started. A new list takes over what was counted of the
/// entries that it has, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedHits {
    /// Names on the lists that serve.
    pub(crate) names: usize,
    /// Of these, names of which an entry has decided. Exceptions and what allows decide about
    /// nothing, since they leave other filters their say.
    pub(crate) matched: usize,
    /// The entries that have decided most often, the most frequent first.
    pub(crate) top: Vec<RuleHits>,
}

/// An entry that has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleHits {
    /// Which of the feed's lists has it, as people may see it.
    pub(crate) source: Arc<str>,
    /// The entry as it is written.
    pub(crate) rule: String,
    /// Its line, or its place in a list without lines, from 1.
    pub(crate) line: u32,
    /// About how many exchanges. The number is exact until some thousand entries have decided.
    pub(crate) hits: u32,
}

#[cfg_attr(not(test), expect(dead_code, reason = "no command shows it yet"))]
impl FeedHits {
    /// The share of names that have never decided, from 0 to 1; none for a list without names.
    pub(crate) fn never_matched(&self) -> Option<f64> {
        let left = self.names.checked_sub(self.matched)?;
        (self.names > 0).then(|| left as f64 / self.names as f64)
    }
}

#[cfg_attr(not(test), expect(dead_code, reason = "no command shows it yet"))]
impl Feeds {
    /// What a feed has done, with `top` of its entries; none if there is no such feed.
    pub(crate) fn hits(&self, feed: &str, top: usize) -> Option<FeedHits> {
        let now = self.now();
        let mut hits = FeedHits::default();
        for list in &now.feeds.get(feed)?.lists {
            let source = &list.source;
            let list = &list.snapshot;
            hits.names += list.len();
            hits.matched += list.matched();
            let frequent = list.most_frequent(top).into_iter();
            hits.top.extend(frequent.map(|(found, hits)| RuleHits {
                source: source.shown.clone(),
                rule: found.rule(),
                line: found.line,
                hits,
            }));
        }
        hits.top.sort_by_key(|entry| u32::MAX - entry.hits);
        hits.top.truncate(top);
        Some(hits)
    }
}
