//! A filter on one worker: how many calls it may have at a time, which of its verdicts are used
//! again, and what its failures lead to. Called by the filter sessions of exchanges, and by
//! commands that ask one filter.

mod ends;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

pub(super) use self::ends::WaitsToTell;
use super::failure_log::FailureLog;
use super::fair::{FairPermit, FairSemaphore};
use super::instances::Instances;
use super::member::Member;
use super::missing::{Missing, unjudged};
use super::quarantine::{Admission, CallCounter, Change, End, Tripped};
use super::verdict_cache::VerdictCache;
use crate::config::OnError;
use crate::error::ErrorChain;
use crate::filter::{Answered, CallAnswer, Failure, FilterAnswer, Hook, HookCall};
use crate::flow::ClientKey;
use crate::verdict::{Additions, Besides, Judgement, Notes, Verdict};

/// A filter on one worker.
#[derive(Debug)]
pub(crate) struct LocalFilter {
    member: Arc<Member>,
    instances: Instances,
    /// Verdicts that the filter lets the proxy use again.
    verdicts: RefCell<VerdictCache>,
    /// Bounds concurrent calls: guests yield at each epoch tick, so their wall times add up.
    permits: FairSemaphore,
    /// The calls that have ended.
    calls: CallCounter,
    /// Those that have told the filter of the end of an exchange.
    end_calls: CallCounter,
    /// How many of those wait.
    ends_waiting: Cell<usize>,
    failures: FailureLog,
}

/// Why a filter has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Failed,
    /// The filter is in quarantine and was not called.
    Quarantined,
    /// The filter is not called for this client, whose requests make it fail.
    Held,
    /// There was no place or no time for the call.
    Overloaded,
}

impl LocalFilter {
    /// Without an instance yet.
    pub(crate) fn new(member: Arc<Member>) -> Self {
        let limits = &member.filter.settings.limits;
        Self {
            instances: Instances::new(limits),
            verdicts: RefCell::new(VerdictCache::new(limits.verdict_cache)),
            permits: FairSemaphore::new(limits.concurrency),
            calls: member.quarantine.new_worker(),
            end_calls: member.end_quarantine.new_worker(),
            ends_waiting: Cell::default(),
            failures: FailureLog::default(),
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
    pub(super) async fn judge(&self, call: HookCall<'_>, notes: Option<&Notes>) -> Judgement {
        match self.try_judge(call, notes).await {
            Ok(judgement) => judgement,
            Err(unavailable) => self.unjudged(unavailable),
        }
    }

    /// What the filter says, unless it cannot be asked or fails.
    pub(crate) async fn try_judge(
        &self,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<Judgement, Unavailable> {
        let client = ClientKey::of(call.flow().client.address);
        if let Some((judgement, now)) = self.cached(call, notes) {
            // It has gone well, and shows that this client is not the only one.
            self.calls.count(client, false, now);
            return Ok(judgement);
        }
        let quarantine = &self.member.quarantine;
        let (admission, change) = quarantine.admit(client, Instant::now);
        self.log_change(change, call);
        match admission {
            Admission::Free | Admission::Trial => {}
            Admission::Quarantined => return Err(Unavailable::Quarantined),
            Admission::Held => return Err(Unavailable::Held),
        }
        let answer = self.ask_for(client, admission, call, notes).await;
        let ended = answer.as_ref().ok().and_then(|answer| answer.ended);
        let ended = ended.unwrap_or_else(Instant::now);
        let answer = match answer {
            Ok(answer) if admission == Admission::Free => {
                self.calls.count(client, false, ended);
                return Ok(self.remember(call, answer.answered));
            }
            answer => answer,
        };
        let end = match &answer {
            Ok(_) => End::Good,
            Err(failure) if failure.is_overload() => End::Overloaded,
            Err(failure) => End::Failed(ErrorChain(failure).to_string()),
        };
        let change = quarantine.ended(admission, client, end, &self.calls, ended);
        // What trips the breaker is in the line about that.
        let is_told = matches!(change, Some(Change::Tripped(_)));
        if let (Err(failure), false) = (&answer, is_told) {
            self.log_failure(failure, call);
        }
        self.log_change(change, call);
        match answer {
            Ok(answer) => Ok(self.remember(call, answer.answered)),
            Err(failure) if failure.is_overload() => Err(Unavailable::Overloaded),
            Err(_) => Err(Unavailable::Failed),
        }
    }

    /// Calls the filter for a client that may leave meanwhile.
    async fn ask_for(
        &self,
        client: ClientKey,
        admission: Admission,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<CallAnswer, Failure> {
        let _permit = match self.permits.try_acquire() {
            Some(permit) => permit,
            None => self.acquire(client).await?,
        };
        let unfinished = Unfinished {
            filter: self,
            client,
            admission,
            call,
        };
        let filter = &self.member.filter;
        let answer = self.instances.call(filter, client, call, notes).await;
        std::mem::forget(unfinished);
        answer
    }

    /// Calls the filter, whatever it has said or failed at before. `notes` are what it has noted
    /// about the exchange.
    pub(crate) async fn ask(
        &self,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<FilterAnswer, Failure> {
        let client = ClientKey::of(call.flow().client.address);
        let _permit = match self.permits.try_acquire() {
            Some(permit) => permit,
            None => self.acquire(client).await?,
        };
        let filter = &self.member.filter;
        let answer = self.instances.call(filter, client, call, notes).await?;
        Ok(answer.answered.into())
    }

    /// The linear memories of the instances that are idle, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.instances.memory()
    }

    /// Waits for a permit where none is free.
    async fn acquire(&self, client: ClientKey) -> Result<FairPermit<'_>, Failure> {
        let wall = self.member.filter.settings.limits.wall;
        let permit = timeout(wall, self.permits.acquire(client)).await;
        permit.map_err(|_| Failure::Busy(wall))
    }

    /// What the filter has said to the same question, if it may be used again in an exchange about
    /// which it has noted `notes`.
    fn cached(&self, call: HookCall<'_>, notes: Option<&Notes>) -> Option<(Judgement, Instant)> {
        let HookCall::Host(flow) = call else {
            return None;
        };
        let mut verdicts = self.verdicts.try_borrow_mut().ok()?;
        let found = verdicts.get(flow, self.member.filter.feeds_generation());
        // Where there is no room for what it has noted then, it may say something else.
        found.filter(|(judgement, _)| {
            let mut newer = judgement.notes().iter();
            notes.is_none_or(|before| newer.all(|(_, newer)| before.fit(newer)))
        })
    }

    fn remember(&self, call: HookCall<'_>, answered: Answered) -> Judgement {
        let Answered::Said(answer) = answered else {
            return Judgement::PASS;
        };
        let policy = answer.cache;
        let judgement = self.judgement(*answer);
        if let (HookCall::Host(flow), Some(policy)) = (call, policy) {
            self.verdicts.borrow_mut().insert(flow, policy, &judgement);
        }
        judgement
    }

    fn judgement(&self, answer: FilterAnswer) -> Judgement {
        let name = &self.member.filter.name;
        let verdict = answer.verdict.unasked();
        let says_more = answer.headers.is_some()
            || answer.notes.is_some()
            || answer.additions != Additions::NONE;
        let besides = says_more.then(|| {
            let noted = answer.notes.into_iter();
            Box::new(Besides {
                additions: answer.additions,
                notes: noted.map(|notes| (name.clone(), notes)).collect(),
                headers: answer.headers,
                ..Besides::default()
            })
        });
        Judgement {
            filter: (verdict != Verdict::Next).then(|| name.clone()),
            verdict,
            matched: answer.matched,
            failed: false,
            besides,
        }
    }

    /// What happens to a request that the filter does not judge.
    fn unjudged(&self, why: Unavailable) -> Judgement {
        let filter = &self.member.filter;
        let name = &filter.name;
        let on_error = filter.settings.on_error;
        match why {
            Unavailable::Failed => {
                let reason = format!("the filter {name} could not judge this request");
                unjudged(name, on_error, reason)
            }
            Unavailable::Quarantined => {
                let reason = format!("the filter {name} has failed too often and is in quarantine");
                unjudged(name, on_error, reason)
            }
            // Otherwise a client could have its own requests passed.
            Unavailable::Held => {
                let reason = format!("requests of this client make the filter {name} fail");
                unjudged(name, OnError::Block, reason)
            }
            Unavailable::Overloaded => {
                let reason = format!("the filter {name} is overloaded; try again");
                unjudged(name, OnError::Block, reason)
            }
        }
    }

    fn log_change(&self, change: Option<Change>, call: HookCall<'_>) {
        let name = &*self.member.filter.name;
        match change {
            None => {}
            Some(Change::Tripped(tripped)) => self.log_quarantine(&tripped),
            Some(Change::Recovered) => tracing::info!(
                filter = name,
                "back from quarantine: the filter is asked again"
            ),
            Some(Change::Held { pause }) => tracing::warn!(
                filter = name,
                client = call.flow().client.address.map(tracing::field::display),
                ?pause,
                consequence = if self.member.is_shadow() {
                    self.consequence()
                } else {
                    "its requests are refused with 503 meanwhile, and no others"
                },
                "requests of one client make the filter fail, or are left while it runs"
            ),
        }
    }

    fn log_failure(&self, failure: &Failure, call: HookCall<'_>) {
        let error = ErrorChain(failure).to_string();
        let Some(suppressed) = self.failures.admit(call.hook(), failure, &error) else {
            return;
        };
        let flow = call.flow();
        tracing::warn!(
            filter = &*self.member.filter.name,
            hook = call.hook().name(),
            exchange = flow.exchange,
            host = flow.target.host(),
            client = flow.client.address.map(tracing::field::display),
            error,
            consequence = if call.hook() == Hook::Ended {
                "the filter does not know of the end of this exchange"
            } else if failure.is_overload() && !self.member.is_shadow() {
                "this request is refused with 503"
            } else {
                self.consequence()
            },
            suppressed,
            "a filter could not judge"
        );
    }

    fn log_quarantine(&self, tripped: &Tripped) {
        tracing::error!(
            filter = &*self.member.filter.name,
            failures = tripped.failures,
            calls = tripped.calls,
            error = tripped.error,
            clients = clients(tripped),
            pause = ?tripped.pause,
            consequence = self.consequence(),
            "in quarantine: the filter fails too often and is tried again after a pause. Mend it: a changed file is used at once"
        );
    }

    fn consequence(&self) -> &'static str {
        let settings = &self.member.filter.settings;
        match settings.on_error {
            _ if self.member.is_shadow() => "none, as it runs in shadow mode",
            OnError::Block => "requests are refused with 503 (on_error = 'block')",
            OnError::Skip => "the next filter is asked (on_error = 'skip')",
        }
    }

    /// Has an instance ready, if one can be made, so that what follows is the time of the call
    /// alone.
    pub(crate) async fn warm_up(&self) {
        self.instances.warm_up(&self.member.filter).await;
    }

    pub(super) async fn trace(&self, call: HookCall<'_>, notes: Option<&Notes>) -> TraceEntry {
        self.warm_up().await;
        let start = Instant::now();
        let answer = self.ask(call, notes).await;
        let time = start.elapsed();
        let failure = answer.as_ref().err();
        TraceEntry {
            filter: self.member.filter.name.clone(),
            hook: call.hook(),
            is_shadow: self.member.is_shadow(),
            failure: failure.map(|failure| ErrorChain(failure).to_string()),
            judgement: match answer {
                Ok(answer) => self.judgement(answer),
                Err(_) => self.unjudged(Unavailable::Failed),
            },
            time,
        }
    }
}

/// For which clients the filter is not asked.
fn clients(tripped: &Tripped) -> &'static str {
    if tripped.is_of_one {
        "the only one that has asked"
    } else {
        "all"
    }
}

/// A call that runs. If this is dropped, its client has left, and the instance is lost.
struct Unfinished<'a> {
    filter: &'a LocalFilter,
    client: ClientKey,
    admission: Admission,
    call: HookCall<'a>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let Self {
            filter,
            client,
            admission,
            call,
        } = *self;
        let quarantine = &filter.member.quarantine;
        let now = Instant::now();
        let change = quarantine.ended(admission, client, End::Abandoned, &filter.calls, now);
        filter.log_change(change, call);
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
    pub(super) fn missing(missing: &Missing, hook: Hook) -> Self {
        Self {
            filter: missing.name.clone(),
            hook,
            is_shadow: false,
            judgement: missing.judge(),
            failure: Some(missing.reason.to_string()),
            time: Duration::ZERO,
        }
    }
}
