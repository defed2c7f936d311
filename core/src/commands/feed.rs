//! `feed list`, `feed lookup`, `feed refresh` and `feed presets`: what people can ask about the
//! lists of hosts. They look at the copies on disk, which a running proxy has, too.

mod hits;
mod lookup;
mod refresh;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::hits::Hits;
pub use self::lookup::{FeedEntry, FeedLookup, HostEntries, Says, look_up_hosts};
pub use self::refresh::{FeedRefresh, LeftOutEntries, RefreshedList, refresh_feeds};
use crate::config::{Config, FeedFormat, FeedKind, OwnListeners, Preset, did_you_mean};
use crate::error::Escaped;
use crate::feeds::{Facts, Feeds, Fetcher};
use crate::target::InvalidTarget;
use crate::upstream::Parents;
use crate::upstream::policy::Policy;
use crate::upstream::reload::Reloads;
use crate::upstream::resolve::{LOOKUPS, Resolver};

/// Why nothing can be said about a feed or a host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedCommandError {
    /// The text is not a host.
    #[error("`{}` is not a host", Escaped(.host))]
    Host {
        /// The text.
        host: String,
        /// What is wrong with it.
        #[source]
        source: InvalidTarget,
    },
    /// The settings have no such feed.
    #[error("there is no feed `{}`{hint}; see `portcullis feed list`", Escaped(.name))]
    Unknown {
        /// The name.
        name: String,
        /// The one that may be meant, as it continues the text.
        hint: String,
    },
    /// The operator has taken it out.
    #[error(
        "the feed `{0}` is disabled, so that it is not fetched; `enabled = true` in [feeds.{0}] \
         brings it back"
    )]
    Disabled(String),
}

/// The lists of all feeds, as their copies on disk have them. By serde it is an object with
/// `lists`, each of them an object with `feed`, `kind`, `entries`, which is a count, and, where
/// they are, `format`, `source`, `disabled`, `age_s`, `bytes`, `error`, `hits` and `hits_error`.
/// `hits` is an object with `total`, `matched`, `never_matched`, which is a share, `since` and
/// `rules`, the most frequent first, each with `rule`, `line` and `hits`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeedList {
    lists: Vec<List>,
}

/// One list of a feed.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct List {
    feed: String,
    kind: FeedKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FeedFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    entries: usize,
    /// Seconds since the copy was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    /// The size of the copy, as it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What its entries have decided; none if a proxy has counted nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<Hits>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits_error: Option<String>,
}

/// The well-known lists. By serde it is an array of objects with `name`, `url`, `format`, `licence`
/// and `refresh_s`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PresetList(Vec<PresetFacts>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PresetFacts {
    name: Preset,
    url: String,
    format: FeedFormat,
    licence: &'static str,
    /// Time between two fetches, in seconds.
    refresh_s: u64,
}

/// The lists of these feeds, or of all, as their copies on disk have them, each with `top` of the
/// entries that have decided most often. Nothing is fetched.
///
/// # Errors
///
/// If one of the names is not that of a feed.
pub fn list_feeds(
    config: &Config,
    names: &[String],
    top: usize,
) -> Result<FeedList, FeedCommandError> {
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    if let Some(name) = names.iter().find(|name| !feeds.now().has(name)) {
        return Err(unknown(name, &feeds));
    }
    let is_wanted = |feed: &str| names.is_empty() || names.iter().any(|name| name == feed);
    let facts = feeds.facts(top).into_iter();
    let wanted = facts.filter(|list| is_wanted(&list.feed));
    Ok(FeedList {
        lists: wanted.map(List::from).collect(),
    })
}

/// The well-known lists that `preset` names.
pub fn list_presets() -> PresetList {
    let facts = |preset: Preset| PresetFacts {
        name: preset,
        url: preset.url().into(),
        format: preset.format(),
        licence: preset.licence(),
        refresh_s: preset.refresh().as_secs(),
    };
    PresetList(Preset::all().map(facts).collect())
}

/// The feeds with their copies on disk, which are fetched as a proxy of these settings would.
pub(super) fn open_to_fetch(config: &Config) -> Arc<Feeds> {
    Feeds::with_fetcher(&config.feeds, &config.cache.dir, fetcher(config))
}

/// What fetches for a command, as a proxy of these settings would.
pub(super) fn fetcher(config: &Config) -> Fetcher {
    let (egress, time) = (&config.egress, config.limits.resolve);
    let own = OwnListeners::of(&config.listeners());
    let policy = Arc::new(Policy::new(egress, &own));
    let resolver = Resolver::new(egress, policy.clone(), time, LOOKUPS, Reloads::default());
    Fetcher::new(resolver, policy, Parents::new(&config.upstream))
}

/// The error for a name that no feed has.
fn unknown(name: &str, feeds: &Feeds) -> FeedCommandError {
    FeedCommandError::Unknown {
        name: name.to_owned(),
        hint: did_you_mean(name, feeds.now().names().map(|name| &**name)),
    }
}

/// A word of the settings.
fn word(value: impl Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

impl From<Facts> for List {
    fn from(facts: Facts) -> Self {
        Self {
            feed: facts.feed.to_string(),
            kind: facts.kind,
            format: facts.format,
            source: facts.source.map(|source| source.to_string()),
            disabled: facts.is_disabled,
            entries: facts.names,
            age_s: facts.age.map(|age| age.as_secs()),
            bytes: facts.bytes,
            error: facts.error,
            hits: facts.hits.map(|hits| Hits::new(hits, facts.names)),
            hits_error: facts.hits_error,
        }
    }
}

impl fmt::Display for FeedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lists.iter().try_for_each(|list| writeln!(f, "{list}"))
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.feed, word(self.kind))?;
        if let Some(format) = self.format {
            write!(f, ", {}", word(format))?;
        }
        write!(f, ")")?;
        if let Some(source) = &self.source {
            write!(f, " from {}", Escaped(source))?;
        }
        write!(f, ": ")?;
        match (&self.error, self.entries) {
            _ if self.disabled => return write!(f, "disabled: it lists nothing"),
            (Some(error), _) => return write!(f, "not used: {}", Escaped(error)),
            (None, 0) => write!(f, "no data yet")?,
            (None, 1) => write!(f, "1 entry")?,
            (None, entries) => write!(f, "{entries} entries")?,
        }
        if let Some(age) = self.age_s {
            let age = humantime::format_duration(Duration::from_secs(age));
            write!(f, ", fetched {age} ago")?;
        }
        if let Some(bytes) = self.bytes {
            write!(f, ", {bytes} bytes")?;
        }
        match (&self.hits, &self.hits_error) {
            (Some(hits), _) => write!(f, "{hits}"),
            (None, Some(error)) => write!(f, "; hits begin anew: {}", Escaped(error)),
            (None, None) if self.entries == 0 => Ok(()),
            (None, None) => write!(f, "; no hits yet"),
        }
    }
}

impl fmt::Display for PresetList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|preset| {
            writeln!(
                f,
                "{:9} {:8} {:8} {}",
                word(preset.name),
                word(preset.format),
                preset.licence,
                preset.url
            )
        })
    }
}
