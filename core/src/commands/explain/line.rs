//! One answer of a filter, or what follows from all of them, as `portcullis explain` shows it.

use std::collections::BTreeMap;
use std::fmt;

use http::header::RETRY_AFTER;
use serde::Serialize;

use crate::chain::TraceEntry;
use crate::error::Escaped;
use crate::verdict::{Judgement, VerdictKind};

/// One answer. Absent fields are left out of the JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hook: Option<&'static str>,
    /// Whether the filter runs in shadow mode, where it decides nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) shadow: bool,
    pub(super) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    /// The values of each header field that the filter adds to its answer, Retry-After among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) feed: Option<String>,
    /// Which list of the feed it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    /// Where that stands in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    /// These four in one text for people.
    #[serde(skip)]
    pub(super) matched: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) microseconds: Option<f64>,
}

impl Line {
    pub(super) fn passes(&self) -> bool {
        [VerdictKind::Next.name(), VerdictKind::Allow.name()].contains(&self.verdict)
    }

    /// The verdict, and the status of the answer if the filter gives it.
    pub(super) fn answer(&self) -> String {
        match self.status {
            Some(status) => format!("{} {status}", self.verdict),
            None => self.verdict.to_owned(),
        }
    }

    /// Begins a line for each header field that the filter adds to its answer.
    pub(super) fn write_fields(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        for (name, values) in &self.fields {
            for value in values {
                write!(f, "\n{indent}{name}: {}", Escaped(value))?;
            }
        }
        Ok(())
    }

    /// Why the filter says so, or why it could not answer.
    pub(super) fn why(&self) -> Option<&str> {
        let why = self.error.as_ref().or(self.reason.as_ref());
        why.or(self.location.as_ref()).map(String::as_str)
    }

    pub(super) fn new(filter: Option<&str>, judgement: &Judgement) -> Self {
        let parts = judgement.verdict.parts();
        let text = parts.text.map(str::to_owned);
        let (reason, location) = match parts.kind {
            VerdictKind::Redirect => (None, text),
            _ => (text, None),
        };
        let matched = judgement.matched.as_ref();
        Self {
            filter: filter.map(Into::into),
            hook: None,
            shadow: false,
            verdict: parts.kind.name(),
            status: parts.status.map(|status| status.as_u16()),
            reason,
            location,
            fields: added_fields(judgement),
            feed: matched.and_then(|matched| Some(matched.feed.as_ref()?.to_string())),
            source: matched.and_then(|matched| Some(matched.source.as_ref()?.to_string())),
            rule: matched.map(|matched| matched.rule.to_string()),
            line: matched.and_then(|matched| matched.line),
            matched: matched.map(ToString::to_string),
            error: None,
            microseconds: None,
        }
    }
}

fn added_fields(judgement: &Judgement) -> BTreeMap<String, Vec<String>> {
    let mut added: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(besides) = &judgement.besides else {
        return added;
    };
    let additions = &besides.additions;
    for (name, value) in additions.fields.as_deref().into_iter().flatten() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        added.entry(name.to_string()).or_default().push(value);
    }
    if let Some(seconds) = additions.retry_after_seconds() {
        added.insert(RETRY_AFTER.to_string(), vec![seconds.to_string()]);
    }
    added
}

impl From<TraceEntry> for Line {
    fn from(step: TraceEntry) -> Self {
        Self {
            hook: Some(step.hook.name()),
            shadow: step.is_shadow,
            error: step.failure,
            microseconds: Some((step.time.as_secs_f64() * 1e7).round() / 10.0),
            ..Self::new(Some(&step.filter), &step.judgement)
        }
    }
}

/// The final verdict as a sentence.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A decision has no filter.
        let Some(by) = self.filter.as_ref().or(self.rule.as_ref()) else {
            return write!(f, "passes: no filter objects");
        };
        write!(f, "{} by {}", self.verdict, Escaped(by))?;
        if let Some(status) = self.status {
            write!(f, " with {status}")?;
        }
        if let Some(why) = self.why() {
            write!(f, ": {}", Escaped(why))?;
        }
        self.write_fields(f, "  ")
    }
}
