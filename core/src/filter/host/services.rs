//! What the proxy does for filters, whatever they judge: lists, memory, numbers, time, chance and
//! the public suffix list.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::tz::TimeZone;
use portcullis_contract::limits::{
    FEED_NAME_BYTES, HOST_BYTES, KEY_BYTES, RANDOM_BYTES, ZONE_BYTES,
};

use super::{Refused, Served, State, seen};
use crate::filter::bindings::portcullis::filter::{clock, domains, feeds, metrics, random, state};
use crate::filter::clock::Clock;
use crate::filter::metrics::Dropped;
use crate::filter::state::{StateError, Store};
use crate::verdict::{Match, MatchKind};

impl State {
    fn found(&mut self, found: Option<Match>) -> Option<feeds::Match> {
        let found = found?;
        self.said.found = Some(found.clone());
        Some(found.into())
    }

    /// The entry about `host` in some of the feeds, or in all that the filter may look into. What
    /// is longer than a host is not looked up.
    fn look_up(&mut self, feeds: Option<&[String]>, host: &str) -> Option<feeds::Match> {
        if host.len() > HOST_BYTES {
            return None;
        }
        let lists = seen(&mut self.lists, &self.host.feeds);
        let found = match feeds {
            Some(feeds) => lists.find(feeds.iter().map(String::as_str), host),
            None => lists.find(self.host.granted_feeds(lists), host),
        };
        self.found(found)
    }

    fn check_feed(&mut self, feed: &str) -> Result<(), feeds::FeedError> {
        // No feed has a longer name.
        let shown = &feed[..feed.floor_char_boundary(FEED_NAME_BYTES)];
        let lists = seen(&mut self.lists, &self.host.feeds);
        if !lists.has(shown) || shown.len() < feed.len() {
            return Err(feeds::FeedError::Unknown(shown.to_owned()));
        }
        if !self.host.may_look_into(lists, feed) {
            self.report_once(Refused::Feed, || {
                let grants = &self.host.grants;
                let file = format!("{}.toml", self.host.name);
                let how = grants.how_to_have(&[grants.feeds_line(shown)], &file);
                format!("the feed {shown} is not granted; if it may be looked into, {how}")
            });
            return Err(feeds::FeedError::NotGranted(shown.to_owned()));
        }
        Ok(())
    }
}

impl From<Match> for feeds::Match {
    fn from(found: Match) -> Self {
        let text =
            |text: Option<std::sync::Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        Self {
            feed: text(found.feed),
            source: text(found.source),
            rule: found.rule.into(),
            line: found.line,
            kind: match found.kind {
                MatchKind::Listed => feeds::Kind::Listed,
                MatchKind::Excepted => feeds::Kind::Excepted,
            },
        }
    }
}

impl feeds::Host for State {
    fn names(&mut self) -> Served<Vec<String>> {
        self.serve(|state| {
            let lists = seen(&mut state.lists, &state.host.feeds);
            state.known_feeds = Some(lists.edition());
            state.host.feed_names(lists)
        })
    }

    fn find(&mut self, host: String) -> Served<Option<feeds::Match>> {
        self.serve(|state| state.look_up(None, &host))
    }

    fn find_in(
        &mut self,
        mut feeds: Vec<String>,
        host: String,
    ) -> Served<Result<Option<feeds::Match>, feeds::FeedError>> {
        self.serve(|state| {
            let known = seen(&mut state.lists, &state.host.feeds).len();
            if feeds.len() > known {
                // Some are named more than once, or unknown. One that is unknown, and so the
                // first one that is refused, is among as many different ones.
                name_once(&mut feeds, known + 1);
            }
            feeds.iter().try_for_each(|feed| state.check_feed(feed))?;
            Ok(state.look_up(Some(&feeds), &host))
        })
    }
}

/// Keeps the first of those that are equal, as a feed that is named again answers as before, and no
/// more than `most`.
fn name_once(feeds: &mut Vec<String>, most: usize) {
    let mut named = HashSet::new();
    feeds.retain(|feed| {
        let is_kept = named.len() < most && !named.contains(feed);
        if is_kept {
            named.insert(feed.clone());
        }
        is_kept
    });
}

impl From<StateError> for state::StateError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Full => Self::Full,
            StateError::TooLarge => Self::TooLarge,
            StateError::NotANumber => Self::NotANumber,
            StateError::Unavailable => Self::Unavailable("the store cannot be reached".into()),
        }
    }
}

impl State {
    /// Changes what the filter remembers under a key. The operator is told when there is no more
    /// room, or can be no such key.
    fn remember<T>(
        &mut self,
        key: &str,
        change: impl FnOnce(&Store) -> Result<T, StateError>,
    ) -> Served<Result<T, state::StateError>> {
        self.serve(|state| {
            let store = &state.host.state;
            change(store).map_err(|error| {
                match error {
                    StateError::TooLarge if key.len() > KEY_BYTES => {
                        state.report_once(Refused::Key, || {
                            format!("a key has at most {KEY_BYTES} bytes, and this one {}", key.len())
                        });
                    }
                    StateError::Full | StateError::TooLarge => {
                        state.report_once(Refused::Value, || {
                            let room = ByteSize(store.cap() as u64);
                            format!(
                                "it does not fit into its state of {room}; let keys expire sooner, or raise [limits] state"
                            )
                        });
                    }
                    StateError::NotANumber | StateError::Unavailable => {}
                }
                error.into()
            })
        })
    }
}

impl state::Host for State {
    fn get(&mut self, key: String) -> Served<Result<Option<Vec<u8>>, state::StateError>> {
        self.remember(&key, |store| store.get(&key))
    }

    fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Served<Result<(), state::StateError>> {
        self.remember(&key, |store| store.set(&key, &value, time(ttl)))
    }

    fn remove(&mut self, key: String) -> Served<Result<(), state::StateError>> {
        self.remember(&key, |store| store.remove(&key))
    }

    fn increment(
        &mut self,
        key: String,
        by: i64,
        ttl: Option<u64>,
    ) -> Served<Result<i64, state::StateError>> {
        self.remember(&key, |store| store.increment(&key, by, time(ttl)))
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
        ttl: Option<u64>,
    ) -> Served<Result<bool, state::StateError>> {
        let (expected, new) = (expected.as_deref(), new.as_deref());
        self.remember(&key, |store| {
            store.compare_and_set(&key, expected, new, time(ttl))
        })
    }
}

fn time(milliseconds: Option<u64>) -> Option<Duration> {
    milliseconds.map(Duration::from_millis)
}

impl State {
    fn measure(
        &mut self,
        name: &str,
        labels: &[metrics::Label],
        measure: impl FnOnce(&crate::filter::metrics::Metrics, &[(&str, &str)]) -> Result<(), Dropped>,
    ) {
        let labels: Vec<_> = labels
            .iter()
            .map(|label| (&*label.name, &*label.value))
            .collect();
        if let Err(dropped) = measure(&self.host.metrics, &labels) {
            self.report_once(Refused::Metric(dropped), || {
                format!("{}: {dropped}", super::printable(name))
            });
        }
    }
}

impl metrics::Host for State {
    fn count(&mut self, name: String, by: u64, labels: Vec<metrics::Label>) -> Served<()> {
        self.serve(|state| {
            state.measure(&name, &labels, |metrics, labels| {
                metrics.count(&name, by, labels)
            });
        })
    }

    fn gauge(&mut self, name: String, value: f64, labels: Vec<metrics::Label>) -> Served<()> {
        self.serve(|state| {
            state.measure(&name, &labels, |metrics, labels| {
                metrics.gauge(&name, value, labels)
            });
        })
    }

    fn observe(&mut self, name: String, value: f64, labels: Vec<metrics::Label>) -> Served<()> {
        self.serve(|state| {
            state.measure(&name, &labels, |metrics, labels| {
                metrics.observe(&name, value, labels)
            });
        })
    }
}

impl clock::Host for State {
    fn now(&mut self) -> Served<u64> {
        self.serve(|state| u64::try_from(state.host.clock.now().as_millisecond()).unwrap_or(0))
    }

    fn local(&mut self, zone: Option<String>) -> Served<Result<clock::LocalTime, String>> {
        self.serve(|state| local_time(&state.host.clock, zone.as_deref()))
    }
}

fn local_time(clock: &Clock, zone: Option<&str>) -> Result<clock::LocalTime, String> {
    let zone = match zone {
        None => clock.zone(),
        Some(name) if name.len() > ZONE_BYTES => {
            return Err(format!("no time zone has a name of {} bytes", name.len()));
        }
        Some(name) => TimeZone::get(name).map_err(|_| {
            format!(
                "there is no time zone {name:?} on the proxy's machine; names are like Europe/Berlin"
            )
        })?,
    };
    let now = zone.to_datetime(clock.now());
    // Positive by definition.
    let unsigned = |number: i8| number.unsigned_abs();
    Ok(clock::LocalTime {
        year: now.year(),
        month: unsigned(now.month()),
        day: unsigned(now.day()),
        weekday: unsigned(now.weekday().to_monday_one_offset()),
        hour: unsigned(now.hour()),
        minute: unsigned(now.minute()),
        second: unsigned(now.second()),
    })
}

impl domains::Host for State {
    fn registrable(&mut self, host: String) -> Served<Option<String>> {
        self.serve(|_| {
            // Canonical addresses end in a number, or have a colon; names do neither.
            let is_name = host.len() <= HOST_BYTES && host.parse::<IpAddr>().is_err();
            let domain = is_name.then(|| psl::domain_str(&host)).flatten();
            domain.map(String::from)
        })
    }
}

impl random::Host for State {
    fn number(&mut self) -> Served<u64> {
        self.serve(|state| state.host.random.number())
    }

    fn bytes(&mut self, count: u32) -> Served<Vec<u8>> {
        self.serve(|state| {
            let mut bytes = vec![0; RANDOM_BYTES.min(count as usize)];
            state.host.random.fill(&mut bytes);
            bytes
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_is_named_often_is_asked_once_and_in_its_place() {
        let named = ["b", "a", "b", "b", "c", "a"].map(str::to_owned);
        for most in [3, 4, 2] {
            let mut feeds = named.to_vec();
            name_once(&mut feeds, most);
            assert_eq!(feeds, ["b", "a", "c"][..most.min(3)]);
        }
    }
}
