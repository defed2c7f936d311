//! The work that filters do in the background: one instance of each filter that has the `tick` hook, on the control thread. Called by
//! `plugins` for each generation that serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::chain::{Chain, Member};
use crate::error::Causes;
use crate::filter::{Failure, Filter, Hook, Instance};

/// No filter is called more often.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// So many times as long as it has worked a filter rests: the rest is for traffic and for the other filters.
const REST: u32 = 9;

/// What is going on. It ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    running: JoinSet<()>,
    tickers: Vec<Ticker>,
    /// Of filters that have gone, until their instances have: a successor waits, as they share a state.
    ending: Vec<(Arc<str>, CancellationToken)>,
}

/// The work of one filter.
#[derive(Debug)]
struct Ticker {
    member: Arc<Member>,
    over: CancellationToken,
    /// Dropped, it ends the work wherever that is.
    _stop: DropGuard,
}

impl Ticks {
    /// Has the filters in `chain` work, and no others.
    pub(super) fn follow(&mut self, chain: &Chain) {
        while self.running.try_join_next().is_some() {}
        self.ending.retain(|(_, over)| !over.is_cancelled());
        let is_in_chain = |member: &Arc<Member>| {
            let mut members = chain.members();
            members.any(|there| Arc::ptr_eq(there, member))
        };
        let gone = self
            .tickers
            .extract_if(.., |ticker| !is_in_chain(&ticker.member));
        let ending = gone.map(|ticker| (ticker.member.filter.name.clone(), ticker.over));
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
        let (stop, over) = (CancellationToken::new(), CancellationToken::new());
        let name = &member.filter.name;
        let before = self.ending.iter().filter(|(ending, _)| ending == name);
        let before: Vec<_> = before.map(|(_, over)| over.clone()).collect();
        let work = {
            let (filter, stop, over) = (member.filter.clone(), stop.clone(), over.clone());
            async move {
                let _over = over.drop_guard();
                for before in before {
                    before.cancelled().await;
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
            over,
            _stop: stop.drop_guard(),
        });
    }
}

async fn keep_ticking(filter: &Filter) {
    let mut instance = None;
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let outcome = tick(filter, &mut instance).await;
        let rest = SHORTEST_PAUSE.max(begun.elapsed() * REST);
        let pause = match outcome {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(failure) => {
                instance = None;
                let pause = after(failures, filter);
                failures += 1;
                tracing::warn!(
                    filter = &*filter.name,
                    error = %Causes(&failure),
                    next = ?pause,
                    "the filter's work in the background failed; what it judges goes on by what it knew before"
                );
                pause
            }
        };
        sleep(pause.max(rest)).await;
    }
}

/// Calls an instance of its own, or a new one in place of one that failed or has grown large.
async fn tick(filter: &Filter, instance: &mut Option<Instance>) -> Result<Duration, Failure> {
    let mut live = match instance.take() {
        Some(live) => live,
        None => Instance::start(filter).await?,
    };
    let pause = live.tick().await?;
    if !live.should_retire() {
        *instance = Some(live);
    }
    Ok(pause.unwrap_or(Duration::MAX))
}

/// As long as a quarantine that many failures long would be.
fn after(failures: u32, filter: &Filter) -> Duration {
    let rule = filter.settings.quarantine;
    let doubled = rule.pause.saturating_mul(1 << failures.min(20));
    doubled.min(rule.longest_pause)
}
