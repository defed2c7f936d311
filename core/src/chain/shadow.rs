//! Filters in shadow mode: asked about live traffic after the fact, one question at a time, so that neither their verdicts nor their time nor
//! their failures touch a request.

use std::net::IpAddr;
use std::rc::Rc;

use http::{HeaderMap, Method, StatusCode};
use tokio::sync::mpsc;
use tracing::{Instrument, Span};

use super::Question;
use super::local::{LocalFilter, Unable};
use crate::flow::{Flow, Protocol, RequestHead, ResponseHead};
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
    client: Option<IpAddr>,
    request: Option<(Method, String, HeaderMap)>,
    response: Option<(StatusCode, HeaderMap)>,
    exchange: Span,
}

impl Observer {
    /// Has `filter` asked later.
    pub(super) fn note(&self, filter: &Rc<LocalFilter>, question: Question<'_>) {
        let Ok(place) = self.0.try_reserve() else {
            filter.member().shadow.not_asked();
            return;
        };
        let (flow, request, response) = match question {
            Question::Host(flow) => (flow, None, None),
            Question::Request(flow, request) => (flow, Some(request), None),
            Question::Response(flow, request, response) => (flow, Some(request), Some(response)),
        };
        let hooks = &filter.member().filter.hooks;
        let needed = |is_needed, headers: &HeaderMap| {
            let headers = Some(headers).filter(|_| is_needed);
            headers.cloned().unwrap_or_default()
        };
        place.send(Observation {
            filter: filter.clone(),
            target: flow.target.clone(),
            protocol: flow.protocol,
            client: flow.client,
            request: request.map(|head| {
                let headers = needed(hooks.uses_request_headers(), head.headers);
                (head.method.clone(), head.url.to_owned(), headers)
            }),
            response: response.map(|head| {
                let headers = needed(hooks.uses_response_headers(), head.headers);
                (head.status, headers)
            }),
            exchange: Span::current(),
        });
    }
}

impl Observations {
    /// Asks, as long as there is a chain that questions come from.
    pub(crate) async fn run(&mut self) {
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
            client: self.client,
        };
        let question = self.question(&flow);
        let counts = &self.filter.member().shadow;
        match self.filter.opinion(question).await {
            Ok(judgement) => {
                counts.judged(&judgement);
                if judgement.verdict != Verdict::Next || judgement.headers.is_some() {
                    report(&self.filter, question, &judgement);
                }
            }
            Err(Unable::Failed) => counts.failed(),
            Err(Unable::Held) => counts.not_asked(),
        }
    }
}

impl Observation {
    fn question<'a>(&'a self, flow: &'a Flow<'a>) -> Question<'a> {
        let request = self.request.as_ref();
        let request = request.map(|(method, url, headers)| RequestHead {
            method,
            url,
            headers,
        });
        let response = self.response.as_ref();
        let response = response.map(|(status, headers)| ResponseHead {
            status: *status,
            headers,
        });
        match (request, response) {
            (None, _) => Question::Host(flow),
            (Some(request), None) => Question::Request(flow, request),
            (Some(request), Some(response)) => Question::Response(flow, request, response),
        }
    }
}

/// What would have happened to the exchange whose span this runs in.
fn report(filter: &LocalFilter, question: Question<'_>, judgement: &Judgement) {
    let (status, reason) = match &judgement.verdict {
        Verdict::Next | Verdict::Allow => (None, None),
        Verdict::Block { status, reason } => (Some(status.as_u16()), Some(reason)),
        Verdict::Redirect { status, location } => (Some(status.as_u16()), Some(location)),
        Verdict::Replace(page) => (Some(page.status.as_u16()), None),
    };
    let matched = judgement.matched.as_ref();
    let after = judgement.headers.as_deref();
    let before = match question {
        Question::Host(_) => None,
        Question::Request(_, request) => Some(request.headers),
        Question::Response(_, _, response) => Some(response.headers),
    };
    let fields = before
        .zip(after)
        .map(|(before, after)| changes(before, after));
    let what = match judgement.verdict {
        Verdict::Next => "this filter would have changed header fields",
        _ => "this filter would have decided",
    };
    tracing::info!(
        target: "shadow",
        filter = &*filter.member().filter.name,
        hook = question.hook().name(),
        verdict = judgement.verdict.name(),
        status,
        reason,
        feed = matched.map(|matched| &*matched.feed),
        rule = matched.map(|matched| &*matched.rule),
        fields,
        "{what}"
    );
}

/// The names of the fields that are other ones now: `-gone`, `+new` and `~changed`. Their values are nobody's business.
fn changes(before: &HeaderMap, after: &HeaderMap) -> String {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let new = after.keys().filter(|name| !before.contains_key(*name));
    let changed = after
        .keys()
        .filter(|name| before.contains_key(*name) && before.get_all(*name) != after.get_all(*name));
    let said = gone.map(|name| format!("-{name}"));
    let said = said.chain(new.map(|name| format!("+{name}")));
    let said = said.chain(changed.map(|name| format!("~{name}")));
    said.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn changes_of_fields_are_told_by_name() {
        let fields = |fields: &[(&'static str, &'static str)]| {
            let field = |(name, value): &(&'static str, &'static str)| {
                let value = http::HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            };
            let mut map = HeaderMap::new();
            for (name, value) in fields.iter().map(field) {
                map.append(name, value);
            }
            map
        };
        let before = fields(&[("a", "1"), ("b", "1"), ("c", "1"), ("c", "2")]);
        let after = fields(&[("b", "1"), ("c", "2"), ("c", "1"), ("d", "1")]);
        assert_eq!(changes(&before, &after), "-a +d ~c");
        assert_eq!(changes(&before, &before), "");
    }
}
