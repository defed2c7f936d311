//! What becomes of feeds when their settings change while the proxy runs. First both settings are
//! compared, which gives a fate for each list; then new lists are opened, and all is published at
//! once. `proxy` calls it when the configuration file has changed. Nothing is fetched here.
//!
//! What the operator blocks stays blocked until the new list is there, and what the operator no
//! longer allows is no longer allowed at once.

mod compare;

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::info;

use self::compare::{Changes, Fate, Settings, fates, may_wait, origins};
use super::fetch::Version;
use super::origin::Origin;
use super::snapshot::Snapshot;
use super::source::{Feed, List, Source, State};
use super::start::{Expected, Found, entries, set_of};
use super::{Feeds, Lists, blocking};
use crate::config;

/// A feed whose settings have changed.
struct Changed<'s> {
    name: Arc<str>,
    now: &'s config::Feed,
    /// What becomes of its lists.
    fates: Vec<Fate>,
}

/// A list of such a feed.
enum Prepared {
    /// That one of before, as it serves by now.
    Kept(usize),
    Other(List),
}

impl Feeds {
    /// Has other settings hold from now on. Lists that stay serve all the time, and whatever is
    /// being done about others has no effect any more. It is called for one change after the other.
    pub(crate) async fn change_to(self: &Arc<Self>, now: Settings) {
        let feeds = self.clone();
        blocking(move || feeds.change(&now)).await;
        self.rescheduled.notify_one();
        self.arrived.notify_one();
    }

    fn change(&self, now: &Settings) {
        let lists = self.lists.load_full();
        let configured = lists.feeds.values();
        let before = configured.filter_map(|feed| Some((&*feed.name, feed.settings.as_deref()?)));
        let before: BTreeMap<&str, &config::Feed> = before.collect();
        let changes = Changes::between(&before, now);
        if changes == Changes::default() {
            return;
        }
        // A list that goes may come back.
        self.save_hits();
        let changed = changes.changed.iter();
        let changed =
            changed.map(|name| Changed::new(&lists.feeds[*name], before[name], &now[*name]));
        let changed: Vec<_> = changed.collect();
        retire(&lists, &changes.removed, &changed);
        // From here on a list that does not stay is no longer replaced. It may have been until now.
        let lists = self.lists.load_full();
        let prepare = |feed: &Changed<'_>| {
            (
                feed.name.clone(),
                self.prepare(&lists.feeds[&feed.name], feed),
            )
        };
        let changed: Vec<_> = changed.iter().map(prepare).collect();
        let open = |name: &&str| {
            Found::of(name, &now[*name], &self.cache).load(&self.cache, self.lists.key())
        };
        let added: Vec<Feed> = changes.added.iter().map(open).collect();
        self.lists.change(|set| {
            set.retain(|name, _| !changes.removed.contains(&&**name));
            for (name, prepared) in changed {
                let lists = prepared
                    .into_iter()
                    .map(|list| list.place(&set[&name].lists));
                let feed = Feed {
                    lists: lists.collect(),
                    settings: Some(Arc::new(now[&*name].clone())),
                    name: name.clone(),
                };
                set.insert(name, Arc::new(feed));
            }
            set.extend(set_of(added));
            true
        });
        changes.log();
    }

    /// The lists of a feed with other settings.
    fn prepare(&self, feed: &Feed, changed: &Changed<'_>) -> Vec<Prepared> {
        let Changed {
            name, now, fates, ..
        } = changed;
        let mut origins = origins(name, now).into_iter();
        let prepare = |fate: &Fate| match (*fate, origins.next()) {
            (Fate::Kept(at), _) => Some(Prepared::Kept(at)),
            // The entries come last.
            (_, None) => {
                let entries = entries(name, now, self.lists.key())?;
                let before = feed.lists.iter().find(|list| list.source.origin.is_none());
                if let Some(before) = before {
                    entries.snapshot.take_hits_over(&before.snapshot);
                }
                Some(Prepared::Other(entries))
            }
            (fate, Some(origin)) => Some(Prepared::Other(match fate {
                Fate::Adjusted(at) => feed.lists[at].adjusted(origin),
                Fate::Awaited(at) => self.new_list(name, origin, Some(&feed.lists[at])),
                _ => self.new_list(name, origin, None),
            })),
        };
        fates.iter().filter_map(prepare).collect()
    }

    /// A new list with its copy on disk. If there is none, the list before serves.
    fn new_list(&self, name: &Arc<str>, origin: Origin, before: Option<&List>) -> List {
        let source = Source::from_origin(name, origin);
        source.log_licence();
        let before = before.filter(|before| before.snapshot.len() > 0);
        let expected = before.map_or(Expected::Yes, |_| Expected::No);
        let saved = source.saved(&self.cache, expected);
        let list = saved.and_then(|saved| source.load(saved, &self.cache, self.lists.key()));
        match (list, before) {
            (Some(list), before) => {
                match before {
                    Some(before) => list.take_hits_over(&before.snapshot),
                    None => self.cache.restore_hits(&source, &list),
                }
                List::new(source, list)
            }
            (None, Some(before)) => before.standing_in_for(source),
            (None, None) => List::new(source, Snapshot::default()),
        }
    }
}

impl<'s> Changed<'s> {
    fn new(feed: &Feed, before: &'s config::Feed, now: &'s config::Feed) -> Self {
        let mut fates = fates(&feed.name, before, now);
        if !may_wait(before, now) {
            // Nor does one stay that stands in for another since an earlier change.
            let stands_in = |at: usize| feed.lists[at].before.is_some();
            for fate in &mut fates {
                if let Fate::Kept(at) | Fate::Adjusted(at) = *fate
                    && stands_in(at)
                {
                    *fate = Fate::New;
                }
            }
        }
        let name = feed.name.clone();
        Self { name, now, fates }
    }
}

/// Ends what is being done about lists that do not stay as they are.
fn retire(lists: &Lists, removed: &[&str], changed: &[Changed<'_>]) {
    let all = removed.iter().flat_map(|name| &lists.feeds[*name].lists);
    all.for_each(|list| list.source.retire());
    for Changed { name, fates, .. } in changed {
        let of_feed = lists.feeds[name].lists.iter().enumerate();
        let gone = of_feed.filter(|(at, _)| !fates.contains(&Fate::Kept(*at)));
        gone.for_each(|(_, list)| list.source.retire());
    }
}

impl Prepared {
    /// Among the lists that serve now.
    fn place(self, lists: &[List]) -> List {
        match self {
            Self::Kept(at) => lists[at].clone(),
            Self::Other(list) => list,
        }
    }
}

impl List {
    /// The same list, which comes in another way.
    fn adjusted(&self, origin: Origin) -> Self {
        let before = self.source.origin.as_ref();
        let mut state = self.source.state().clone();
        if before.is_none_or(|before| before.copy != origin.copy) {
            // The next fetch is of all of the list, and writes the copy.
            state.version = Version::default();
        }
        let source = Source::from_origin(&self.source.feed, origin);
        Self {
            source: Arc::new(source.knowing(state)),
            ..self.clone()
        }
    }

    /// What serves until the first list of `source` is there. Its age is that of this list.
    fn standing_in_for(&self, source: Source) -> Self {
        let before = self.before.as_ref().unwrap_or(&self.source.shown).clone();
        info!(
            feed = &*source.feed,
            source = &*source.shown,
            %before,
            names = self.snapshot.len(),
            "until the list arrives, the one before serves"
        );
        let state = State {
            fetched_at: self.source.state().fetched_at,
            ..State::default()
        };
        Self {
            source: Arc::new(source.knowing(state)),
            snapshot: self.snapshot.clone(),
            before: Some(before),
        }
    }
}
