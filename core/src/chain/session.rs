//! The filters of one exchange: one generation for all of its hooks, and what later hooks may ask
//! about the request. Begun by whatever speaks the client's protocol, which then calls one hook
//! after the other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode, request};

use super::decisions::Decision;
use super::local::TraceEntry;
use super::local_chain::{LocalChain, LocalPlace};
use super::watcher::Watcher;
use crate::filter::{Hook, HookCall};
use crate::flow::{Flow, RequestHead, ResponseHead};
use crate::verdict::{Additions, Besides, Judgement, Notes, Verdict, add_notes};

/// The filters of one exchange.
#[derive(Debug)]
pub(crate) struct FilterSession<'a> {
    chain: Rc<LocalChain>,
    flow: Flow<'a>,
    /// What a person has decided about the host.
    decision: Option<Arc<Decision>>,
    /// What filters that judge the response may ask about its request.
    request: Option<RequestSnapshot>,
    /// What filters have noted so far, by their names.
    notes: RefCell<Vec<(Arc<str>, Notes)>>,
    /// Only where a filter wants to know when the exchange is over.
    watcher: Option<Rc<Watcher>>,
}

#[derive(Debug)]
struct RequestSnapshot {
    method: Method,
    url: String,
    headers: HeaderMap,
}

impl RequestSnapshot {
    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        }
    }
}

/// A message that a hook judges, with the header fields that filters may change.
enum HookCallMut<'a> {
    Host,
    Request(&'a Method, &'a str, &'a mut HeaderMap),
    Response(RequestHead<'a>, StatusCode, &'a mut HeaderMap),
}

impl HookCallMut<'_> {
    fn call<'a>(&'a self, flow: &'a Flow<'a>) -> HookCall<'a> {
        match self {
            Self::Host => HookCall::Host(flow),
            Self::Request(method, url, headers) => {
                let head = RequestHead {
                    method,
                    url,
                    headers,
                };
                HookCall::Request(flow, head)
            }
            Self::Response(request, status, headers) => {
                let head = ResponseHead {
                    status: *status,
                    headers,
                };
                HookCall::Response(flow, *request, head)
            }
        }
    }

    /// From here on the message has these fields.
    fn replace_headers(&mut self, changed: HeaderMap) {
        match self {
            Self::Host => {}
            Self::Request(_, _, headers) | Self::Response(_, _, headers) => **headers = changed,
        }
    }
}

impl<'a> FilterSession<'a> {
    /// Begins an exchange, which keeps this generation for all of its hooks.
    pub(crate) fn begin(
        chain: Rc<LocalChain>,
        flow: Flow<'a>,
        decision: Option<Arc<Decision>>,
    ) -> Self {
        let listeners = chain.end_listeners().cloned();
        Self {
            watcher: listeners.map(|listeners| Rc::new(Watcher::new(listeners, &flow))),
            chain,
            flow,
            decision,
            request: None,
            notes: RefCell::default(),
        }
    }

    /// Goes on with an exchange in which another name was found. `notes` are what filters have
    /// noted about it before, by their names.
    pub(crate) fn resume(
        chain: Rc<LocalChain>,
        flow: Flow<'a>,
        decision: Option<Arc<Decision>>,
        notes: Vec<(Arc<str>, Notes)>,
    ) -> Self {
        Self {
            watcher: None,
            chain,
            flow,
            decision,
            request: None,
            notes: RefCell::new(notes),
        }
    }

    /// The filters that this exchange has for all of its hooks.
    pub(crate) fn chain(&self) -> &Rc<LocalChain> {
        &self.chain
    }

    /// Tells the filters when the exchange is over; none if no filter wants to know.
    pub(crate) fn watcher(&self) -> Option<&Rc<Watcher>> {
        self.watcher.as_ref()
    }

    /// Asks every filter that judges hosts, in order, until one decides. Where a person has
    /// decided, none is asked.
    pub(crate) async fn judge_host(&self) -> Judgement {
        match &self.decision {
            Some(decision) => decision.judgement(self.flow.target.host()),
            None => self.judge(HookCallMut::Host).await,
        }
    }

    /// Asks every filter that judges requests, in order, until one decides. Each sees the fields as
    /// those before it left them. `url` makes the absolute URL, which takes time and is needed only
    /// if a filter judges messages.
    pub(crate) async fn judge_request(
        &mut self,
        head: &mut request::Parts,
        url: impl FnOnce() -> String,
    ) -> Judgement {
        let judges_response = self.chain.has(Hook::Response);
        let judges_request = self.chain.has(Hook::Request) || self.chain.has_missing();
        if !judges_request && !judges_response && self.watcher.is_none() {
            return Judgement::PASS;
        }
        let url = url();
        if let Some(watcher) = &self.watcher {
            watcher.set_request(&head.method, &url);
        }
        let message = HookCallMut::Request(&head.method, &url, &mut head.headers);
        let judgement = self.judge(message).await;
        if judges_response {
            let headers = &head.headers;
            let needed = Some(headers).filter(|_| self.chain.needs_request_headers());
            self.request = Some(RequestSnapshot {
                method: head.method.clone(),
                url,
                headers: needed.cloned().unwrap_or_default(),
            });
        }
        judgement
    }

    /// Asks every filter that judges responses, in order, until one decides. Each sees the fields
    /// as those before it left them.
    pub(crate) async fn judge_response(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Judgement {
        match &self.request {
            Some(request) => {
                let message = HookCallMut::Response(request.head(), status, headers);
                self.judge(message).await
            }
            None => Judgement::PASS,
        }
    }

    async fn judge(&self, mut message: HookCallMut<'_>) -> Judgement {
        let mut said: Option<Box<Besides>> = None;
        let mut exception = None;
        for place in self.chain.places() {
            let call = message.call(&self.flow);
            let mut judgement = match place {
                LocalPlace::Filter(local) if !local.has(call.hook()) => continue,
                LocalPlace::Filter(local) if local.member().is_shadow() => {
                    if let Some(background) = self.chain.background() {
                        background.enqueue_shadow(local, call);
                    }
                    continue;
                }
                LocalPlace::Filter(local) => {
                    let notes = self.notes_of(&local.member().filter.name);
                    local.judge(call, notes.as_ref()).await
                }
                LocalPlace::Missing(missing) if missing.answers(call.hook()) => missing.judge(),
                LocalPlace::Missing(_) => continue,
            };
            if judgement.says_nothing() {
                continue;
            }
            let mut additions = Additions::NONE;
            if let Some(mut besides) = judgement.besides.take() {
                let said = said.get_or_insert_default();
                said.skipped.append(&mut besides.skipped);
                self.note(&besides.notes);
                said.notes.append(&mut besides.notes);
                if let (Some(headers), LocalPlace::Filter(local)) = (besides.headers, place) {
                    message.replace_headers(*headers);
                    said.edited.push(local.member().filter.name.clone());
                }
                additions = besides.additions;
            }
            // Of a host that a person has allowed, filters may change the messages and stop none.
            let is_overruled = self.decision.is_some() && !judgement.verdict.passes();
            if judgement.verdict != Verdict::Next && !is_overruled {
                if additions != Additions::NONE {
                    said.get_or_insert_default().additions = additions;
                }
                return Judgement {
                    besides: said,
                    ..judgement
                };
            }
            exception = exception.or_else(|| judgement.take_exception());
        }
        Judgement {
            matched: exception,
            besides: said,
            ..Judgement::PASS
        }
    }

    fn notes_of(&self, filter: &Arc<str>) -> Option<Notes> {
        let notes = self.notes.borrow();
        let (_, notes) = notes.iter().find(|(name, _)| name == filter)?;
        Some(notes.clone())
    }

    fn note(&self, notes: &[(Arc<str>, Notes)]) {
        add_notes(&mut self.notes.borrow_mut(), notes);
    }

    /// Asks every filter, also those behind the one that decides, and returns what each answered
    /// and how long it took.
    pub(crate) async fn explain(&self, head: Option<RequestHead<'_>>) -> Vec<TraceEntry> {
        let flow = &self.flow;
        let request = head.map(|head| HookCall::Request(flow, head));
        let mut traces = Vec::new();
        for call in [Some(HookCall::Host(flow)), request].into_iter().flatten() {
            for place in self.chain.places() {
                match place {
                    LocalPlace::Filter(local) if local.has(call.hook()) => {
                        let notes = self.notes_of(&local.member().filter.name);
                        let trace = local.trace(call, notes.as_ref()).await;
                        self.note(trace.judgement.notes());
                        traces.push(trace);
                    }
                    LocalPlace::Missing(missing) if missing.answers(call.hook()) => {
                        traces.push(TraceEntry::missing(missing, call.hook()));
                    }
                    LocalPlace::Filter(_) | LocalPlace::Missing(_) => {}
                }
            }
        }
        traces
    }
}
