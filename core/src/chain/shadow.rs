//! Filters in shadow mode: asked about live traffic after the fact, one question at a time, so that neither their verdicts nor their time nor
//! their failures touch a request.

use std::rc::Rc;

use http::{HeaderMap, Method};
use tokio::sync::mpsc;
use tracing::{Instrument, Span};

use super::Question;
use super::local::{LocalFilter, Unable};
use crate::flow::{Flow, Protocol, RequestHead};
use crate::target::Target;
use crate::verdict::{Judgement, Verdict};

/// Questions that may wait. A filter that falls further behind is not asked all of them.
const WAITING: usize = 256;

/// Where a worker's chain leaves what shadow filters are to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Observer(mpsc::Sender<Observation>);

/// The other end, which asks.
#[derive(Debug)]
pub(crate) struct Observations(mpsc::Receiver<Observation>);

/// An observer, and what must be kept running for it.
pub(crate) fn observer() -> (Observer, Observations) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Observer(sender), Observations(receiver))
}

/// A question that has outlived its request.
#[derive(Debug)]
struct Observation {
    filter: Rc<LocalFilter>,
    target: Target,
    protocol: Protocol,
    head: Option<(Method, String, HeaderMap)>,
    exchange: Span,
}

impl Observer {
    /// Has `filter` asked later.
    pub(super) fn note(&self, filter: &Rc<LocalFilter>, question: Question<'_>) {
        let Ok(place) = self.0.try_reserve() else {
            filter.member().shadow.not_asked();
            return;
        };
        let (flow, head) = match question {
            Question::Host(flow) => (flow, None),
            Question::Request(flow, head) => (flow, Some(head)),
        };
        place.send(Observation {
            filter: filter.clone(),
            target: flow.target.clone(),
            protocol: flow.protocol,
            head: head.map(|head| {
                let reads_headers = filter.member().filter.hooks.reads_headers();
                let headers = reads_headers.then(|| head.headers.clone());
                let headers = headers.unwrap_or_default();
                (head.method.clone(), head.url.to_owned(), headers)
            }),
            exchange: Span::current(),
        });
    }
}

impl Observations {
    /// Asks, as long as there is a chain that questions come from.
    pub(crate) async fn run(mut self) {
        while let Some(observation) = self.0.recv().await {
            let exchange = observation.exchange.clone();
            observation.ask().instrument(exchange).await;
        }
    }
}

impl Observation {
    async fn ask(self) {
        let flow = Flow {
            target: &self.target,
            protocol: self.protocol,
        };
        let head = self
            .head
            .as_ref()
            .map(|(method, url, headers)| RequestHead {
                method,
                url,
                headers,
            });
        let question = match &head {
            None => Question::Host(&flow),
            Some(head) => Question::Request(&flow, head),
        };
        let counts = &self.filter.member().shadow;
        match self.filter.opinion(question).await {
            Ok(judgement) => {
                counts.judged(&judgement.verdict);
                if judgement.verdict != Verdict::Next {
                    report(&self.filter, question, &judgement);
                }
            }
            Err(Unable::Failed) => counts.failed(),
            Err(Unable::Held) => counts.not_asked(),
        }
    }
}

/// What would have happened to the exchange whose span this runs in.
fn report(filter: &LocalFilter, question: Question<'_>, judgement: &Judgement) {
    let (status, reason) = match &judgement.verdict {
        Verdict::Next | Verdict::Allow => (None, None),
        Verdict::Block { status, reason } => (Some(status.as_u16()), Some(reason)),
        Verdict::Redirect { status, location } => (Some(status.as_u16()), Some(location)),
    };
    let matched = judgement.matched.as_ref();
    tracing::info!(
        target: "shadow",
        filter = &*filter.member().filter.name,
        hook = question.hook().name(),
        verdict = judgement.verdict.name(),
        status,
        reason,
        feed = matched.map(|matched| &*matched.feed),
        rule = matched.map(|matched| &*matched.rule),
        "this filter would have decided"
    );
}
