//! Runs a file of cases against a filter natively, step by step as the proxy would.

mod answer;
#[cfg(test)]
mod tests;

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use portcullis_cases::{Answer, Case, Cases, Ended, Message, Observed, Question, Report};
use portcullis_contract::{Facts, Protocol};

use self::answer::answer;
use super::mocks::{self, MockExchange, MockOutcome};
use crate::proxy::mock::{self, Known};
use crate::{Error, Filter, Headers, Level, config};

/// The error is about the file, or the configuration that it has for the filter.
pub(super) fn run<F: Filter>(text: &str, file: &str) -> Result<Report, String> {
    let cases = Cases::parse(text, file).map_err(|error| error.to_string())?;
    let path = type_name::<F>();
    let name = path.rsplit("::").next().unwrap_or(path);
    let mut subject = Subject::<F>::begin(&cases);
    make::<F>(subject.config)
        .map_err(|error| format!("{file}: {name} refuses its configuration: {error}"))?;
    subject = Subject::begin(&cases);
    let mut outcomes = Vec::new();
    for case in &cases.cases {
        if case.fresh {
            subject = Subject::begin(&cases);
        }
        mock::advance(case.after);
        outcomes.push(case.compare(&subject.observe(case)));
    }
    Ok(Report::new(name, file, outcomes))
}

/// A filter with the proxy's mock around it.
struct Subject<'a, F> {
    config: &'a str,
    /// Made when it is asked first, and again after a failure.
    judging: Option<F>,
    /// An instance of its own does the work in the background.
    ticking: Option<F>,
}

/// What the hooks of one case have led to.
struct Judged {
    answer: Answer,
    retry_after: Option<Duration>,
    fields: Message,
    matched: Option<String>,
    cached: Option<Duration>,
    asked: Facts,
    request: Message,
    response: Message,
}

impl From<Answer> for Judged {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            retry_after: None,
            fields: Message::default(),
            matched: None,
            cached: None,
            asked: Facts::NONE,
            request: Message::default(),
            response: Message::default(),
        }
    }
}

impl Judged {
    /// The next hook has answered: the last opinion counts.
    fn then(&mut self, next: Self) {
        if next.answer == Answer::Next {
            return;
        }
        let first = std::mem::replace(self, next);
        self.cached = first.cached;
        self.asked = first.asked;
        self.request = first.request;
        self.response = first.response;
    }
}

impl<'a, F: Filter> Subject<'a, F> {
    fn begin(cases: &'a Cases) -> Self {
        mock::reset();
        for (name, entries) in &cases.feeds {
            mock::set_feed(name, entries.iter().cloned());
        }
        mock::set_time(cases.now);
        Self {
            config: cases.config.as_deref().unwrap_or_default(),
            judging: None,
            ticking: None,
        }
    }

    fn observe(&mut self, case: &Case) -> Observed {
        let exchange = exchange(case);
        let judged = match caught(|| self.ask(case, exchange.as_ref())) {
            Ok(judged) => judged,
            Err(failure) => {
                // Its state is unknown, so it is not asked again. The proxy does the same.
                match case.question {
                    Question::Tick => self.ticking = None,
                    Question::Host { .. } | Question::Request { .. } => self.judging = None,
                }
                Answer::Error(failure).into()
            }
        };
        let keys = case.expected.state.keys();
        let state = keys.filter_map(|key| Some((key.clone(), mock::value(key).ok()??)));
        Observed {
            state: state.collect(),
            metrics: mock::metrics(),
            log: mock::take_logs(),
            notes: exchange
                .map(|exchange| exchange.facts().notes())
                .unwrap_or_default(),
            answer: judged.answer,
            retry_after: judged.retry_after,
            fields: judged.fields,
            matched: judged.matched,
            cached: judged.cached,
            asked: judged.asked,
            request: judged.request,
            response: judged.response,
        }
    }

    fn ask(&mut self, case: &Case, exchange: Option<&MockExchange>) -> Result<Judged, String> {
        let slot = match case.question {
            Question::Tick => &mut self.ticking,
            Question::Host { .. } | Question::Request { .. } => &mut self.judging,
        };
        let filter = match slot.take() {
            Some(filter) => filter,
            None => make(self.config)
                .map_err(|error| format!("the filter refuses its configuration: {error}"))?,
        };
        let filter = slot.insert(filter);
        let Some(exchange) = exchange else {
            return tick(filter);
        };
        let judged = judge(filter, &case.question, exchange)?;
        if let Some(ended) = &case.ended {
            let outcome = outcome(ended, &case.question);
            filter
                .exchange_ended(exchange, &outcome)
                .map_err(reported)?;
        }
        Ok(judged)
    }
}

fn make<F: Filter>(config: &str) -> Result<F, Error> {
    F::new(config::parse(config)?)
}

/// None for a tick, which is about no exchange.
fn exchange(case: &Case) -> Option<MockExchange> {
    let (host, port, protocol) = match &case.question {
        Question::Tick => return None,
        Question::Host {
            host,
            port,
            protocol,
        } => (host, *port, *protocol),
        Question::Request { host, port, .. } => (host, *port, Protocol::Http),
    };
    let facts = case.facts.clone();
    Some(MockExchange::new(Known {
        host: host.clone(),
        port,
        id: mock::next_exchange().to_string(),
        protocol: protocol.name().to_owned(),
        found_in: facts.found_in.name().to_owned(),
        server_name: facts.server_name,
        listener: facts.listener,
        started: mock::now(),
        address: facts.client,
        user: facts.user,
        groups: facts.groups,
    }))
}

fn outcome(ended: &Ended, question: &Question) -> MockOutcome {
    let mut outcome = mocks::outcome(ended.how.name())
        .with_bytes_from_client(ended.bytes_from_client)
        .with_bytes_to_client(ended.bytes_to_client)
        .with_duration(whole_milliseconds(ended.duration));
    if let Some(status) = ended.status {
        outcome = outcome.with_status(status);
    }
    match question {
        Question::Request { method, url, .. } => outcome.with_request(method, url),
        Question::Host { .. } | Question::Tick => outcome,
    }
}

/// Asks one hook after the other, as long as the message passes.
fn judge<F: Filter>(
    filter: &F,
    question: &Question,
    exchange: &MockExchange,
) -> Result<Judged, String> {
    mock::begin_call();
    let verdict = filter.judge_host(exchange).map_err(reported)?;
    let cached = verdict.extras.keep.map(whole_milliseconds);
    let asked = exchange.facts().asked();
    let mut judged = Judged {
        cached,
        asked,
        ..answer(verdict)?
    };
    if let Question::Request {
        url,
        method,
        request,
        response,
        ..
    } = question
        && judged.answer.passes()
    {
        let mut head = mocks::request(method, url);
        for (name, value) in &request.0 {
            head = head.with_header(name, value.clone());
        }
        mock::begin_call();
        let verdict = filter
            .judge_request(exchange, &mut head)
            .map_err(reported)?;
        judged.then(answer(verdict)?);
        judged.request = message(head.headers());
        if let Some((status, fields)) = response.as_ref().filter(|_| judged.answer.passes()) {
            let mut response = mocks::response(*status);
            for (name, value) in &fields.0 {
                response = response.with_header(name, value.clone());
            }
            mock::begin_call();
            let verdict = filter.judge_response(exchange, &head, &mut response);
            judged.then(answer(verdict.map_err(reported)?)?);
            judged.response = message(response.headers());
        }
    }
    Ok(judged)
}

fn tick<F: Filter>(filter: &F) -> Result<Judged, String> {
    let pause = filter.tick().map_err(reported)?;
    Ok(Answer::Ticked(pause.map(whole_milliseconds)).into())
}

/// A panic is a trap in the proxy.
fn caught<T>(ask: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
        let literal = panic.downcast_ref::<&str>().copied();
        let formatted = || panic.downcast_ref::<String>().map(String::as_str);
        let message = literal.or_else(formatted).unwrap_or("panic");
        mock::write_log(Level::Error, message);
        Err(format!("the filter trapped; its last words: {message}"))
    })
}

fn reported(error: impl Into<Error>) -> String {
    format!("the filter reports: {}", error.into())
}

/// The border knows no shorter times; see `proxy`.
fn whole_milliseconds(time: Duration) -> Duration {
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

fn message(headers: &Headers) -> Message {
    let all = headers.all().into_iter();
    Message(all.map(|(name, value)| (name, value.into())).collect())
}
