//! Follows the configuration file: reads it again when it has changed, and has `[feeds]` and
//! `[plugins] order` hold. A task of the control thread. What else has changed needs a restart, and
//! the log says so. A file that cannot be used changes nothing, and a pipe is read at the start
//! alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::config::file_version::FileVersion;
use crate::config::{self, Config, ConfigError, Followed};
use crate::error::{ErrorChain, Escaped};
use crate::feeds::Feeds;
use crate::plugins::{Order, aside};
use crate::upstream::reload::Reloads;

/// How often the file is looked at. It may lie on a file system that tells of no change.
const POLL: Duration = Duration::from_secs(1);

/// The file is read when two looks, this far apart, found it the same.
const SETTLE: Duration = Duration::from_millis(100);

/// What is told of a file of which nothing is known.
const CANNOT_READ: &str = "the configuration file cannot be read";

/// What is told of a file that has been changed and is not used.
const CHANGED: &str = "the configuration file has changed and cannot be used";

/// What becomes of a file that has been changed and makes no sense.
const REFUSED: &str = "the settings before stay, and the next start will fail";

/// What becomes of a file that has nothing in it any more.
const EMPTIED: &str = "the settings before stay, and the next start would have the defaults; write the settings again, or a comment if the defaults are meant";

/// What becomes of a file that is gone.
const GONE: &str = "the settings before stay, and the next start fails if it is told to read this file, or else has the defaults; put the file back";

/// What becomes of a file that cannot be read.
const UNREAD: &str = "the settings before stay, and it is read again every second; a start that cannot read it fails";

/// The settings that hold while the proxy runs.
#[derive(Debug)]
pub(super) struct Settings {
    followed: Followed,
    feeds: BTreeMap<String, config::Feed>,
    order: watch::Sender<Order>,
    /// What the file said when it was read last.
    said: Arc<Config>,
    /// The file as the last look found it, and as it was read.
    seen: Option<FileVersion>,
    read: Option<FileVersion>,
    /// Whether the operator has asked for the file to be read, and wants to hear of it.
    is_told: bool,
    /// Whether there has been a file.
    was_there: bool,
    /// Whether it was gone at the last look.
    was_gone: bool,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Settled,
    /// The file is another one than a moment ago: it may still be written.
    Unsettled,
}

impl Settings {
    /// Those that a proxy is started with; none if no file is to be followed. The file need not be
    /// there yet.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let followed = config.followed.clone()?;
        let order = Order {
            names: config.plugins.order.clone(),
            fault: None,
        };
        Some(Self {
            feeds: config.feeds.clone(),
            order: watch::Sender::new(order),
            said: followed.said().clone(),
            // It may have changed since it was read, so it is read once more.
            seen: None,
            read: None,
            is_told: false,
            was_there: followed.said().file.is_some(),
            was_gone: false,
            followed,
        })
    }

    /// Every later order of filters.
    pub(super) fn orders(&self) -> watch::Receiver<Order> {
        self.order.subscribe()
    }

    /// Takes up each change of the file, and reads it when the proxy is `told` to. May be called
    /// again after a panic.
    pub(super) async fn follow(&mut self, feeds: &Arc<Feeds>, told: &mut Reloads) {
        if self.followed.is_stream() {
            return self.keep(told).await;
        }
        loop {
            let pause = match self.look(feeds).await {
                Look::Settled => POLL,
                Look::Unsettled => SETTLE,
            };
            tokio::select! {
                () = told.next() => (self.read, self.is_told) = (None, true),
                () = sleep(pause) => {}
            }
        }
    }

    /// Leaves the settings as they were read, without end: of a pipe nothing is left, and taking
    /// that up would bring the defaults back.
    async fn keep(&self, told: &mut Reloads) {
        let file = self.followed.file().display();
        tracing::info!(
            %file,
            "the configuration file is a pipe or a device, which is read once and not followed: a change needs a restart"
        );
        loop {
            told.next().await;
            tracing::warn!(
                %file,
                "the configuration file is a pipe or a device, which is not read again: a change needs a restart"
            );
        }
    }

    /// Reads the file if it is another one and two looks found it the same.
    async fn look(&mut self, feeds: &Arc<Feeds>) -> Look {
        let followed = self.followed.clone();
        let (seen, read) = (self.seen.clone(), self.read.clone());
        let looking = aside(move || {
            let before = FileVersion::of_file(followed.file());
            // A file that is gone for a moment is being replaced.
            let is_due = before.is_some() && before != read && before == seen;
            let config = is_due.then(|| followed.read());
            // What has changed meanwhile may have been read in part.
            let stamp = FileVersion::of_file(followed.file());
            let config = config.filter(|_| stamp == before);
            (stamp, config)
        });
        let (stamp, config) = match looking.await {
            Ok(looked) => looked,
            Err(panic) => {
                self.refuse(panic.to_string(), CANNOT_READ, UNREAD);
                return Look::Settled;
            }
        };
        let is_settled = stamp == self.seen;
        self.seen = stamp;
        self.was_gone &= self.seen.is_none();
        match config {
            Some(Ok(config)) => {
                self.read.clone_from(&self.seen);
                if self.is_emptied(&config) {
                    let fault = format!("{} is empty", Escaped(self.followed.file().display()));
                    self.refuse(fault, CHANGED, EMPTIED);
                } else {
                    self.take_over(config, feeds).await;
                }
            }
            Some(Err(error)) => {
                let fault = ErrorChain(&error).to_string();
                // Want of descriptors, say, is nothing that is wrong with the file, and may pass.
                if matches!(error, ConfigError::Read { .. }) {
                    self.refuse(fault, CANNOT_READ, UNREAD);
                } else {
                    self.read.clone_from(&self.seen);
                    self.refuse(fault, CHANGED, REFUSED);
                }
            }
            None if is_settled && self.seen.is_none() => self.miss(),
            None if !is_settled => return Look::Unsettled,
            None => {}
        }
        Look::Settled
    }

    /// Whether the file is empty by now, and had settings before. Some editors empty a file before
    /// they write it, and a full disk can leave it so.
    fn is_emptied(&self, now: &Config) -> bool {
        let is_empty = self.seen.as_ref().is_some_and(|file| file.len() == 0);
        is_empty && !say_the_same(&self.said, now)
    }

    /// Says that the file is gone, if it was at the last look, too. Until then it may be about to
    /// be replaced.
    fn miss(&mut self) {
        // One that comes back is read, also if it is the same.
        self.read = None;
        if !self.was_there {
            // A start without it would not fail.
            self.set_fault(None);
        } else if std::mem::replace(&mut self.was_gone, true) {
            let fault = format!("{} is gone", Escaped(self.followed.file().display()));
            self.refuse(fault, "the configuration file is gone", GONE);
        }
    }

    /// Tells why the file is not used, unless that is known.
    fn refuse(&mut self, fault: String, event: &str, consequence: &str) {
        // A file that cannot be read is tried again every second, which is not news.
        let is_known = self.order.borrow().fault.as_ref() == Some(&fault);
        if std::mem::take(&mut self.is_told) || !is_known {
            tracing::error!(error = fault, consequence, "{event}");
        }
        self.set_fault(Some(fault));
    }

    fn set_fault(&self, fault: Option<String>) {
        self.order.send_if_modified(|order| {
            let has_changed = order.fault != fault;
            order.fault = fault;
            has_changed
        });
    }

    async fn take_over(&mut self, now: Config, feeds: &Arc<Feeds>) {
        self.set_fault(None);
        if !std::mem::replace(&mut self.was_there, true) {
            let file = self.followed.file().display();
            tracing::info!(%file, "there is a configuration file now: it is followed from here on");
        }
        let before = std::mem::replace(&mut self.said, Arc::new(now));
        let (before, now) = (&*before, &*self.said);
        if std::mem::take(&mut self.is_told) && say_the_same(before, now) {
            tracing::info!("the configuration file is read again: nothing has changed");
        }
        // An application may have changed what the file said at the start. That stays until the
        // file says something else.
        if before.plugins.order != now.plugins.order {
            let names = now.plugins.order.clone();
            self.order.send_modify(|order| order.names = names);
        }
        if before.feeds != now.feeds {
            take_changes(&mut self.feeds, &before.feeds, &now.feeds);
            feeds.change_to(self.feeds.clone()).await;
        }
        for table in need_restart(before, now, self.followed.said()) {
            tracing::warn!("a change of [{table}] needs a restart: it holds after the next start");
        }
    }
}

/// Changes `current` where `now` says something else than `before`.
fn take_changes(
    current: &mut BTreeMap<String, config::Feed>,
    before: &BTreeMap<String, config::Feed>,
    now: &BTreeMap<String, config::Feed>,
) {
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        current.remove(name);
    }
    for (name, feed) in now
        .iter()
        .filter(|(name, feed)| before.get(*name) != Some(feed))
    {
        current.insert(name.clone(), feed.clone());
    }
}

/// The tables whose change has no effect on a running proxy. One that is as it was at the start
/// again is none of them.
fn need_restart(before: &Config, now: &Config, started: &Config) -> Vec<&'static str> {
    let mut tables = different(before, now);
    let pending = different(started, now);
    tables.retain(|table| pending.contains(table));
    tables
}

/// Whether two files say the same.
fn say_the_same(one: &Config, other: &Config) -> bool {
    let is_followed_same = one.feeds == other.feeds && one.plugins.order == other.plugins.order;
    is_followed_same && different(one, other).is_empty()
}

/// The tables of which two files say something else, but for what is followed.
fn different(one: &Config, other: &Config) -> Vec<&'static str> {
    // All are named, so that a new one is not forgotten.
    let Config {
        file: _,
        followed: _,
        feeds: _,
        proxy,
        listeners,
        clients,
        auth,
        limits,
        plugins,
        compiler,
        groups,
        cache,
        state,
        egress,
        tunnel,
        upstream,
        log,
    } = one;
    let mut plugins = plugins.clone();
    plugins.order.clone_from(&other.plugins.order);
    let tables = [
        ("proxy", *proxy != other.proxy),
        ("listeners", *listeners != other.listeners),
        ("clients", *clients != other.clients),
        ("auth", *auth != other.auth),
        ("limits", *limits != other.limits),
        ("plugins", plugins != other.plugins),
        ("compiler", *compiler != other.compiler),
        ("groups", *groups != other.groups),
        ("cache", *cache != other.cache),
        ("state", *state != other.state),
        ("egress", *egress != other.egress),
        ("tunnel", *tunnel != other.tunnel),
        ("upstream", *upstream != other.upstream),
        ("log", *log != other.log),
    ];
    let different = tables.into_iter().filter(|(_, is_different)| *is_different);
    different.map(|(table, _)| table).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::Group;

    fn with(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        change(&mut config);
        config
    }

    #[test]
    fn tables_that_hold_after_a_restart_are_told_once_and_not_when_they_are_as_before() {
        let start = Config::default();
        let changed = with(|config| {
            config.proxy.listen = SocketAddr::from(([127, 0, 0, 1], 1)).into();
            config.groups.insert("a".into(), Group::default());
        });
        assert_eq!(need_restart(&start, &changed, &start), ["proxy", "groups"]);
        assert_eq!(need_restart(&changed, &changed, &start), [""; 0]);
        assert_eq!(need_restart(&changed, &start, &start), [""; 0]);
    }

    #[test]
    fn what_is_followed_needs_no_restart() {
        let start = Config::default();
        let live = with(|config| {
            config.plugins.order = vec!["a".into()];
            config.feeds.clear();
        });
        assert_eq!(need_restart(&start, &live, &start), [""; 0]);
        let both = with(|config| {
            config.plugins.order = vec!["a".into()];
            config.plugins.stack += 1;
        });
        assert_eq!(need_restart(&start, &both, &start), ["plugins"]);
    }

    #[test]
    fn feeds_that_an_application_has_added_stay_until_the_file_speaks_of_them() {
        let feed = Config::default().feeds["malware"].clone();
        let mut other = feed.clone();
        other.refresh *= 2;
        let feeds = |names: &[&str]| -> BTreeMap<_, _> {
            let feeds = names.iter().map(|name| ((*name).to_owned(), feed.clone()));
            feeds.collect()
        };
        let mut current = feeds(&["kept", "malware", "own", "removed"]);
        let before = feeds(&["kept", "malware", "taken-out", "removed"]);
        let mut now = feeds(&["added", "kept", "taken-out"]);
        now.insert("malware".into(), other.clone());
        take_changes(&mut current, &before, &now);
        let mut expected = feeds(&["added", "kept", "own"]);
        expected.insert("malware".into(), other);
        assert_eq!(current, expected);
    }
}
