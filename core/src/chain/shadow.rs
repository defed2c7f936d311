//! Filters in shadow mode: asked about live traffic after the fact, one call at a time, so that
//! neither their verdicts nor their time nor their failures touch an exchange. A chain enqueues the
//! calls, and the worker runs them in the background.

use std::rc::Rc;

use http::{HeaderMap, Method, StatusCode};
use tokio::sync::mpsc;

use super::local::{LocalFilter, Unavailable};
use crate::filter::HookCall;
use crate::flow::{Client, Flow, Protocol, RequestHead, ResponseHead};
use crate::target::Target;
use crate::verdict::{Judgement, Verdict};

/// Calls that may wait. A filter that falls further behind misses some.
const QUEUE: usize = 256;

/// Where a worker's chain leaves the calls of its shadow filters.
#[derive(Clone, Debug)]
pub(crate) struct ShadowSender(mpsc::Sender<ShadowCall>);

/// The calls that wait, for a task that makes them.
#[derive(Debug)]
pub(crate) struct ShadowCalls(mpsc::Receiver<ShadowCall>);

/// A queue of calls.
pub(crate) fn shadow_calls() -> (ShadowSender, ShadowCalls) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (ShadowSender(sender), ShadowCalls(receiver))
}

/// A call that has outlived its exchange.
#[derive(Debug)]
struct ShadowCall {
    filter: Rc<LocalFilter>,
    exchange: u64,
    target: Target,
    protocol: Protocol,
    client: Client,
    request: Option<(Method, String, HeaderMap)>,
    response: Option<(StatusCode, HeaderMap)>,
}

impl ShadowSender {
    /// Has `filter` asked later.
    pub(super) fn enqueue(&self, filter: &Rc<LocalFilter>, call: HookCall<'_>) {
        let Ok(permit) = self.0.try_reserve() else {
            filter.member().shadow.not_asked();
            return;
        };
        let (request, response) = match call {
            HookCall::Host(_) => (None, None),
            HookCall::Request(_, request) => (Some(request), None),
            HookCall::Response(_, request, response) => (Some(request), Some(response)),
        };
        let hooks = &filter.member().filter.hooks;
        let needed = |is_needed, headers: &HeaderMap| {
            if is_needed {
                headers.clone()
            } else {
                HeaderMap::new()
            }
        };
        let flow = call.flow();
        permit.send(ShadowCall {
            filter: filter.clone(),
            exchange: flow.exchange,
            target: flow.target.clone(),
            protocol: flow.protocol,
            client: flow.client.clone(),
            request: request.map(|head| {
                let headers = needed(hooks.uses_request_headers(), head.headers);
                (head.method.clone(), head.url.to_owned(), headers)
            }),
            response: response.map(|head| {
                let headers = needed(hooks.uses_response_headers(), head.headers);
                (head.status, headers)
            }),
        });
    }
}

impl ShadowCalls {
    /// Makes the calls, for as long as there is a chain that they come from.
    pub(crate) async fn run(&mut self) {
        while let Some(call) = self.0.recv().await {
            call.run().await;
        }
    }
}

impl ShadowCall {
    async fn run(self) {
        let flow = Flow {
            exchange: self.exchange,
            target: &self.target,
            protocol: self.protocol,
            client: &self.client,
        };
        let call = self.call(&flow);
        let counts = &self.filter.member().shadow;
        match self.filter.try_judge(call).await {
            Ok(judgement) => {
                counts.judged(&judgement);
                if judgement.verdict != Verdict::Next || judgement.headers.is_some() {
                    log(&self.filter, call, &judgement);
                }
            }
            Err(Unavailable::Failed) => counts.failed(),
            Err(Unavailable::Quarantined | Unavailable::Held | Unavailable::Overloaded) => {
                counts.not_asked()
            }
        }
    }

    fn call<'a>(&'a self, flow: &'a Flow<'a>) -> HookCall<'a> {
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
            (None, _) => HookCall::Host(flow),
            (Some(request), None) => HookCall::Request(flow, request),
            (Some(request), Some(response)) => HookCall::Response(flow, request, response),
        }
    }
}

/// What would have happened to the exchange.
fn log(filter: &LocalFilter, call: HookCall<'_>, judgement: &Judgement) {
    let parts = judgement.verdict.parts();
    let matched = judgement.matched.as_ref();
    let fields = call
        .editable()
        .zip(judgement.headers.as_deref())
        .map(|(before, after)| changes(before, after));
    let what = match judgement.verdict {
        Verdict::Next => "this filter would have changed header fields",
        _ => "this filter would have decided",
    };
    let flow = call.flow();
    tracing::info!(
        target: "shadow",
        filter = &*filter.member().filter.name,
        hook = call.hook().name(),
        exchange = flow.exchange,
        client = flow.client.address.map(tracing::field::display),
        host = flow.target.host(),
        port = flow.target.port(),
        verdict = parts.kind.name(),
        status = parts.status.map(|status| status.as_u16()),
        reason = parts.text,
        feed = matched.map(|matched| &*matched.feed),
        rule = matched.map(|matched| &*matched.rule),
        fields,
        "{what}"
    );
}

/// The names of the fields that differ: `-gone`, `+new` and `~changed`. Their values may be private
/// and are not logged.
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
