//! A proxy for one command: `portcullis exec`. The command finds the proxy in its environment, and
//! its end is the proxy's.

#[cfg(target_os = "linux")]
mod boundary;
mod error;
mod execution;
#[cfg(target_os = "linux")]
mod inside;
mod reach;
mod variables;

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::fs::DirBuilder;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(target_os = "linux")]
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitStatus;

use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::broadcast;

#[cfg(target_os = "linux")]
use self::boundary::{Boundary, Waiting};
pub use self::error::ExecError;
pub use self::execution::Execution;
#[cfg(target_os = "linux")]
pub use self::inside::{become_command, inside_variables};
pub use self::reach::{AllowedHost, Reach};
pub use self::variables::proxy_variables;
use super::access_log;
use super::selftest::{Confinement, SelfTest, SelfTestOptions, test_inside};
use super::traffic::{Tally, Traffic};
use crate::config::file;
use crate::config::{AccessLogFormat, AccessLogTo, Auth, Clients, Config, Sources};
use crate::error::StartError;
use crate::proxy::{Ended, Proxy};

/// How many connections a command may have at a time, at most.
const CONNECTIONS: usize = 1000;

/// The settings for one command's proxy, and the files that it needs.
#[derive(Debug)]
pub struct ExecSettings {
    config: Config,
    /// Deleted when this is dropped.
    folder: TempDir,
    learned: Option<PathBuf>,
    report: Option<PathBuf>,
    is_enforced: bool,
}

/// What is to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Launch<'a> {
    /// The command, with [`proxy_variables`] for the proxy at this address in its environment.
    Command(SocketAddr),
    /// A process that calls `become_command`.
    Inside {
        /// Where this process waits for it.
        socket: &'a Path,
        /// Folders that the command must not see.
        hidden: &'a [&'a Path],
    },
}

impl ExecSettings {
    /// Reads the settings. Without a file that is named, none is read, and there is no folder of
    /// filters unless it is named: what lies in the working directory may be the command's own.
    ///
    /// # Errors
    ///
    /// If the settings are wrong, or do not go together with `reach`.
    pub fn new(mut sources: Sources, reach: &Reach) -> Result<Self, ExecError> {
        if let Reach::Learned(file) = reach {
            check_new(file)?;
        }
        let made = tempfile::Builder::new().prefix("portcullis-").tempdir();
        let folder = made.map_err(failed("make a folder for the command's proxy"))?;
        sources.dir = folder.path().to_owned();
        let is_named = sources.config_file().is_some();
        let mut config = Config::load(&sources)?;
        config.followed = None;
        config.listeners.clear();
        config.proxy.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
        config.clients = Clients::default();
        // The command does not know a password.
        config.auth = Auth::default();
        config.limits.connections = config.limits.connections.min(CONNECTIONS);
        config.log.access.to = AccessLogTo::File(folder.path().join("access.log"));
        config.log.access.format = AccessLogFormat::Logfmt;
        let plugins = config.plugins.dir.clone();
        let has_plugins = is_named || config.plugins.dir_must_exist;
        reach.apply(&mut config, has_plugins.then_some(&*plugins), folder.path())?;
        let learned = match reach {
            Reach::Learned(file) => Some(file.clone()),
            Reach::Listed | Reach::Only(_) => None,
        };
        Ok(Self {
            config,
            folder,
            learned,
            report: None,
            is_enforced: false,
        })
    }

    /// Has the [`Execution`] written into a file as JSON when the command has ended. What is there
    /// is written over.
    ///
    /// # Errors
    ///
    /// If there is no folder for it.
    pub fn report_to(&mut self, file: PathBuf) -> Result<(), ExecError> {
        check_folder(&file).map_err(failed("write a report"))?;
        self.report = Some(file);
        Ok(())
    }

    /// Has the command run within a boundary: without a network but for the proxy. Only Linux can
    /// do that.
    pub fn enforce(&mut self) {
        self.is_enforced = true;
    }

    /// The settings of the proxy.
    pub fn config(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Runs what `start` starts until it ends. What filters and settings refuse is refused from its
    /// first request on. Needs a runtime.
    ///
    /// # Errors
    ///
    /// If the proxy or the command cannot be started, or there can be no boundary around it.
    pub async fn run(
        mut self,
        start: impl FnOnce(Launch<'_>) -> Result<Child, ExecError>,
    ) -> Result<Execution, ExecError> {
        let config = std::mem::take(&mut self.config);
        let wait = async |child: &mut Child, _proxy| {
            child.wait().await.map_err(failed("wait for the command"))
        };
        let (status, ways_out) = self.accompany(config, start, wait).await?;
        self.end(status, ways_out)
    }

    /// Has a process ask the proxy for what it should refuse, in place of a command. `start` starts
    /// one that calls [`ask_inside`](super::ask_inside) with its standard input and output, which
    /// have to be pipes of the child. Needs a runtime.
    ///
    /// # Errors
    ///
    /// The same as those of [`run`](Self::run), and if the process does not answer.
    pub async fn self_test(
        mut self,
        options: &SelfTestOptions,
        start: impl FnOnce(Launch<'_>) -> Result<Child, ExecError>,
    ) -> Result<SelfTest, ExecError> {
        let config = std::mem::take(&mut self.config);
        let confinement = if self.is_enforced {
            Confinement::Namespaces
        } else {
            Confinement::None
        };
        // To wait for a child is to close its standard input.
        let input = Cell::new(None);
        let start = |launch: Launch<'_>| {
            let mut child = start(launch)?;
            input.set(child.stdin.take());
            Ok(child)
        };
        let test = async |child: &mut Child, proxy| {
            child.stdin = input.take();
            let tested = test_inside(config.clone(), options, confinement, proxy, child);
            Ok(tested.await?)
        };
        let (tested, _) = self.accompany(config.clone(), start, test).await?;
        Ok(tested)
    }

    /// Runs the proxy for as long as `work` takes with what `start` starts, and says what it has
    /// come to, and which ways a boundary has left.
    async fn accompany<T>(
        &self,
        config: Config,
        start: impl FnOnce(Launch<'_>) -> Result<Child, ExecError>,
        work: impl AsyncFnOnce(&mut Child, SocketAddr) -> Result<T, ExecError>,
    ) -> Result<(T, Option<Vec<String>>), ExecError> {
        let (proxy, command) = if self.is_enforced {
            enclosed(config, self.folder.path(), start).await?
        } else {
            let proxy = Proxy::bind(config)?;
            let address = address_of(&proxy)?;
            let start = move || start(Launch::Command(address));
            (proxy, Prepared::Command(start))
        };
        let address = address_of(&proxy)?;
        let ways_out = command.ways_out();
        let serving = proxy.serving();
        let (shutdown, told_to_stop) = broadcast::channel(1);
        let mut running = pin!(proxy.run(told_to_stop));
        tokio::select! {
            biased;
            ended = &mut running => return Err(ended_early(ended)),
            () = serving => {}
        }
        let mut child = match command.start() {
            Ok(child) => child,
            Err(error) => {
                let _ = shutdown.send(());
                let _ = running.await;
                return Err(error);
            }
        };
        let done = tokio::select! {
            biased;
            ended = &mut running => {
                // It may not go on without a proxy.
                let _ = child.kill().await;
                return Err(ended_early(ended));
            }
            done = work(&mut child, address) => done?,
        };
        // It fails if the proxy has ended by itself.
        let _ = shutdown.send(());
        running.await?;
        Ok((done, ways_out))
    }

    fn end(
        self,
        status: ExitStatus,
        ways_out: Option<Vec<String>>,
    ) -> Result<Execution, ExecError> {
        let log = self.folder.path().join("access.log");
        let traffic = traffic(&log).map_err(failed("read what the command has asked for"))?;
        if let Some(file) = &self.learned {
            let text = format!(
                "# What `portcullis exec --learn` has seen.\n{}",
                traffic.proposal()
            );
            file::replace(file, file::Kind::Shared, |file| {
                file.write_all(text.as_bytes())
            })
            .map_err(failed("write what was learned"))?;
        }
        let execution = Execution {
            status,
            traffic,
            learned: self.learned,
            ways_out,
        };
        if let Some(file) = &self.report {
            file::replace(file, file::Kind::Shared, |file| {
                serde_json::to_writer_pretty(&mut *file, &execution)?;
                file.write_all(b"\n")
            })
            .map_err(failed("write the report"))?;
        }
        Ok(execution)
    }
}

fn address_of(proxy: &Proxy) -> Result<SocketAddr, ExecError> {
    let address = proxy.local_addr().ok_or(io::ErrorKind::AddrNotAvailable);
    address.map_err(|kind| failed("find the command's proxy")(kind.into()))
}

/// A command that has not begun.
enum Prepared<S> {
    Command(S),
    /// It has a boundary around it, and waits.
    #[cfg(target_os = "linux")]
    Inside(Box<Child>, Waiting),
}

impl<S: FnOnce() -> Result<Child, ExecError>> Prepared<S> {
    /// What the boundary has left, if there is one.
    fn ways_out(&self) -> Option<Vec<String>> {
        match self {
            Self::Command(_) => None,
            #[cfg(target_os = "linux")]
            Self::Inside(_, waiting) => Some(waiting.ways_out.clone()),
        }
    }

    fn start(self) -> Result<Child, ExecError> {
        match self {
            Self::Command(start) => start(),
            #[cfg(target_os = "linux")]
            Self::Inside(child, waiting) => {
                waiting.go().map_err(failed("let the command run"))?;
                Ok(*child)
            }
        }
    }
}

fn ended_early(ended: Result<Ended, StartError>) -> ExecError {
    match ended {
        Err(error) => error.into(),
        Ok(_) => {
            let source = io::ErrorKind::Other.into();
            failed("go on without the command's proxy, which has ended")(source)
        }
    }
}

/// What is learned is written at the end, when it would be too late for this.
fn check_new(file: &Path) -> Result<(), ExecError> {
    if file.exists() {
        return Err(ExecError::LearnedBefore(file.to_owned()));
    }
    check_folder(file).map_err(failed("write what is learned"))
}

fn check_folder(file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), |folder| folder.metadata().map(drop))
}

/// A proxy and the process that is about to become the command, with a boundary around it. What the
/// proxy goes by is out of the command's reach.
#[cfg(target_os = "linux")]
async fn enclosed<S>(
    config: Config,
    folder: &Path,
    start: impl FnOnce(Launch<'_>) -> Result<Child, ExecError>,
) -> Result<(Proxy, Prepared<S>), ExecError> {
    let folders = [folder, &config.cache.dir, &config.compiler.cache_dir];
    // One within another is hidden with it.
    let is_within = |folder: &&&Path| {
        let mut others = folders.iter().filter(|other| *other != *folder);
        others.any(|other| folder.starts_with(other))
    };
    let hidden = folders.iter().filter(|folder| !is_within(folder));
    let hidden: Vec<&Path> = hidden.copied().collect();
    for folder in folders {
        // One that is made later would not be covered. They are for the proxy's user alone.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(failed("make the proxy's folders"))?;
    }
    let boundary = Boundary::open(folder)?;
    let launch = Launch::Inside {
        socket: boundary.socket(),
        hidden: &hidden,
    };
    let mut child = start(launch)?;
    let (listener, waiting) = boundary.made(&mut child).await?;
    let proxy = Proxy::listening(config, listener)?;
    Ok((proxy, Prepared::Inside(Box::new(child), waiting)))
}

#[cfg(not(target_os = "linux"))]
async fn enclosed<S>(
    _config: Config,
    _folder: &Path,
    _start: impl FnOnce(Launch<'_>) -> Result<Child, ExecError>,
) -> Result<(Proxy, Prepared<S>), ExecError> {
    let reason = "only Linux has what it takes; leave --enforce out";
    Err(ExecError::NoBoundary(reason.to_owned()))
}

fn traffic(log: &Path) -> io::Result<Traffic> {
    let mut tally = Tally::default();
    access_log::read_lines(BufReader::new(File::open(log)?), |entry| tally.count(entry))?;
    Ok(tally.end())
}

fn failed(action: &str) -> impl FnOnce(io::Error) -> ExecError {
    let action = action.to_owned();
    move |source| ExecError::Io { action, source }
}
