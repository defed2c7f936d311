//! The ordered filters and their one verdict. Client protocols ask a [`LocalChain`]; `plugins` publishes each new [`Chain`].

mod local;
mod member;
mod quarantine;
mod shadow;
mod verdicts;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

pub(crate) use self::local::LocalFilter;
pub(crate) use self::member::{Member, ShadowTally};
pub(crate) use self::quarantine::Held;
pub(crate) use self::shadow::{Observer, observer};
use crate::filter::Hooks;
use crate::flow::{Flow, RequestHead, ResponseHead};
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
    judges_responses: bool,
    /// Whether that may be about the request's fields, too.
    recalls_requests: bool,
    /// Without one, shadow filters are not asked.
    observer: Option<Observer>,
}

/// A hook, with what it is asked about.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    Host(&'a Flow<'a>),
    Request(&'a Flow<'a>, RequestHead<'a>),
    Response(&'a Flow<'a>, RequestHead<'a>, ResponseHead<'a>),
}

/// What a hook is about, with the header fields that filters may change.
enum Message<'a> {
    Host,
    Request(&'a Method, &'a str, &'a mut HeaderMap),
    Response(RequestHead<'a>, StatusCode, &'a mut HeaderMap),
}

impl Message<'_> {
    fn question<'a>(&'a self, flow: &'a Flow<'a>) -> Question<'a> {
        match self {
            Self::Host => Question::Host(flow),
            Self::Request(method, url, headers) => Question::Request(
                flow,
                RequestHead {
                    method,
                    url,
                    headers,
                },
            ),
            Self::Response(request, status, headers) => {
                let status = *status;
                Question::Response(flow, *request, ResponseHead { status, headers })
            }
        }
    }

    /// From here on the message has these fields.
    fn change(&mut self, changed: HeaderMap) {
        match self {
            Self::Host => {}
            Self::Request(_, _, headers) | Self::Response(_, _, headers) => **headers = changed,
        }
    }
}

/// What a filter can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Host,
    Request,
    Response,
}

impl Hook {
    /// Its name in the contract.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Host => "judge-host",
            Self::Request => "judge-request",
            Self::Response => "judge-response",
        }
    }
}

impl Question<'_> {
    /// The hook alone.
    pub(crate) fn hook(&self) -> Hook {
        match self {
            Self::Host(_) => Hook::Host,
            Self::Request(..) => Hook::Request,
            Self::Response(..) => Hook::Response,
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
        let has = |hook: fn(&Hooks) -> bool| {
            let mut filters = filters.iter();
            filters.any(|local| hook(&local.member().filter.hooks))
        };
        Self {
            judges_requests: has(Hooks::judges_requests),
            judges_responses: has(Hooks::judges_responses),
            recalls_requests: has(|hooks| hooks.judges_responses() && hooks.uses_request_headers()),
            filters,
            observer,
        }
    }

    /// Whether any filter judges requests: if not, nobody needs their URL.
    pub(crate) fn judges_requests(&self) -> bool {
        self.judges_requests
    }

    /// Whether any filter judges responses: if not, nobody needs to remember the request.
    pub(crate) fn judges_responses(&self) -> bool {
        self.judges_responses
    }

    /// Whether any filter that judges responses may ask for the request's fields.
    pub(crate) fn recalls_requests(&self) -> bool {
        self.recalls_requests
    }

    /// Asks every filter that judges hosts, in order, until one decides.
    pub(crate) async fn judge_host(&self, flow: &Flow<'_>) -> Judgement {
        self.judge(flow, Message::Host).await
    }

    /// Asks every filter that judges requests, in order, until one decides. Each sees the fields as those before it left them.
    pub(crate) async fn judge_request(
        &self,
        flow: &Flow<'_>,
        method: &Method,
        url: &str,
        headers: &mut HeaderMap,
    ) -> Judgement {
        self.judge(flow, Message::Request(method, url, headers))
            .await
    }

    /// Asks every filter that judges responses, in order, until one decides. Each sees the fields as those before it left them.
    pub(crate) async fn judge_response(
        &self,
        flow: &Flow<'_>,
        request: RequestHead<'_>,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Judgement {
        self.judge(flow, Message::Response(request, status, headers))
            .await
    }

    async fn judge(&self, flow: &Flow<'_>, mut message: Message<'_>) -> Judgement {
        let (mut skipped, mut edited) = (Vec::new(), Vec::new());
        for local in &self.filters {
            let question = message.question(flow);
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
            if let Some(headers) = judgement.headers.take() {
                message.change(*headers);
                edited.push(local.member().filter.name.clone());
            }
            if judgement.verdict != Verdict::Next {
                return Judgement {
                    skipped,
                    edited,
                    ..judgement
                };
            }
        }
        Judgement {
            skipped,
            edited,
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
            head.map(|head| Question::Request(flow, *head)),
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
