//! A proxy under test.

use std::env::consts::EXE_EXTENSION;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use portcullis::config::AccessLogTo;
use portcullis::config::ListenAddress;
use portcullis::{Config, Ended, Reloader, StartError};
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

#[cfg(unix)]
use crate::log;
use crate::wire::{Origin, Wire, within};

/// A running proxy with folders of its own, and no way out but this machine.
#[derive(Debug)]
pub struct Proxy {
    addresses: Vec<ListenAddress>,
    shutdown: broadcast::Sender<()>,
    running: JoinHandle<Result<Ended, StartError>>,
    reloader: Reloader,
    config: Config,
    _folder: TempDir,
}

/// `src/bin/portcullis-test-compiler.rs`.
const COMPILER: &str = "portcullis-test-compiler";

/// Where cargo puts programs: it puts tests into a folder below.
fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2);
    folder
        .expect("a test lies in target/PROFILE/deps")
        .to_owned()
}

impl Proxy {
    /// With default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// With settings that `change` has had a look at.
    #[expect(
        clippy::disallowed_methods,
        reason = "`stop` waits for it, and a test that ends sooner takes it with it"
    )]
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut config = Config::default();
        config.proxy.listen = SocketAddr::from(([127, 0, 0, 1], 0)).into();
        config.proxy.workers = NonZeroUsize::new(2).expect("two workers");
        config.cache.dir = folder.path().join("cache");
        config.state.dir = folder.path().join("state");
        config.plugins.dir = folder.path().join("plugins");
        let target = target_folder();
        config.compiler.program = Some(target.join(COMPILER).with_extension(EXE_EXTENSION));
        // All tests compile the same few filters; once is enough.
        config.compiler.cache_dir = target.join("compiled");
        std::fs::create_dir(&config.plugins.dir).expect("a new folder");
        // No test depends on a network: there are no feeds to fetch, and no server answers there.
        config.feeds.clear();
        config.egress.resolvers = vec![SocketAddr::from(([127, 0, 0, 1], 1)).into()];
        #[cfg(unix)]
        {
            config.log.access.to = AccessLogTo::File(log::access_path());
        }
        change(&mut config);

        let proxy = portcullis::Proxy::bind(config.clone()).expect("the proxy binds");
        let addresses: Vec<_> = proxy.addresses().cloned().collect();
        // Commands find a running proxy by its address.
        let plain = config.proxy.listen.addresses().len();
        config.proxy.listen = addresses[..plain].iter().cloned().collect();
        let (shutdown, signal) = broadcast::channel(1);
        Self {
            addresses,
            shutdown,
            reloader: proxy.reloader(),
            running: tokio::spawn(proxy.run(signal)),
            config,
            _folder: folder,
        }
    }

    /// Where it listens: the first address of several.
    pub fn address(&self) -> SocketAddr {
        let mut addresses = self.addresses.iter();
        let address = addresses.find_map(ListenAddress::socket);
        address.expect("not all are Unix sockets")
    }

    /// Every address at which it listens: those without settings of their own, then the others by
    /// their names.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// What it was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The folder that it watches.
    pub fn plugins(&self) -> &Path {
        &self.config.plugins.dir
    }

    /// A client that is connected to it.
    pub async fn client(&self) -> Wire {
        Wire::connect(self.address()).await
    }

    /// A client at another address of this machine, such as 127.0.0.2.
    pub async fn client_from(&self, source: impl Into<IpAddr>) -> Wire {
        Wire::connect_from(source.into(), self.address()).await
    }

    /// Waits until its start is over: before, clients wait.
    pub async fn serves(&self) {
        let mut client = self.client().await;
        let question = "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
        client.send(question.to_owned()).await;
        client.response().await;
    }

    /// Has it look again at the files that it follows.
    pub fn reload(&self) {
        self.reloader.reload();
    }

    /// Tells it to stop; what happens then is up to the scenario.
    pub fn signal(&self) {
        self.shutdown.send(()).expect("the proxy is running");
    }

    /// Waits for its end, after a signal.
    pub async fn ended(self) -> Ended {
        let ended = within("the proxy ends", self.running).await;
        ended
            .expect("the proxy does not panic")
            .expect("the proxy ran without an error")
    }

    /// Waits for its end, as it cannot start.
    pub async fn failed(self) -> StartError {
        let ended = within("the proxy ends", self.running).await;
        ended
            .expect("the proxy does not panic")
            .expect_err("the proxy cannot start")
    }

    /// Drops the sending end of its signal, as a program does that ends without a word, and waits
    /// for its end.
    pub async fn abandon(self) {
        let Self {
            shutdown, running, ..
        } = self;
        drop(shutdown);
        let ended = within("the proxy ends", running).await;
        ended
            .expect("the proxy does not panic")
            .expect("the proxy ran without an error");
    }

    /// Stops it, and waits until it has ended.
    pub async fn stop(self) {
        self.signal();
        self.ended().await;
    }
}

/// A proxy, an origin, and a client that is connected to the proxy.
pub async fn scene() -> (Proxy, Origin, Wire) {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    (proxy, Origin::start().await, client)
}
