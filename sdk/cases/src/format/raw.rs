//! A case as it is written.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use portcullis_contract::{Fact, Fallback, FoundIn, Outcome, Protocol};
use serde::Deserialize;

use crate::case::{Case, Ended, Word};
use crate::url::Url;
use crate::value::{
    ExpectedValues, FieldName, MaybeText, MaybeTime, Number, Parsed, Remembered, Values,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCase {
    name: Option<String>,
    #[serde(default)]
    fresh: bool,
    after: Option<Parsed<Duration>>,

    pub(super) host: Option<String>,
    pub(super) protocol: Option<Parsed<Protocol>>,
    pub(super) url: Option<Parsed<Url>>,
    pub(super) method: Option<String>,
    pub(super) headers: Option<BTreeMap<FieldName, Values>>,
    pub(super) response: Option<RawResponse>,
    #[serde(default)]
    pub(super) tick: bool,

    pub(super) client: Option<Parsed<IpAddr>>,
    pub(super) user: Option<String>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) listener: Option<String>,
    pub(super) found_in: Option<Parsed<FoundIn>>,
    pub(super) server_name: Option<String>,
    pub(super) ended: Option<RawEnded>,

    pub(super) expect: Option<Parsed<Word>>,
    pub(super) status: Option<u16>,
    pub(super) reason: Option<String>,
    pub(super) location: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<String>,
    pub(super) error: Option<String>,
    pub(super) question: Option<String>,
    pub(super) otherwise: Option<Parsed<Fallback>>,
    pub(super) wait: Option<Parsed<Duration>>,
    pub(super) retry_after: Option<MaybeTime>,
    pub(super) fields: Option<BTreeMap<FieldName, ExpectedValues>>,
    pub(super) matched: Option<MaybeText>,
    pub(super) cached: Option<MaybeTime>,
    pub(super) cached_by: Option<Vec<Parsed<Fact>>>,
    pub(super) pause: Option<MaybeTime>,
    pub(super) log: Option<Vec<String>>,
    pub(super) request_headers: Option<BTreeMap<FieldName, ExpectedValues>>,
    pub(super) response_headers: Option<BTreeMap<FieldName, ExpectedValues>>,
    #[serde(default)]
    pub(super) state: BTreeMap<String, Remembered>,
    #[serde(default)]
    pub(super) metrics: BTreeMap<String, Number>,
    pub(super) notes: Option<BTreeMap<String, MaybeText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResponse {
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<FieldName, Values>,
}

fn ok() -> u16 {
    200
}

/// How an exchange ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnded {
    how: Parsed<Outcome>,
    status: Option<u16>,
    #[serde(default)]
    bytes_from_client: u64,
    #[serde(default)]
    bytes_to_client: u64,
    duration: Option<Parsed<Duration>>,
}

impl RawCase {
    /// The case, or what makes no sense about it.
    pub(super) fn check(self, line: usize) -> Result<Case, String> {
        let question = self.question()?;
        self.check_expectations(&question)?;
        let name = self.name.clone().unwrap_or_else(|| self.summary());
        Ok(Case {
            name,
            line,
            fresh: self.fresh,
            after: self.after.map_or(Duration::ZERO, |Parsed(time)| time),
            facts: self.facts(&question),
            question,
            ended: self.ended.as_ref().map(Ended::from),
            expected: self.expected()?,
        })
    }

    fn summary(&self) -> String {
        match (&self.host, &self.url) {
            (Some(host), _) => host.clone(),
            (None, Some(Parsed(Url { text, .. }))) => text.clone(),
            (None, None) => "tick".to_owned(),
        }
    }
}

impl From<&RawEnded> for Ended {
    fn from(raw: &RawEnded) -> Self {
        let Parsed(how) = raw.how;
        Self {
            how,
            status: raw.status,
            bytes_from_client: raw.bytes_from_client,
            bytes_to_client: raw.bytes_to_client,
            duration: raw.duration.map_or(Duration::ZERO, |Parsed(time)| time),
        }
    }
}
