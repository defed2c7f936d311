//! The plugin folder made into a chain: one reconciler that scans the folder, has what changed
//! tried aside, and publishes a new generation. `proxy` runs it on the control thread, and commands
//! open it once. Whatever is wrong with a new file, the filter that served before keeps serving.

pub(crate) mod builtin;
mod conflicts;
mod filter_file;
mod folder;
mod groups;
mod hosts;
mod load_task;
mod manifest;
mod order;
mod places;
mod plugin;
mod readiness;
mod scan;
mod status;
mod ticks;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

pub(crate) use self::filter_file::FilterFile;
use self::folder::{Files, Listing, Misnamed, Scan, Seen};
pub(crate) use self::folder::{Watch, aside};
use self::load_task::{COPY_TIMEOUT, Loaded, Outcome, Retry};
pub(crate) use self::load_task::{LoadFailure, MAX_WASM_BYTES};
pub(crate) use self::manifest::ConfigSource;
pub(crate) use self::order::Order;
use self::order::Orders;
use self::plugin::{NextTry, Plugin};
pub(crate) use self::readiness::Fault;
pub(crate) use self::status::{
    Mode, Report, Status, StatusFile, StatusSnapshot, StatusWriter, read as read_status,
};
use self::ticks::Ticks;
use crate::chain::{Chain, Place};
use crate::config;
use crate::filter::Loader;
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
    dir_must_exist: bool,
    /// Why the folder cannot be listed.
    folder_fault: Option<String>,
    /// Whether requests are refused because of that: it was so at the start.
    is_folder_held: bool,
    order: Order,
    orders: Orders,
    /// The edition of the feeds with which filters were tried last.
    feeds: u64,
    deletion_grace: Duration,
    builtins: &'static [Builtin],
    loader: Loader,
    last_listing: Listing,
    /// Those of which the log has told.
    misnamed: Misnamed,
    /// Whether others than the folder's owner could write to it when it was looked at last.
    is_exposed: bool,
    plugins: BTreeMap<Arc<str>, Plugin>,
    loading: JoinSet<Loaded>,
    /// Whether the start is over. What changes from then on the operator has changed, and the chain
    /// stays as it is until that can be used. What was there before holds its place in the chain.
    is_open: bool,
    /// Set once [`Plugins::run`] was called.
    has_run: bool,
    /// Since when there is something that the workers have not heard of.
    dirty_since: Option<Instant>,
    chain: watch::Sender<Arc<Chain>>,
    faults: watch::Sender<Vec<Fault>>,
}

impl Plugins {
    /// Loads what is there now. A filter that cannot be used keeps its place in the chain, where
    /// requests are answered by its `on_error`.
    pub(crate) async fn open(
        settings: config::Plugins,
        builtins: &'static [Builtin],
        loader: Loader,
    ) -> Self {
        let mut plugins = Self {
            dir: settings.dir.into(),
            dir_must_exist: settings.dir_must_exist,
            folder_fault: None,
            is_folder_held: false,
            order: Order {
                names: settings.order,
                fault: None,
            },
            orders: Orders::none(),
            feeds: loader.feeds().now().edition(),
            deletion_grace: settings.deletion_grace,
            builtins,
            loader,
            last_listing: Listing::new(),
            misnamed: Misnamed::new(),
            is_exposed: false,
            plugins: BTreeMap::new(),
            loading: JoinSet::new(),
            is_open: false,
            has_run: false,
            dirty_since: None,
            chain: watch::Sender::new(Arc::default()),
            faults: watch::Sender::default(),
        };
        let seen = folder::look(plugins.dir.clone()).await;
        plugins.last_listing = plugins.listing(seen);
        plugins.load_what_is_there().await;
        plugins.hold_what_is_unread();
        plugins.is_folder_held = plugins.folder_fault.is_some();
        plugins.is_open = !plugins.is_folder_held;
        plugins.publish();
        plugins.faults.send_replace(plugins.find_faults());
        plugins
    }

    /// The start waits for this, up to a limit, so that requests wait rather than be refused.
    /// [`Plugins::run`] does the rest.
    async fn load_what_is_there(&mut self) {
        let begun = Instant::now();
        loop {
            let seen = folder::look(self.dir.clone()).await;
            let scan = self.scan(seen);
            let is_quiet = self.loading.is_empty();
            let waited = begun.elapsed();
            if scan == Scan::Settled && is_quiet {
                return;
            }
            if is_quiet && waited >= COPY_TIMEOUT || waited >= self.loader.compile_time_limit() {
                tracing::warn!(
                    dir = %self.dir.display(),
                    ?waited,
                    "starting, although some of the plugins are still being written or compiled: until they are ready, requests are answered by their on_error"
                );
                return;
            }
            tokio::select! {
                Some(loaded) = self.loading.join_next() => self.on_loaded(loaded),
                () = sleep(SETTLE) => {}
            }
        }
    }

    /// Has each later order hold while [`Self::run`] is polled.
    pub(crate) fn follow(&mut self, orders: watch::Receiver<Order>) {
        self.orders = orders.into();
    }

    /// The generation that serves, and every later one.
    pub(crate) fn chain(&self) -> watch::Receiver<Arc<Chain>> {
        self.chain.subscribe()
    }

    /// What keeps the proxy from judging all that it should, now and whenever that changes.
    pub(crate) fn faults(&self) -> watch::Receiver<Vec<Fault>> {
        self.faults.subscribe()
    }

    /// Every name that is known, in the order of the chain.
    pub(crate) fn status(&self) -> Vec<Status> {
        let status = |(name, plugin): (&Arc<str>, &Plugin)| {
            let builtin = plugin.files.wasm.is_none() && self.builtin(name).is_some();
            plugin.status(name, builtin)
        };
        self.ordered().map(status).collect()
    }

    /// The built-in filters that wait for settings.
    pub(crate) fn available(&self) -> impl Iterator<Item = &'static str> {
        let names = self.builtins.iter().map(|builtin| builtin.name);
        names.filter(|name| !self.plugins.contains_key(*name))
    }

    /// Keeps the chain true to the folder for as long as it is polled. A filter that takes long to
    /// load holds up no other. It looks at once when it is `told` to. May be called again after a
    /// panic.
    pub(crate) async fn run(&mut self, status: &mut StatusWriter, mut told: impl AsyncFnMut()) {
        if std::mem::replace(&mut self.has_run, true) {
            self.load_again();
        }
        let mut watch = Watch::new(self.dir.to_path_buf());
        let mut ticks = Ticks::default();
        loop {
            let dir = self.dir.clone();
            let seen = watch.look(move || Seen::in_folder(&dir)).await;
            let scan = self.scan(seen.flatten());
            if scan == Scan::Settled && self.folder_fault.is_none() {
                self.end_start();
            }
            self.publish_what_is_complete();
            ticks.run_for(&self.chain.borrow());
            let pause = match (scan, self.dirty_since) {
                (Scan::Settled, None) => POLL,
                (Scan::Unsettled, _) | (_, Some(_)) => SETTLE,
            };
            status.update(self.report()).await;
            let feeds = self.loader.feeds().clone();
            tokio::select! {
                () = watch.changed(), if pause == POLL => {}
                () = told() => self.look_again(),
                () = feeds.arrived() => self.on_feeds_changed(),
                order = self.orders.next() => self.on_order_changed(order),
                Some(loaded) = self.loading.join_next() => self.on_loaded(loaded),
                () = sleep(pause) => {}
            }
        }
    }

    /// The operator has asked for a look at the folder. What is tried again by itself later is
    /// tried with it.
    fn look_again(&mut self) {
        tracing::info!("looking at the plugin folder again");
        let plugins = self.plugins.values_mut();
        for next_try in plugins.filter_map(|plugin| plugin.next_try.as_mut()) {
            next_try.hurry();
        }
    }

    /// Says how things stand to those who wait for that, and to those who read a file.
    fn report(&self) -> Report {
        let faults = self.find_faults();
        self.faults.send_if_modified(|known| {
            let has_changed = *known != faults;
            known.clone_from(&faults);
            has_changed
        });
        let chain = self.chain.borrow();
        let missing = chain.missing().map(|missing| missing.name.to_string());
        Report {
            missing: missing.collect(),
            faults,
            plugins: self.status(),
        }
    }

    /// A folder that could not be listed at the start can be by now, and what is in it holds its
    /// place.
    fn end_start(&mut self) {
        self.is_open = true;
        if std::mem::take(&mut self.is_folder_held) {
            self.mark_dirty();
        }
    }

    /// What was being loaded when something panicked may have been lost. It is read again; what is
    /// in use stays.
    fn load_again(&mut self) {
        self.loading = JoinSet::new();
        for plugin in self.plugins.values_mut() {
            if std::mem::take(&mut plugin.is_loading) {
                plugin.next_try = NextTry::after(None, &plugin.files, Retry::Soon);
            }
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
        let last_try = plugin.next_try.take();
        let tried_for_feeds = std::mem::take(&mut plugin.tried_for_feeds);
        // Until all is done, as the files are tried again if anything below panics.
        plugin.next_try = NextTry::after(None, &loaded.files, Retry::Soon);
        if loaded.standing.get().is_some() {
            plugin.standing = loaded.standing;
        }
        if let Some(failure) = &loaded.failure {
            if plugin.is_held {
                // What becomes of requests may have changed with the settings.
                self.dirty_since.get_or_insert_with(Instant::now);
            }
            plugin.disabled = false;
            plugin.may_want_feeds = failure.may_want_feeds();
            let is_same = |last: &NextTry| last.is_of(&loaded.files);
            // What other feeds have not mended is no news.
            let is_again = tried_for_feeds && last_try.as_ref().is_some_and(is_same);
            let retry = if is_again { Retry::Soon } else { loaded.retry };
            let name = &loaded.name;
            if let Outcome::Filter(Some(_)) = loaded.outcome {
                let consequence = "the built-in filter stands in with its defaults";
                plugin.refuse_with(name, failure, retry, consequence);
            } else {
                plugin.refuse(name, failure, retry);
            }
        } else if loaded.digest == plugin.in_use {
            plugin.refused = None;
        }
        plugin.files = loaded.files;
        match loaded.outcome {
            Outcome::Unchanged | Outcome::Incomplete => {}
            Outcome::Filter(filter) => {
                if loaded.failure.is_none() {
                    plugin.refused = None;
                    plugin.in_use = loaded.digest;
                    plugin.is_set_up = plugin.files.say_something();
                }
                if plugin.accept(&loaded.name, filter) {
                    self.dirty_since.get_or_insert_with(Instant::now);
                }
            }
        }
        plugin.digest = loaded.digest;
        plugin.next_try = NextTry::after(last_try, &plugin.files, loaded.retry);
        if plugin.tried_with != self.feeds {
            plugin.try_with_other_feeds();
        }
    }

    /// A list has arrived, or there are other feeds. Requests may be refused for the lack of one.
    fn on_feeds_changed(&mut self) {
        let is_missing = self.missing_feeds().next().is_some();
        if is_missing || self.chain.borrow().missing().next().is_some() {
            self.mark_dirty();
        }
        let edition = self.loader.feeds().now().edition();
        if std::mem::replace(&mut self.feeds, edition) == edition {
            return;
        }
        // What was refused may have named a feed that is there by now.
        for (name, plugin) in &mut self.plugins {
            plugin.try_with_other_feeds();
            plugin.ask_with_other_feeds(name);
        }
    }

    fn on_order_changed(&mut self, order: Order) {
        if order.names != self.order.names {
            self.mark_dirty();
        }
        self.order = order;
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
        let missing = self.missing_folder().into_iter();
        let missing = missing.chain(self.missing_feeds()).map(Place::Missing);
        let plugins = self.ordered();
        let filters = plugins.filter_map(|(name, plugin)| plugin.place(name));
        let chain = Chain::new(missing.chain(filters));
        let names = chain.places().map(|place| match place {
            Place::Filter(member) => member.filter.name.to_string(),
            Place::Missing(missing) => format!("({} cannot judge)", missing.name),
        });
        let names: Vec<String> = names.collect();
        self.chain.send_replace(Arc::new(chain));
        self.dirty_since = None;
        tracing::info!(chain = names.join(" > "), "filters in use");
    }

    /// First the names that the configuration orders, then the rest by name.
    fn ordered(&self) -> impl Iterator<Item = (&Arc<str>, &Plugin)> {
        let order = &self.order.names;
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
}
