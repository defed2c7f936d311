//! Turns the signals of the system into the shutdown that the proxy waits for, and into reloads.
//! Used by `main` only: an application that embeds the proxy decides by itself when it ends.

use std::convert::Infallible;
use std::io;

use portcullis::Reloader;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};
use tokio::sync::broadcast;
use tracing::{info, warn};

/// The exit code that shells give a program that an interrupt ended: 128 plus the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// The signal that a terminal sends.
#[cfg(unix)]
const INTERRUPT: &str = "SIGINT";

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// By the signal of that name.
    End(&'static str),
    #[cfg_attr(windows, expect(dead_code, reason = "no event asks for it"))]
    Reload,
}

impl Wish {
    /// The exit code that shells give a program that it has ended: 128 plus the signal's number.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            #[cfg(unix)]
            Self::End(name) if name != INTERRUPT => 143,
            _ => INTERRUPTED,
        }
    }

    /// Has another process hear of it, unless it has heard by itself: an interrupt of a terminal
    /// goes to all that run in it. Windows has its events for a whole console.
    pub(crate) fn send(self, process: u32) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process};

            let signal = match self {
                Self::End(INTERRUPT) => return,
                Self::End(_) => Signal::TERM,
                Self::Reload => Signal::HUP,
            };
            let id = i32::try_from(process).ok().and_then(Pid::from_raw);
            if let Some(Err(error)) = id.map(|id| kill_process(id, signal)) {
                tracing::debug!(%error, "a signal was not passed on");
            }
        }
        #[cfg(not(unix))]
        let _ = process;
    }
}

/// The signals that ask the process to end, SIGINT and SIGTERM, and SIGHUP, which asks it to look
/// again at its files.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on these signals do not end the process by themselves. Needs a runtime.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::End(INTERRUPT),
            _ = self.terminate.recv() => Wish::End("SIGTERM"),
            _ = self.hang_up.recv() => Wish::Reload,
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

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::End("Ctrl-C"),
            _ = self.stop.recv() => Wish::End("Ctrl-Break"),
            _ = self.close.recv() => Wish::End("close"),
        }
    }
}

impl Signals {
    /// Sends the shutdown at the first signal to end, and ends the process at the second.
    pub(crate) async fn forward(
        mut self,
        shutdown: broadcast::Sender<()>,
        reloader: Reloader,
    ) -> Infallible {
        let signal = self.end(&reloader).await;
        info!(
            signal,
            "shutting down; a second signal ends the process at once"
        );
        // It fails if the proxy has ended by itself.
        let _ = shutdown.send(());
        let signal = self.end(&reloader).await;
        warn!(signal, "ending at once");
        // An operator who asks twice does not want to wait for anything.
        crate::telemetry::flush();
        std::process::exit(INTERRUPTED.into())
    }

    /// Waits for a signal to end, and passes on those before it that ask for a reload.
    async fn end(&mut self, reloader: &Reloader) -> &'static str {
        loop {
            match self.next().await {
                Wish::End(signal) => return signal,
                Wish::Reload => {
                    info!(
                        "looking again at the configuration file, the plugin folder, the hosts file, \
                         the name servers and the access log's file"
                    );
                    reloader.reload();
                }
            }
        }
    }
}
