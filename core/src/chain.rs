//! The ordered filters and their one verdict. What a failed filter means for a request is decided here and nowhere else.
//! Client protocols ask a [`LocalChain`]; `plugins` publishes each new [`Chain`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use http::StatusCode;

use crate::config::OnError;
use crate::error::Causes;
use crate::filter::{Failure, Filter, Instance, Opinion};
use crate::flow::{Flow, RequestHead};
use crate::verdict::{Judgement, Verdict};

/// Idle instances that a worker keeps of one filter. More are made when guests are slow and requests many.
const IDLE_INSTANCES: usize = 32;

/// Time between two reports of failures of one filter.
const REPORT: Duration = Duration::from_secs(1);

/// One generation of filters, in the order in which they are asked. Immutable; a request sees one generation only.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    filters: Box<[Arc<Filter>]>,
}

impl Chain {
    pub(crate) fn new(filters: impl IntoIterator<Item = Arc<Filter>>) -> Self {
        Self {
            filters: filters.into_iter().collect(),
        }
    }

    /// The filters' names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.filters.iter().map(|filter| &filter.name)
    }
}

/// A worker's view of a chain: the same filters, with instances of the worker's own. Requests hold it in an `Rc`, so that an
/// old generation lives until its last request is over.
#[derive(Debug)]
pub(crate) struct LocalChain {
    filters: Box<[Rc<LocalFilter>]>,
    judges_requests: bool,
}

/// A filter and the worker's idle instances of it.
#[derive(Debug)]
struct LocalFilter {
    filter: Arc<Filter>,
    idle: RefCell<Vec<Instance>>,
    reports: Reports,
}

/// A hook, with what it is asked about.
#[derive(Clone, Copy)]
enum Question<'a> {
    Host(&'a Flow<'a>),
    Request(&'a Flow<'a>, &'a RequestHead<'a>),
}

/// What a filter can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    JudgeHost,
    JudgeRequest,
}

impl Hook {
    /// Its name in the contract.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::JudgeHost => "judge-host",
            Self::JudgeRequest => "judge-request",
        }
    }
}

impl Question<'_> {
    fn hook(&self) -> Hook {
        match self {
            Self::Host(_) => Hook::JudgeHost,
            Self::Request(..) => Hook::JudgeRequest,
        }
    }
}

impl LocalChain {
    /// Takes up a new generation; filters that stay keep their instances.
    pub(crate) fn adopt(chain: &Chain, previous: Option<&Self>) -> Self {
        let known = |filter: &Arc<Filter>| {
            previous?
                .filters
                .iter()
                .find(|local| Arc::ptr_eq(&local.filter, filter))
                .cloned()
        };
        let filters: Box<[_]> = chain
            .filters
            .iter()
            .map(|filter| {
                known(filter).unwrap_or_else(|| Rc::new(LocalFilter::new(filter.clone())))
            })
            .collect();
        let judges_requests = filters
            .iter()
            .any(|local| local.filter.hooks.judges_requests());
        Self {
            filters,
            judges_requests,
        }
    }

    /// Whether any filter judges requests: if not, nobody needs their URL.
    pub(crate) fn judges_requests(&self) -> bool {
        self.judges_requests
    }

    /// Asks every filter that judges hosts, in order, until one decides.
    pub(crate) async fn judge_host(&self, flow: &Flow<'_>) -> Judgement {
        self.judge(Question::Host(flow)).await
    }

    /// Asks every filter that judges requests, in order, until one decides.
    pub(crate) async fn judge_request(&self, flow: &Flow<'_>, head: &RequestHead<'_>) -> Judgement {
        self.judge(Question::Request(flow, head)).await
    }

    async fn judge(&self, question: Question<'_>) -> Judgement {
        for local in &self.filters {
            if !local.answers(question) {
                continue;
            }
            let judgement = local.judgement(local.ask(question).await);
            if judgement.verdict != Verdict::Next {
                return judgement;
            }
        }
        Judgement::PASS
    }

    /// Asks every filter, also those behind the one that decides, and says what each answered and how long it took.
    pub(crate) async fn explain(
        &self,
        flow: &Flow<'_>,
        head: Option<&RequestHead<'_>>,
    ) -> Vec<Step> {
        let questions = [
            Some(Question::Host(flow)),
            head.map(|head| Question::Request(flow, head)),
        ];
        let mut steps = Vec::new();
        for question in questions.into_iter().flatten() {
            for local in self.filters.iter().filter(|local| local.answers(question)) {
                steps.push(local.step(question).await);
            }
        }
        steps
    }
}

/// What one filter answered to one question.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) filter: Arc<str>,
    pub(crate) hook: Hook,
    pub(crate) judgement: Judgement,
    /// Why the filter could not judge.
    pub(crate) failure: Option<String>,
    /// Time spent in the filter, without starting an instance.
    pub(crate) time: Duration,
}

impl LocalFilter {
    fn new(filter: Arc<Filter>) -> Self {
        Self {
            filter,
            idle: RefCell::default(),
            reports: Reports::default(),
        }
    }

    fn answers(&self, question: Question<'_>) -> bool {
        match question {
            Question::Host(_) => self.filter.hooks.judges_hosts(),
            Question::Request(..) => self.filter.hooks.judges_requests(),
        }
    }

    /// Asks an idle instance or a new one; it is used again only if it gave an answer.
    async fn ask(&self, question: Question<'_>) -> Result<Opinion, Failure> {
        // The guard must end before the first await: another request may want an instance meanwhile.
        let idle = self.idle.borrow_mut().pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => Instance::start(&self.filter).await?,
        };
        let opinion = match question {
            Question::Host(flow) => instance.judge_host(flow).await?,
            Question::Request(flow, head) => instance.judge_request(flow, head).await?,
        };
        let mut idle = self.idle.borrow_mut();
        if idle.len() < IDLE_INSTANCES {
            idle.push(instance);
        }
        Ok(opinion)
    }

    fn judgement(&self, answer: Result<Opinion, Failure>) -> Judgement {
        let name = &self.filter.name;
        match answer {
            Ok(opinion) => Judgement {
                filter: (opinion.verdict != Verdict::Next).then(|| name.clone()),
                verdict: opinion.verdict,
                matched: opinion.matched,
                failed: false,
            },
            Err(failure) => {
                let on_error = self.filter.settings.on_error;
                self.reports.write(name, on_error, &failure);
                match on_error {
                    OnError::Skip => Judgement::PASS,
                    OnError::Block => Judgement {
                        verdict: Verdict::Block {
                            status: StatusCode::SERVICE_UNAVAILABLE,
                            reason: format!("the filter {name} could not judge this request"),
                        },
                        filter: Some(name.clone()),
                        matched: None,
                        failed: true,
                    },
                }
            }
        }
    }

    async fn step(&self, question: Question<'_>) -> Step {
        if self.idle.borrow().is_empty()
            && let Ok(instance) = Instance::start(&self.filter).await
        {
            self.idle.borrow_mut().push(instance);
        }
        let start = Clock::now();
        let answer = self.ask(question).await;
        let time = start.elapsed();
        Step {
            filter: self.filter.name.clone(),
            hook: question.hook(),
            failure: answer
                .as_ref()
                .err()
                .map(|failure| Causes(failure).to_string()),
            judgement: self.judgement(answer),
            time,
        }
    }
}

/// A filter that fails at every request must not fill the log: each worker writes one line in a while.
#[derive(Debug, Default)]
struct Reports {
    last: Cell<Option<Clock>>,
    untold: Cell<u64>,
}

impl Reports {
    fn write(&self, filter: &str, on_error: OnError, failure: &Failure) {
        if self.last.get().is_some_and(|last| last.elapsed() < REPORT) {
            self.untold.set(self.untold.get() + 1);
            return;
        }
        self.last.set(Some(Clock::now()));
        let consequence = match on_error {
            OnError::Block => "the request is refused with 503 (on_error = \"block\")",
            OnError::Skip => "the next filter is asked (on_error = \"skip\")",
        };
        tracing::warn!(
            filter,
            error = %Causes(failure),
            consequence,
            failures_not_told = self.untold.take(),
            "a filter could not judge"
        );
    }
}
