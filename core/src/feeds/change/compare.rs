//! Compares the settings of feeds before and after a change, and says what becomes of each feed and
//! of each list. Pure: nothing is done here.

use std::collections::BTreeMap;

use tracing::info;

use super::super::entries::Reading;
use super::super::origin::Origin;
use crate::config::{self, FeedKind};

/// The settings of feeds, by name.
pub(super) type Settings = BTreeMap<String, config::Feed>;

/// Which feeds a change of the settings is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes<'s> {
    pub(super) added: Vec<&'s str>,
    pub(super) changed: Vec<&'s str>,
    pub(super) removed: Vec<&'s str>,
}

/// What becomes of a list when the settings of its feed change. The number says which of the lists
/// before is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It serves and is fetched as before.
    Kept(usize),
    /// It serves as before, and is fetched in another way from now on.
    Adjusted(usize),
    /// It is another list. The one before serves until it is there.
    Awaited(usize),
    /// It is another list, and nothing serves until it is there.
    New,
}

impl<'s> Changes<'s> {
    pub(super) fn between(before: &BTreeMap<&'s str, &config::Feed>, now: &'s Settings) -> Self {
        let mut changes = Self::default();
        for (name, feed) in now {
            match before.get(&**name) {
                None => changes.added.push(name),
                Some(known) if *known != feed => changes.changed.push(name),
                Some(_) => {}
            }
        }
        let removed = before.keys().filter(|name| !now.contains_key(**name));
        changes.removed.extend(removed);
        changes
    }

    pub(super) fn log(&self) {
        let names = |names: &[&str]| (!names.is_empty()).then(|| names.join(", "));
        info!(
            added = names(&self.added),
            changed = names(&self.changed),
            removed = names(&self.removed),
            "feeds changed"
        );
    }
}

/// What becomes of the lists that a feed has now, in their order: those that are fetched, then its
/// entries.
pub(super) fn fates(name: &str, before: &config::Feed, now: &config::Feed) -> Vec<Fate> {
    type Pair = (fn(&Origin, &Origin) -> bool, fn(usize) -> Fate);
    const STAYS: [Pair; 2] = [
        (
            |old, new| new.has_list_of(old) && new.is_fetched_as(old),
            Fate::Kept,
        ),
        (|old, new| new.has_list_of(old), Fate::Adjusted),
    ];
    // The one that was read in another way, or else any that has no place any more.
    const WAITS: [Pair; 2] = [
        (|old, new| new.url == old.url, Fate::Awaited),
        (|_, _| true, Fate::Awaited),
    ];
    let (old, new) = (origins(name, before), origins(name, now));
    let mut free: Vec<usize> = (0..old.len()).collect();
    let mut fates = vec![Fate::New; new.len()];
    let waits = WAITS.iter().filter(|_| may_wait(before, now));
    for (is_pair, fate) in STAYS.iter().chain(waits) {
        let left = fates.iter_mut().zip(&new);
        for (left, new) in left.filter(|(left, _)| **left == Fate::New) {
            if let Some(at) = free.iter().position(|at| is_pair(&old[*at], new)) {
                *left = fate(free.remove(at));
            }
        }
    }
    if has_entries(now) {
        let is_same = has_entries(before)
            && before.entries == now.entries
            && Reading::of_entries(before) == Reading::of_entries(now);
        fates.push(if is_same {
            Fate::Kept(old.len())
        } else {
            Fate::New
        });
    }
    fates
}

/// Whether a list may serve that the settings do not name any more, until the one is there that
/// they name. What it blocks is blocked for longer. Of an allow feed it would go on to let hosts
/// pass which the operator has taken out, and what was a list of allowed hosts would be blocked.
pub(super) fn may_wait(before: &config::Feed, now: &config::Feed) -> bool {
    before.kind == FeedKind::Block && now.kind == FeedKind::Block
}

pub(super) fn origins(name: &str, feed: &config::Feed) -> Vec<Origin> {
    if feed.enabled {
        Origin::all(name, feed)
    } else {
        Vec::new()
    }
}

fn has_entries(feed: &config::Feed) -> bool {
    feed.enabled && !feed.entries.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Column, FeedFormat, PublicSuffixes, UntilFirst};

    fn feed(urls: &[&str]) -> config::Feed {
        let url = |path: &&str| format!("https://lists.example/{path}").parse().unwrap();
        let mut feed = config::Feed::new(url(&"none"), FeedFormat::Domains);
        feed.url = None;
        feed.urls = urls.iter().map(url).collect();
        feed
    }

    /// What becomes of the lists of a feed that `change` has changed.
    fn after(before: &config::Feed, change: impl FnOnce(&mut config::Feed)) -> Vec<Fate> {
        let mut now = before.clone();
        change(&mut now);
        fates("ads", before, &now)
    }

    fn allow(urls: &[&str]) -> config::Feed {
        let mut feed = feed(urls);
        feed.kind = FeedKind::Allow;
        feed
    }

    #[test]
    fn feeds_are_told_apart_by_name() {
        let now: Settings = ["added", "changed", "same"]
            .map(|name| (name.to_owned(), feed(&["a"])))
            .into();
        let (same, other) = (feed(&["a"]), feed(&["b"]));
        let before = BTreeMap::from([("changed", &other), ("removed", &same), ("same", &same)]);
        let expected = Changes {
            added: vec!["added"],
            changed: vec!["changed"],
            removed: vec!["removed"],
        };
        assert_eq!(Changes::between(&before, &now), expected);
        let before = now.iter().map(|(name, feed)| (&**name, feed)).collect();
        assert_eq!(Changes::between(&before, &now), Changes::default());
    }

    #[test]
    fn what_does_not_touch_a_list_leaves_it_alone() {
        let before = feed(&["a"]);
        for change in [
            (|feed| feed.until_first = UntilFirst::Block) as fn(&mut config::Feed),
            |feed| feed.kind = FeedKind::Allow,
            |feed| feed.url = feed.urls.pop(),
        ] {
            assert_eq!(after(&before, change), [Fate::Kept(0)]);
        }
        let with_entries = after(&before, |feed| feed.entries.push("b.example".into()));
        assert_eq!(with_entries, [Fate::Kept(0), Fate::New]);
    }

    #[test]
    fn what_is_about_fetching_keeps_the_list() {
        for before in [feed(&["a"]), allow(&["a"])] {
            for change in [
                (|feed| feed.refresh *= 2) as fn(&mut config::Feed),
                |feed| feed.timeout *= 2,
                |feed| feed.max_size += 1,
                |feed| feed.min_entries = Some(1),
                |feed| feed.headers = vec![field()],
            ] {
                assert_eq!(after(&before, change), [Fate::Adjusted(0)]);
            }
        }
    }

    fn field() -> config::Field {
        config::Field {
            name: "auth-key".parse().unwrap(),
            value: config::Secret::Text("a".into()),
        }
    }

    #[test]
    fn another_list_is_waited_for_behind_the_one_before_unless_that_allows() {
        for change in [
            (|feed| *feed = self::feed(&["b"])) as fn(&mut config::Feed),
            |feed| feed.format = FeedFormat::Hosts,
            |feed| feed.column = Some(Column::Name("url".into())),
            |feed| feed.subdomains = Some(false),
            |feed| feed.checksum = Some(config::Checksum::Sha256([0; 32])),
            |feed| feed.post = Some(config::Secret::Text("a".into())),
        ] {
            assert_eq!(after(&feed(&["a"]), change), [Fate::Awaited(0)]);
            let to_allow = |feed: &mut config::Feed| {
                change(feed);
                feed.kind = FeedKind::Allow;
            };
            assert_eq!(after(&allow(&["a"]), to_allow), [Fate::New]);
            assert_eq!(after(&feed(&["a"]), to_allow), [Fate::New]);
            let to_block = |feed: &mut config::Feed| {
                change(feed);
                feed.kind = FeedKind::Block;
            };
            assert_eq!(after(&allow(&["a"]), to_block), [Fate::New]);
        }
    }

    #[test]
    fn of_several_lists_each_has_a_fate_of_its_own() {
        let to = |before: &[&str], now: &[&str]| fates("ads", &feed(before), &feed(now));
        assert_eq!(to(&["a", "b"], &["b", "a"]), [Fate::Kept(1), Fate::Kept(0)]);
        assert_eq!(
            to(&["a", "b"], &["a", "c"]),
            [Fate::Kept(0), Fate::Awaited(1)]
        );
        assert_eq!(
            to(&["a", "b", "c"], &["d", "c"]),
            [Fate::Awaited(0), Fate::Kept(2)]
        );
        // The copy of a list that is alone has another name.
        assert_eq!(to(&["a", "b"], &["b"]), [Fate::Adjusted(1)]);
        assert_eq!(to(&["a"], &["b", "a"]), [Fate::New, Fate::Adjusted(0)]);
    }

    #[test]
    fn entries_are_read_again_when_they_or_their_reading_change() {
        let mut before = feed(&["a"]);
        before.entries = vec!["a.example".into()];
        let kept = Fate::Kept(1);
        assert_eq!(after(&before, |feed| feed.refresh *= 2)[1], kept);
        let other = after(&before, |feed| feed.entries.clear());
        assert_eq!(other, [Fate::Kept(0)]);
        for change in [
            (|feed| feed.entries.push("b.example".into())) as fn(&mut config::Feed),
            |feed| feed.subdomains = Some(false),
            |feed| feed.public_suffixes = Some(PublicSuffixes::Hold),
        ] {
            assert_eq!(after(&before, change)[1], Fate::New);
        }
    }

    #[test]
    fn a_feed_that_is_taken_out_has_no_lists_and_comes_back_as_a_new_one() {
        let before = feed(&["a"]);
        assert_eq!(after(&before, |feed| feed.enabled = false), []);
        let mut disabled = before.clone();
        disabled.enabled = false;
        assert_eq!(fates("ads", &disabled, &before), [Fate::New]);
    }
}
