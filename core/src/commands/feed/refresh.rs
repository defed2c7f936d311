//! `feed refresh`: fetches lists now, as a proxy would.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{FeedCommandError, open_to_fetch, unknown};
use crate::config::Config;
use crate::error::{ErrorChain, Escaped};
use crate::feeds::{self, Outcome, Refreshed, UNKEPT_HINT};

/// What was found. By serde it is an object with `ok`, `lists` and `notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedRefresh {
    /// Whether each list was fetched, is used and has a copy on disk.
    pub ok: bool,
    /// One for each list that was to be fetched.
    pub lists: Vec<RefreshedList>,
    /// Why there may be fewer of them than expected.
    pub notes: Vec<String>,
}

/// What a fetch of one list has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefreshedList {
    /// The name of the feed.
    pub feed: String,
    /// Where the list comes from, without what may be secret.
    pub source: String,
    /// Whether another list came than the one on disk.
    pub updated: bool,
    /// How many hosts and networks the copy on disk has now.
    pub entries: usize,
    /// The size of what came in bytes, unpacked; none if nothing new came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// What of it is not used; none if nothing new came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOutEntries>,
    /// Why the copy on disk is not as the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the operator can do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

/// How many entries of a list are not used, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOutEntries {
    /// Entries that are not names of hosts.
    pub wrong: usize,
    /// Rules about something else than whole hosts.
    pub other: usize,
    /// Rules for everything below a suffix of a registry.
    pub held: usize,
    /// The first of each kind, as text; none if all is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<String>,
}

/// Fetches the lists of these feeds, or of all that are enabled, and keeps on disk what arrives. A
/// running proxy with the same cache folder takes that up within seconds.
///
/// # Errors
///
/// If one of the names is not that of a feed, or the feed is disabled. What a fetch finds is no
/// error of this function.
pub async fn refresh_feeds(
    config: &Config,
    names: &[String],
) -> Result<FeedRefresh, FeedCommandError> {
    let feeds = open_to_fetch(config);
    let mut notes = Vec::new();
    for name in names {
        if !feeds.now().has(name) {
            return Err(unknown(name, &feeds));
        }
        match config.feeds.get(name) {
            Some(feed) if !feed.enabled => {
                return Err(FeedCommandError::Disabled(name.clone()));
            }
            Some(feed) if feed.sources().next().is_some() => {}
            Some(_) => notes.push(format!(
                "the entries of {name} stand in the configuration, so that there is nothing to fetch"
            )),
            None => notes.push(format!(
                "the list {name} is built in, so that there is nothing to fetch"
            )),
        }
    }
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let wanted = (!names.is_empty()).then_some(&names);
    let refreshed = feeds.refresh_named(wanted).await;
    let lists: Vec<_> = refreshed.into_iter().map(RefreshedList::from).collect();
    if lists.is_empty() && notes.is_empty() {
        notes.push("no feed has a list that is fetched".into());
    }
    Ok(FeedRefresh {
        ok: lists.iter().all(|list| list.error.is_none()),
        lists,
        notes,
    })
}

impl From<Refreshed> for RefreshedList {
    fn from(refreshed: Refreshed) -> Self {
        let list = Self {
            feed: refreshed.feed.to_string(),
            source: refreshed.source.to_string(),
            updated: false,
            entries: refreshed.names,
            bytes: None,
            left_out: None,
            error: None,
            hint: None,
        };
        match refreshed.outcome {
            Ok(Outcome::Unchanged) => list,
            Ok(Outcome::Updated {
                left_out,
                bytes,
                unkept,
                ..
            }) => Self {
                updated: true,
                bytes: Some(bytes),
                left_out: Some(left_out.into()),
                hint: unkept.as_ref().map(|_| UNKEPT_HINT),
                error: unkept.map(|error| format!("no copy of it can be kept on disk: {error}")),
                ..list
            },
            Err(error) => Self {
                hint: Some(error.hint()),
                error: Some(ErrorChain(&error).to_string()),
                ..list
            },
        }
    }
}

impl From<feeds::LeftOut> for LeftOutEntries {
    fn from(left_out: feeds::LeftOut) -> Self {
        let kinds = [
            ("wrong", &left_out.wrong),
            ("about something else than hosts", &left_out.other),
            ("about everything below a suffix", &left_out.held),
        ];
        let kinds = kinds.iter().filter(|(_, tally)| !tally.is_empty());
        let examples: Vec<_> = kinds
            .map(|(kind, tally)| format!("{kind}: {tally}"))
            .collect();
        Self {
            wrong: left_out.wrong.count,
            other: left_out.other.count,
            held: left_out.held.count,
            examples: (!examples.is_empty()).then(|| examples.join("; ")),
        }
    }
}

impl fmt::Display for FeedRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for list in &self.lists {
            write!(f, "{list}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {}", Escaped(note))?;
        }
        if self.lists.iter().any(|list| list.updated) {
            writeln!(
                f,
                "A proxy that runs with this cache folder takes new copies up within seconds."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for RefreshedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}: ", self.feed, Escaped(&self.source))?;
        if let Some(error) = &self.error {
            writeln!(f, "failed: {}", Escaped(error))?;
        } else if let Some(bytes) = self.bytes {
            writeln!(f, "updated: {} entries, {bytes} bytes", self.entries)?;
        } else {
            writeln!(f, "unchanged: {} entries", self.entries)?;
        }
        if let Some(hint) = self.hint {
            writeln!(f, "  to do: {hint}")?;
        }
        let left_out = self.left_out.as_ref();
        let examples = left_out.and_then(|left_out| left_out.examples.as_ref());
        examples.map_or(Ok(()), |examples| {
            writeln!(f, "  not used: {}", Escaped(examples))
        })
    }
}
