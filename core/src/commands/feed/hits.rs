//! What `feed list` says about the hits of a list.

use std::fmt;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::error::Escaped;
use crate::feeds::{ListHits, RuleHits};

/// What the entries of a list have decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Hits {
    /// Exchanges that an entry has decided about.
    total: u64,
    /// Entries that have.
    matched: usize,
    /// The share of those that never have, from 0 to 1.
    never_matched: f64,
    /// Since when it is counted.
    #[serde(serialize_with = "rfc3339")]
    since: SystemTime,
    /// The most frequent ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
}

/// An entry that has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Rule {
    /// As it is written.
    rule: String,
    line: u32,
    /// About how many exchanges.
    hits: u32,
}

impl Hits {
    /// Those of a list with so many entries.
    pub(super) fn new(hits: ListHits, entries: usize) -> Self {
        let never = entries.saturating_sub(hits.matched);
        Self {
            total: hits.hits,
            matched: hits.matched,
            never_matched: never as f64 / entries.max(1) as f64,
            since: hits.since,
            rules: hits.top.into_iter().map(Rule::from).collect(),
        }
    }
}

impl From<RuleHits> for Rule {
    fn from(RuleHits { rule, line, hits }: RuleHits) -> Self {
        Self { rule, line, hits }
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = humantime::format_rfc3339_seconds(self.since);
        let hits = if self.total == 1 { "hit" } else { "hits" };
        // Of all but a few it is not said that it is all of them.
        let share = (self.never_matched * 1000.0).floor() / 10.0;
        write!(
            f,
            "; {} {hits} since {since}, {share} % of the entries never matched",
            self.total
        )?;
        for Rule { rule, line, hits } in &self.rules {
            write!(f, "\n  {hits:>8}  {}, line {line}", Escaped(rule))?;
        }
        Ok(())
    }
}
