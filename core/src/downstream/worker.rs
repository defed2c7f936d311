//! What the connections of one worker share: its way to origins, its filters, its buffers. Made by
//! `proxy`, which runs one worker on each of its threads. What workers share stands in handles of
//! its own: what counts for all of them, such as tunnels and bandwidth.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

use super::auth::{Gate, Logins};
use super::bandwidth::Bandwidth;
use super::copy::CopyBuffer;
use super::headers::Pseudonym;
use super::heads::Heads;
use super::tunnels::{TunnelLimits, Tunnels};
use super::unserved::UnservedCounts;
use crate::chain::decisions::Decisions;
use crate::chain::{BackgroundSender, Chain, LocalChain};
use crate::config::{self, Egress, Limits, NamedListener, OwnListeners};
use crate::flow::groups::Groups;
use crate::log::access::{Access, Sink};
use crate::upstream::reload::Reloads;
use crate::upstream::{Bounds, Parents, Upstream};

/// What every worker of a proxy is made from.
#[derive(Clone, Debug)]
pub(crate) struct WorkerConfig {
    pub(crate) limits: Limits,
    pub(crate) tunnels: TunnelLimits,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) egress: Egress,
    pub(crate) parents: Parents,
    pub(crate) tunnel: config::Tunnel,
    pub(crate) bounds: Bounds,
    pub(crate) access_log: Access,
    pub(crate) unserved: UnservedCounts,
    /// As they are bound.
    pub(crate) listeners: Arc<[NamedListener]>,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) groups: Groups,
    /// None if clients need no login.
    pub(crate) logins: Option<Logins>,
    pub(crate) decisions: Decisions,
    /// How a person calls the program that knows the same settings.
    pub(crate) command: Arc<str>,
    pub(crate) chains: watch::Receiver<Arc<Chain>>,
    pub(crate) reloads: Reloads,
    pub(crate) shutdown: CancellationToken,
}

#[cfg(any(test, fuzzing))]
impl WorkerConfig {
    /// Of a proxy at this address that has no other settings and writes no log.
    pub(crate) fn of_test(
        address: std::net::SocketAddr,
        chains: watch::Receiver<Arc<Chain>>,
        shutdown: CancellationToken,
    ) -> Self {
        let access_log = config::AccessLog {
            to: config::AccessLogTo::Off,
            ..config::AccessLog::default()
        };
        Self {
            limits: Limits::default(),
            tunnels: TunnelLimits::default(),
            bandwidth: Bandwidth::default(),
            egress: Egress::default(),
            parents: Parents::default(),
            tunnel: config::Tunnel::default(),
            bounds: Bounds {
                idle: 9,
                lookups: 9,
            },
            access_log: Access::open(&access_log).expect("nothing is opened"),
            unserved: UnservedCounts::default(),
            listeners: Arc::new([NamedListener::at(address)]),
            pseudonym: Pseudonym::random(),
            groups: Groups::default(),
            logins: None,
            decisions: Decisions::default(),
            command: "portcullis".into(),
            chains,
            reloads: Reloads::default(),
            shutdown,
        }
    }
}

/// What the connections of a worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) limits: Rc<Limits>,
    pub(crate) tunnels: Tunnels,
    pub(crate) bandwidth: Bandwidth,
    /// What is looked at in tunnels.
    pub(crate) tunnel: config::Tunnel,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) groups: Groups,
    /// Where clients log in, if they have to.
    pub(crate) gate: Option<Gate>,
    pub(crate) decisions: Decisions,
    pub(crate) command: Arc<str>,
    pub(crate) upstream: Upstream,
    pub(crate) copy_buffer: CopyBuffer,
    /// What is held of requests that have no end yet.
    pub(crate) heads: Heads,
    pub(crate) access_log: Rc<Sink>,
    /// Connections that leave no line there.
    pub(crate) unserved: UnservedCounts,
    /// The names of the listeners.
    pub(crate) listeners: Vec<Arc<str>>,
    /// Connections, and uploads that outlive their exchange.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when everything has to end. Hot paths check [`Worker::is_stopping`] instead.
    pub(crate) shutdown: CancellationToken,
    is_stopping: Cell<bool>,
    chain: RefCell<Rc<LocalChain>>,
    background: BackgroundSender,
    id: Cell<u64>,
    stride: u64,
}

impl Worker {
    pub(crate) fn new(config: WorkerConfig, id: WorkerId, background: BackgroundSender) -> Self {
        let chain = config.chains.borrow().clone();
        Self {
            upstream: Upstream::new(
                &config.egress,
                &config.limits,
                config.bounds,
                &OwnListeners::of(&config.listeners),
                config.parents,
                config.reloads,
            ),
            limits: Rc::new(config.limits),
            tunnels: Tunnels::new(config.tunnels),
            bandwidth: config.bandwidth,
            tunnel: config.tunnel,
            pseudonym: config.pseudonym,
            groups: config.groups,
            gate: config.logins.map(Gate::new),
            decisions: config.decisions,
            command: config.command,
            copy_buffer: CopyBuffer::new(),
            heads: Heads::default(),
            access_log: Rc::new(config.access_log.sink()),
            unserved: config.unserved,
            // Names of its own: workers would wait for each other where they count who has one.
            listeners: config.listeners.iter().map(NamedListener::label).collect(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            is_stopping: Cell::new(false),
            chain: RefCell::new(Rc::new(LocalChain::from_generation(
                &chain,
                None,
                Some(background.clone()),
            ))),
            background,
            id: Cell::new(id.first_exchange()),
            stride: id.workers as u64,
        }
    }

    /// The filters of this moment. A request takes them once and keeps them for all of its hooks.
    pub(crate) fn chain(&self) -> Rc<LocalChain> {
        self.chain.borrow().clone()
    }

    /// Whether `shutdown` is cancelled, without the lock inside of it.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.set(true);
        self.shutdown.cancel();
    }

    /// A number for an exchange, unique among all workers.
    pub(crate) fn next_id(&self) -> u64 {
        self.id.replace(self.id.get() + self.stride)
    }

    /// Takes up each new generation of filters. Exchanges that run keep theirs.
    pub(crate) async fn watch_chain(&self, mut chains: watch::Receiver<Arc<Chain>>) {
        while chains.changed().await.is_ok() {
            let chain = chains.borrow_and_update().clone();
            let previous = self.chain();
            let background = Some(self.background.clone());
            let next = LocalChain::from_generation(&chain, Some(&previous), background);
            self.chain.replace(Rc::new(next));
        }
    }
}

/// Tells a task that its worker is stopping, for a task that is polled all the time.
pub(crate) struct StopSignal<'a, 's> {
    worker: &'a Worker,
    cancelled: Pin<&'s mut WaitForCancellationFuture<'a>>,
    /// The waker that is registered for the signal. Once is enough.
    waker: Option<Waker>,
}

impl<'a, 's> StopSignal<'a, 's> {
    /// `cancelled` waits for [`Worker::shutdown`].
    pub(crate) fn new(
        worker: &'a Worker,
        cancelled: Pin<&'s mut WaitForCancellationFuture<'a>>,
    ) -> Self {
        Self {
            worker,
            cancelled,
            waker: None,
        }
    }

    /// Whether the worker is stopping. If not, the task is woken when it does.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let is_registered = self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if !is_registered && self.cancelled.as_mut().poll(cx).is_pending() {
            self.waker = Some(cx.waker().clone());
        }
        self.worker.is_stopping()
    }
}

/// The place of a worker among its peers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerId {
    pub(crate) index: usize,
    pub(crate) workers: usize,
    /// How many workers have had this place before.
    pub(crate) restarts: u32,
}

impl WorkerId {
    /// Where a worker starts to number its exchanges: beyond what an earlier worker in its place
    /// has come to.
    fn first_exchange(self) -> u64 {
        let begun = u64::from(self.restarts) << 40;
        self.index as u64 + self.workers as u64 * begun
    }
}
