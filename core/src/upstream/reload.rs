//! Tells a running proxy to look again at the files that it follows. `proxy` hands the [`Reloader`]
//! out; the settings, the access log, the resolvers and the plugin folder have a [`Reloads`].

use std::future::pending;

use tokio::sync::watch;

/// Makes a running proxy look again, at once, at files that it follows anyway: its configuration
/// file, the one of its access log, the machine's hosts file, its list of name servers and the
/// plugin folder. What is known of names is forgotten.
///
/// Clones tell the same proxy. A proxy that is not running yet looks when it is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reloader(watch::Sender<u64>);

impl Reloader {
    /// Returns at once. What cannot be read is logged, and what was there before stays.
    pub fn reload(&self) {
        self.0.send_modify(|reloads| *reloads += 1);
    }

    pub(crate) fn subscribe(&self) -> Reloads {
        Reloads(self.0.subscribe())
    }
}

/// Hears of reloads.
#[derive(Clone, Debug)]
pub(crate) struct Reloads(watch::Receiver<u64>);

/// Hears of none.
impl Default for Reloads {
    fn default() -> Self {
        Reloader::default().subscribe()
    }
}

impl Reloads {
    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // There is no reloader any more.
            pending().await
        }
    }
}
