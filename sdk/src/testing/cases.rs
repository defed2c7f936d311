//! Runs a file of cases against a filter natively, step by step as the proxy would.

mod answer;
#[cfg(test)]
mod tests;

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use portcullis_cases::{Answer, Case, Cases, Message, Observed, Question, Report};

use self::answer::answer;
use crate::proxy::mock;
use crate::{Error, Filter, Flow, Headers, Level, Protocol, Request, Response, Scope, config};

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
    cached: Option<(Scope, Duration)>,
    request: Message,
    response: Message,
}

impl From<Answer> for Judged {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            cached: None,
            request: Message::default(),
            response: Message::default(),
        }
    }
}

impl<'a, F: Filter> Subject<'a, F> {
    fn begin(cases: &'a Cases) -> Self {
        mock::reset();
        for (name, domains) in &cases.feeds {
            mock::set_feed(name, domains.iter().cloned().collect());
        }
        mock::set_time(cases.now);
        Self {
            config: cases.config.as_deref().unwrap_or_default(),
            judging: None,
            ticking: None,
        }
    }

    fn observe(&mut self, case: &Case) -> Observed {
        let judged = match caught(|| self.ask(case)) {
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
        let state = keys.filter_map(|key| Some((key.clone(), mock::value(key)?)));
        Observed {
            state: state.collect(),
            metrics: mock::metrics(),
            log: mock::take_logs(),
            answer: judged.answer,
            cached: judged.cached,
            request: judged.request,
            response: judged.response,
        }
    }

    fn ask(&mut self, case: &Case) -> Result<Judged, String> {
        let slot = match case.question {
            Question::Tick => &mut self.ticking,
            Question::Host { .. } | Question::Request { .. } => &mut self.judging,
        };
        let filter = match slot.take() {
            Some(filter) => filter,
            None => make(self.config)
                .map_err(|error| format!("the filter refuses its configuration: {error}"))?,
        };
        judge(slot.insert(filter), case)
    }
}

fn make<F: Filter>(config: &str) -> Result<F, Error> {
    F::new(config::parse(config)?)
}

/// Asks one hook after the other, as long as the message passes.
fn judge<F: Filter>(filter: &F, case: &Case) -> Result<Judged, String> {
    let (host, port, protocol) = match &case.question {
        Question::Tick => return tick(filter),
        Question::Host {
            host,
            port,
            protocol,
        } => (host, *port, *protocol),
        Question::Request { host, port, .. } => (host, *port, Protocol::Http),
    };
    let mut flow = Flow::new(host, port, protocol);
    if let Some(client) = case.client {
        flow = flow.with_client(client);
    }
    mock::take_asked_for_client();
    let verdict = filter.judge_host(&flow).map_err(reported)?;
    // As in the proxy, what one client was told is not told to others.
    let is_personal = mock::take_asked_for_client();
    let kept = verdict
        .cached()
        .filter(|(scope, _)| !(is_personal && *scope == Scope::Host));
    let mut judged = Judged {
        cached: kept.map(|(scope, time)| (scope, whole_milliseconds(time))),
        ..answer(&verdict)?.into()
    };
    if let Question::Request {
        url,
        method,
        request,
        response,
        ..
    } = &case.question
        && judged.answer.passes()
    {
        let mut head = Request::new(method, url);
        for (name, value) in &request.0 {
            head = head.with_header(name, value.clone());
        }
        judge_message(filter, &flow, head, response.as_ref(), &mut judged)?;
    }
    Ok(judged)
}

fn judge_message<F: Filter>(
    filter: &F,
    flow: &Flow,
    mut request: Request,
    response: Option<&(u16, Message)>,
    judged: &mut Judged,
) -> Result<(), String> {
    let verdict = filter.judge_request(flow, &mut request).map_err(reported)?;
    judged.answer = judged.answer.clone().then(answer(&verdict)?);
    judged.request = message(request.headers());
    let Some((status, fields)) = response.filter(|_| judged.answer.passes()) else {
        return Ok(());
    };
    let mut response = Response::new(*status);
    for (name, value) in &fields.0 {
        response = response.with_header(name, value.clone());
    }
    let verdict = filter
        .judge_response(flow, &request, &mut response)
        .map_err(reported)?;
    judged.answer = judged.answer.clone().then(answer(&verdict)?);
    judged.response = message(response.headers());
    Ok(())
}

fn tick<F: Filter>(filter: &F) -> Result<Judged, String> {
    let pause = filter.tick().map_err(reported)?;
    Ok(Answer::Ticked(whole_milliseconds(pause)).into())
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

fn reported(error: Error) -> String {
    format!("the filter reports: {error}")
}

/// The border knows no shorter times; see `proxy`.
fn whole_milliseconds(time: Duration) -> Duration {
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

fn message(headers: &Headers) -> Message {
    let mut fields = Vec::new();
    for name in headers.names() {
        for value in headers.get_all(&name) {
            fields.push((name.clone(), value.as_bytes().to_vec()));
        }
    }
    Message(fields)
}
