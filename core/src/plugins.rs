//! The plugin folder made into a chain: one reconciler that looks at the folder, has what changed tried aside, and publishes a
//! new generation. Whatever is wrong with a new file, the filter that served before goes on serving.

mod attempt;
pub(crate) mod builtin;
mod folder;
mod manifest;
mod order;
mod plugin;
mod single;
mod status;
mod ticks;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use self::attempt::Refusal;
use self::attempt::{Attempt, Loaded, Outcome};
use self::folder::{Files, Listing, Watch};
pub(crate) use self::manifest::Told;
use self::order::Order;
use self::plugin::{Attempted, Plugin};
pub(crate) use self::single::Single;
pub(crate) use self::status::{Mode, Status, StatusFile, read as read_status};
use self::ticks::Ticks;
use crate::chain::Chain;
use crate::config;
use crate::filter::{Loader, Memory};
use crate::plugins::builtin::Builtin;

/// The folder is looked at so often even if nothing hints at a change.
const POLL: Duration = Duration::from_secs(1);

/// A file is read when it looked the same twice, so long apart.
const SETTLE: Duration = Duration::from_millis(100);

/// A file that ends early may still be on its way for so long after it was last written to.
const COPY_PATIENCE: Duration = Duration::from_secs(3);

/// Files that changed together are used together, unless one takes longer than this to load.
const GROUP_PATIENCE: Duration = Duration::from_millis(500);

/// The folder, the filters made from it, and the workers' way to hear of them.
#[derive(Debug)]
pub(crate) struct Plugins {
    dir: Arc<Path>,
    order: Order,
    deletion_grace: Duration,
    builtins: &'static [Builtin],
    loader: Loader,
    last_listing: Listing,
    plugins: BTreeMap<Arc<str>, Plugin>,
    loading: JoinSet<Loaded>,
    /// Somebody serves by what was there at the start; files that change from now on are changed by hand.
    is_open: bool,
    /// Since when there is something that the workers have not heard of.
    unpublished: Option<Instant>,
    chain: watch::Sender<Arc<Chain>>,
}

/// Whether a look at the folder left something to be looked at again soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Settled,
    Unsettled,
}

impl Plugins {
    /// Loads what is there now. Faulty files are logged and left out.
    pub(crate) async fn open(
        settings: config::Plugins,
        builtins: &'static [Builtin],
        loader: Loader,
    ) -> Self {
        let mut plugins = Self {
            dir: settings.dir.into(),
            order: Order::new(settings.order, settings.order_file),
            deletion_grace: settings.deletion_grace,
            builtins,
            loader,
            last_listing: Listing::new(),
            plugins: BTreeMap::new(),
            loading: JoinSet::new(),
            is_open: false,
            unpublished: None,
            chain: watch::Sender::new(Arc::default()),
        };
        plugins.last_listing = plugins.list().await;
        plugins.load_what_is_there().await;
        plugins.is_open = true;
        plugins.publish();
        plugins
    }

    /// Traffic waits for this, lest anything pass that is not judged; but not for ever. The rest is taken up by [`Plugins::run`].
    async fn load_what_is_there(&mut self) {
        let begun = Instant::now();
        loop {
            let look = self.look().await;
            let is_quiet = self.loading.is_empty();
            let waited = begun.elapsed();
            if look == Look::Settled && is_quiet {
                return;
            }
            if is_quiet && waited >= COPY_PATIENCE || waited >= self.loader.patience() {
                tracing::warn!(
                    dir = %self.dir.display(),
                    ?waited,
                    "starting, although some of the plugins are still being written or compiled: they are used when they are ready"
                );
                return;
            }
            tokio::select! {
                Some(loaded) = self.loading.join_next() => self.settle(loaded),
                () = sleep(SETTLE) => {}
            }
        }
    }

    /// The generation that serves, and every later one.
    pub(crate) fn chain(&self) -> watch::Receiver<Arc<Chain>> {
        self.chain.subscribe()
    }

    /// Every name that is known, in the order of the chain.
    pub(crate) fn status(&self) -> Vec<Status> {
        let status = |(name, plugin): (&Arc<str>, &Plugin)| {
            let builtin = plugin.files.wasm.is_none() && self.builtin(name).is_some();
            plugin.status(name, builtin)
        };
        self.ordered().map(status).collect()
    }

    /// The names that the configuration orders and nobody bears.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        let order = self.order.names().iter().map(String::as_str);
        order.filter(|name| !self.plugins.contains_key(*name) && self.builtin(name).is_none())
    }

    /// The built-in filters that wait for settings.
    pub(crate) fn available(&self) -> impl Iterator<Item = &'static str> {
        let names = self.builtins.iter().map(|builtin| builtin.name);
        names.filter(|name| !self.plugins.contains_key(*name))
    }

    /// Keeps the chain true to the folder until shutdown. A filter that takes long to load holds up no other.
    pub(crate) async fn run(mut self, mut file: StatusFile, shutdown: CancellationToken) {
        let mut watch = Watch::new(self.dir.to_path_buf());
        let mut ticks = Ticks::default();
        let keep = async {
            loop {
                watch.arm();
                let look = self.look().await;
                self.publish_what_is_complete();
                ticks.follow(&self.chain.borrow());
                let pause = match (look, self.unpublished) {
                    (Look::Settled, None) => POLL,
                    (Look::Unsettled, _) | (_, Some(_)) => SETTLE,
                };
                file.update(self.status()).await;
                tokio::select! {
                    () = watch.changed(), if pause == POLL => {}
                    Some(loaded) = self.loading.join_next() => self.settle(loaded),
                    () = sleep(pause) => {}
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = keep => {}
        }
    }

    /// Looks at the folder and takes up what has changed since it was last read and is still now.
    async fn look(&mut self) -> Look {
        let mut look = match self.order.look().await {
            order::Look::Same => Look::Settled,
            order::Look::Unsettled => Look::Unsettled,
            order::Look::Changed => {
                self.must_publish();
                Look::Settled
            }
        };
        let listing = self.list().await;
        let names: BTreeSet<Arc<str>> = listing
            .keys()
            .chain(self.plugins.keys())
            .cloned()
            .chain(self.defaults().map(Into::into))
            .collect();
        let rivals = self.rivals(&listing);
        for name in &names {
            let files = listing.get(name).cloned().unwrap_or_default();
            self.notice_rival(name, rivals.get(name), &files);
            let is_filter = self.is_filter(name, &files);
            if let Some(plugin) = self.plugins.get_mut(name)
                && (plugin.is_loading || plugin.files == files)
            {
                let is_gone = files == Files::default() && !is_filter;
                if is_gone && plugin.is_unused() {
                    // It was gone before it was all there.
                    self.plugins.remove(name);
                    continue;
                }
                plugin.gone_since = None;
                continue;
            }
            let known = self.plugins.get(name);
            if let Some((at, meanwhile)) = known.and_then(|plugin| plugin.retry)
                && Instant::now() < at
            {
                look = look.max(meanwhile);
                continue;
            }
            if self.last_listing.get(name).cloned().unwrap_or_default() != files
                || self.is_in_grace(name, &files)
            {
                look = Look::Unsettled;
            } else {
                self.take_up(name.clone(), files);
            }
        }
        self.last_listing = listing;
        look
    }

    /// Whether the file is gone, but not for so long that it must be meant.
    fn is_in_grace(&mut self, name: &str, files: &Files) -> bool {
        let is_filter = self.is_filter(name, files);
        let Some(plugin) = self.plugins.get_mut(name) else {
            return false;
        };
        let is_gone = !is_filter || files.wasm.is_none() && plugin.files.wasm.is_some();
        if !is_gone || plugin.member.is_none() {
            plugin.gone_since = None;
            return false;
        }
        let gone_since = *plugin.gone_since.get_or_insert_with(Instant::now);
        gone_since.elapsed() < self.deletion_grace
    }

    /// Names that differ only by case would be one file on other systems, and one filter to a careless reader. For each filter that is one
    /// too many, the one that was there first.
    fn rivals(&self, listing: &Listing) -> BTreeMap<Arc<str>, Arc<str>> {
        let files = listing.iter();
        let files = files.filter(|(name, files)| self.is_filter(name, files));
        // Also one whose file is gone for a moment.
        let serving = self
            .plugins
            .iter()
            .filter(|(_, plugin)| plugin.member.is_some());
        let filters: BTreeSet<Arc<str>> = files
            .map(|(name, _)| name.clone())
            .chain(serving.map(|(name, _)| name.clone()))
            .chain(self.defaults().map(Into::into))
            .collect();
        let mut same: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
        for name in filters {
            same.entry(name.to_lowercase()).or_default().push(name);
        }
        let came_first = |name: &Arc<str>| {
            let plugin = self.plugins.get(name);
            plugin.is_some_and(|plugin| plugin.member.is_some() || plugin.is_loading)
        };
        let mut rivals = BTreeMap::new();
        for names in same.into_values().filter(|names| names.len() > 1) {
            let seniority = |name: &&Arc<str>| {
                (
                    self.builtin(name).is_none(),
                    !came_first(name),
                    (*name).clone(),
                )
            };
            let Some(senior) = names.iter().min_by_key(seniority) else {
                continue;
            };
            for name in names.iter().filter(|name| *name != senior) {
                rivals.insert(name.clone(), senior.clone());
            }
        }
        rivals
    }

    fn notice_rival(&mut self, name: &Arc<str>, rival: Option<&Arc<str>>, files: &Files) {
        let known = self
            .plugins
            .get(name)
            .and_then(|plugin| plugin.rival.as_ref());
        if known == rival {
            return;
        }
        let plugin = self.plugins.entry(name.clone()).or_default();
        plugin.rival = rival.cloned();
        match rival {
            Some(rival) => {
                plugin.files = files.clone();
                plugin.refuse(name, &Refusal::Rival(rival.clone()), Attempted::First);
            }
            // It is free to be tried.
            None => {
                plugin.files = Files::default();
                plugin.refused = None;
            }
        }
    }

    /// Takes out what is gone, and has the rest read and tried aside.
    fn take_up(&mut self, name: Arc<str>, files: Files) {
        if !self.is_filter(&name, &files) {
            return self.remove(&name, files);
        }
        let builtin = self.builtin(&name);
        let has_settings = files.wasm.is_some() && files.sidecar.is_some();
        let may_stand_in = builtin.is_some_and(|builtin| builtin.default || has_settings);
        let plugin = self.plugins.entry(name.clone()).or_default();
        if plugin.rival.is_some() {
            plugin.files = files;
            return;
        }
        plugin.is_loading = true;
        let attempt = Attempt {
            dir: self.dir.clone(),
            name,
            files,
            builtin: builtin.map(|builtin| builtin.component),
            known: plugin.digest,
            memory: if self.is_open {
                Memory::Doubted
            } else {
                Memory::Trusted
            },
            // Better the filter that is built in than none.
            fall_back: may_stand_in && plugin.member.is_none(),
            told: None,
        };
        self.loading.spawn(attempt.run(self.loader.clone()));
    }

    fn remove(&mut self, name: &Arc<str>, files: Files) {
        self.loader.forget(name);
        let removed = self.plugins.remove(name).and_then(|plugin| plugin.member);
        if let Some(member) = removed {
            tracing::info!(plugin = &**name, "removed");
            plugin::say_farewell(&member);
            self.must_publish();
        }
        if files.sidecar.is_some() {
            let plugin = self.plugins.entry(name.clone()).or_default();
            plugin.files = files;
            plugin.refuse(name, &Refusal::NoFilter(name.clone()), Attempted::First);
        }
    }

    /// Puts what was loaded in place of what was there.
    fn settle(&mut self, loaded: Result<Loaded, JoinError>) {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            // The task catches its own panics, so it can only have been cancelled.
            Err(error) => return tracing::debug!(%error, "a plugin was not loaded"),
        };
        let Some(plugin) = self.plugins.get_mut(&loaded.name) else {
            return;
        };
        plugin.is_loading = false;
        if plugin.rival.is_some() {
            return;
        }
        plugin.digest = loaded.digest;
        plugin.retry = match (&loaded.files, &loaded.outcome) {
            (Some(_), _) => None,
            (None, Outcome::Later) => Some((Instant::now() + SETTLE, Look::Unsettled)),
            (None, _) => Some((Instant::now() + POLL, Look::Settled)),
        };
        if let Some(refusal) = &loaded.refusal {
            let attempt = if loaded.files.is_some() {
                Attempted::First
            } else {
                Attempted::Again
            };
            plugin.refuse(&loaded.name, refusal, attempt);
        }
        if let Some(files) = loaded.files {
            plugin.files = files;
        }
        match loaded.outcome {
            Outcome::Same | Outcome::Later => {}
            Outcome::Filter(filter) => {
                if loaded.refusal.is_none() {
                    plugin.refused = None;
                }
                if plugin.accept(&loaded.name, filter) {
                    self.must_publish();
                }
            }
        }
    }

    fn must_publish(&mut self) {
        self.unpublished.get_or_insert_with(Instant::now);
    }

    fn publish_what_is_complete(&mut self) {
        let is_late = |since: Instant| since.elapsed() >= GROUP_PATIENCE;
        if self
            .unpublished
            .is_some_and(|since| self.loading.is_empty() || is_late(since))
        {
            self.publish();
        }
    }

    fn publish(&mut self) {
        self.unpublished = None;
        let chain = Chain::new(
            self.ordered()
                .filter_map(|(_, plugin)| plugin.member.clone()),
        );
        let members = chain.members();
        let names: Vec<&str> = members.map(|member| &*member.filter.name).collect();
        tracing::info!(chain = names.join(" > "), "filters in use");
        self.chain.send_replace(Arc::new(chain));
    }

    /// First the names that the configuration orders, then the rest by name.
    fn ordered(&self) -> impl Iterator<Item = (&Arc<str>, &Plugin)> {
        let order = self.order.names();
        // A name that is given twice counts where it stands first.
        let first = |(at, name): &(usize, &String)| !order[..*at].contains(name);
        let listed = order.iter().enumerate().filter(first);
        let listed = listed.filter_map(|(_, name)| self.plugins.get_key_value(name.as_str()));
        let is_listed = |name: &str| order.iter().any(|listed| listed == name);
        listed.chain(
            self.plugins
                .iter()
                .filter(move |(name, _)| !is_listed(name)),
        )
    }

    fn builtin(&self, name: &str) -> Option<&'static Builtin> {
        self.builtins.iter().find(|builtin| builtin.name == name)
    }

    /// The built-in filters that run without being asked for.
    fn defaults(&self) -> impl Iterator<Item = &'static str> {
        let defaults = self.builtins.iter().filter(|builtin| builtin.default);
        defaults.map(|builtin| builtin.name)
    }

    /// Whether the files of that name, with what is built in, make a filter.
    fn is_filter(&self, name: &str, files: &Files) -> bool {
        let is_asked_for = |builtin: &Builtin| builtin.default || files.sidecar.is_some();
        files.wasm.is_some() || self.builtin(name).is_some_and(is_asked_for)
    }

    async fn list(&self) -> Listing {
        let dir = self.dir.clone();
        let listing = tokio::task::spawn_blocking(move || folder::list(&dir)).await;
        match listing.map_err(io::Error::other).flatten() {
            Ok(listing) => listing,
            Err(error) => {
                tracing::warn!(
                    dir = %self.dir.display(),
                    %error,
                    "cannot list the plugin folder; the filters in use stay as they are"
                );
                self.last_listing.clone()
            }
        }
    }
}
