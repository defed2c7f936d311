//! Calls that no exchange waits for: those of filters in shadow mode, so that neither their
//! verdicts nor their time nor their failures touch an exchange, and those of the hook
//! `exchange-ended`. A chain enqueues the calls, and the worker makes them in the background: those
//! of shadow filters one at a time, and the others one at a time for each filter.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, Method, StatusCode};
use lru::LruCache;
use tokio::sync::mpsc;

use super::local::{LocalFilter, Unavailable, WaitsToTell};
use crate::filter::{Ending, Hook, HookCall};
use crate::flow::{Flow, OwnedFlow, RequestHead, ResponseHead};
use crate::verdict::{Judgement, Notes, Verdict};

/// Calls of shadow filters that may wait. Where they fall further behind, some are not made.
const QUEUE: usize = 256;

/// Exchanges of which the notes of shadow filters are kept until the next hook.
const NOTED: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");

/// Where a worker's chain leaves calls for later.
#[derive(Clone, Debug)]
pub(crate) struct BackgroundSender {
    shadow: mpsc::Sender<OwnedCall>,
    ended: mpsc::UnboundedSender<OwnedCall>,
}

/// The calls of shadow filters that wait, for a task that makes them.
#[derive(Debug)]
pub(crate) struct ShadowCalls {
    calls: mpsc::Receiver<OwnedCall>,
    /// What the filters have noted, by exchange and filter.
    noted: LruCache<(u64, Arc<str>), Notes>,
}

/// The calls of `exchange-ended` that wait, for a task that makes them.
#[derive(Debug)]
pub(crate) struct EndedCalls(mpsc::UnboundedReceiver<OwnedCall>);

/// Queues of calls.
pub(crate) fn background_calls() -> (BackgroundSender, ShadowCalls, EndedCalls) {
    let (shadow, shadow_calls) = mpsc::channel(QUEUE);
    // What bounds it is how many calls of each filter may wait.
    let (ended, ended_calls) = mpsc::unbounded_channel();
    let shadow_calls = ShadowCalls {
        calls: shadow_calls,
        noted: LruCache::new(NOTED),
    };
    let sender = BackgroundSender { shadow, ended };
    (sender, shadow_calls, EndedCalls(ended_calls))
}

/// A call that has outlived its exchange.
#[derive(Debug)]
struct OwnedCall {
    filter: Rc<LocalFilter>,
    flow: OwnedFlow,
    request: Option<(Method, String, HeaderMap)>,
    response: Option<(StatusCode, HeaderMap)>,
    ending: Option<Ending>,
    notes: Option<Notes>,
    /// While a call of `exchange-ended` waits.
    place: Option<WaitsToTell>,
}

impl BackgroundSender {
    /// Has a filter in shadow mode asked later.
    pub(super) fn enqueue_shadow(&self, filter: &Rc<LocalFilter>, call: HookCall<'_>) {
        match self.shadow.try_reserve() {
            Ok(permit) => permit.send(OwnedCall::new(filter, call, None)),
            Err(_) => filter.member().shadow.not_asked(),
        }
    }

    /// Has a filter told later that an exchange is over.
    pub(super) fn enqueue_ended(
        &self,
        filter: &Rc<LocalFilter>,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) {
        let Some(place) = filter.wait_to_tell() else {
            filter.member().ended.lose();
            return;
        };
        let call = OwnedCall {
            place: Some(place),
            ..OwnedCall::new(filter, call, notes)
        };
        // It fails only where the worker ends.
        let _ = self.ended.send(call);
    }
}

impl ShadowCalls {
    /// Makes the calls, for as long as there is a chain that they come from.
    pub(crate) async fn run(&mut self) {
        while let Some(call) = self.calls.recv().await {
            let exchange = (
                call.flow.borrow().exchange,
                call.filter.member().filter.name.clone(),
            );
            let notes = self.noted.get(&exchange).cloned();
            if let Some(newer) = call.judge_in_shadow(notes.as_ref()).await {
                let mut notes = notes.unwrap_or_default();
                notes.add(&newer);
                self.noted.put(exchange, notes);
            }
        }
    }
}

impl EndedCalls {
    /// Makes the calls, for as long as there is a chain that they come from. No filter waits until
    /// another one has been told.
    pub(crate) async fn run(&mut self) {
        let mut lines = Lines::default();
        let mut running = FuturesUnordered::new();
        let mut next = None;
        loop {
            running.extend(next.map(tell));
            next = tokio::select! {
                call = self.0.recv() => match call {
                    Some(call) => lines.join(call),
                    None => return,
                },
                Some(filter) = running.next() => lines.next(&filter),
            };
        }
    }
}

/// Returns the filter that was told.
async fn tell(mut call: OwnedCall) -> Rc<LocalFilter> {
    call.place = None;
    let flow = call.flow.borrow();
    let ended = call.call(&flow);
    call.filter.tell_ended(ended, call.notes.as_ref()).await;
    call.filter.clone()
}

/// The filters that are being told of something, with what they are to be told of then.
#[derive(Debug, Default)]
struct Lines(Vec<(Rc<LocalFilter>, VecDeque<OwnedCall>)>);

impl Lines {
    /// Returns the call if it can be made at once.
    fn join(&mut self, call: OwnedCall) -> Option<OwnedCall> {
        match self.place(&call.filter) {
            Some(place) => {
                self.0[place].1.push_back(call);
                None
            }
            None => {
                self.0.push((call.filter.clone(), VecDeque::new()));
                Some(call)
            }
        }
    }

    /// The next call of a filter that was told of something.
    fn next(&mut self, filter: &Rc<LocalFilter>) -> Option<OwnedCall> {
        let place = self.place(filter)?;
        let next = self.0[place].1.pop_front();
        if next.is_none() {
            self.0.swap_remove(place);
        }
        next
    }

    fn place(&self, filter: &Rc<LocalFilter>) -> Option<usize> {
        self.0.iter().position(|(told, _)| Rc::ptr_eq(told, filter))
    }
}

impl OwnedCall {
    fn new(filter: &Rc<LocalFilter>, call: HookCall<'_>, notes: Option<&Notes>) -> Self {
        let uses = filter.member().filter.hooks.uses;
        let needed = |is_needed, headers: &HeaderMap| {
            if is_needed {
                headers.clone()
            } else {
                HeaderMap::new()
            }
        };
        let response = match call {
            HookCall::Response(_, _, response) => Some(response),
            HookCall::Host(_) | HookCall::Request(..) | HookCall::Ended(..) => None,
        };
        Self {
            filter: filter.clone(),
            flow: call.flow().into(),
            request: call.request().map(|head| {
                let headers = needed(uses.request_headers, head.headers);
                (head.method.clone(), head.url.to_owned(), headers)
            }),
            response: response.map(|head| {
                let headers = needed(uses.response_headers, head.headers);
                (head.status, headers)
            }),
            ending: match call {
                HookCall::Ended(_, _, ending) => Some(*ending),
                HookCall::Host(_) | HookCall::Request(..) | HookCall::Response(..) => None,
            },
            notes: notes.cloned(),
            place: None,
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
        match (&self.ending, request, response) {
            (Some(ending), request, _) => HookCall::Ended(flow, request, ending),
            (None, None, _) => HookCall::Host(flow),
            (None, Some(request), None) => HookCall::Request(flow, request),
            (None, Some(request), Some(response)) => HookCall::Response(flow, request, response),
        }
    }

    /// What the filter has noted now.
    async fn judge_in_shadow(&self, notes: Option<&Notes>) -> Option<Notes> {
        let flow = self.flow.borrow();
        let call = self.call(&flow);
        if call.hook() == Hook::Ended {
            self.filter.tell_ended(call, notes).await;
            return None;
        }
        let counts = &self.filter.member().shadow;
        match self.filter.try_judge(call, notes).await {
            Ok(judgement) => {
                counts.judged(&judgement);
                if judgement.verdict != Verdict::Next || judgement.headers().is_some() {
                    log(&self.filter, call, &judgement);
                }
                return judgement.notes().last().map(|(_, notes)| notes.clone());
            }
            Err(Unavailable::Failed) => counts.failed(),
            Err(Unavailable::Quarantined | Unavailable::Held | Unavailable::Overloaded) => {
                counts.not_asked();
            }
        }
        None
    }
}

/// What would have happened to the exchange.
fn log(filter: &LocalFilter, call: HookCall<'_>, judgement: &Judgement) {
    let parts = judgement.verdict.parts();
    let matched = judgement.matched.as_ref();
    let fields = call
        .editable()
        .zip(judgement.headers())
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
        feed = matched.and_then(|matched| matched.feed.as_deref()),
        source = matched.and_then(|matched| matched.source.as_deref()),
        rule = matched.map(|matched| &*matched.rule),
        line = matched.and_then(|matched| matched.line),
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
