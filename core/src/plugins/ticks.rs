//! The work that filters do in the background: one instance of each filter that has the `tick`
//! hook, on the control thread. Called by `plugins` for each generation that serves.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use portcullis_contract::limits::tick_pause;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::chain::{Chain, Member};
use crate::error::{ErrorChain, panic_message};
use crate::filter::{Failure, Filter, Hook, Instance, Wear};

/// The filters that work now. They end when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    running: JoinSet<()>,
    tickers: Vec<Ticker>,
    /// Filters that are gone and whose instances still work. A new version waits for that, as both
    /// use the same state.
    ending: Vec<(Arc<str>, CancellationToken)>,
}

/// The work of one filter.
#[derive(Debug)]
struct Ticker {
    member: Arc<Member>,
    /// Cancelled when the work has ended.
    ended: CancellationToken,
    /// Ends the work when it is dropped.
    _stop: DropGuard,
}

impl Ticks {
    /// Has the filters in `chain` work, and no others.
    pub(super) fn run_for(&mut self, chain: &Chain) {
        while self.running.try_join_next().is_some() {}
        self.ending.retain(|(_, ended)| !ended.is_cancelled());
        let is_in_chain = |member: &Arc<Member>| {
            let mut members = chain.members();
            members.any(|there| Arc::ptr_eq(there, member))
        };
        let gone = self
            .tickers
            .extract_if(.., |ticker| !is_in_chain(&ticker.member));
        let ending = gone.map(|ticker| (ticker.member.filter.name.clone(), ticker.ended));
        self.ending.extend(ending);
        for member in chain.members() {
            let mut tickers = self.tickers.iter();
            let is_known = tickers.any(|ticker| Arc::ptr_eq(&ticker.member, member));
            if member.filter.hooks.has(Hook::Tick) && !is_known {
                self.start(member.clone());
            }
        }
    }

    fn start(&mut self, member: Arc<Member>) {
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let name = &member.filter.name;
        let earlier = self.ending.iter().filter(|(ending, _)| ending == name);
        let earlier: Vec<_> = earlier.map(|(_, ended)| ended.clone()).collect();
        let work = {
            let (filter, stop, ended) = (member.filter.clone(), stop.clone(), ended.clone());
            async move {
                let _ended = ended.drop_guard();
                for earlier in earlier {
                    earlier.cancelled().await;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = keep_ticking(&filter) => {}
                }
            }
        };
        self.running.spawn(work);
        self.tickers.push(Ticker {
            member,
            ended,
            _stop: stop.drop_guard(),
        });
    }
}

async fn keep_ticking(filter: &Filter) {
    let (mut instance, mut wear) = (None, Wear::default());
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let outcome = AssertUnwindSafe(tick(filter, &mut instance)).catch_unwind();
        let outcome = outcome
            .await
            .unwrap_or_else(|panic| Err(Failure::Proxy(panic_message(&*panic))));
        let asked = outcome.as_ref().copied().unwrap_or_default();
        let outcome = outcome.and_then(|pause| retire(&mut instance, &mut wear).map(|()| pause));
        // Where an instance had to be started, the call began with that.
        let took = begun.elapsed();
        let pause = match outcome {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(failure) => {
                instance = None;
                // One whose instance is worn out has worked. It is not called before it wants that.
                let pause = filter.settings.quarantine.pause_after(failures).max(asked);
                failures += 1;
                tracing::warn!(
                    filter = &*filter.name,
                    error = %ErrorChain(&failure),
                    next = ?pause,
                    "the filter's work in the background failed; it keeps judging by what it knew before"
                );
                pause
            }
        };
        sleep(tick_pause(pause, took)).await;
    }
}

/// Calls an instance of its own, or a new one in place of one that failed, is worn out or knows
/// other feeds. Gives the pause that the filter asks for.
async fn tick(filter: &Filter, instance: &mut Option<Instance>) -> Result<Duration, Failure> {
    let idle = instance.take();
    let mut live = match idle.and_then(|mut live| live.knows_feeds().then_some(live)) {
        Some(live) => live,
        None => Instance::start(filter).await?,
    };
    let pause = live.tick().await?;
    *instance = Some(live);
    Ok(pause.unwrap_or(Duration::MAX))
}

/// Has a new instance made for the next call where this one should not last. Fails if one after the
/// other is worn out.
fn retire(instance: &mut Option<Instance>, wear: &mut Wear) -> Result<(), Failure> {
    match instance.take_if(|live| live.should_retire()) {
        Some(retired) => wear.replace(&retired),
        None => Ok(()),
    }
}
