//! Which rule has decided: the entry of a feed, or one of a filter's own; and where it is counted
//! that it has. `feeds` and filters make matches; pages, the log and `explain` show them.

use std::fmt;
use std::sync::Arc;

/// The rule that has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// The feed that has the rule; none if it is the filter's own.
    pub(crate) feed: Option<Arc<str>>,
    /// Which of the feed's sources has it.
    pub(crate) source: Option<Arc<str>>,
    /// Whether the feed has other sources besides.
    pub(crate) has_others: bool,
    /// The entry of the feed, or what the filter calls its rule.
    pub(crate) rule: Box<str>,
    /// The line of the source, or the place in one without lines, from 1, where that is known.
    pub(crate) line: Option<u32>,
    pub(crate) kind: MatchKind,
    pub(crate) hit: Hit,
}

/// Where it is counted that the entry of a feed has decided. What a match says does not depend on
/// it.
#[derive(Clone, Default)]
pub(crate) struct Hit(Option<(Arc<dyn CountHits>, u32)>);

/// Counts that entries have decided.
pub(crate) trait CountHits: Send + Sync {
    /// The entry of this number has.
    fn count(&self, entry: u32);
}

impl Hit {
    pub(crate) fn new(counts: Arc<dyn CountHits>, entry: u32) -> Self {
        Self(Some((counts, entry)))
    }

    /// An exchange has ended as the entry says.
    pub(crate) fn count(&self) {
        if let Some((counts, entry)) = &self.0 {
            counts.count(*entry);
        }
    }
}

impl PartialEq for Hit {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hit {}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hit")
    }
}

/// What an entry of a feed says about the hosts that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchKind {
    /// They are on the list.
    Listed,
    /// They are not on it, because an entry of the same list says so.
    Excepted,
}

impl Match {
    /// The source, where the feed alone does not tell which list it is.
    pub(crate) fn list(&self) -> Option<&str> {
        self.source.as_deref().filter(|_| self.has_others)
    }

    /// A rule of the filter's own.
    pub(crate) fn rule(rule: String) -> Self {
        Self {
            feed: None,
            source: None,
            has_others: false,
            rule: rule.into(),
            line: None,
            kind: MatchKind::Listed,
            hit: Hit::default(),
        }
    }
}

/// `feed ads, list https://lists.example/ads, rule ||ads.example^, line 7`, as far as it is known.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(feed) = &self.feed {
            write!(f, "feed {feed}, ")?;
        }
        if let Some(list) = self.list() {
            write!(f, "list {list}, ")?;
        }
        write!(f, "rule {}", self.rule)?;
        self.line.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_told_as_far_as_it_is_known() {
        let own = Match::rule("too many".into());
        assert_eq!(own.to_string(), "rule too many");
        let of_one = Match {
            feed: Some("ads".into()),
            source: Some("https://lists.example/ads".into()),
            line: Some(7),
            ..Match::rule("||ads.example^".into())
        };
        assert_eq!(of_one.to_string(), "feed ads, rule ||ads.example^, line 7");
        let of_several = Match {
            has_others: true,
            ..of_one
        };
        assert_eq!(
            of_several.to_string(),
            "feed ads, list https://lists.example/ads, rule ||ads.example^, line 7"
        );
    }
}
