//! The proxy as a whole: binds, starts the workers and the background tasks, accepts, and ends it all. The public door.

mod control;
mod health;
mod listener;
mod workers;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::listener::Listener;
use self::workers::Workers;
use crate::config::Config;
use crate::downstream::headers::Pseudonym;
use crate::downstream::worker::WorkerConfig;
use crate::error::StartError;
use crate::feeds::Feeds;
use crate::filter::Loader;
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{Plugins, StatusFile};

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
        let worker = WorkerConfig {
            limits: self.config.limits.clone(),
            egress: self.config.egress.clone(),
            own: self.local_addr(),
            pseudonym: Pseudonym::random(),
            chains: chains.clone(),
            shutdown: stop.clone(),
        };
        let workers = Workers::start(self.config.workers.get(), &worker)?;
        let own = self.local_addr();
        let mut listener = self.listener.accepting()?;
        // After the listener, so that it is dropped before: the next proxy that has the address has a
        // file of the same name.
        let status = StatusFile::new(&self.config.cache_dir, own);
        control::start(own, feeds, plugins, status.writer(), stop.clone())?;
        loop {
            tokio::select! {
                biased;
                // An error means that the sender is gone or that a signal was missed: both are signals.
                _ = shutdown.recv() => break,
                (socket, peer) = listener.accept() => workers.assign(socket, peer),
            }
        }
        drop(status);
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
