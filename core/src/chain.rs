//! The ordered filters and their one verdict. Client protocols ask a [`LocalChain`]; `plugins` publishes each new [`Chain`].

mod local;
mod member;
mod quarantine;
mod shadow;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::local::LocalFilter;
pub(crate) use self::member::{Member, ShadowTally};
pub(crate) use self::quarantine::Held;
pub(crate) use self::shadow::{Observer, observer};
use crate::flow::{Flow, RequestHead};
use crate::verdict::{Judgement, Verdict};

/// One generation of filters, in the order in which they are asked. Immutable; a request sees one generation only.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    members: Box<[Arc<Member>]>,
}

impl Chain {
    pub(crate) fn new(members: impl IntoIterator<Item = Arc<Member>>) -> Self {
        Self {
            members: members.into_iter().collect(),
        }
    }

    /// The filters, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.iter()
    }
}

/// A worker's view of a chain: the same filters, with instances of the worker's own. Requests hold it in an `Rc`, so that an
/// old generation lives until its last request is over.
#[derive(Debug)]
pub(crate) struct LocalChain {
    filters: Box<[Rc<LocalFilter>]>,
    judges_requests: bool,
    /// Without one, shadow filters are not asked.
    observer: Option<Observer>,
}

/// A hook, with what it is asked about.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
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
    /// The hook alone.
    pub(crate) fn hook(&self) -> Hook {
        match self {
            Self::Host(_) => Hook::JudgeHost,
            Self::Request(..) => Hook::JudgeRequest,
        }
    }
}

impl LocalChain {
    /// Takes up a new generation; filters that stay keep their instances. What shadow filters are to be asked goes to `observer`.
    pub(crate) fn adopt(
        chain: &Chain,
        previous: Option<&Self>,
        observer: Option<Observer>,
    ) -> Self {
        let known = |member: &Arc<Member>| {
            previous?
                .filters
                .iter()
                .find(|local| Arc::ptr_eq(local.member(), member))
                .cloned()
        };
        let filters: Box<[_]> = chain
            .members
            .iter()
            .map(|member| {
                known(member).unwrap_or_else(|| Rc::new(LocalFilter::new(member.clone())))
            })
            .collect();
        let judges_requests = filters
            .iter()
            .any(|local| local.member().filter.hooks.judges_requests());
        Self {
            filters,
            judges_requests,
            observer,
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
        let mut skipped = Vec::new();
        for local in &self.filters {
            if !local.answers(question) {
                continue;
            }
            if local.member().is_shadow() {
                if let Some(observer) = &self.observer {
                    observer.note(local, question);
                }
                continue;
            }
            let mut judgement = local.judge(question).await;
            skipped.append(&mut judgement.skipped);
            if judgement.verdict != Verdict::Next {
                judgement.skipped = skipped;
                return judgement;
            }
        }
        Judgement {
            skipped,
            ..Judgement::PASS
        }
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
    /// Its judgement changes nothing.
    pub(crate) is_shadow: bool,
    pub(crate) judgement: Judgement,
    /// Why the filter could not judge.
    pub(crate) failure: Option<String>,
    /// Time spent in the filter, without starting an instance.
    pub(crate) time: Duration,
}
