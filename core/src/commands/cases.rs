//! A filter in its sandbox asked what a file of cases asks: `portcullis plugin test`. The hooks are
//! asked as `chain` asks them, with feeds and a clock of the file's own, and nothing else of the
//! proxy around the filter. The SDK runs the same files natively.

mod lines;
mod record;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use portcullis_cases::{self as cases, Answer, Case, Cases, Message, Observed, Outcome, Report};
use portcullis_contract::{self as contract, Facts};
use tracing::instrument::WithSubscriber;

use self::lines::Lines;
pub use self::record::{Recording, record_cases};
use crate::chain::{LocalFilter, Member};
use crate::config::Config;
use crate::error::{ErrorChain, Escaped, PluginError};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::{Ending, Failure, Filter, FilterAnswer, HookCall, Instance, Loader};
use crate::flow::{Flow, Inquiry, RequestHead, ResponseHead};
use crate::plugins::{ConfigSource, FilterFile};
use crate::target::{InvalidTarget, Target};
use crate::verdict::{Additions, Notes, Verdict};

/// The cases of a filter, beside its file.
pub(super) const CASES: &str = "cases.toml";

/// Asks the filter in `file`, or the built-in filter of that name, what the file `cases` asks, or
/// `cases.toml` beside the filter if none is named. The settings are those beside the filter, but
/// for the configuration if the cases have one.
///
/// # Errors
///
/// If the filter cannot be loaded, or there are no cases, or they make no sense. A case that does
/// not go as expected is no error: the report says so.
pub async fn test_plugin(
    config: Config,
    file: &Path,
    cases: Option<&Path>,
) -> Result<Report, PluginError> {
    let single = FilterFile::named(file, &config.plugins.dir)?;
    let beside = file.with_file_name(CASES);
    let path = cases.unwrap_or(&beside);
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if cases.is_none() => PluginError::NoCases(path.to_owned()),
        _ => PluginError::Read {
            file: path.to_owned(),
            source,
        },
    })?;
    let cases = Cases::parse(&text, &Escaped(path.display()).to_string())?;
    test_filter(&config, single, &cases, text).await
}

/// The same with cases that were read, and that have this text.
pub(super) async fn test_filter(
    config: &Config,
    single: FilterFile,
    cases: &Cases,
    text: String,
) -> Result<Report, PluginError> {
    let loader = Loader::new(config, Feeds::from_lists(&cases.feeds))?;
    let single = single.with_config(told(cases, text));
    let filter = single.filter(loader).await?;
    let outcomes = run(&filter, cases).await?;
    Ok(Report::new(
        &Escaped(&filter.name).to_string(),
        &cases.file,
        outcomes,
    ))
}

/// The configuration in a file of cases, if there is one.
fn told(cases: &Cases, text: String) -> Option<ConfigSource> {
    cases.config.clone().map(|config| ConfigSource {
        config,
        file: cases.file.clone().into(),
        text: Some(text),
        // The cases say who is in which.
        groups: None,
    })
}

async fn run(filter: &Filter, cases: &Cases) -> Result<Vec<Outcome>, PluginError> {
    let mut subject = Subject::begin(filter, cases);
    let mut outcomes = Vec::new();
    for case in &cases.cases {
        if case.fresh {
            subject = Subject::begin(filter, cases);
        }
        subject.clock.advance(case.after);
        let observed = subject.observe(case).await;
        let observed = observed.map_err(|source| PluginError::Case {
            file: cases.file.clone(),
            line: case.line,
            source,
        })?;
        outcomes.push(case.compare(&observed));
    }
    Ok(outcomes)
}

/// A filter with nothing around it that could change by itself.
struct Subject {
    filter: Arc<Filter>,
    clock: Clock,
    judging: LocalFilter,
    /// What works in the background judges nothing.
    ticking: Option<Instance>,
}

/// What the hooks of one case have led to.
struct Judged {
    answer: Answer,
    matched: Option<String>,
    additions: Additions,
    cached: Option<Duration>,
    /// The facts that the filter had asked for when it judged the host.
    asked: Facts,
    request: HeaderMap,
    response: HeaderMap,
    notes: Option<Notes>,
}

impl From<Answer> for Judged {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            matched: None,
            additions: Additions::NONE,
            cached: None,
            asked: Facts::NONE,
            request: HeaderMap::new(),
            response: HeaderMap::new(),
            notes: None,
        }
    }
}

impl Subject {
    fn begin(filter: &Filter, cases: &Cases) -> Self {
        let clock = Clock::manual(cases.now);
        let filter = filter.isolated(&clock);
        Self {
            judging: LocalFilter::new(Arc::new(Member::new(filter.clone()))),
            ticking: None,
            filter,
            clock,
        }
    }

    async fn observe(&mut self, case: &Case) -> Result<Observed, InvalidTarget> {
        let lines = Lines::default();
        let judged = self.ask(case).with_subscriber(lines.subscriber()).await?;
        let keys = case.expected.state.keys();
        let state = keys.filter_map(|key| Some((key.clone(), self.filter.state_value(key)?)));
        let metrics = self.filter.metrics().into_iter();
        let fields = judged.additions.fields.unwrap_or_default();
        let notes = judged.notes.unwrap_or_default();
        let notes = notes.iter();
        Ok(Observed {
            answer: judged.answer,
            retry_after: judged.additions.retry_after,
            fields: message(&fields),
            matched: judged.matched,
            cached: judged.cached,
            asked: judged.asked,
            notes: notes
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            log: lines.take(),
            request: message(&judged.request),
            response: message(&judged.response),
            state: state.collect(),
            metrics: metrics.map(|(name, value)| (name.into(), value)).collect(),
        })
    }

    async fn ask(&mut self, case: &Case) -> Result<Judged, InvalidTarget> {
        let judged = match target(&case.question)? {
            None => self.tick().await.map(Judged::from),
            Some((target, protocol)) => {
                let (facts, inquiry) = (&case.facts, self.inquiry(case));
                let mut flow = Flow::asked(&target, protocol, &inquiry);
                flow.found_in = facts.found_in.name();
                flow.server_name = facts.server_name.as_deref();
                self.judge(&flow, case).await
            }
        };
        let failed = |failure: Failure| Answer::Error(ErrorChain(&failure).to_string()).into();
        Ok(judged.unwrap_or_else(failed))
    }

    fn inquiry(&self, case: &Case) -> Inquiry {
        let facts = &case.facts;
        let now = Duration::try_from(self.clock.now().duration_since(Timestamp::UNIX_EPOCH))
            .unwrap_or_default();
        let mut inquiry = Inquiry::at(facts.client, SystemTime::UNIX_EPOCH + now);
        let client = Arc::make_mut(&mut inquiry.client);
        client.user = facts.user.as_deref().map(Into::into);
        client.groups = facts
            .groups
            .iter()
            .map(|group| group.as_str().into())
            .collect();
        inquiry.listener = facts.listener.as_str().into();
        inquiry
    }

    /// Asks one hook after the other, as long as the message passes.
    async fn judge(&self, flow: &Flow<'_>, case: &Case) -> Result<Judged, Failure> {
        let opinion = self.judging.ask(HookCall::Host(flow), None).await?;
        let mut judged = Judged::from(Answer::Next);
        if let Some(policy) = opinion.cache {
            judged.cached = Some(policy.time);
            judged.asked = policy.asked;
        }
        judged.take(opinion, |judged| &mut judged.request);
        let mut ended = None;
        if let cases::Question::Request {
            url,
            method,
            request,
            response,
            ..
        } = &case.question
        {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            if judged.answer.passes() {
                let head = (&method, &**url);
                judged.request = headers(request);
                self.judge_message(flow, head, response.as_ref(), &mut judged)
                    .await?;
            }
            ended = Some((method, url));
        }
        if let Some(ending) = &case.ended {
            self.tell_ended(flow, ended, ending, &mut judged).await?;
        }
        Ok(judged)
    }

    async fn judge_message(
        &self,
        flow: &Flow<'_>,
        (method, url): (&Method, &str),
        response: Option<&(u16, Message)>,
        judged: &mut Judged,
    ) -> Result<(), Failure> {
        let request = judged.request.clone();
        let head = |headers| RequestHead {
            method,
            url,
            headers,
        };
        let call = HookCall::Request(flow, head(&request));
        let opinion = self.judging.ask(call, judged.notes.as_ref()).await?;
        judged.take(opinion, |judged| &mut judged.request);
        let Some((status, fields)) = response.filter(|_| judged.answer.passes()) else {
            return Ok(());
        };
        let request = judged.request.clone();
        judged.response = headers(fields);
        let response = judged.response.clone();
        let response = ResponseHead {
            status: StatusCode::from_u16(*status).unwrap_or_default(),
            headers: &response,
        };
        let call = HookCall::Response(flow, head(&request), response);
        let opinion = self.judging.ask(call, judged.notes.as_ref()).await?;
        judged.take(opinion, |judged| &mut judged.response);
        Ok(())
    }

    async fn tell_ended(
        &self,
        flow: &Flow<'_>,
        request: Option<(Method, &String)>,
        ended: &cases::Ended,
        judged: &mut Judged,
    ) -> Result<(), Failure> {
        let no_headers = HeaderMap::new();
        let request = request.as_ref().map(|(method, url)| RequestHead {
            method,
            url,
            headers: &no_headers,
        });
        let ending = Ending {
            how: ended.how,
            status: ended
                .status
                .and_then(|status| StatusCode::from_u16(status).ok()),
            bytes_from_client: ended.bytes_from_client,
            bytes_to_client: ended.bytes_to_client,
            duration: ended.duration,
        };
        let call = HookCall::Ended(flow, request, &ending);
        let told = self.judging.ask(call, judged.notes.as_ref()).await?;
        judged.note(told.notes);
        Ok(())
    }

    /// Calls an instance of its own, or a new one in place of one that failed.
    async fn tick(&mut self) -> Result<Answer, Failure> {
        let mut live = match self.ticking.take() {
            Some(live) => live,
            None => Instance::start(&self.filter).await?,
        };
        let pause = live.tick().await?;
        self.ticking = Some(live);
        Ok(Answer::Ticked(pause))
    }
}

impl Judged {
    /// A hook has noted more.
    fn note(&mut self, newer: Option<Notes>) {
        if let Some(newer) = newer {
            self.notes.get_or_insert_default().add(&newer);
        }
    }

    /// The next hook has an opinion, and may have changed the fields that it saw.
    fn take(&mut self, opinion: FilterAnswer, fields: impl FnOnce(&mut Self) -> &mut HeaderMap) {
        self.note(opinion.notes);
        if opinion.verdict != Verdict::Next {
            self.answer = answer(opinion.verdict);
            self.matched = opinion.matched.map(|matched| matched.rule.into());
            self.additions = opinion.additions;
        }
        if let Some(changed) = opinion.headers {
            *fields(self) = *changed;
        }
    }
}

/// None for a tick, which is about no host.
fn target(question: &cases::Question) -> Result<Option<(Target, &'static str)>, InvalidTarget> {
    let (host, port, protocol) = match question {
        cases::Question::Tick => return Ok(None),
        cases::Question::Host {
            host,
            port,
            protocol,
        } => (host, *port, *protocol),
        cases::Question::Request { host, port, .. } => (host, *port, contract::Protocol::Http),
    };
    Target::of_host(host, port).map(|target| Some((target, protocol.name())))
}

fn answer(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Next => Answer::Next,
        Verdict::Allow => Answer::Allow,
        Verdict::Block { status, reason } => Answer::Block {
            status: status.as_u16(),
            reason: reason.to_string(),
        },
        Verdict::Redirect { status, location } => Answer::Redirect {
            status: status.as_u16(),
            location: location.into(),
        },
        Verdict::Replace(page) => {
            let content_type = page.content_type.as_ref();
            let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
            Answer::Replace {
                status: page.status.as_u16(),
                content_type: content_type.unwrap_or_default().into_owned(),
                body: page.body.into(),
            }
        }
        Verdict::Drop => Answer::Drop,
        Verdict::Ask(question) => Answer::Ask {
            question: question.text,
            otherwise: question.otherwise,
            wait: question.wait,
        },
    }
}

/// Fields that no message can have are left out; `portcullis_cases` refuses them.
fn headers(message: &Message) -> HeaderMap {
    let fields = message.0.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::from_bytes(value).ok()?))
    });
    fields.collect()
}

fn message(headers: &HeaderMap) -> Message {
    let fields = headers.iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Message(fields.collect())
}
