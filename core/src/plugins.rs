//! The plugin folder made into a chain: one reconciler that looks at the folder, has what changed tried aside, and publishes a
//! new generation. Whatever is wrong with a new file, the filter that served before goes on serving.

mod attempt;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::attempt::{Attempt, Digest, Loaded, Outcome, Refusal};
use self::folder::{Files, Listing, Watch};
use crate::builtin::Builtin;
use crate::chain::Chain;
use crate::config;
use crate::error::Causes;
use crate::filter::{Filter, Loader};

/// The folder is looked at so often even if nothing hints at a change.
const POLL: Duration = Duration::from_secs(1);

/// A file is read when it looked the same twice, so long apart.
const SETTLE: Duration = Duration::from_millis(100);

/// A file that ends early may still be on its way for so long after it was last written to.
const COPY_PATIENCE: Duration = Duration::from_secs(3);

/// The folder, the filters made from it, and the workers' way to hear of them.
#[derive(Debug)]
pub(crate) struct Plugins {
    dir: Arc<Path>,
    order: Vec<String>,
    builtins: &'static [Builtin],
    loader: Loader,
    last_listing: Listing,
    plugins: BTreeMap<Arc<str>, Plugin>,
    loading: JoinSet<Loaded>,
    chain: watch::Sender<Arc<Chain>>,
}

/// What became of one name.
#[derive(Debug, Default)]
struct Plugin {
    /// The files when they were last read.
    files: Files,
    /// What was last tried, used or refused: identical content is not tried again.
    digest: Digest,
    filter: Option<Arc<Filter>>,
    refused: Option<String>,
    disabled: bool,
    /// A task reads and tries it at this moment.
    is_loading: bool,
    /// When to read files again that could not be read to their end, and whether that is worth waiting for.
    retry: Option<(Instant, Look)>,
}

/// Whether files are tried once, or until it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempted {
    First,
    Again,
}

/// One plugin as the operator sees it.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) name: Arc<str>,
    pub(crate) builtin: bool,
    pub(crate) disabled: bool,
    /// Why the newest version is not used.
    pub(crate) refused: Option<String>,
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
            order: settings.order,
            builtins,
            loader,
            last_listing: Listing::new(),
            plugins: BTreeMap::new(),
            loading: JoinSet::new(),
            chain: watch::Sender::new(Arc::default()),
        };
        plugins.last_listing = plugins.list().await;
        while plugins.look().await == Look::Unsettled || !plugins.loading.is_empty() {
            match plugins.loading.join_next().await {
                Some(loaded) => plugins.settle(loaded),
                None => sleep(SETTLE).await,
            }
        }
        plugins
    }

    /// The generation that serves, and every later one.
    pub(crate) fn chain(&self) -> watch::Receiver<Arc<Chain>> {
        self.chain.subscribe()
    }

    /// Every name that is known, in the order of the chain.
    pub(crate) fn status(&self) -> Vec<Status> {
        let status = |(name, plugin): (&Arc<str>, &Plugin)| Status {
            name: name.clone(),
            builtin: plugin.files.wasm.is_none() && self.builtin(name).is_some(),
            disabled: plugin.disabled,
            refused: plugin.refused.clone(),
        };
        self.ordered().map(status).collect()
    }

    /// The names that the configuration orders and nobody bears.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        let order = self.order.iter().map(String::as_str);
        order.filter(|name| !self.plugins.contains_key(*name))
    }

    /// Keeps the chain true to the folder until shutdown. A filter that takes long to load holds up no other.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut watch = Watch::new(self.dir.to_path_buf());
        let keep = async {
            loop {
                watch.arm();
                let pause = match self.look().await {
                    Look::Unsettled => SETTLE,
                    Look::Settled => POLL,
                };
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
        let listing = self.list().await;
        let names: BTreeSet<Arc<str>> = listing
            .keys()
            .chain(self.plugins.keys())
            .cloned()
            .chain(self.builtins.iter().map(|builtin| builtin.name.into()))
            .collect();
        let mut look = Look::Settled;
        for name in names {
            let files = listing.get(&name).cloned().unwrap_or_default();
            let known = self.plugins.get(&name);
            if known.is_some_and(|plugin| plugin.is_loading || plugin.files == files) {
                continue;
            }
            if let Some((at, meanwhile)) = known.and_then(|plugin| plugin.retry)
                && Instant::now() < at
            {
                look = look.max(meanwhile);
                continue;
            }
            if self.last_listing.get(&name).cloned().unwrap_or_default() == files {
                self.take_up(name, files);
            } else {
                look = Look::Unsettled;
            }
        }
        self.last_listing = listing;
        look
    }

    /// Takes out what is gone, and has the rest read and tried aside.
    fn take_up(&mut self, name: Arc<str>, files: Files) {
        let builtin = self.builtin(&name).map(|builtin| builtin.component);
        if files.wasm.is_none() && builtin.is_none() {
            return self.remove(&name, files);
        }
        let plugin = self.plugins.entry(name.clone()).or_default();
        plugin.is_loading = true;
        let attempt = Attempt {
            dir: self.dir.clone(),
            name,
            files,
            builtin,
            known: plugin.digest,
            // Better the filter that is built in than none.
            fall_back: plugin.filter.is_none(),
        };
        self.loading.spawn(attempt.run(self.loader.clone()));
    }

    fn remove(&mut self, name: &Arc<str>, files: Files) {
        let removed = self.plugins.remove(name).and_then(|plugin| plugin.filter);
        if removed.is_some() {
            tracing::info!(plugin = %name, "removed");
            self.publish();
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
            // Guests run on other threads' stacks; only a fault of ours gets here.
            Err(error) => {
                return tracing::error!(%error, "loading a plugin failed; please report it");
            }
        };
        let Some(plugin) = self.plugins.get_mut(&loaded.name) else {
            return;
        };
        plugin.is_loading = false;
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
                    self.publish();
                }
            }
        }
    }

    fn publish(&self) {
        let chain = Chain::new(
            self.ordered()
                .filter_map(|(_, plugin)| plugin.filter.clone()),
        );
        let names: Vec<&str> = chain.names().map(|name| &**name).collect();
        tracing::info!(chain = names.join(" > "), "filters in use");
        self.chain.send_replace(Arc::new(chain));
    }

    /// First the names that the configuration orders, then the rest by name.
    fn ordered(&self) -> impl Iterator<Item = (&Arc<str>, &Plugin)> {
        // A name that is given twice counts where it stands first.
        let first = |(at, name): &(usize, &String)| !self.order[..*at].contains(name);
        let listed = self.order.iter().enumerate().filter(first);
        let listed = listed.filter_map(|(_, name)| self.plugins.get_key_value(name.as_str()));
        let is_listed = |name: &str| self.order.iter().any(|listed| listed == name);
        listed.chain(
            self.plugins
                .iter()
                .filter(move |(name, _)| !is_listed(name)),
        )
    }

    fn builtin(&self, name: &str) -> Option<&'static Builtin> {
        self.builtins.iter().find(|builtin| builtin.name == name)
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

impl Plugin {
    /// Says why the newest version is not used.
    fn refuse(&mut self, name: &str, refusal: &Refusal, attempted: Attempted) {
        let reason = Causes(refusal).to_string();
        // That a file still cannot be read is no news.
        if attempted == Attempted::Again && self.refused.as_ref() == Some(&reason) {
            return;
        }
        let consequence = match &self.filter {
            Some(_) => "the version in use goes on serving",
            None => "requests are not judged by it",
        };
        tracing::error!(plugin = name, reason, consequence, "refused");
        self.refused = Some(reason);
    }

    /// Whether the chain is another one now.
    fn accept(&mut self, name: &str, filter: Option<Arc<Filter>>) -> bool {
        self.disabled = filter.is_none();
        let before = std::mem::replace(&mut self.filter, filter);
        let what = match (&before, &self.filter, &self.refused) {
            (_, None, _) => "disabled",
            (_, Some(_), Some(_)) => "the built-in filter stands in",
            (None, Some(_), None) => "loaded",
            (Some(_), Some(_), None) => "replaced",
        };
        tracing::info!(plugin = name, "{what}");
        before.is_some() || self.filter.is_some()
    }
}
