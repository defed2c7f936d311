//! A kind of hostile peer: what the proxy is set up with, and what is done to it meanwhile.

use std::fs;
use std::future::Future;
use std::io::Result;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::program::{Program, Reader};
use crate::world::World;
use crate::{PROMISE, leave, swallow};

/// The most that a load does at a time.
const AT_A_TIME: usize = 1000;

/// Of what a load has not succeeded in, before it is tried again.
const REST: Duration = Duration::from_millis(10);

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    /// The neighbour's.
    pub(crate) neighbour: u16,
    /// That of the hostile clients.
    pub(crate) origin: u16,
    pub(crate) dns: SocketAddr,
    /// Of the proxy, once it runs.
    pub(crate) proxy: SocketAddr,
}

impl Scene {
    /// Without a proxy.
    pub(crate) fn new(folder: &Path, neighbour: World, hostile: World) -> Self {
        Self {
            folder: folder.to_owned(),
            neighbour: neighbour.origin,
            origin: hostile.origin,
            dns: neighbour.dns,
            proxy: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    pub(crate) fn at(&self, proxy: SocketAddr) -> Self {
        Self {
            proxy,
            ..self.clone()
        }
    }

    /// `name:port/path`, at the origin of hostile clients.
    pub(crate) fn target(&self, name: &str, path: &str) -> String {
        format!("{name}:{}/{path}", self.origin)
    }
}

/// Counts what was done.
pub(crate) type Count = Arc<AtomicUsize>;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Goes on until it is dropped.
pub(crate) type Load = Arc<dyn Fn(Scene, Count) -> Work + Send + Sync>;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// More of `portcullis.toml`.
    config: String,
    /// In the plugin folder.
    files: Vec<(String, Vec<u8>)>,
    /// Writes what else there is to be in the folder before a proxy starts.
    prepare: fn(&Path),
    /// How much later the answers of the neighbour may be.
    pub(crate) promise: Duration,
    /// What becomes of the log.
    reader: Reader,
    /// How many times as long it is measured.
    pub(crate) phases: u32,
    pub(crate) load: Load,
}

impl Row {
    /// This many peers, each of which does its work again and again.
    pub(crate) fn crowd<F>(
        name: &'static str,
        peers: usize,
        work: impl Fn(Scene, usize) -> F + Copy + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::of(name, move |scene, count| async move {
            let mut crowd = JoinSet::new();
            for number in 0..peers {
                let (scene, count) = (scene.clone(), count.clone());
                crowd.spawn(async move {
                    loop {
                        let done = work(scene.clone(), number).await;
                        count.fetch_add(1, Ordering::Relaxed);
                        if done.is_err() {
                            sleep(REST).await;
                        }
                    }
                });
            }
            crowd.join_all().await;
        })
    }

    /// Something that begins so often in a second, whether or not what began before has ended.
    pub(crate) fn rate<F>(
        name: &'static str,
        per_second: u32,
        work: impl Fn(Scene, usize) -> F + Copy + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::of(name, move |scene, count| async move {
            let mut ticks = interval(Duration::from_secs(1) / per_second);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut running = JoinSet::new();
            loop {
                ticks.tick().await;
                while running.try_join_next().is_some() {}
                if running.len() < AT_A_TIME {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    running.spawn(work(scene.clone(), number));
                }
            }
        })
    }

    /// With more settings.
    pub(crate) fn config(self, config: impl Into<String>) -> Self {
        Self {
            config: config.into(),
            ..self
        }
    }

    /// With a file in the plugin folder.
    pub(crate) fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// With more in the folder, which FOLDER stands for in the settings.
    pub(crate) fn prepared(self, prepare: fn(&Path)) -> Self {
        Self { prepare, ..self }
    }

    /// With another limit for how much later the answers of the neighbour may be.
    pub(crate) fn promise(self, promise: Duration) -> Self {
        Self { promise, ..self }
    }

    /// With a log that is never read.
    pub(crate) fn unread(self) -> Self {
        Self {
            reader: leave,
            ..self
        }
    }

    /// Measured so many times as long, as it does something only now and then.
    pub(crate) fn phases(self, phases: u32) -> Self {
        Self { phases, ..self }
    }

    /// Whatever else goes on until it is dropped.
    pub(crate) fn of<F>(
        name: &'static str,
        load: impl Fn(Scene, Count) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            name,
            config: String::new(),
            files: Vec::new(),
            prepare: |_| {},
            promise: PROMISE,
            reader: swallow,
            phases: 1,
            load: Arc::new(move |scene, count| Box::pin(load(scene, count))),
        }
    }

    /// A proxy in a new plugin folder.
    pub(crate) fn start(&self, scene: &Scene) -> Program {
        let plugins = scene.folder.join("plugins");
        // What was compiled once is in a folder beside it.
        let _ = fs::remove_dir_all(&plugins);
        fs::create_dir(&plugins).expect("a new folder");
        for (file, content) in &self.files {
            fs::write(plugins.join(file), content).expect("a folder to write to");
        }
        (self.prepare)(&scene.folder);
        Program::start(&scene.folder, &self.config_for(scene), self.reader)
    }

    /// `portcullis.toml`, but for what every proxy of a benchmark has.
    fn config_for(&self, scene: &Scene) -> String {
        let feeds = if self.config.contains("[feeds.malware]") {
            ""
        } else {
            "[feeds.malware]\nenabled = false\n"
        };
        let origin = format!("127.0.0.1:{}", scene.origin);
        let config = self.config.replace("ORIGIN", &origin);
        let config = config.replace("FOLDER", &scene.folder.display().to_string());
        let dns = scene.dns;
        format!("{feeds}{config}\n[egress]\nresolvers = [\"{dns}\"]\n")
    }
}

/// A load on a thread of its own, which leaves the processor to others where it is short: it is the
/// proxy that is measured, and not how much a load takes of this machine.
pub(crate) struct Running {
    enough: oneshot::Sender<()>,
    count: Count,
    thread: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(load: Load, scene: Scene) -> Self {
        let (enough, end) = oneshot::channel();
        let count = Count::default();
        let thread = thread::spawn({
            let count = count.clone();
            move || {
                // On Linux a thread has a priority of its own.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::nice(10);
                let runtime = Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    tokio::select! {
                        () = load(scene, count) => {}
                        _ = end => {}
                    }
                });
            }
        });
        Self {
            enough,
            count,
            thread,
        }
    }

    /// How much it has done so far.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Says how much it has done.
    pub(crate) fn stop(self) -> usize {
        // The thread waits for it, or has ended.
        let _ = self.enough.send(());
        self.thread.join().expect("a load does not panic");
        self.count.load(Ordering::Relaxed)
    }
}
