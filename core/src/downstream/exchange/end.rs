//! What becomes of the record when its exchange is over, however it has ended: the access line, the
//! count of what has decided, and what filters are told.

use std::sync::Arc;
use std::time::SystemTime;

use http::Method;
use portcullis_contract::Outcome as How;

use super::{Exchange, Judged, Outcome, Place, ShownName};
use crate::filter::Ending;
use crate::flow::Protocol;
use crate::log::access::Record;
use crate::verdict::{Judgement, Verdict, VerdictKind};

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_health_check {
            self.count_hit();
        }
        if !self.access_log.is_off() && !self.is_health_check {
            self.write();
        }
        if let Some(watcher) = &self.watcher {
            watcher.ended(&self.ending(), &self.notes);
        }
    }
}

impl Exchange {
    fn notes_for_people(&self) -> Vec<Arc<str>> {
        let notes = self.notes.iter().flat_map(|(filter, notes)| {
            let noted = notes.iter();
            noted.map(move |(key, value)| format!("{filter}.{key}={value}").into())
        });
        notes.collect()
    }

    /// How it has ended, in the words of the contract.
    fn ending(&self) -> Ending {
        let stopped = match &self.judged {
            Judged::By(judgement) => match judgement.verdict {
                Verdict::Next | Verdict::Allow | Verdict::Ask(_) => None,
                Verdict::Block { .. } => Some(How::Blocked),
                // Only a request of HTTP has a response that could be either; see `respond`.
                Verdict::Redirect { .. } | Verdict::Replace(_)
                    if self.protocol != Protocol::Http =>
                {
                    Some(How::Blocked)
                }
                Verdict::Redirect { .. } => Some(How::Redirected),
                Verdict::Replace(_) => Some(How::Replaced),
                Verdict::Drop => Some(How::Dropped),
            },
            Judged::No | Judged::Passed(_) => None,
        };
        let served = match self.outcome {
            Outcome::Complete => How::Passed,
            // The client went away, from what it was being given.
            Outcome::Aborted if self.status.is_some() || self.is_granted => How::Passed,
            Outcome::Aborted | Outcome::Failed(_) => How::Failed,
        };
        Ending {
            how: stopped.unwrap_or(served),
            status: self.status,
            bytes_from_client: self.bytes_up(),
            bytes_to_client: self.down.get(),
            duration: self.started.elapsed(),
        }
    }

    /// What has decided.
    fn judgement(&self) -> Option<&Judgement> {
        match &self.judged {
            Judged::By(judgement) => Some(judgement),
            Judged::No | Judged::Passed(_) => None,
        }
    }

    fn count_hit(&self) {
        let matched = match &self.judged {
            Judged::No => None,
            Judged::Passed(exception) => exception.as_ref(),
            Judged::By(judgement) => judgement.matched.as_ref(),
        };
        if let Some(matched) = matched {
            matched.hit.count();
        }
    }

    fn write(&self) {
        let judgement = self.judgement();
        let parts = judgement.map(|judgement| judgement.verdict.parts());
        let passed = matches!(self.judged, Judged::Passed(_)).then(|| VerdictKind::Next.name());
        let matched = judgement.and_then(|judgement| judgement.matched.as_ref());
        let shown = self.shown_name.as_deref();
        let shown_in = |place| shown.filter(|shown| shown.place == place);
        let (sni, field) = (shown_in(Place::Handshake), shown_in(Place::Request));
        let verdict = |shown: &ShownName| shown.verdict.map(VerdictKind::name);
        let (outcome, error) = match &self.outcome {
            Outcome::Aborted => ("aborted", None),
            Outcome::Complete => ("complete", None),
            Outcome::Failed(error) => ("failed", Some(error.as_str())),
        };
        self.access_log.write(&Record {
            time: SystemTime::now(),
            id: self.id,
            client: self.client.address,
            listener: self.listener.as_deref(),
            user: self.client.user.as_deref(),
            groups: &self.client.groups,
            method: self.method.as_ref().map(Method::as_str),
            host: self.target.as_ref().map(|target| target.host()),
            port: self.target.as_ref().map(|target| target.port()),
            protocol: self.protocol.name(),
            peer: self.peer,
            upstream: self.upstream.as_deref(),
            leaves_name: self.leaves_name,
            sni: sni.and_then(|shown| shown.name.as_deref()),
            sni_verdict: sni.and_then(verdict),
            ech: sni.is_some_and(|shown| shown.has_hidden_name),
            host_field: field.and_then(|shown| shown.name.as_deref()),
            host_field_verdict: field.and_then(verdict),
            slowed: self.allowance.as_ref().is_some_and(|it| it.take_waited()),
            last: self.is_last,
            status: self.status.map(|status| status.as_u16()),
            verdict: parts.map(|parts| parts.kind.name()).or(passed),
            filter: judgement.and_then(|judgement| judgement.filter.as_deref()),
            reason: parts.and_then(|parts| parts.text),
            skipped: &self.skipped,
            edited: &self.edited,
            notes: &self.notes_for_people(),
            feed: matched.and_then(|matched| matched.feed.as_deref()),
            source: matched.and_then(|matched| matched.source.as_deref()),
            rule: matched.map(|matched| &*matched.rule),
            line: matched.and_then(|matched| matched.line),
            up: self.bytes_up(),
            down: self.down.get(),
            duration: self.started.elapsed(),
            outcome,
            error,
        });
    }
}
