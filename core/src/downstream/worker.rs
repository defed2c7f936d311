//! One worker: a thread, its runtime, its connections and everything they share. Started and joined by the proxy. Nothing
//! here is shared with other threads but what is handed over: sockets in, chains in, the signal to stop.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument;

use crate::chain::{self, Chain, LocalChain, Observer};
use crate::config::{Egress, Limits};
use crate::downstream::connection;
use crate::error::StartError;
use crate::downstream::headers::Pseudonym;
use crate::downstream::tunnel::Scratch;
use crate::upstream::Upstream;

/// hyper reads and writes at most this much ahead. It is also the largest request head; `head` sets a lower limit, but an
/// answer that says so needs the head to be read.
const BUFFER: usize = 128 * 1024;

/// What every worker of a proxy is made from.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) egress: Egress,
    /// The address of the listener.
    pub(crate) own: SocketAddr,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) chains: watch::Receiver<Arc<Chain>>,
    pub(crate) shutdown: CancellationToken,
}

/// What the connections of a worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) limits: Limits,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) upstream: Upstream,
    pub(crate) server: http1::Builder,
    pub(crate) scratch: Scratch,
    /// Connections, and uploads that outlive their exchange.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when everything has to end. For those who are asked all the time, there is [`Worker::is_stopping`].
    pub(crate) shutdown: CancellationToken,
    is_stopping: Cell<bool>,
    chain: RefCell<Rc<LocalChain>>,
    observer: Observer,
    id: Cell<u64>,
    stride: u64,
}

impl Worker {
    fn new(setup: Setup, seat: Seat, observer: Observer) -> Self {
        let chain = setup.chains.borrow().clone();
        let mut server = http1::Builder::new();
        // The connection watches the time itself, with one timer for all of its requests.
        server.header_read_timeout(None).max_buf_size(BUFFER);
        Self {
            upstream: Upstream::new(&setup.egress, &setup.limits, setup.own),
            limits: setup.limits,
            pseudonym: setup.pseudonym,
            server,
            scratch: Scratch::new(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            is_stopping: Cell::new(false),
            chain: RefCell::new(Rc::new(LocalChain::adopt(
                &chain,
                None,
                Some(observer.clone()),
            ))),
            observer,
            id: Cell::new(seat.index as u64),
            stride: seat.workers as u64,
        }
    }

    /// The filters of this moment. A request takes them once and keeps them for all of its hooks.
    pub(crate) fn chain(&self) -> Rc<LocalChain> {
        self.chain.borrow().clone()
    }

    /// Whether `shutdown` is cancelled, without the lock that is inside.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    fn stop(&self) {
        self.is_stopping.set(true);
        self.shutdown.cancel();
    }

    /// A number for an exchange, unique among all workers.
    pub(crate) fn next_id(&self) -> u64 {
        self.id.replace(self.id.get() + self.stride)
    }

    async fn follow_chains(&self, mut chains: watch::Receiver<Arc<Chain>>) {
        while chains.changed().await.is_ok() {
            let chain = chains.borrow_and_update().clone();
            let previous = self.chain();
            let adopted = LocalChain::adopt(&chain, Some(&previous), Some(self.observer.clone()));
            self.chain.replace(Rc::new(adopted));
        }
    }
}

/// The place of a worker among its peers.
#[derive(Clone, Copy, Debug)]
struct Seat {
    index: usize,
    workers: usize,
}

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
    pub(crate) fn start(workers: usize, setup: &Setup) -> Result<Self, StartError> {
        let running = TaskTracker::new();
        let handles = (0..workers)
            .map(|index| start(setup.clone(), Seat { index, workers }, running.token()))
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

fn start(setup: Setup, seat: Seat, token: TaskTrackerToken) -> Result<Handle, StartError> {
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
        .name(format!("portcullis-{}", seat.index))
        .spawn(move || {
            run(runtime, setup, seat, assigned, counter);
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
    setup: Setup,
    seat: Seat,
    sockets: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
) {
    let set = LocalSet::new();
    // As a task, because the future that a set is run with is polled whenever any of its tasks is.
    let work = set.spawn_local(work(setup, seat, sockets, live));
    // Whatever still runs after that is dropped with the set and the runtime.
    if let Err(panicked) = set.block_on(&runtime, work) {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

async fn work(
    setup: Setup,
    seat: Seat,
    sockets: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    live: Arc<AtomicUsize>,
) {
    let bound = setup.limits.shutdown;
    let chains = setup.chains.clone();
    let signal = setup.shutdown.clone();
    let (observer, observations) = chain::observer();
    let worker = Rc::new(Worker::new(setup, seat, observer));
    let background = async {
        tokio::join!(
            worker.follow_chains(chains),
            worker.upstream.tend(),
            observations.run()
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
        let guard = Live(live.clone());
        let socket = match TcpStream::from_std(socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "cannot take over a connection");
                continue;
            }
        };
        let span = tracing::info_span!("connection", client.addr = %peer);
        let serving = connection::serve(worker.clone(), socket);
        worker.tasks.spawn_local(
            async move {
                serving.await;
                drop(guard);
            }
            .instrument(span),
        );
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
struct Live(Arc<AtomicUsize>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
