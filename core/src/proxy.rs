//! The proxy as a whole: binds, starts the workers and the background tasks, accepts, and ends it all. The public door.

mod health;
mod listener;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use tokio::sync::broadcast;
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::listener::Listener;
use crate::plugins::builtin::BUILTINS;
use crate::config::Config;
use crate::error::StartError;
use crate::feeds::Feeds;
use crate::filter::Loader;
use crate::downstream::headers::Pseudonym;
use crate::plugins::{Plugins, StatusFile};
use crate::downstream::worker::{Setup, Workers};

/// Binds, logs the bound address, and serves until `shutdown` says something or is closed. Then everything ends within
/// `config.limits.shutdown`.
///
/// # Errors
///
/// If the address cannot be bound or a thread not be started. Whatever goes wrong later is logged.
pub async fn run_proxy(
    config: Config,
    shutdown: broadcast::Receiver<()>,
) -> Result<(), StartError> {
    let proxy = Proxy::bind(config)?;
    tracing::info!(address = %proxy.local_addr(), "listening");
    proxy.run(shutdown).await
}

/// A proxy that is bound and not yet running.
#[derive(Debug)]
pub struct Proxy {
    config: Config,
    listener: Listener,
}

impl Proxy {
    /// Takes the address of the configuration, so that clients can connect from here on.
    ///
    /// # Errors
    ///
    /// [`StartError::Bind`] if another program has the address.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let listener = Listener::bind(config.listen)?;
        Ok(Self { config, listener })
    }

    /// The bound address, with the port that the system chose if it was asked to.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` says something or is closed, and returns when everything has ended. Must be called within a
    /// Tokio runtime; the accept loop runs there, all else on threads of its own.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub async fn run(self, mut shutdown: broadcast::Receiver<()>) -> Result<(), StartError> {
        let stop = CancellationToken::new();
        // Also when this future is dropped.
        let _stop = stop.clone().drop_guard();
        // Clients that are early wait in the listener's queue: nothing passes that is not judged.
        let (feeds, plugins) = tokio::select! {
            biased;
            _ = shutdown.recv() => return Ok(()),
            opened = open(&self.config) => opened?,
        };
        let chains = plugins.chain();
        let setup = Setup {
            limits: self.config.limits.clone(),
            egress: self.config.egress.clone(),
            own: self.local_addr(),
            pseudonym: Pseudonym::random(),
            chains: chains.clone(),
            shutdown: stop.clone(),
        };
        let workers = Workers::start(self.config.workers.get(), &setup)?;
        let status = StatusFile::new(&self.config.cache_dir, self.config.listen);
        control(self.local_addr(), feeds, plugins, status, stop.clone())?;
        let mut listener = self.listener.accepting()?;
        loop {
            tokio::select! {
                biased;
                // An error means that the sender is gone or that a signal was missed: both are signals.
                _ = shutdown.recv() => break,
                (socket, peer) = listener.accept() => workers.assign(socket, peer),
            }
        }
        drop(listener);
        tracing::info!("stopping");
        stop.cancel();
        if timeout(self.config.limits.shutdown, workers.ended())
            .await
            .is_err()
        {
            tracing::warn!("not everything has ended in time; it is left behind");
        }
        Ok(())
    }
}

/// The lists that are on disk and the filters that are in the folder.
async fn open(config: &Config) -> Result<(Arc<Feeds>, Plugins), StartError> {
    let (feeds, cache_dir) = (config.feeds.clone(), config.cache_dir.clone());
    let feeds = tokio::task::spawn_blocking(move || Feeds::open(&feeds, &cache_dir))
        .await
        .map_err(|error| StartError::System {
            action: "read the lists that are on disk".into(),
            source: error.into(),
        })?;
    let loader = Loader::new(config, feeds.clone())?;
    let plugins = Plugins::open(config.plugins.clone(), BUILTINS, loader).await;
    Ok((feeds, plugins))
}

/// Starts the thread of everything that is not traffic: lists, filters, health. It ends when `stop` is cancelled.
fn control(
    own: SocketAddr,
    feeds: Arc<Feeds>,
    plugins: Plugins,
    status: StatusFile,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let failed = |source| StartError::System {
        action: "start the control thread".into(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        // Each thread keeps memory of its own for what it reads; many would keep a lot of it.
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .map_err(failed)?;
    let chains = plugins.chain();
    thread::Builder::new()
        .name("portcullis-control".into())
        .spawn(move || {
            let _ended = Ended(stop.clone());
            let tasks = async {
                tokio::join!(
                    feeds.run(stop.clone()),
                    plugins.run(status, stop.clone()),
                    health::watch(own, chains)
                )
            };
            LocalSet::new().block_on(&runtime, stop.run_until_cancelled(tasks));
            // A filter may be compiling, which cannot be cancelled.
            runtime.shutdown_background();
        })
        .map_err(failed)?;
    Ok(())
}

/// Says so if the control thread ends before it should: traffic goes on, but nothing else does.
struct Ended(CancellationToken);

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.0.is_cancelled() {
            tracing::error!(
                "the control thread has ended: lists, filters and health are no longer looked after. Restart the proxy, and \
                 please report what stands above"
            );
        }
    }
}
