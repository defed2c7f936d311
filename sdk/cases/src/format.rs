//! From the text of a file to cases that make sense.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use portcullis_contract::{Protocol, Scope, VerdictKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::case::{Case, Cases, Expected, Message, Question, Word};
use crate::document::{Document, Error};
use crate::url::{Url, target};
use crate::value::{Cached, Domain, ExpectedValues, FieldName, Number, Parsed, Remembered, Values};

impl Cases {
    /// Reads the content of `file`, which is named in errors and reports only.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, has a key that does not exist, or makes no sense. The error names
    /// the line.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let document = Document { file, text };
        let raw: RawFile = document.read()?;
        if raw.case.is_empty() {
            return Err(document.problem_at(0, "there is no [[case]] in it".into()));
        }
        let config = raw.config.map(|config| json_config(document, config));
        let cases = raw.case.into_iter().map(|case| checked(document, case));
        let names = |domains: Vec<_>| {
            domains
                .into_iter()
                .map(|Parsed(Domain(name))| name)
                .collect()
        };
        let feeds = raw
            .feeds
            .into_iter()
            .map(|(feed, domains)| (feed, names(domains)));
        Ok(Self {
            file: file.to_owned(),
            config: config.transpose()?,
            feeds: feeds.collect(),
            now: raw.now.map_or(SystemTime::UNIX_EPOCH, |Parsed(now)| now),
            cases: cases.collect::<Result<_, _>>()?,
        })
    }
}

fn json_config(document: Document<'_>, config: Spanned<toml::Table>) -> Result<String, Error> {
    let at = config.span().start;
    match json_object(config.into_inner()) {
        Ok(object) => Ok(Value::Object(object).to_string()),
        Err(problem) => Err(document.problem_at(at, problem)),
    }
}

fn checked(document: Document<'_>, case: Spanned<RawCase>) -> Result<Case, Error> {
    let at = case.span().start;
    let checked = case.into_inner().check(document.line(at));
    checked.map_err(|problem| document.problem_at(at, problem))
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    now: Option<Parsed<SystemTime>>,
    config: Option<Spanned<toml::Table>>,
    #[serde(default)]
    feeds: BTreeMap<String, Vec<Parsed<Domain>>>,
    #[serde(default)]
    case: Vec<Spanned<RawCase>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: Option<String>,
    #[serde(default)]
    fresh: bool,
    after: Option<Parsed<Duration>>,
    client: Option<Parsed<IpAddr>>,

    host: Option<String>,
    protocol: Option<Parsed<Protocol>>,
    url: Option<Parsed<Url>>,
    method: Option<String>,
    headers: Option<BTreeMap<FieldName, Values>>,
    response: Option<RawResponse>,
    #[serde(default)]
    tick: bool,

    expect: Option<Parsed<Word>>,
    status: Option<u16>,
    reason: Option<String>,
    location: Option<String>,
    content_type: Option<String>,
    body: Option<String>,
    error: Option<String>,
    cached: Option<Cached>,
    cached_for: Option<Parsed<Scope>>,
    pause: Option<Parsed<Duration>>,
    log: Option<Vec<String>>,
    request_headers: Option<BTreeMap<FieldName, ExpectedValues>>,
    response_headers: Option<BTreeMap<FieldName, ExpectedValues>>,
    #[serde(default)]
    state: BTreeMap<String, Remembered>,
    #[serde(default)]
    metrics: BTreeMap<String, Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResponse {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<FieldName, Values>,
}

fn ok() -> u16 {
    200
}

impl RawCase {
    /// The case, or what makes no sense about it.
    fn check(self, line: usize) -> Result<Case, String> {
        let question = self.question()?;
        self.check_expectations(&question)?;
        let name = self.name.clone().unwrap_or_else(|| self.summary());
        Ok(Case {
            name,
            line,
            fresh: self.fresh,
            after: self.after.map_or(Duration::ZERO, |Parsed(time)| time),
            client: self.client.map(|Parsed(ip)| ip),
            question,
            expected: self.expected(),
        })
    }

    fn summary(&self) -> String {
        match (&self.host, &self.url) {
            (Some(host), _) => host.clone(),
            (None, Some(Parsed(Url { text, .. }))) => text.clone(),
            (None, None) => "tick".to_owned(),
        }
    }

    fn question(&self) -> Result<Question, String> {
        let asked = [self.host.is_some(), self.url.is_some(), self.tick];
        if asked.iter().filter(|is_asked| **is_asked).count() != 1 {
            return Err(
                "a case asks one thing: give it either `host`, `url` or `tick = true`".into(),
            );
        }
        if let Some(key) = self.keys_of_a_request().next()
            && !matches!(&self.url, Some(Parsed(Url { seen: Some(_), .. })))
        {
            return Err(format!(
                "`{key}` belongs to a request that the proxy can see: ask about an http URL (`url`)"
            ));
        }
        if self.protocol.is_some() && self.host.is_none() {
            return Err("`protocol` goes with `host`; a `url` has one already".into());
        }
        match (&self.host, &self.url) {
            (Some(host), _) => self.host_question(host),
            (None, Some(Parsed(url))) => self.url_question(url),
            (None, None) if self.client.is_some() => {
                Err("a tick has no client: leave `client` out".into())
            }
            (None, None) => Ok(Question::Tick),
        }
    }

    fn keys_of_a_request(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            ("method", self.method.is_some()),
            ("headers", self.headers.is_some()),
            ("response", self.response.is_some()),
            ("request_headers", self.request_headers.is_some()),
            ("response_headers", self.response_headers.is_some()),
        ];
        let given = keys.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(key, _)| key)
    }

    fn host_question(&self, host: &str) -> Result<Question, String> {
        let protocol = self
            .protocol
            .map_or(Protocol::Connect, |Parsed(protocol)| protocol);
        let default_port = if protocol == Protocol::Http { 80 } else { 443 };
        let target = target(host, default_port)?;
        Ok(Question::Host {
            host: target.host().to_owned(),
            port: target.port(),
            protocol,
        })
    }

    fn url_question(&self, url: &Url) -> Result<Question, String> {
        let (host, port) = (url.target.host().to_owned(), url.target.port());
        let Some(url) = url.seen.clone() else {
            return Ok(Question::Host {
                host,
                port,
                protocol: Protocol::Connect,
            });
        };
        let method = self.method.as_deref().unwrap_or("GET");
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
        if method.is_empty() || !method.bytes().all(is_letter) {
            return Err(format!("`{method}` is not a method; write it like GET"));
        }
        let response = self.response.as_ref();
        if let Some(RawResponse { status, .. }) = response
            && !(200..=599).contains(status)
        {
            return Err(format!(
                "a response with the status {status} never reaches a filter; they have 200 to 599"
            ));
        }
        Ok(Question::Request {
            host,
            port,
            url,
            method: method.to_owned(),
            request: self
                .headers
                .as_ref()
                .map_or(Ok(Message::default()), message)?,
            response: response
                .map(|response| Ok::<_, String>((response.status, message(&response.headers)?)))
                .transpose()?,
        })
    }

    /// What can never be is a mistake in the case, not in the filter.
    fn check_expectations(&self, question: &Question) -> Result<(), String> {
        let verdict = self.expect.map(|Parsed(word)| word);
        if *question == Question::Tick {
            return self.check_tick(verdict);
        }
        let verdict = verdict.ok_or(
            "what is expected? Say `expect`: next, allow, block, redirect, replace or error",
        )?;
        self.check_parts(verdict)?;
        if self.response_headers.is_some() && self.response.is_none() {
            return Err("`response_headers` are those that the response goes on with: give the case a `response`".into());
        }
        if self.pause.is_some() {
            return Err("`pause` goes with `tick = true`".into());
        }
        if matches!(self.cached, Some(Cached::Not(_))) && self.cached_for.is_some() {
            return Err("`cached_for` goes with an answer that may be used again, and `cached = false` is expected".into());
        }
        Ok(())
    }

    fn check_tick(&self, verdict: Option<Word>) -> Result<(), String> {
        let is_cached = self.cached.is_some() || self.cached_for.is_some();
        match verdict {
            Some(Word::Error) | None if !is_cached => {
                self.check_parts(verdict.unwrap_or(Word::Verdict(VerdictKind::Next)))
            }
            Some(Word::Error) | None => Err("no verdict comes of a tick, so none is cached".into()),
            Some(_) => {
                Err("no verdict comes of a tick: leave `expect` out, or expect an error".into())
            }
        }
    }

    /// Only some verdicts have a reason, and so on.
    fn check_parts(&self, verdict: Word) -> Result<(), String> {
        use VerdictKind::{Allow, Block, Next, Redirect, Replace};
        let refused = [Block, Redirect, Replace].map(Word::Verdict);
        let passed = [Next, Allow].map(Word::Verdict);
        let rules: [(&str, bool, &[Word]); 8] = [
            ("status", self.status.is_some(), &refused),
            ("reason", self.reason.is_some(), &[Word::Verdict(Block)]),
            (
                "location",
                self.location.is_some(),
                &[Word::Verdict(Redirect)],
            ),
            (
                "content_type",
                self.content_type.is_some(),
                &[Word::Verdict(Replace)],
            ),
            ("body", self.body.is_some(), &[Word::Verdict(Replace)]),
            ("error", self.error.is_some(), &[Word::Error]),
            ("request_headers", self.request_headers.is_some(), &passed),
            ("response_headers", self.response_headers.is_some(), &passed),
        ];
        for (key, is_expected, verdicts) in rules {
            if is_expected && !verdicts.contains(&verdict) {
                let verdicts: Vec<&str> = verdicts.iter().map(|word| word.name()).collect();
                let (verdict, verdicts) = (verdict.name(), verdicts.join(" or "));
                return Err(format!(
                    "`{key}` goes with the verdict {verdicts}, and {verdict} is expected"
                ));
            }
        }
        Ok(())
    }

    fn expected(self) -> Expected {
        let fields = |expected: Option<BTreeMap<FieldName, ExpectedValues>>| {
            let expected = expected.unwrap_or_default().into_iter();
            let fields = expected.map(|(FieldName(name), values)| (name, values.into()));
            fields.collect()
        };
        let state = self.state.into_iter();
        let metrics = self.metrics.into_iter();
        Expected {
            verdict: self.expect.map(|Parsed(word)| word),
            status: self.status,
            reason: self.reason,
            location: self.location,
            content_type: self.content_type,
            body: self.body,
            error: self.error,
            cached: self.cached.map(Option::from),
            cached_for: self.cached_for.map(|Parsed(scope)| scope),
            pause: self.pause.map(|Parsed(time)| time),
            log: self.log,
            request_headers: fields(self.request_headers),
            response_headers: fields(self.response_headers),
            state: state.map(|(key, value)| (key, value.into())).collect(),
            metrics: metrics
                .map(|(name, number)| (name, number.into()))
                .collect(),
        }
    }
}

fn message(headers: &BTreeMap<FieldName, Values>) -> Result<Message, String> {
    let mut fields = Vec::new();
    for (FieldName(name), values) in headers {
        for value in Vec::from(values.clone()) {
            if value.contains(|c: char| c.is_ascii_control() && c != '\t') {
                return Err(format!(
                    "the value of {name} has control characters, which no header field can have"
                ));
            }
            fields.push((name.clone(), value.into_bytes()));
        }
    }
    Ok(Message(fields))
}

/// TOML as JSON, as the proxy makes it of `NAME.toml`: dates and times become strings.
fn json_object(table: toml::Table) -> Result<Map<String, Value>, String> {
    let entries = table
        .into_iter()
        .map(|(key, value)| Ok((key, json(value)?)));
    entries.collect()
}

fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => return Err(format!("config: JSON has no number {number}")),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => {
            let values = values.into_iter().map(json);
            values.collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => json_object(table)?.into(),
    })
}
