//! The record of one exchange: its span and its line in the access log. Begun by the connection, filled in on the way,
//! written when it is dropped: that is when the answer's body or the tunnel has ended, however it ended.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use tokio::time::Instant;
use tracing::{Span, field};

use crate::downstream::respond::{self, Form};
use crate::error::{Causes, Error};
use crate::flow::{Flow, Protocol};
use crate::target::Target;
use crate::timer::{Activity, Phase};
use crate::upstream::request::Upload;
use crate::verdict::{Judgement, Verdict};

/// One request and whatever it led to.
#[derive(Debug)]
pub(crate) struct Exchange {
    activity: Rc<Activity>,
    span: Span,
    started: Instant,
    client: Option<IpAddr>,
    method: Method,
    protocol: Protocol,
    target: Option<Rc<Target>>,
    judgement: Option<Judgement>,
    /// Filters that could not judge and were passed over.
    skipped: Vec<Arc<str>>,
    /// Filters that changed header fields.
    edited: Vec<Arc<str>>,
    status: Option<StatusCode>,
    upload: Option<Rc<Upload>>,
    up: Cell<u64>,
    down: Cell<u64>,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    /// Nothing else was noted: the client went away, or the proxy had to stop.
    Aborted,
    Complete,
    Failed(String),
}

impl Exchange {
    /// `id` is unique within the process.
    pub(crate) fn begin(
        id: u64,
        activity: &Rc<Activity>,
        client: Option<IpAddr>,
        method: &Method,
        protocol: Protocol,
    ) -> Self {
        // A request that was sent too early has waited for the answer to the one before it.
        let started = activity.moved_at();
        activity.enter(Phase::Answer);
        Self {
            span: tracing::info_span!(
                "exchange",
                id,
                target.host = field::Empty,
                target.port = field::Empty
            ),
            started,
            activity: activity.clone(),
            client,
            method: method.clone(),
            protocol,
            target: None,
            judgement: None,
            skipped: Vec::new(),
            edited: Vec::new(),
            status: None,
            upload: None,
            up: Cell::new(0),
            down: Cell::new(0),
            outcome: Outcome::Aborted,
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn aim(&mut self, target: &Rc<Target>) {
        tracing::record_all!(
            self.span,
            target.host = target.host(),
            target.port = target.port()
        );
        self.target = Some(target.clone());
    }

    /// Notes a judgement, and refuses the request if it says so.
    pub(crate) fn judged(
        &mut self,
        flow: &Flow<'_>,
        mut judgement: Judgement,
        form: Form,
    ) -> Result<(), Refusal> {
        let page = respond::judgement(&judgement, flow, form);
        self.skipped.append(&mut judgement.skipped);
        let edited = judgement.edited.drain(..);
        for filter in edited {
            // It may change the request and then the response.
            if !self.edited.contains(&filter) {
                self.edited.push(filter);
            }
        }
        if self.judgement.is_none() || judgement != Judgement::PASS {
            self.judgement = Some(judgement);
        }
        match page {
            None => Ok(()),
            Some(page) => Err(Refusal::Judged(Box::new(page))),
        }
    }

    /// The request has a body that is counted here.
    pub(crate) fn uploads(&mut self, upload: &Rc<Upload>) {
        self.upload = Some(upload.clone());
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.activity.enter(Phase::Body);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.up.set(self.up.get() + bytes);
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.down.set(self.down.get() + bytes);
    }

    /// All that was to come has come.
    pub(crate) fn complete(&mut self) {
        if let Outcome::Aborted = self.outcome {
            self.outcome = Outcome::Complete;
        }
    }

    pub(crate) fn fail(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.outcome = Outcome::Failed(Causes(error).to_string());
    }

    fn write(&self) {
        if self.target.is_none() && self.status == Some(StatusCode::OK) {
            // A question about the proxy itself: the health check asks one every half minute.
            return;
        }
        let judgement = self.judgement.as_ref();
        let matched = judgement.and_then(|judgement| judgement.matched.as_ref());
        let up = self.upload.as_ref().map_or(0, |upload| upload.bytes()) + self.up.get();
        let (outcome, error) = match &self.outcome {
            Outcome::Aborted => ("aborted", None),
            Outcome::Complete => ("complete", None),
            Outcome::Failed(error) => ("failed", Some(error.as_str())),
        };
        tracing::info!(
            target: "access",
            // Here as well as in the connection's span, which those who keep the access log alone do not have.
            client = self.client.map(field::display),
            method = self.method.as_str(),
            host = self.target.as_ref().map(|target| target.host()),
            port = self.target.as_ref().map(|target| target.port()),
            protocol = self.protocol.name(),
            status = self.status.map(|status| status.as_u16()),
            verdict = judgement.map(|judgement| judgement.verdict.name()),
            filter = judgement.and_then(|judgement| judgement.filter.as_deref()),
            reason = judgement.and_then(reason),
            skipped = (!self.skipped.is_empty()).then(|| self.skipped.join(",")),
            edited = (!self.edited.is_empty()).then(|| self.edited.join(",")),
            feed = matched.map(|matched| &*matched.feed),
            rule = matched.map(|matched| &*matched.rule),
            up,
            down = self.down.get(),
            ms = self.started.elapsed().as_micros() as f64 / 1000.0,
            outcome,
            error,
        );
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.activity.rest();
        self.span.in_scope(|| self.write());
    }
}

fn reason(judgement: &Judgement) -> Option<&str> {
    match &judgement.verdict {
        Verdict::Next | Verdict::Allow | Verdict::Replace(_) => None,
        Verdict::Block { reason, .. } => Some(reason),
        Verdict::Redirect { location, .. } => Some(location),
    }
}

/// Why a request is not served.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The filters are against it.
    Judged(Box<Response<Bytes>>),
    /// It cannot be.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
