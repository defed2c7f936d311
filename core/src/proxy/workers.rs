//! The worker threads: started and joined by the proxy, given connections by the listener. What a worker does with a
//! connection is the business of `downstream`.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::chain;
use crate::downstream::connection;
use crate::downstream::session::{Ingress, Session};
use crate::downstream::worker::{Worker, WorkerConfig, WorkerId};
use crate::error::StartError;

/// All workers of a proxy, as the accepting side sees them.
#[derive(Debug)]
pub(crate) struct Workers {
    handles: Vec<Handle>,
    /// The threads that have not ended.
    running: TaskTracker,
}

#[derive(Debug)]
struct Handle {
    sockets: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts `workers` threads.
    pub(crate) fn start(workers: usize, config: &WorkerConfig) -> Result<Self, StartError> {
        let running = TaskTracker::new();
        let handles = (0..workers)
            .map(|index| start(config.clone(), WorkerId { index, workers }, running.token()))
            .collect::<Result<_, _>>()?;
        Ok(Self { handles, running })
    }

    /// Gives a connection to the worker that has the fewest.
    pub(crate) fn assign(&self, socket: std::net::TcpStream, peer: SocketAddr) {
        let working = self
            .handles
            .iter()
            .filter(|worker| !worker.sockets.is_closed());
        let Some(worker) = working.min_by_key(|worker| worker.live.load(Ordering::Relaxed)) else {
            tracing::error!("all workers have ended; restart the proxy");
            return;
        };
        worker.live.fetch_add(1, Ordering::Relaxed);
        if worker.sockets.send((socket, peer)).is_err() {
            worker.live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Waits for the threads to end.
    pub(crate) async fn ended(self) {
        self.running.close();
        self.running.wait().await;
        for worker in self.handles {
            if worker.thread.join().is_err() {
                tracing::error!("a worker panicked; please report what stands above");
            }
        }
    }
}

fn start(
    config: WorkerConfig,
    id: WorkerId,
    token: TaskTrackerToken,
) -> Result<Handle, StartError> {
    let failed = |source| StartError::System {
        action: "start a worker thread".into(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (sockets, assigned) = mpsc::unbounded_channel();
    let live = Arc::new(AtomicUsize::new(0));
    let counter = live.clone();
    let thread = thread::Builder::new()
        .name(format!("portcullis-{}", id.index))
        .spawn(move || {
            run(runtime, config, id, assigned, counter);
            drop(token);
        })
        .map_err(failed)?;
    Ok(Handle {
        sockets,
        live,
        thread,
    })
}

fn run(
    runtime: Runtime,
    config: WorkerConfig,
    id: WorkerId,
    sockets: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
) {
    let set = LocalSet::new();
    // As a task, because the future that a set is run with is polled whenever any of its tasks is.
    let work = set.spawn_local(work(config, id, sockets, live));
    // Whatever still runs after that is dropped with the set and the runtime.
    if let Err(panicked) = set.block_on(&runtime, work) {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

async fn work(
    config: WorkerConfig,
    id: WorkerId,
    sockets: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
) {
    let bound = config.limits.shutdown;
    let chains = config.chains.clone();
    let signal = config.shutdown.clone();
    let (shadow, shadow_calls) = chain::shadow_calls();
    let worker = Rc::new(Worker::new(config, id, shadow));
    let background = async {
        tokio::join!(
            worker.watch_chain(chains),
            worker.upstream.evict_idle(),
            shadow_calls.run()
        );
    };
    tokio::select! {
        () = serve(&worker, sockets, live, &signal) => {}
        () = background => {}
    }
    finish(&worker, bound).await;
}

/// Starts a task for every connection, until the signal to stop.
async fn serve(
    worker: &Rc<Worker>,
    mut sockets: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
    signal: &CancellationToken,
) {
    let stopped = signal.cancelled();
    tokio::pin!(stopped);
    loop {
        let (socket, peer) = tokio::select! {
            biased;
            () = &mut stopped => return,
            socket = sockets.recv() => match socket {
                Some(socket) => socket,
                // The proxy is gone without a word: as good as a signal.
                None => return,
            },
        };
        let guard = ConnectionGuard(live.clone());
        let socket = match TcpStream::from_std(socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "cannot take over a connection");
                continue;
            }
        };
        let session = Session::new(worker.clone(), peer, Ingress::Direct);
        worker.tasks.spawn_local(async move {
            // Called in here: a future that is captured and then awaited takes its room twice.
            connection::serve(session, socket).await;
            drop(guard);
        });
    }
}

/// Lets requests in flight and tunnels end, within the bound that the proxy has promised.
async fn finish(worker: &Worker, bound: Duration) {
    worker.stop();
    worker.upstream.close();
    worker.tasks.close();
    // The last tenth is for dropping what is left.
    if timeout(bound - bound / 10, worker.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            connections = worker.tasks.len(),
            "connections that had not ended were cut"
        );
    }
}

/// Counts a connection for as long as it lives.
struct ConnectionGuard(Arc<AtomicUsize>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
