//! One feed, its lists, and what is known about each of them. `lists` looks hosts up in them,
//! `start` and `change` make them, `schedule` keeps them fresh.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::fetch::{Version, shown};
use super::inline;
use super::origin::Origin;
use super::snapshot::{Found, Snapshot};
use crate::config::{self, FeedKind};
use crate::verdict::{Match, MatchKind};

/// What a match tells of its entry.
#[derive(Clone, Copy, Debug)]
pub(super) enum Telling {
    AsWritten,
    /// As the lists of `Feeds::from_lists` have it.
    Canonical,
}

/// Lists under one name.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) name: Arc<str>,
    /// None for the feed that is compiled in, and for those of test cases.
    pub(super) settings: Option<Arc<config::Feed>>,
    /// A feed that is disabled has none.
    pub(super) lists: Vec<List>,
}

/// One list as it serves.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) source: Arc<Source>,
    pub(super) snapshot: Arc<Snapshot>,
    /// Where the snapshot is from, as people may see it, if it is the list of the settings before:
    /// it serves until that of `source` arrives.
    pub(super) before: Option<Arc<str>>,
}

/// Where one list comes from, by one version of its feed's settings.
#[derive(Debug)]
pub(super) struct Source {
    /// The name of its feed.
    pub(super) feed: Arc<str>,
    /// Where it comes from; none for a list that never changes.
    pub(super) origin: Option<Origin>,
    /// The same as people may see it.
    pub(super) shown: Arc<str>,
    state: Mutex<State>,
    /// Cancelled when the settings have another list in its place, or none.
    retired: CancellationToken,
    /// Held while its list is written to the disk.
    writing: Mutex<()>,
}

/// What a source knows of the list that serves.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// That of the body which the snapshot was made from.
    pub(super) version: Version,
    /// When the source last said what the snapshot says.
    pub(super) fetched_at: Option<SystemTime>,
    /// How many names the list had that was held at the last fetch, if one was.
    pub(super) held: Option<usize>,
    /// Why the last refresh failed.
    pub(super) error: Option<String>,
    /// Why the copy on disk was not used when the list was opened.
    pub(super) copy_error: Option<String>,
    /// Why what was counted of the list before was not used.
    pub(super) hits_error: Option<String>,
}

/// A list as `check` and `explain` show it; of a feed that has none, the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedStatus {
    pub(crate) name: Arc<str>,
    /// Where it comes from, as people may see it; none for a feed that is disabled.
    pub(crate) source: Option<Arc<str>>,
    /// Under which licence the list is published, where that is known.
    pub(crate) licence: Option<&'static str>,
    /// Whether the feed has other lists besides.
    pub(crate) has_others: bool,
    /// How many names are listed; 0 when it has no data yet.
    pub(crate) names: usize,
    /// Since the source last said what is listed; none for a list without data, and for one that
    /// never changes.
    pub(crate) age: Option<Duration>,
    /// Why the last refresh failed, if it did.
    pub(crate) last_error: Option<String>,
}

/// The source of a list that is compiled in.
pub(super) const BUILT_IN: &str = "built in";

/// The source of a list that stands in the settings.
pub(super) const ENTRIES: &str = "entries";

/// What the files of the list that stands in the settings of a feed are called.
pub(super) fn entries_copy(feed: &str) -> String {
    format!("{feed}.{ENTRIES}")
}

impl Feed {
    pub(super) fn kind(&self) -> FeedKind {
        let settings = self.settings.as_ref();
        settings.map_or(FeedKind::Block, |feed| feed.kind)
    }

    /// Whether the operator has taken it out.
    pub(super) fn is_disabled(&self) -> bool {
        self.settings.as_ref().is_some_and(|feed| !feed.enabled)
    }

    /// What a filter is told of an entry of one of its lists.
    pub(super) fn matched(&self, list: &List, found: Found<'_>, telling: Telling) -> Match {
        let rule = match telling {
            Telling::AsWritten => found.rule(),
            Telling::Canonical => inline::entry(&found),
        };
        let before = list.before.as_ref();
        Match {
            feed: Some(self.name.clone()),
            source: Some(before.unwrap_or(&list.source.shown).clone()),
            has_others: self.lists.len() > 1,
            rule: rule.into(),
            line: Some(found.line),
            kind: found.kind,
            hit: found.hit(),
        }
    }

    /// The entry of an allow feed, because of which no list counts.
    pub(super) fn allowed(&self, list: &List, found: Found<'_>, telling: Telling) -> Match {
        Match {
            kind: MatchKind::Excepted,
            ..self.matched(list, found, telling)
        }
    }
}

impl FeedStatus {
    /// That of a feed which the operator has taken out.
    pub(super) fn disabled(feed: &Arc<str>) -> Self {
        Self {
            name: feed.clone(),
            source: None,
            licence: None,
            has_others: false,
            names: 0,
            age: None,
            last_error: None,
        }
    }
}

impl List {
    /// One that serves from now on.
    pub(super) fn new(source: Source, snapshot: Snapshot) -> Self {
        Self {
            source: Arc::new(source),
            snapshot: Arc::new(snapshot),
            before: None,
        }
    }

    pub(super) fn status(&self) -> FeedStatus {
        let source = &self.source;
        let state = source.state();
        FeedStatus {
            name: source.feed.clone(),
            source: Some(source.shown.clone()),
            licence: source.origin.as_ref().and_then(|origin| origin.licence),
            has_others: false,
            names: self.snapshot.len(),
            // After a clock was set back, a list counts as new.
            age: state
                .fetched_at
                .map(|time| time.elapsed().unwrap_or_default()),
            last_error: state.error.clone(),
        }
    }
}

impl Source {
    /// A list that comes from somewhere else.
    pub(super) fn from_origin(feed: &Arc<str>, origin: Origin) -> Self {
        let shown = shown(&origin.url);
        Self {
            origin: Some(origin),
            ..Self::fixed(feed, &shown)
        }
    }

    /// A list that never changes.
    pub(super) fn fixed(feed: &Arc<str>, shown: &str) -> Self {
        Self {
            feed: feed.clone(),
            origin: None,
            shown: shown.into(),
            state: Mutex::default(),
            retired: CancellationToken::new(),
            writing: Mutex::default(),
        }
    }

    /// The same with what is known of the list that serves.
    pub(super) fn knowing(self, state: State) -> Self {
        Self {
            state: Mutex::new(state),
            ..self
        }
    }

    /// What the files of its copy on disk are called. A list that has none has hits alone.
    pub(super) fn copy(&self) -> String {
        match &self.origin {
            Some(origin) => origin.copy.clone(),
            // No name of a feed has a dot.
            None if *self.shown == *ENTRIES => entries_copy(&self.feed),
            None => self.feed.to_string(),
        }
    }

    pub(super) fn published(&self, version: Version, fetched_at: SystemTime) {
        let mut state = self.state();
        state.version = version;
        state.fetched_at = Some(fetched_at);
        state.held = None;
    }

    /// Whether it is to come and has not.
    pub(super) fn is_awaited(&self) -> bool {
        self.origin.is_some() && self.state().fetched_at.is_none()
    }

    /// Ends with its settings: whatever is being done about the list has no effect any more. A file
    /// that is being written is written to its end before.
    pub(super) fn retire(&self) {
        self.retired.cancel();
        drop(self.hold());
    }

    pub(super) fn retired(&self) -> &CancellationToken {
        &self.retired
    }

    /// While this is held, the copy on disk is this source's; none if it is another's by now.
    pub(super) fn writes(&self) -> Option<MutexGuard<'_, ()>> {
        let writing = self.hold();
        (!self.retired.is_cancelled()).then_some(writing)
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
