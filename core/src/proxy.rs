//! The proxy as a whole: binds, starts the threads, accepts, and ends it all. The public entry
//! point.

mod accepting;
mod announce;
mod capacity;
mod control;
mod decisions;
mod follow;
mod health;
mod listener;
mod logins;
mod settings;
mod socket;
mod supervise;
mod threads;
mod turn_away;
mod workers;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::accepting::{Accept, Accepting};
use self::capacity::Capacity;
use self::listener::Listener;
use self::threads::Threads;
use self::workers::Workers;
use crate::chain::decisions::store::Store;
use crate::config::{Config, ListenAddress, NamedListener, Users};
use crate::downstream::bandwidth::Bandwidth;
use crate::downstream::headers::Pseudonym;
use crate::downstream::tunnels::TunnelLimits;
use crate::downstream::unserved::UnservedCounts;
use crate::downstream::worker::WorkerConfig;
use crate::error::{Escaped, StartError};
use crate::feeds::Feeds;
use crate::filter::is_compiler_child;
use crate::flow::groups::Groups;
use crate::log::access::Access;
use crate::plugins::StatusFile;
use crate::upstream::Parents;
use crate::upstream::reclaim::Reclaimer;
use crate::upstream::reload::{Reloader, Reloads};
use crate::upstream::resolve::trust;

/// The least time that writing the hits of lists has at the end.
const SAVE_HITS: Duration = Duration::from_millis(500);

/// Binds, and serves until `shutdown` receives a message or is closed. Then
/// everything ends within `config.limits.shutdown`, and the answer says whether it did so by
/// itself.
///
/// # Errors
///
/// As those of [`Proxy::bind`] and [`Proxy::run`].
pub async fn run_proxy(
    config: Config,
    shutdown: broadcast::Receiver<()>,
) -> Result<Ended, StartError> {
    Proxy::bind(config)?.run(shutdown).await
}

/// A proxy that is bound and not yet running.
#[derive(Debug)]
pub struct Proxy {
    config: Config,
    listeners: Vec<Listener>,
    /// Who may log in, if clients have to.
    users: Option<Users>,
    parents: Parents,
    reloader: Reloader,
    pseudonym: Pseudonym,
    /// Cancelled once requests are judged and served.
    serving: CancellationToken,
}

/// How a proxy that was told to stop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Every connection and every thread had ended before the bound was over.
    Cleanly,
    /// The bound was over before.
    Cut {
        /// How many connections were closed in the middle of what they did.
        connections: usize,
        /// How many threads still run. They serve no connection, and end as soon as they can.
        threads: usize,
    },
}

impl Proxy {
    /// Takes the addresses of the configuration, so that clients can connect from here on.
    ///
    /// # Errors
    ///
    /// [`StartError::Bind`] or [`StartError::UnixSocket`] if there is one that it cannot have, and
    /// then it has none; [`StartError::Exposed`] if other machines reach one and the settings do
    /// not say which of them may use the proxy; [`StartError::Users`] if the file of users cannot
    /// be used; [`StartError::Upstream`] if the secrets or certificates of parent proxies cannot;
    /// [`StartError::NameServers`] if nothing could be verified of DNS servers over TLS.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        // A program without the entry for compiling would otherwise start itself again and again.
        if is_compiler_child() {
            return Err(StartError::CompilerChild);
        }
        check(&config)?;
        Ok(Self {
            users: logins::read(&config.auth)?,
            parents: parents(&config)?,
            listeners: Listener::bind_all(config.listeners())?,
            reloader: Reloader::default(),
            pseudonym: Pseudonym::random(),
            serving: CancellationToken::new(),
            config,
        })
    }

    /// The same with a socket that listens already, whatever the configuration says of addresses.
    /// It may be of another network than the one that this process is in: hosts are connected to
    /// from here.
    ///
    /// # Errors
    ///
    /// As those of [`Self::bind`], and [`StartError::System`] if the socket cannot be used.
    pub fn listening(
        mut config: Config,
        socket: std::net::TcpListener,
    ) -> Result<Self, StartError> {
        if is_compiler_child() {
            return Err(StartError::CompilerChild);
        }
        let listener = Listener::of(socket)?;
        config.listeners.clear();
        config.proxy.listen = listener.named.settings.address.clone().into();
        check(&config)?;
        Ok(Self {
            users: logins::read(&config.auth)?,
            parents: parents(&config)?,
            listeners: vec![listener],
            reloader: Reloader::default(),
            pseudonym: Pseudonym::random(),
            serving: CancellationToken::new(),
            config,
        })
    }

    /// The bound addresses, with the ports that the system chose where it was asked to: those of
    /// `[proxy] listen`, then those of other listeners in the order of their names.
    pub fn addresses(&self) -> impl Iterator<Item = &ListenAddress> {
        let listeners = self.listeners.iter();
        listeners.map(|listener| &listener.named.settings.address)
    }

    /// The first of them that has an IP address and a port.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.addresses().find_map(ListenAddress::socket)
    }

    fn named_listeners(&self) -> Arc<[NamedListener]> {
        let listeners = self.listeners.iter();
        listeners.map(|listener| listener.named.clone()).collect()
    }

    /// Ends once the proxy runs and its filters and lists are loaded, so that clients that have
    /// connected are served.
    pub fn serving(&self) -> impl Future<Output = ()> + Send + 'static {
        self.serving.clone().cancelled_owned()
    }

    /// Tells this proxy to look again at the files that it follows, now or while it runs.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Logs the bound address, and serves until `shutdown` receives a message or is closed. Returns
    /// when everything that the proxy has started has ended, or when `config.limits.shutdown` is
    /// over; where the log's reader or the disk has stalled, half a second later for each. Must be
    /// called within a Tokio runtime; the accept loop runs there, all else on threads of the proxy.
    /// If the future is dropped, everything ends, too, but nothing waits for it.
    ///
    /// # Errors
    ///
    /// If lists and filters cannot be loaded, a thread cannot be started or the file of the access
    /// log cannot be opened. What goes wrong later is logged.
    pub async fn run(self, mut shutdown: broadcast::Receiver<()>) -> Result<Ended, StartError> {
        self.say_where();
        let access_log = Access::open(&self.config.log.access)?;
        let stop = CancellationToken::new();
        // Tells the threads also if this future is dropped.
        let stop_on_drop = stop.clone().drop_guard();
        let bound = self.config.limits.shutdown;
        let (mut threads, unserved) = (Threads::default(), UnservedCounts::default());
        let logs = (&access_log, &unserved);
        let served = self.serve(logs, &mut shutdown, &stop, &mut threads).await;
        tracing::info!("stopping");
        let begun = Instant::now();
        drop(stop_on_drop);
        let threads = threads.ended(bound).await;
        unserved.tell_the_rest();
        if let Ok(Some((_, feeds))) = &served {
            let left = bound.saturating_sub(begun.elapsed());
            save_hits(feeds.clone(), left.max(SAVE_HITS)).await;
        }
        // It may wait for a disk or for the reader of a pipe.
        let flushed = tokio::task::spawn_blocking(move || access_log.close()).await;
        if !flushed.unwrap_or(false) {
            tracing::warn!("the access log could not be written to its end in time");
        }
        let connections = served?.map_or(0, |(workers, _)| workers.cut());
        if threads > 0 {
            tracing::warn!(
                threads,
                "not every thread has ended in time; the others are left behind"
            );
        }
        Ok(match (connections, threads) {
            (0, 0) => Ended::Cleanly,
            _ => Ended::Cut {
                connections,
                threads,
            },
        })
    }

    /// One line for the listeners that need no warning, and one for the others.
    fn say_where(&self) {
        let listeners = self.named_listeners();
        let (clients, auth) = (&self.config.clients, &self.config.auth);
        let is_open = |it: &&NamedListener| clients.are_all(&it.settings) && !auth.is_on();
        let (open, other): (Vec<_>, Vec<_>) = listeners.iter().partition(is_open);
        let addresses = |listeners: &[&NamedListener]| {
            let addresses: Vec<_> = listeners.iter().map(ToString::to_string).collect();
            addresses.join(", ")
        };
        if !open.is_empty() {
            tracing::warn!(
                address = %addresses(&open),
                "listening, for every machine that reaches this address: [clients] open says that it is meant. To serve \
                 some only, name their networks in [clients] allow"
            );
        }
        if !other.is_empty() {
            tracing::info!(address = %addresses(&other), "listening");
        }
        if auth.is_on() && listeners.iter().any(|it| !it.settings.is_local()) {
            tracing::warn!(
                "passwords are readable on the network: clients send them to this proxy unencrypted, as it has no TLS \
                 listener yet"
            );
        }
    }

    /// Serves until it is told to stop; then the address is free. There are no workers and no lists
    /// if that was before anything could be judged.
    async fn serve(
        self,
        (access_log, unserved): (&Access, &UnservedCounts),
        shutdown: &mut broadcast::Receiver<()>,
        stop: &CancellationToken,
        threads: &mut Threads,
    ) -> Result<Option<(Workers, Arc<Feeds>)>, StartError> {
        let (listeners, config, pseudonym) = (self.named_listeners(), self.config, self.pseudonym);
        let capacity = Capacity::of_system(&config);
        let mut accepting = Accepting::new(self.listeners, capacity, &config, unserved.clone())?;
        // Dropped before the listeners: the next proxy at the address has a file of the same name.
        let status = StatusFile::new(&config.cache.dir, &listeners[0].settings.address);
        let store = Store::new(&config.state.dir);
        let (decisions, groups) = (decisions::read(&store)?, Groups::new(&config.groups));
        let mut reloads = self.reloader.subscribe();
        let (logins, users) = logins::start(&config, self.users, &groups, threads)?.unzip();
        let control = control::Control {
            own: listeners.clone(),
            pseudonym: pseudonym.clone(),
            status: status.writer(),
            decisions: (store, decisions.clone(), groups.clone()),
            users,
            reloads: reloads.clone(),
            parents: self.parents.clone(),
        };
        let loading = control.start(&config, threads, stop)?;
        // Clients that are early wait in the listener's queue: nothing passes that is not judged.
        let Some((chains, feeds)) = loading.loaded_unless(shutdown).await? else {
            return Ok(None);
        };
        let worker = WorkerConfig {
            tunnels: TunnelLimits::new(&config.limits),
            bandwidth: Bandwidth::new(&config.limits, &config.groups),
            limits: config.limits,
            egress: config.egress,
            parents: self.parents,
            tunnel: config.tunnel,
            bounds: capacity.upstream,
            access_log: access_log.clone(),
            unserved: unserved.clone(),
            listeners,
            pseudonym,
            groups,
            logins,
            decisions,
            command: command(config.file.as_deref()),
            chains,
            reloads: reloads.clone(),
            reclaimer: Reclaimer::default(),
            shutdown: stop.clone(),
        };
        let workers = Workers::start(config.proxy.workers.get(), &worker, threads)?;
        self.serving.cancel();
        tokio::select! {
            biased;
            // An error means that the sender is gone or that a signal was missed: both are signals.
            _ = shutdown.recv() => {}
            () = accept(&mut accepting, &workers, &worker.reclaimer, &mut reloads, access_log) => {}
        }
        Ok(Some((workers, feeds)))
    }
}

/// Keeps what was counted of lists until now. It may wait for a disk, but not forever.
async fn save_hits(feeds: Arc<Feeds>, limit: Duration) {
    let saving = tokio::task::spawn_blocking(move || feeds.save_hits());
    if timeout(limit, saving).await.is_err() {
        tracing::warn!(
            "the hits of lists could not be written in time: the last ones are forgotten"
        );
    }
}

/// The parent proxies of the settings, with their secrets and certificates.
fn parents(config: &Config) -> Result<Parents, StartError> {
    Parents::new(&config.upstream).map_err(|error| StartError::Upstream(error.into()))
}

/// Fails if nothing says who may use the proxy, or if no DNS server could be verified.
fn check(config: &Config) -> Result<(), StartError> {
    config.check_exposed().map_err(StartError::Exposed)?;
    let verified = trust::client_config(&config.egress);
    verified.map_err(|error| StartError::NameServers(error.into()))?;
    Ok(())
}

/// Gives each connection to a worker, without end.
async fn accept(
    accepting: &mut Accepting,
    workers: &Workers,
    reclaimer: &Reclaimer,
    reloads: &mut Reloads,
    access_log: &Access,
) {
    let unserved = accepting.unserved.clone();
    let mut telling = pin!(unserved.tell_now_and_then());
    loop {
        tokio::select! {
            biased;
            () = &mut telling => {}
            () = reloads.next() => access_log.reopen(),
            accept = accepting.accept() => match accept {
                Accept::Connection(accepted) => workers.assign(accepted),
                Accept::Exhausted => reclaimer.ask(),
            },
        }
    }
}

/// How a person calls the program so that it reads the same file.
fn command(config: Option<&Path>) -> Arc<str> {
    let Some(file) = config.and_then(|file| std::path::absolute(file).ok()) else {
        return "portcullis".into();
    };
    let file = Escaped(file.display()).to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if file.chars().all(is_plain) {
        format!("portcullis --config {file}").into()
    } else {
        format!("portcullis --config '{}'", file.replace('\'', "'\\''")).into()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_command_names_the_file_so_that_a_shell_reads_it() {
        assert_eq!(&*super::command(None), "portcullis");
        for (file, text) in [
            ("/etc/portcullis.toml", "/etc/portcullis.toml"),
            ("/a b/it's.toml", "'/a b/it'\\''s.toml'"),
            ("/$(x).toml", "'/$(x).toml'"),
        ] {
            let expected = format!("portcullis --config {text}");
            assert_eq!(&*super::command(Some(Path::new(file))), expected);
        }
    }

    /// This very test runs again in a process that looks like a compiling one.
    #[test]
    fn a_process_that_should_compile_a_filter_runs_no_proxy() {
        if is_compiler_child() {
            let bound = Proxy::bind(Config::default());
            assert!(matches!(bound, Err(StartError::CompilerChild)), "{bound:?}");
            return;
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.env("PORTCULLIS_COMPILE", "1 1 1").args([
            "--exact",
            "proxy::tests::a_process_that_should_compile_a_filter_runs_no_proxy",
        ]);
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}");
    }
}
