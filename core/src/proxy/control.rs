//! The control thread: everything that is not traffic, which is settings, lists, filters and
//! health. Started by `proxy`; it loads the filters, publishes each generation of them, and knows
//! nothing of connections.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio_util::sync::CancellationToken;

use super::decisions::DecisionsFile;
use super::follow::follow;
use super::health;
use super::logins::UsersFile;
use super::settings::Settings;
use super::supervise::supervise;
use super::threads::{Threads, yield_to_traffic};
use crate::chain::Chain;
use crate::chain::decisions::Decisions;
use crate::chain::decisions::store::Store;
use crate::config::{Config, NamedListener, OwnListeners};
use crate::downstream::headers::Pseudonym;
use crate::error::StartError;
use crate::feeds::{Feeds, Fetcher};
use crate::filter::Loader;
use crate::flow::groups::Groups;
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{Plugins, StatusWriter};
use crate::upstream::Parents;
use crate::upstream::policy::Policy;
use crate::upstream::reload::Reloads;
use crate::upstream::resolve::{LOOKUPS, Resolver};

/// The generation of filters that serves, and every later one.
type Chains = watch::Receiver<Arc<Chain>>;

/// What a control thread has loaded: the filters and the lists.
type Loaded = (Chains, Arc<Feeds>);

/// What a control thread is made from, besides the settings.
#[derive(Debug)]
pub(super) struct Control {
    /// The listeners as they are bound.
    pub(super) own: Arc<[NamedListener]>,
    pub(super) pseudonym: Pseudonym,
    pub(super) status: StatusWriter,
    /// What people have decided: where it is kept, what it is, and the groups it may be for.
    pub(super) decisions: (Store, Decisions, Groups),
    /// Who may log in, if clients have to.
    pub(super) users: Option<UsersFile>,
    pub(super) reloads: Reloads,
    pub(super) parents: Parents,
}

/// A control thread that is loading lists and filters.
#[derive(Debug)]
pub(super) struct Loading(oneshot::Receiver<Result<Loaded, StartError>>);

impl Control {
    /// Starts the thread. It ends when `stop` is cancelled, or when lists and filters cannot be
    /// loaded.
    pub(super) fn start(
        self,
        config: &Config,
        threads: &mut Threads,
        stop: &CancellationToken,
    ) -> Result<Loading, StartError> {
        let failed = |source| StartError::System {
            action: "start the control thread".into(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            // Each thread keeps memory of its own for what it reads; many would keep a lot of it.
            .max_blocking_threads(4)
            .on_thread_start(yield_to_traffic)
            .enable_all()
            .build()
            .map_err(failed)?;
        let (loaded, loading) = oneshot::channel();
        let (config, stop) = (config.clone(), stop.clone());
        let run = move || self.run(runtime, config, loaded, &stop);
        threads
            .start("portcullis-control".into(), run)
            .map_err(failed)?;
        Ok(Loading(loading))
    }

    fn run(
        self,
        runtime: Runtime,
        config: Config,
        loaded: oneshot::Sender<Result<Loaded, StartError>>,
        stop: &CancellationToken,
    ) {
        let tasks = async {
            let ways = (self.reloads.clone(), self.parents.clone());
            match load(&config, &self.own, ways).await {
                Ok((feeds, mut plugins)) => {
                    feeds.log_awaited();
                    let settings = Settings::new(&config);
                    if let Some(settings) = &settings {
                        plugins.follow(settings.orders());
                    }
                    // What keeps filters to their time has been started, as urgent as workers are.
                    yield_to_traffic();
                    let all = (plugins.chain(), feeds.clone());
                    if loaded.send(Ok(all)).is_ok() {
                        let own = (self.own, self.pseudonym);
                        let told = (self.status, self.reloads);
                        let live = (settings, feeds, plugins);
                        let people = (self.decisions, self.users);
                        look_after(own, live, people, told, stop).await;
                    }
                }
                Err(error) => drop(loaded.send(Err(error))),
            }
        };
        LocalSet::new().block_on(&runtime, stop.run_until_cancelled(tasks));
        // A name lookup or a compilation cannot be interrupted. What is left of them changes
        // nothing.
        runtime.shutdown_background();
    }
}

impl Loading {
    /// Waits until the filters that are in the folder can judge. None if the proxy is to stop
    /// first.
    pub(super) async fn loaded_unless(
        self,
        shutdown: &mut broadcast::Receiver<()>,
    ) -> Result<Option<Loaded>, StartError> {
        tokio::select! {
            biased;
            _ = shutdown.recv() => Ok(None),
            loaded = self.0 => loaded.unwrap_or(Err(StartError::Panicked)).map(Some),
        }
    }
}

/// The lists that are on disk and the filters that are in the folder.
async fn load(
    config: &Config,
    own: &[NamedListener],
    (reloads, parents): (Reloads, Parents),
) -> Result<(Arc<Feeds>, Plugins), StartError> {
    let (feeds, cache_dir) = (config.feeds.clone(), config.cache.dir.clone());
    let (egress, limit) = (config.egress.clone(), config.limits.resolve);
    let own = OwnListeners::of(own);
    let open = move || {
        let policy = Arc::new(Policy::new(&egress, &own));
        let resolver = Resolver::new(&egress, policy.clone(), limit, LOOKUPS, reloads);
        let fetcher = Fetcher::new(resolver, policy, Ok(parents));
        Feeds::with_fetcher(&feeds, &cache_dir, fetcher)
    };
    let feeds = tokio::task::spawn_blocking(open)
        .await
        .map_err(|_| StartError::Panicked)?;
    let loader = Loader::new(config, feeds.clone())?;
    loader.check_compiler().await?;
    let plugins = Plugins::open(config.plugins.clone(), BUILTINS, loader).await;
    Ok((feeds, plugins))
}

/// Keeps settings, lists, filters and health going, each in a task of its own: a panic in one does
/// not touch the others.
async fn look_after(
    (own, pseudonym): (Arc<[NamedListener]>, Pseudonym),
    (settings, feeds, mut plugins): (Option<Settings>, Arc<Feeds>, Plugins),
    ((store, decisions, groups), users): ((Store, Decisions, Groups), Option<UsersFile>),
    (mut status, mut reloads): (StatusWriter, Reloads),
    stop: &CancellationToken,
) {
    let mut tasks = JoinSet::new();
    let (stop, faults) = (stop.clone(), plugins.faults());
    let mut decisions = DecisionsFile::new(store, decisions, groups);
    if let Some(mut settings) = settings {
        let (feeds, mut reloads) = (feeds.clone(), reloads.clone());
        tasks.spawn_local(supervise("settings", async move || {
            settings.follow(&feeds, &mut reloads).await;
        }));
    }
    tasks.spawn_local(supervise("feeds", async move || {
        feeds.clone().run(stop.clone()).await;
    }));
    tasks.spawn_local(supervise("decisions", async move || {
        follow(&mut decisions, std::future::pending).await;
    }));
    if let Some(mut users) = users {
        let mut reloads = reloads.clone();
        tasks.spawn_local(supervise("users", async move || {
            follow(&mut users, async || reloads.next().await).await;
        }));
    }
    tasks.spawn_local(supervise("plugins", async move || {
        plugins
            .run(&mut status, async || reloads.next().await)
            .await;
    }));
    tasks.spawn_local(supervise("health", async move || {
        health::watch(&own, &pseudonym, faults.clone()).await;
    }));
    tasks.join_all().await;
}
