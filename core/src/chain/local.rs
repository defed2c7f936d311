//! A filter on one worker: its idle instances, how many calls it may have at a time, and what its failures lead to.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::member::Member;
use super::quarantine::{Admission, Calls, Held};
use super::verdicts::Verdicts;
use super::{Question, Step};
use crate::config::OnError;
use crate::error::Causes;
use crate::filter::{Failure, Instance, Opinion};
use crate::verdict::{Judgement, Verdict};

/// Time between two reports of one filter that fails in the same way.
const REPORT: Duration = Duration::from_secs(1);

/// So many reports of one filter in that time: what it says may come from its traffic.
const REPORTS: usize = 8;

/// A filter and the worker's idle instances of it.
#[derive(Debug)]
pub(crate) struct LocalFilter {
    member: Arc<Member>,
    idle: RefCell<Vec<Instance>>,
    /// Those that the filter lets the proxy use again.
    verdicts: RefCell<Verdicts>,
    /// A guest that computes gives way to other requests at every tick, so those that compute at the same time add up.
    places: Semaphore,
    /// Since the last failure.
    calls: Cell<u64>,
    last_failure: Cell<Option<Clock>>,
    reports: Reports,
}

/// Why there is no opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unable {
    Failed,
    /// It was not asked.
    Held,
}

impl LocalFilter {
    /// Without an instance yet.
    pub(crate) fn new(member: Arc<Member>) -> Self {
        Self {
            idle: RefCell::default(),
            verdicts: RefCell::new(Verdicts::new(member.filter.settings.limits.verdict_cache)),
            places: Semaphore::new(member.filter.settings.limits.concurrency),
            calls: Cell::new(0),
            last_failure: Cell::new(None),
            reports: Reports::default(),
            member,
        }
    }

    pub(super) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Whether the filter has that hook.
    pub(crate) fn answers(&self, question: Question<'_>) -> bool {
        let hooks = &self.member.filter.hooks;
        match question {
            Question::Host(_) => hooks.judges_hosts(),
            Question::Request(..) => hooks.judges_requests(),
            Question::Response(..) => hooks.judges_responses(),
        }
    }

    /// Asks the filter for a request that waits for the answer.
    pub(super) async fn judge(&self, question: Question<'_>) -> Judgement {
        match self.opinion(question).await {
            Ok(judgement) => judgement,
            Err(_) => self.without_opinion(),
        }
    }

    /// What the filter says, unless it fails or is in quarantine.
    pub(crate) async fn opinion(&self, question: Question<'_>) -> Result<Judgement, Unable> {
        if let Some(judgement) = self.known(question) {
            return Ok(judgement);
        }
        let limits = &self.member.filter.settings.limits;
        // A place, an instance, its `init`, the call.
        let patience = 2 * (limits.start_wall + limits.wall);
        let admission = self.member.quarantine.admit(Clock::now, patience);
        if admission == Admission::Held {
            return Err(Unable::Held);
        }
        self.calls.set(self.calls.get() + 1);
        match self.ask(question).await {
            Ok(opinion) => {
                if admission == Admission::Trial {
                    self.recovered();
                }
                Ok(self.remember(question, opinion))
            }
            Err(failure) => {
                self.failed(admission, &failure);
                Err(Unable::Failed)
            }
        }
    }

    /// Asks an idle instance or a new one; it is used again only if it gave an answer.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Opinion, Failure> {
        let _place = self.place().await?;
        // The guard must end before the first await: another request may want an instance meanwhile.
        let idle = self.idle.borrow_mut().pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => Instance::start(&self.member.filter).await?,
        };
        let opinion = match question {
            Question::Host(flow) => instance.judge_host(flow).await?,
            Question::Request(flow, head) => instance.judge_request(flow, head).await?,
            Question::Response(flow, request, head) => {
                instance.judge_response(flow, request, head).await?
            }
        };
        if !instance.is_worn() {
            self.idle.borrow_mut().push(instance);
        }
        Ok(opinion)
    }

    /// The linear memories of the instances that are idle, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.idle.borrow().iter().map(Instance::memory).sum()
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let wall = self.member.filter.settings.limits.wall;
        match timeout(wall, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Failure::Busy(wall)),
        }
    }

    /// What the filter has said to the same question, if it may be used again.
    fn known(&self, question: Question<'_>) -> Option<Judgement> {
        let Question::Host(flow) = question else {
            return None;
        };
        let mut verdicts = self.verdicts.try_borrow_mut().ok()?;
        verdicts.find(flow, self.member.filter.feeds_generation())
    }

    fn remember(&self, question: Question<'_>, opinion: Opinion) -> Judgement {
        let kept = opinion.kept;
        let judgement = self.judgement(opinion);
        if let (Question::Host(flow), Some(kept)) = (question, kept) {
            self.verdicts.borrow_mut().keep(flow, kept, &judgement);
        }
        judgement
    }

    fn judgement(&self, opinion: Opinion) -> Judgement {
        let name = &self.member.filter.name;
        Judgement {
            filter: (opinion.verdict != Verdict::Next).then(|| name.clone()),
            verdict: opinion.verdict,
            matched: opinion.matched,
            headers: opinion.headers,
            ..Judgement::PASS
        }
    }

    /// What happens to a request that the filter cannot judge: the only place that decides it.
    fn without_opinion(&self) -> Judgement {
        let name = &self.member.filter.name;
        match self.member.filter.settings.on_error {
            OnError::Skip => Judgement {
                skipped: vec![name.clone()],
                ..Judgement::PASS
            },
            OnError::Block => {
                let reason = if self.member.quarantine.is_held() {
                    format!("the filter {name} has failed too often and is in quarantine")
                } else {
                    format!("the filter {name} could not judge this request")
                };
                Judgement {
                    verdict: Verdict::Block {
                        status: StatusCode::SERVICE_UNAVAILABLE,
                        reason,
                    },
                    filter: Some(name.clone()),
                    failed: true,
                    ..Judgement::PASS
                }
            }
        }
    }

    fn failed(&self, admission: Admission, failure: &Failure) {
        let now = Clock::now();
        let calls = Calls {
            number: self.calls.take(),
            last_failure: self.last_failure.replace(Some(now)),
        };
        let error = || Causes(failure).to_string();
        let held = self.member.quarantine.failed(admission, calls, now, error);
        match held {
            Some(held) => self.report_quarantine(&held),
            None => self.reports.write(self, failure),
        }
    }

    fn recovered(&self) {
        self.member.quarantine.recovered(Clock::now());
        tracing::info!(
            filter = &*self.member.filter.name,
            "back from quarantine: the filter is asked again"
        );
    }

    fn report_quarantine(&self, held: &Held) {
        tracing::error!(
            filter = &*self.member.filter.name,
            failures = held.failures,
            calls = held.calls,
            error = held.error,
            pause = ?held.pause,
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

    /// Has an instance ready, if one can be made: what follows is the time of the call alone.
    pub(crate) async fn warm_up(&self) {
        if self.idle.borrow().is_empty()
            && let Ok(instance) = Instance::start(&self.member.filter).await
        {
            self.idle.borrow_mut().push(instance);
        }
    }

    pub(super) async fn step(&self, question: Question<'_>) -> Step {
        self.warm_up().await;
        let start = Clock::now();
        let answer = self.ask(question).await;
        let time = start.elapsed();
        let failure = answer.as_ref().err();
        Step {
            filter: self.member.filter.name.clone(),
            hook: question.hook(),
            is_shadow: self.member.is_shadow(),
            failure: failure.map(|failure| Causes(failure).to_string()),
            judgement: answer.map_or_else(
                |_| self.without_opinion(),
                |opinion| self.judgement(opinion),
            ),
            time,
        }
    }
}

/// A filter that fails at every request must not fill the log: each worker writes one line of each failure in a while, and few in all.
#[derive(Debug, Default)]
struct Reports {
    told: RefCell<Vec<(String, Clock)>>,
    untold: Cell<u64>,
}

impl Reports {
    fn write(&self, filter: &LocalFilter, failure: &Failure) {
        let error = Causes(failure).to_string();
        let mut told = self.told.borrow_mut();
        told.retain(|(_, at)| at.elapsed() < REPORT);
        if told.len() >= REPORTS || told.iter().any(|(before, _)| *before == error) {
            self.untold.set(self.untold.get() + 1);
            return;
        }
        told.push((error.clone(), Clock::now()));
        drop(told);
        tracing::warn!(
            filter = &*filter.member.filter.name,
            error,
            consequence = filter.consequence(),
            failures_not_told = self.untold.take(),
            "a filter could not judge"
        );
    }
}
