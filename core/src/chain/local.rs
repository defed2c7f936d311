//! A filter on one worker: how many calls it may have at a time, which of its verdicts are used
//! again, and what its failures lead to. Called by the filter sessions of exchanges, and by
//! commands that ask one filter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::instances::Instances;
use super::member::Member;
use super::missing::{Missing, unjudged};
use super::quarantine::{Admission, Calls, Tripped};
use super::verdict_cache::VerdictCache;
use crate::config::OnError;
use crate::error::Causes;
use crate::filter::{Failure, FilterAnswer, Hook, HookCall};
use crate::verdict::{Judgement, Verdict};

/// Time between two log lines about one filter that fails in the same way.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// At most this many log lines per filter and interval: messages may be attacker-controlled.
const LINES_PER_INTERVAL: usize = 8;

/// A filter on one worker.
#[derive(Debug)]
pub(crate) struct LocalFilter {
    member: Arc<Member>,
    instances: Instances,
    /// Verdicts that the filter lets the proxy use again.
    verdicts: RefCell<VerdictCache>,
    /// Bounds concurrent calls: guests yield at each epoch tick, so their wall times add up.
    permits: Semaphore,
    /// Since the last failure.
    calls: Cell<u64>,
    last_failure: Cell<Option<Instant>>,
    log: LogThrottle,
}

/// Why a filter has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Failed,
    /// The filter is in quarantine and was not called.
    Quarantined,
}

impl LocalFilter {
    /// Without an instance yet.
    pub(crate) fn new(member: Arc<Member>) -> Self {
        let limits = &member.filter.settings.limits;
        Self {
            instances: Instances::new(),
            verdicts: RefCell::new(VerdictCache::new(limits.verdict_cache)),
            permits: Semaphore::new(limits.concurrency),
            calls: Cell::new(0),
            last_failure: Cell::new(None),
            log: LogThrottle::default(),
            member,
        }
    }

    pub(super) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Whether the filter has that hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        self.member.filter.hooks.has(hook)
    }

    /// Asks the filter for an exchange that waits for the answer.
    pub(super) async fn judge(&self, call: HookCall<'_>) -> Judgement {
        match self.try_judge(call).await {
            Ok(judgement) => judgement,
            Err(_) => self.apply_on_error(),
        }
    }

    /// What the filter says, unless it fails or is in quarantine.
    pub(crate) async fn try_judge(&self, call: HookCall<'_>) -> Result<Judgement, Unavailable> {
        if let Some(judgement) = self.cached(call) {
            return Ok(judgement);
        }
        let limits = &self.member.filter.settings.limits;
        // A permit, an instance, its `init`, the call.
        let longest_trial = 2 * (limits.start_wall + limits.wall);
        let admission = self.member.quarantine.admit(Instant::now, longest_trial);
        if admission == Admission::Quarantined {
            return Err(Unavailable::Quarantined);
        }
        self.calls.set(self.calls.get() + 1);
        match self.ask(call).await {
            Ok(answer) => {
                if admission == Admission::Trial {
                    self.recovered();
                }
                Ok(self.remember(call, answer))
            }
            Err(failure) => {
                self.failed(admission, &failure, call);
                Err(Unavailable::Failed)
            }
        }
    }

    /// Calls the filter, whatever it has said or failed at before.
    pub(crate) async fn ask(&self, call: HookCall<'_>) -> Result<FilterAnswer, Failure> {
        let _permit = self.acquire().await?;
        self.instances.call(&self.member.filter, call).await
    }

    /// The linear memories of the instances that are idle, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.instances.memory()
    }

    async fn acquire(&self) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(permit);
        }
        let wall = self.member.filter.settings.limits.wall;
        match timeout(wall, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Failure::Busy(wall)),
        }
    }

    /// What the filter has said to the same question, if it may be used again.
    fn cached(&self, call: HookCall<'_>) -> Option<Judgement> {
        let HookCall::Host(flow) = call else {
            return None;
        };
        let mut verdicts = self.verdicts.try_borrow_mut().ok()?;
        verdicts.get(flow, self.member.filter.feeds_generation())
    }

    fn remember(&self, call: HookCall<'_>, answer: FilterAnswer) -> Judgement {
        let policy = answer.cache;
        let judgement = self.judgement(answer);
        if let (HookCall::Host(flow), Some(policy)) = (call, policy) {
            self.verdicts.borrow_mut().insert(flow, policy, &judgement);
        }
        judgement
    }

    fn judgement(&self, answer: FilterAnswer) -> Judgement {
        let name = &self.member.filter.name;
        Judgement {
            filter: (answer.verdict != Verdict::Next).then(|| name.clone()),
            verdict: answer.verdict,
            matched: answer.matched,
            headers: answer.headers,
            ..Judgement::PASS
        }
    }

    fn apply_on_error(&self) -> Judgement {
        let name = &self.member.filter.name;
        let reason = if self.member.quarantine.is_tripped() {
            format!("the filter {name} has failed too often and is in quarantine")
        } else {
            format!("the filter {name} could not judge this request")
        };
        unjudged(name, self.member.filter.settings.on_error, reason)
    }

    fn failed(&self, admission: Admission, failure: &Failure, call: HookCall<'_>) {
        let now = Instant::now();
        let calls = Calls {
            number: self.calls.take(),
            last_failure: self.last_failure.replace(Some(now)),
        };
        let error = || Causes(failure).to_string();
        let tripped = self.member.quarantine.failed(admission, calls, now, error);
        match tripped {
            Some(tripped) => self.log_quarantine(&tripped),
            None => self.log.write(self, failure, call),
        }
    }

    fn recovered(&self) {
        self.member.quarantine.recovered(Instant::now());
        tracing::info!(
            filter = &*self.member.filter.name,
            "back from quarantine: the filter is asked again"
        );
    }

    fn log_quarantine(&self, tripped: &Tripped) {
        tracing::error!(
            filter = &*self.member.filter.name,
            failures = tripped.failures,
            calls = tripped.calls,
            error = tripped.error,
            pause = ?tripped.pause,
            consequence = self.consequence(),
            "in quarantine: the filter fails too often and is tried again after a pause. Mend it: a changed file is used at once"
        );
    }

    fn consequence(&self) -> &'static str {
        let settings = &self.member.filter.settings;
        match settings.on_error {
            _ if self.member.is_shadow() => "none, as it runs in shadow mode",
            OnError::Block => "requests are refused with 503 (on_error = \"block\")",
            OnError::Skip => "the next filter is asked (on_error = \"skip\")",
        }
    }

    /// Has an instance ready, if one can be made, so that what follows is the time of the call
    /// alone.
    pub(crate) async fn warm_up(&self) {
        self.instances.warm_up(&self.member.filter).await;
    }

    pub(super) async fn trace(&self, call: HookCall<'_>) -> TraceEntry {
        self.warm_up().await;
        let start = Instant::now();
        let answer = self.ask(call).await;
        let time = start.elapsed();
        let failure = answer.as_ref().err();
        TraceEntry {
            filter: self.member.filter.name.clone(),
            hook: call.hook(),
            is_shadow: self.member.is_shadow(),
            failure: failure.map(|failure| Causes(failure).to_string()),
            judgement: match answer {
                Ok(answer) => self.judgement(answer),
                Err(_) => self.apply_on_error(),
            },
            time,
        }
    }
}

/// What one filter answered to one call.
#[derive(Debug)]
pub(crate) struct TraceEntry {
    pub(crate) filter: Arc<str>,
    pub(crate) hook: Hook,
    /// Its judgement changes nothing.
    pub(crate) is_shadow: bool,
    pub(crate) judgement: Judgement,
    /// Why the filter could not judge.
    pub(crate) failure: Option<String>,
    /// Time spent in the filter, without starting an instance.
    pub(crate) time: Duration,
}

impl TraceEntry {
    /// What becomes of a request at a place without a filter.
    pub(super) fn missing(missing: &Missing) -> Self {
        Self {
            filter: missing.name.clone(),
            hook: Hook::Host,
            is_shadow: false,
            judgement: missing.judge(),
            failure: Some(missing.reason.to_string()),
            time: Duration::ZERO,
        }
    }
}

/// Keeps a filter that fails at every request from filling the log: each worker writes one line
/// about each failure in an interval, and few lines in all.
#[derive(Debug, Default)]
struct LogThrottle {
    written: RefCell<Vec<(String, Instant)>>,
    suppressed: Cell<u64>,
}

impl LogThrottle {
    fn write(&self, filter: &LocalFilter, failure: &Failure, call: HookCall<'_>) {
        let error = Causes(failure).to_string();
        let mut written = self.written.borrow_mut();
        written.retain(|(_, at)| at.elapsed() < LOG_INTERVAL);
        let is_known = written.iter().any(|(before, _)| *before == error);
        if is_known || written.len() >= LINES_PER_INTERVAL {
            self.suppressed.set(self.suppressed.get() + 1);
            return;
        }
        written.push((error.clone(), Instant::now()));
        drop(written);
        let flow = call.flow();
        tracing::warn!(
            filter = &*filter.member.filter.name,
            hook = call.hook().name(),
            exchange = flow.exchange,
            host = flow.target.host(),
            error,
            consequence = filter.consequence(),
            suppressed = self.suppressed.take(),
            "a filter could not judge"
        );
    }
}
