//! Turns the signals of the system into the shutdown that `run_proxy` waits for. Used by `main`
//! only: an application that embeds the proxy decides by itself when it ends.

use std::convert::Infallible;
use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};
use tokio::sync::broadcast;
use tracing::{info, warn};

/// The exit code that shells give a program that an interrupt ended: 128 plus the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// The signals that ask the process to end: SIGINT and SIGTERM.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on these signals do not end the process by themselves. Needs a runtime.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// The events that ask the process to end: Ctrl-C, Ctrl-Break, and the console window being closed.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
}

#[cfg(windows)]
impl Signals {
    /// From now on these events do not end the process by themselves. Needs a runtime.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.stop.recv() => "Ctrl-Break",
            _ = self.close.recv() => "close",
        }
    }
}

impl Signals {
    /// Sends the shutdown at the first signal and ends the process at the second.
    pub(crate) async fn forward(mut self, shutdown: broadcast::Sender<()>) -> Infallible {
        let signal = self.next().await;
        info!(
            signal,
            "shutting down; a second signal ends the process at once"
        );
        // It fails if the proxy has ended by itself.
        let _ = shutdown.send(());
        let signal = self.next().await;
        warn!(signal, "ending at once");
        // An operator who asks twice does not want to wait for anything.
        crate::telemetry::flush();
        std::process::exit(INTERRUPTED)
    }
}
