//! The worker threads: started by the proxy, given connections by the listener, started again if
//! they panic. What a worker does with a connection is the business of `downstream`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, timeout};

use super::accepting::Accepted;
use super::supervise::{Backoff, supervise};
use super::threads::Threads;
use crate::chain;
use crate::downstream::connection;
use crate::downstream::session::Session;
use crate::downstream::worker::{ExchangeIds, Worker, WorkerConfig};
use crate::error::StartError;

/// All workers of a proxy, as the accepting side sees them.
#[derive(Debug)]
pub(super) struct Workers(Vec<Handle>);

#[derive(Debug)]
struct Handle {
    inbox: mpsc::UnboundedSender<Message>,
    status: Arc<Status>,
}

/// What a worker thread tells the accepting side.
#[derive(Debug, Default)]
struct Status {
    /// Connections that were assigned and have not ended.
    connections: AtomicUsize,
    /// Set while the worker waits to be started again.
    is_down: AtomicBool,
    /// Connections that had not ended when the worker had to.
    cut: AtomicUsize,
}

/// What a worker is given.
#[derive(Debug)]
enum Message {
    Connection(Accepted, ConnectionGuard),
    #[cfg(test)]
    Panic,
}

impl Workers {
    /// Starts `workers` threads.
    pub(super) fn start(
        workers: usize,
        config: &WorkerConfig,
        threads: &mut Threads,
    ) -> Result<Self, StartError> {
        let ids = ExchangeIds::of_workers(workers, SystemTime::now());
        let handles = ids
            .enumerate()
            .map(|(index, ids)| start(config.clone(), index, ids, threads));
        Ok(Self(handles.collect::<Result<_, _>>()?))
    }

    /// Gives a connection to the worker that has the fewest.
    pub(super) fn assign(&self, accepted: Accepted) {
        // While no worker is up, connections wait for the one that has the fewest.
        let key = |worker: &&Handle| {
            let status = &worker.status;
            (
                status.is_down.load(Ordering::Relaxed),
                status.connections.load(Ordering::Relaxed),
            )
        };
        let working = self.0.iter().filter(|worker| !worker.inbox.is_closed());
        let Some(worker) = working.min_by_key(key) else {
            tracing::error!("all workers have ended; restart the proxy");
            return;
        };
        let guard = ConnectionGuard::new(worker.status.clone());
        // A worker that has ended in this very moment drops the connection, as it has dropped its
        // others.
        drop(worker.inbox.send(Message::Connection(accepted, guard)));
    }

    /// How many connections did not end by themselves. To be asked after the threads have ended or
    /// are left behind.
    pub(super) fn cut(&self) -> usize {
        let cut = |worker: &Handle| {
            let status = &worker.status;
            let left_behind = status.connections.load(Ordering::Relaxed);
            left_behind.max(status.cut.load(Ordering::Relaxed))
        };
        self.0.iter().map(cut).sum()
    }
}

fn start(
    config: WorkerConfig,
    index: usize,
    ids: ExchangeIds,
    threads: &mut Threads,
) -> Result<Handle, StartError> {
    let failed = |source| StartError::System {
        action: "start a worker thread".into(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (inbox, messages) = mpsc::unbounded_channel();
    let status = Arc::<Status>::default();
    let run = {
        let status = status.clone();
        move || {
            keep_working(&runtime, &config, (index, ids), messages, &status);
            // A name that the system still resolves must not hold up the end.
            runtime.shutdown_background();
        }
    };
    threads
        .start(format!("portcullis-{index}"), run)
        .map_err(failed)?;
    Ok(Handle { inbox, status })
}

/// Works until the signal to stop. After a panic the worker's connections are gone with all that
/// they shared, and the worker is made anew; connections that it has not yet taken over wait for
/// that.
fn keep_working(
    runtime: &Runtime,
    config: &WorkerConfig,
    (index, ids): (usize, ExchangeIds),
    messages: mpsc::UnboundedReceiver<Message>,
    status: &Arc<Status>,
) {
    let (ids, messages) = (Rc::new(ids), Rc::new(RefCell::new(messages)));
    let mut backoff = Backoff::new(Instant::now());
    loop {
        let set = LocalSet::new();
        // As a task, because the future that a set is run with is polled whenever any of its tasks
        // is.
        let work = set.spawn_local(work(
            config.clone(),
            ids.clone(),
            messages.clone(),
            status.clone(),
        ));
        let Err(panic) = set.block_on(runtime, work) else {
            return;
        };
        status.is_down.store(true, Ordering::Relaxed);
        // The connections are dropped with it.
        drop(set);
        let pause = backoff.pause(Instant::now());
        tracing::error!(
            worker = index,
            %panic,
            restart_in = ?pause,
            consequence = "its connections are lost, those of other workers are not",
            "a worker panicked and is started again"
        );
        let paused = async { config.shutdown.run_until_cancelled(sleep(pause)).await };
        if runtime.block_on(paused).is_none() {
            return;
        }
        status.is_down.store(false, Ordering::Relaxed);
    }
}

async fn work(
    config: WorkerConfig,
    ids: Rc<ExchangeIds>,
    messages: Rc<RefCell<mpsc::UnboundedReceiver<Message>>>,
    status: Arc<Status>,
) {
    let (bound, stop) = (config.limits.shutdown, config.shutdown.clone());
    let chains = config.chains.clone();
    let (sender, mut shadow_calls, mut ended_calls) = chain::background_calls();
    let worker = Rc::new(Worker::new(config, ids, sender));
    // Each a task of its own: a panic in one does not touch the others, nor the connections.
    let mut background = JoinSet::new();
    background.spawn_local({
        let worker = worker.clone();
        supervise("chain", async move || {
            worker.watch_chain(chains.clone()).await;
        })
    });
    background.spawn_local({
        let worker = worker.clone();
        supervise("idle upstream connections", async move || {
            worker.upstream.evict_idle().await;
        })
    });
    background.spawn_local({
        let worker = worker.clone();
        supervise("idle connections in a shortage", async move || {
            worker.upstream.close_idle_when_asked().await;
        })
    });
    background.spawn_local(supervise("shadow filters", async move || {
        shadow_calls.run().await;
    }));
    background.spawn_local(supervise("ends of exchanges", async move || {
        ended_calls.run().await;
    }));
    stop.run_until_cancelled(serve(&worker, &messages)).await;
    drop(background);
    finish(&worker, bound, &status).await;
}

/// Starts a task for every connection, until the proxy is gone.
async fn serve(worker: &Rc<Worker>, messages: &RefCell<mpsc::UnboundedReceiver<Message>>) {
    while let Some(message) = poll_fn(|cx| messages.borrow_mut().poll_recv(cx)).await {
        match message {
            Message::Connection(accepted, guard) => start_serving(worker, accepted, guard),
            #[cfg(test)]
            Message::Panic => panic!("a test asked for it"),
        }
    }
}

fn start_serving(worker: &Rc<Worker>, accepted: Accepted, guard: ConnectionGuard) {
    let Accepted {
        socket,
        arrival,
        admission,
        permit,
    } = accepted;
    let socket = match socket.watch() {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, "cannot take over a connection");
            return;
        }
    };
    let session = Session::new(worker.clone(), arrival, admission, permit);
    // What serves is made inside, so that the task holds it once.
    let task = async move {
        let serving = AssertUnwindSafe(connection::serve(session, socket));
        if let Err(_panic) = serving.catch_unwind().await {
            tracing::error!("serving a connection panicked, and the connection is lost");
        }
        drop(guard);
    };
    worker.tasks.spawn_local(task);
}

/// Lets requests in flight and tunnels end, within the bound that the proxy has promised.
async fn finish(worker: &Worker, bound: Duration, status: &Status) {
    worker.stop();
    worker.upstream.close();
    worker.tasks.close();
    // The last tenth is for dropping what is left.
    if timeout(bound - bound / 10, worker.tasks.wait())
        .await
        .is_err()
    {
        let connections = status.connections.load(Ordering::Relaxed);
        status.cut.store(connections, Ordering::Relaxed);
        tracing::warn!(connections, "connections that had not ended were cut");
    }
}

/// Counts a connection for as long as it lives.
#[derive(Debug)]
struct ConnectionGuard(Arc<Status>);

impl ConnectionGuard {
    fn new(status: Arc<Status>) -> Self {
        status.connections.fetch_add(1, Ordering::Relaxed);
        Self(status)
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use tokio::sync::Semaphore;
    use tokio_util::sync::{CancellationToken, DropGuard};

    use super::super::socket::{SocketKind, Unwatched};
    use super::*;
    use crate::config::Limits;
    use crate::downstream::per_client::ConnectionPermit;
    use crate::downstream::session::{Admission, Arrival};

    /// Two workers, and clients that they serve.
    struct Stage {
        workers: Workers,
        threads: Threads,
        listener: TcpListener,
        permits: Arc<Semaphore>,
        _chains: tokio::sync::watch::Sender<Arc<chain::Chain>>,
        stop: DropGuard,
    }

    impl Stage {
        fn start() -> Self {
            Self::start_with(Limits::default())
        }

        fn start_with(limits: Limits) -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let chains = tokio::sync::watch::Sender::new(Arc::default());
            let stop = CancellationToken::new();
            let own = listener.local_addr().unwrap();
            let mut config = WorkerConfig::of_test(own, chains.subscribe(), stop.clone());
            config.limits = limits;
            let mut threads = Threads::default();
            Self {
                workers: Workers::start(2, &config, &mut threads).unwrap(),
                threads,
                listener,
                permits: Arc::new(Semaphore::new(9)),
                _chains: chains,
                stop: stop.drop_guard(),
            }
        }

        #[expect(clippy::disallowed_methods, reason = "a client outside of the proxy")]
        fn client(&self) -> TcpStream {
            let client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
            let (socket, peer) = self.listener.accept().unwrap();
            socket.set_nonblocking(true).unwrap();
            let permit = self.permits.clone().try_acquire_owned().unwrap();
            let permit = ConnectionPermit::new(permit, None);
            self.workers.assign(Accepted {
                socket: Unwatched::new(socket.into(), SocketKind::Tcp),
                arrival: Arrival::direct(peer),
                admission: Admission::Allowed,
                permit,
            });
            client
        }

        fn connections(&self) -> [usize; 2] {
            let connections = |worker: usize| {
                let status = &self.workers.0[worker].status;
                status.connections.load(Ordering::Relaxed)
            };
            [connections(0), connections(1)]
        }

        async fn stop(self) -> usize {
            drop(self.stop);
            self.threads.ended(Duration::from_secs(60)).await
        }
    }

    fn is_answered(client: &mut TcpStream) -> bool {
        client
            .write_all(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match client.read(&mut byte) {
                Ok(1) => answer.extend(byte),
                _ => return false,
            }
        }
        answer.starts_with(b"HTTP/1.1 200 ")
    }

    #[tokio::test]
    async fn a_worker_that_panics_loses_its_own_connections_and_is_started_again() {
        let stage = Stage::start();
        let (mut unlucky, mut lucky) = (stage.client(), stage.client());
        assert!(is_answered(&mut unlucky) && is_answered(&mut lucky));
        assert_eq!(stage.connections(), [1, 1]);

        stage.workers.0[0].inbox.send(Message::Panic).unwrap();
        assert_eq!(unlucky.read(&mut [0; 999]).unwrap_or(0), 0, "it is closed");
        assert!(is_answered(&mut lucky));
        let is_down = || stage.workers.0[0].status.is_down.load(Ordering::Relaxed);
        while stage.connections() != [0, 1] || is_down() {
            tokio::task::yield_now().await;
        }
        let mut next = stage.client();
        assert_eq!(stage.connections(), [1, 1], "it gets its share again");
        assert!(is_answered(&mut next) && is_answered(&mut lucky));
        drop((next, lucky));
        assert_eq!(stage.stop().await, 0);
    }

    #[tokio::test]
    async fn the_threads_end_although_a_request_does_not() {
        let stage = Stage::start_with(Limits {
            shutdown: Duration::from_millis(500),
            ..Limits::default()
        });
        let origin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", origin.local_addr().unwrap());
        let mut client = stage.client();
        let request = format!("GET {url} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let _served = origin.accept().unwrap();
        assert_eq!(stage.stop().await, 0);
        assert_eq!(client.read(&mut [0; 9]).unwrap_or(0), 0, "it is cut");
    }

    #[tokio::test]
    async fn connections_go_to_the_workers_that_are_up() {
        let stage = Stage::start();
        stage.workers.0[0]
            .status
            .is_down
            .store(true, Ordering::Relaxed);
        let mut clients = [stage.client(), stage.client()];
        assert_eq!(stage.connections(), [0, 2]);
        assert!(clients.iter_mut().all(is_answered));
    }

    #[tokio::test]
    async fn connections_wait_for_the_only_worker() {
        let stage = Stage::start();
        for worker in &stage.workers.0 {
            worker.inbox.send(Message::Panic).unwrap();
        }
        let mut clients = [stage.client(), stage.client()];
        assert!(clients.iter_mut().all(is_answered));
    }
}
