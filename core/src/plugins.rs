//! The plugin folder made into a chain: one reconciler that scans the folder, has what changed
//! tried aside, and publishes a new generation. `proxy` runs it on the control thread, and commands
//! open it once. Whatever is wrong with a new file, the filter that served before keeps serving.

pub(crate) mod builtin;
mod conflicts;
mod filter_file;
mod folder;
mod load_task;
mod manifest;
mod order;
mod plugin;
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

use self::conflicts::{Seniority, case_conflicts};
pub(crate) use self::filter_file::FilterFile;
use self::folder::{Files, Listing, Scan, Watch};
pub(crate) use self::load_task::LoadFailure;
use self::load_task::{COPY_TIMEOUT, LoadTask, Loaded, Outcome};
pub(crate) use self::manifest::ConfigSource;
use self::order::{Order, Reload};
use self::plugin::{Plugin, Retry};
pub(crate) use self::status::{Mode, Status, StatusFile, StatusWriter, read as read_status};
use self::ticks::Ticks;
use crate::chain::Chain;
use crate::config;
use crate::filter::{CachedFailure, Loader};
use crate::plugins::builtin::Builtin;

/// Time between two scans of the folder, even if nothing hints at a change.
const POLL: Duration = Duration::from_secs(1);

/// A file is read when two scans, this far apart, found it the same.
const SETTLE: Duration = Duration::from_millis(100);

/// Files that changed together are used together, unless one takes longer than this to load.
const GROUP_TIMEOUT: Duration = Duration::from_millis(500);

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
    /// Set once the files that were there at the start are loaded: the operator has changed what
    /// changes from then on.
    is_open: bool,
    /// Set once [`Plugins::run`] was called.
    has_run: bool,
    /// Since when there is something that the workers have not heard of.
    dirty_since: Option<Instant>,
    chain: watch::Sender<Arc<Chain>>,
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
            has_run: false,
            dirty_since: None,
            chain: watch::Sender::new(Arc::default()),
        };
        plugins.last_listing = plugins.list().await;
        plugins.load_what_is_there().await;
        plugins.is_open = true;
        plugins.publish();
        plugins
    }

    /// Startup waits for this, up to a limit, so that no traffic passes unfiltered.
    /// [`Plugins::run`] does the rest.
    async fn load_what_is_there(&mut self) {
        let begun = Instant::now();
        loop {
            let scan = self.scan().await;
            let is_quiet = self.loading.is_empty();
            let waited = begun.elapsed();
            if scan == Scan::Settled && is_quiet {
                return;
            }
            if is_quiet && waited >= COPY_TIMEOUT || waited >= self.loader.compile_time_limit() {
                tracing::warn!(
                    dir = %self.dir.display(),
                    ?waited,
                    "starting, although some of the plugins are still being written or compiled: they are used when they are ready"
                );
                return;
            }
            tokio::select! {
                Some(loaded) = self.loading.join_next() => self.on_loaded(loaded),
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

    /// The names in the configuration's order that are neither a file nor built in.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        let order = self.order.names().iter().map(String::as_str);
        order.filter(|name| !self.plugins.contains_key(*name) && self.builtin(name).is_none())
    }

    /// The built-in filters that wait for settings.
    pub(crate) fn available(&self) -> impl Iterator<Item = &'static str> {
        let names = self.builtins.iter().map(|builtin| builtin.name);
        names.filter(|name| !self.plugins.contains_key(*name))
    }

    /// Keeps the chain true to the folder for as long as it is polled. A filter that takes long to
    /// load holds up no other. May be called again after a panic.
    pub(crate) async fn run(&mut self, status: &mut StatusWriter) {
        if std::mem::replace(&mut self.has_run, true) {
            self.load_again();
        }
        let mut watch = Watch::new(self.dir.to_path_buf());
        let mut ticks = Ticks::default();
        loop {
            watch.arm();
            let scan = self.scan().await;
            self.publish_what_is_complete();
            ticks.run_for(&self.chain.borrow());
            let pause = match (scan, self.dirty_since) {
                (Scan::Settled, None) => POLL,
                (Scan::Unsettled, _) | (_, Some(_)) => SETTLE,
            };
            status.update(self.status()).await;
            tokio::select! {
                () = watch.changed(), if pause == POLL => {}
                Some(loaded) = self.loading.join_next() => self.on_loaded(loaded),
                () = sleep(pause) => {}
            }
        }
    }

    /// What was being loaded when something panicked may have been lost. It is read again; what is
    /// in use stays.
    fn load_again(&mut self) {
        self.loading = JoinSet::new();
        for plugin in self.plugins.values_mut() {
            if std::mem::take(&mut plugin.is_loading) {
                plugin.files = Files::default();
            }
        }
    }

    /// Scans the folder and loads what has changed since it was last read, if it has not changed
    /// since the last scan.
    async fn scan(&mut self) -> Scan {
        let mut scan = match self.order.reload().await {
            Reload::Unchanged => Scan::Settled,
            Reload::Unsettled => Scan::Unsettled,
            Reload::Changed => {
                self.mark_dirty();
                Scan::Settled
            }
        };
        let listing = self.list().await;
        let names: BTreeSet<Arc<str>> = listing
            .keys()
            .chain(self.plugins.keys())
            .cloned()
            .chain(self.defaults().map(Into::into))
            .collect();
        let conflicts = case_conflicts(self.filters(&listing));
        for name in &names {
            let files = listing.get(name).cloned().unwrap_or_default();
            self.note_conflict(name, conflicts.get(name), &files);
            scan = scan.max(self.scan_name(name, files));
        }
        self.last_listing = listing;
        scan
    }

    fn scan_name(&mut self, name: &Arc<str>, files: Files) -> Scan {
        let is_filter = self.is_filter(name, &files);
        if let Some(plugin) = self.plugins.get_mut(name)
            && (plugin.is_loading || plugin.files == files)
        {
            let is_gone = files == Files::default() && !is_filter;
            if is_gone && plugin.is_unused() {
                // It was gone before it was complete.
                self.plugins.remove(name);
            } else {
                plugin.gone_since = None;
            }
            return Scan::Settled;
        }
        let known = self.plugins.get(name);
        if let Some((at, meanwhile)) = known.and_then(|plugin| plugin.retry_at)
            && Instant::now() < at
        {
            return meanwhile;
        }
        let last_files = self.last_listing.get(name).cloned().unwrap_or_default();
        if last_files != files || self.is_in_grace(name, &files) {
            return Scan::Unsettled;
        }
        self.start_loading(name.clone(), files);
        Scan::Settled
    }

    /// Whether the file is gone, but not for so long that it must be meant.
    fn is_in_grace(&mut self, name: &str, files: &Files) -> bool {
        let is_filter = self.is_filter(name, files);
        let Some(plugin) = self.plugins.get_mut(name) else {
            return false;
        };
        let is_gone = !is_filter || files.wasm.is_none() && plugin.files.wasm.is_some();
        plugin.is_in_grace(is_gone, self.deletion_grace)
    }

    /// Every filter, also one whose file is gone for a moment.
    fn filters(&self, listing: &Listing) -> BTreeMap<Arc<str>, Seniority> {
        let seniority = |name: &str| match self.plugins.get(name) {
            _ if self.builtin(name).is_some() => Seniority::BuiltIn,
            Some(plugin) if plugin.member.is_some() || plugin.is_loading => Seniority::InUse,
            _ => Seniority::New,
        };
        let files = listing.iter();
        let files = files.filter(|(name, files)| self.is_filter(name, files));
        let serving = self.plugins.iter();
        let serving = serving.filter(|(_, plugin)| plugin.member.is_some());
        files
            .map(|(name, _)| name.clone())
            .chain(serving.map(|(name, _)| name.clone()))
            .chain(self.defaults().map(Into::into))
            .map(|name| (name.clone(), seniority(&name)))
            .collect()
    }

    fn note_conflict(&mut self, name: &Arc<str>, conflict: Option<&Arc<str>>, files: &Files) {
        let known = self.plugins.get(name);
        if known.and_then(|plugin| plugin.conflict.as_ref()) == conflict {
            return;
        }
        let plugin = self.plugins.entry(name.clone()).or_default();
        plugin.set_conflict(name, conflict, files);
    }

    /// Takes out what is gone, and has the rest read and tried aside.
    fn start_loading(&mut self, name: Arc<str>, files: Files) {
        if !self.is_filter(&name, &files) {
            return self.remove(&name, files);
        }
        let builtin = self.builtin(&name);
        let has_settings = files.wasm.is_some() && files.settings.is_some();
        let may_stand_in = builtin.is_some_and(|builtin| builtin.default || has_settings);
        let plugin = self.plugins.entry(name.clone()).or_default();
        if plugin.conflict.is_some() {
            plugin.files = files;
            return;
        }
        plugin.is_loading = true;
        let task = LoadTask {
            dir: self.dir.clone(),
            name,
            files,
            builtin: builtin.map(|builtin| builtin.component),
            known: plugin.digest,
            cached_failure: if self.is_open {
                CachedFailure::Ignore
            } else {
                CachedFailure::Use
            },
            // The built-in filter is better than none.
            fall_back: may_stand_in && plugin.member.is_none(),
            config: None,
        };
        self.loading.spawn(task.run(self.loader.clone()));
    }

    fn remove(&mut self, name: &Arc<str>, files: Files) {
        self.loader.forget(name);
        let removed = self.plugins.remove(name).and_then(|plugin| plugin.member);
        if let Some(member) = removed {
            tracing::info!(plugin = &**name, "removed");
            plugin::log_shadow_summary(&member);
            self.mark_dirty();
        }
        if files.settings.is_some() {
            let plugin = self.plugins.entry(name.clone()).or_default();
            plugin.files = files;
            plugin.refuse(name, &LoadFailure::NoFilter(name.clone()), Retry::Never);
        }
    }

    /// Puts what was loaded in place of what was there.
    fn on_loaded(&mut self, loaded: Result<Loaded, JoinError>) {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            // The task catches its own panics, so it can only have been cancelled.
            Err(error) => return tracing::debug!(%error, "a plugin was not loaded"),
        };
        let Some(plugin) = self.plugins.get_mut(&loaded.name) else {
            return;
        };
        plugin.is_loading = false;
        if plugin.conflict.is_some() {
            return;
        }
        plugin.retry_at = match (&loaded.files, &loaded.outcome) {
            (Some(_), _) => None,
            (None, Outcome::Incomplete) => Some((Instant::now() + SETTLE, Scan::Unsettled)),
            (None, _) => Some((Instant::now() + POLL, Scan::Settled)),
        };
        if let Some(failure) = &loaded.failure {
            let retry = if loaded.files.is_some() {
                Retry::Never
            } else {
                Retry::UntilItWorks
            };
            plugin.refuse(&loaded.name, failure, retry);
        }
        if let Some(files) = loaded.files {
            plugin.files = files;
        }
        match loaded.outcome {
            Outcome::Unchanged | Outcome::Incomplete => {}
            Outcome::Filter(filter) => {
                if loaded.failure.is_none() {
                    plugin.refused = None;
                }
                if plugin.accept(&loaded.name, filter) {
                    self.dirty_since.get_or_insert_with(Instant::now);
                }
            }
        }
        // Last, so that the files are tried again if anything above panics.
        plugin.digest = loaded.digest;
    }

    fn mark_dirty(&mut self) {
        self.dirty_since.get_or_insert_with(Instant::now);
    }

    fn publish_what_is_complete(&mut self) {
        let is_late = |since: Instant| since.elapsed() >= GROUP_TIMEOUT;
        if self
            .dirty_since
            .is_some_and(|since| self.loading.is_empty() || is_late(since))
        {
            self.publish();
        }
    }

    fn publish(&mut self) {
        self.dirty_since = None;
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
        let is_asked_for = |builtin: &Builtin| builtin.default || files.settings.is_some();
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
