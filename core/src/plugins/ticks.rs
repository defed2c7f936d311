//! The work that filters do in the background: one instance of each filter that has the `tick` hook, on the control thread. Called by
//! `plugins` for each generation that serves.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::chain::{Chain, Member};
use crate::error::Causes;
use crate::filter::{Failure, Filter, Instance};

/// No filter is called more often.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// What is going on. It ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    running: JoinSet<()>,
    members: Vec<Weak<Member>>,
}

impl Ticks {
    /// Begins with the filters that are new in `chain`. Those that have gone end by themselves.
    pub(super) fn follow(&mut self, chain: &Chain) {
        while self.running.try_join_next().is_some() {}
        self.members.retain(|member| member.strong_count() > 0);
        for member in chain.members() {
            let known = self
                .members
                .iter()
                .any(|known| known.as_ptr() == Arc::as_ptr(member));
            if member.filter.hooks.ticks() && !known {
                self.members.push(Arc::downgrade(member));
                self.running.spawn(keep_ticking(Arc::downgrade(member)));
            }
        }
    }
}

async fn keep_ticking(member: Weak<Member>) {
    let mut instance = None;
    let mut failures = 0;
    loop {
        let Some((filter, retired)) = member
            .upgrade()
            .map(|member| (member.filter.clone(), member.retired.clone()))
        else {
            return;
        };
        let pause = match tick(&filter, &mut instance).await {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(failure) => {
                instance = None;
                let pause = after(failures, &filter);
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
        drop(filter);
        tokio::select! {
            () = retired.cancelled() => return,
            () = sleep(pause.max(SHORTEST_PAUSE)) => {}
        }
    }
}

/// Calls an instance of its own, or a new one in place of one that failed or has grown large.
async fn tick(filter: &Filter, instance: &mut Option<Instance>) -> Result<Duration, Failure> {
    let mut live = match instance.take() {
        Some(live) => live,
        None => Instance::start(filter).await?,
    };
    let pause = live.tick().await?;
    if !live.is_worn() {
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
