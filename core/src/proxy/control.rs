//! The control thread: everything that is not traffic, which is lists, filters and health. Started by the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::health;
use crate::error::StartError;
use crate::feeds::Feeds;
use crate::plugins::{Plugins, StatusWriter};

/// Starts the thread of everything that is not traffic: lists, filters, health. It ends when `stop` is cancelled.
pub(super) fn start(
    own: SocketAddr,
    feeds: Arc<Feeds>,
    mut plugins: Plugins,
    mut status: StatusWriter,
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
                    plugins.run(&mut status),
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
