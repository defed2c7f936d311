//! What the connections of one worker share: its way to origins, its filters, its buffers. Made by
//! `proxy`, which runs one worker on each of its threads. What workers share stands in handles of
//! its own: what counts for all of them, such as tunnels and bandwidth.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::SystemTime;

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
use crate::upstream::reclaim::Reclaimer;
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
    /// The same one for all workers.
    pub(crate) reclaimer: Reclaimer,
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
            reclaimer: Reclaimer::default(),
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
    ids: Rc<ExchangeIds>,
}

impl Worker {
    pub(crate) fn new(
        config: WorkerConfig,
        ids: Rc<ExchangeIds>,
        background: BackgroundSender,
    ) -> Self {
        let chain = config.chains.borrow().clone();
        Self {
            upstream: Upstream::new(
                &config.egress,
                &config.limits,
                config.bounds,
                &OwnListeners::of(&config.listeners),
                config.parents,
                config.reloads,
                config.reclaimer,
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
            ids,
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

    /// A number for an exchange.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.take()
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

/// The numbers that one worker gives to exchanges. They are kept when the worker is made anew.
///
/// An access log may have lines of many runs of the proxy, so numbers begin with the time of the
/// start. No exchange of any run has the number of another, as long as the clock does not go back
/// and no worker has more exchanges than its part of a million a second: the numbers of a run are
/// never ahead of the clock then.
#[derive(Debug)]
pub(crate) struct ExchangeIds {
    next: Cell<u64>,
    workers: u64,
}

impl ExchangeIds {
    /// Those of each worker of a proxy that starts now.
    pub(crate) fn of_workers(workers: usize, now: SystemTime) -> impl Iterator<Item = Self> {
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        // Programs that read JSON have numbers of 53 bits, which is enough until the year 2255.
        let first = u64::try_from(since.unwrap_or_default().as_micros()).unwrap_or_default();
        let workers = workers as u64;
        // 0 stands for no exchange.
        let first = first.max(1);
        (first..first + workers).map(move |next| Self {
            next: Cell::new(next),
            workers,
        })
    }

    fn take(&self) -> u64 {
        self.next.replace(self.next.get() + self.workers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_exchange_has_the_number_of_another_of_any_worker_or_any_run() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_841_527);
        let mut ids = HashSet::new();
        // A run of a thousandth of a second has at most a thousand exchanges.
        for run in 0..5_u32 {
            for worker in ExchangeIds::of_workers(3, start + run * Duration::from_millis(1)) {
                ids.extend((0..333).map(|_| worker.take()));
            }
        }
        assert_eq!(ids.len(), 5 * 3 * 333);
        assert!(ids.iter().all(|id| *id < 1 << 53), "JSON has them all");
    }

    #[test]
    fn no_exchange_has_the_number_of_none_where_the_clock_was_never_set() {
        for now in [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH - Duration::from_secs(1),
        ] {
            let first: Vec<u64> = ExchangeIds::of_workers(2, now)
                .map(|worker| worker.take())
                .collect();
            assert_eq!(first, [1, 2]);
        }
    }
}
