//! What was observed beside what was expected, in words that a person can act on.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use portcullis_contract::{Fact, Facts};
use serde::Serialize;

use crate::case::{Answer, Case, Expected, Message, Observed};

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What the case is about.
    pub name: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// Whether all is as expected.
    pub ok: bool,
    /// What is not.
    pub differences: Vec<Difference>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is, such as `the reason`.
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What came of it.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            expected,
            got,
        } = self;
        write!(f, "{what}: expected {expected}, got {got}")
    }
}

impl Case {
    /// Whether the filter did what the case expects.
    pub fn compare(&self, observed: &Observed) -> Outcome {
        let mut differences = Differences(Vec::new());
        differences.answer(&self.expected, &observed.answer);
        let is_error = matches!(observed.answer, Answer::Error(_));
        // What a filter did not do because it failed follows from that.
        if !(is_error && self.expected.verdict != observed.answer.word()) {
            differences.rest(&self.expected, observed);
        }
        Outcome {
            name: self.name.clone(),
            line: self.line,
            ok: differences.0.is_empty(),
            differences: differences.0,
        }
    }
}

struct Differences(Vec<Difference>);

impl Differences {
    fn add(
        &mut self,
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) {
        self.0.push(Difference {
            what: what.into(),
            expected: expected.into(),
            got: got.into(),
        });
    }

    /// All but the answer.
    fn rest(&mut self, expected: &Expected, observed: &Observed) {
        self.additions(expected, observed);
        self.cached(expected, observed);
        self.log(expected, observed);
        self.fields(
            "the request's",
            &expected.request_headers,
            &observed.request,
        );
        self.fields(
            "the response's",
            &expected.response_headers,
            &observed.response,
        );
        self.state(expected, observed);
        self.metrics(expected, observed);
        self.notes(expected, observed);
    }

    /// Of another verdict than the expected one, the parts are not compared.
    fn answer(&mut self, expected: &Expected, answer: &Answer) {
        if expected.verdict != answer.word() {
            let expected = expected
                .verdict
                .map_or("a tick that goes well", |word| word.name());
            return self.add("the verdict", expected, answer.to_string());
        }
        self.parts(expected, answer);
    }

    fn parts(&mut self, expected: &Expected, answer: &Answer) {
        match answer {
            Answer::Next | Answer::Allow | Answer::Drop => {}
            Answer::Block { status, reason } => {
                self.number("the status", expected.status, *status);
                self.text("the reason", expected.reason.as_deref(), reason);
            }
            Answer::Redirect { status, location } => {
                self.number("the status", expected.status, *status);
                let wanted = expected.location.as_deref();
                self.text(
                    "the location",
                    wanted.filter(|url| canonical_url(url) != canonical_url(location)),
                    location,
                );
            }
            Answer::Replace {
                status,
                content_type,
                body,
            } => {
                self.number("the status", expected.status, *status);
                let wanted = expected.content_type.as_deref();
                self.text("the content type", wanted, content_type);
                let body = String::from_utf8_lossy(body);
                self.text("the body", expected.body.as_deref(), &body);
            }
            Answer::Ask {
                question,
                otherwise,
                wait,
            } => {
                self.text("the question", expected.question.as_deref(), question);
                let wanted = expected.otherwise.map(|fallback| fallback.name());
                self.text("what holds otherwise", wanted, otherwise.name());
                if let Some(wanted) = expected.wait.filter(|wanted| wanted != wait) {
                    self.add("the time to wait", time(wanted), time(*wait));
                }
            }
            Answer::Error(message) => {
                let wanted = expected.error.as_deref();
                if let Some(part) = wanted.filter(|part| !message.contains(part)) {
                    let wanted = format!("one that contains {part:?}");
                    self.add("the error", wanted, format!("{message:?}"));
                }
            }
            Answer::Ticked(pause) => {
                self.maybe_time("the pause", expected.pause, *pause, "never");
            }
        }
    }

    fn number(&mut self, what: &str, expected: Option<u16>, got: u16) {
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            self.add(what, expected.to_string(), got.to_string());
        }
    }

    fn text(&mut self, what: &str, expected: Option<&str>, got: &str) {
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            self.add(what, format!("{expected:?}"), format!("{got:?}"));
        }
    }

    fn maybe_time(
        &mut self,
        what: &str,
        expected: Option<Option<Duration>>,
        got: Option<Duration>,
        none: &str,
    ) {
        let words = |maybe: Option<Duration>| maybe.map_or(none.to_owned(), time);
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            self.add(what, words(expected), words(got));
        }
    }

    /// What the filter adds to its answer.
    fn additions(&mut self, expected: &Expected, observed: &Observed) {
        let retry_after = observed.retry_after;
        self.maybe_time(
            "the time to try again",
            expected.retry_after,
            retry_after,
            "none",
        );
        self.fields("the answer's", &expected.fields, &observed.fields);
        let rule = |rule: Option<&str>| rule.map_or("none".to_owned(), |rule| format!("{rule:?}"));
        let got = observed.matched.as_deref();
        if let Some(expected) = &expected.matched
            && expected.as_deref() != got
        {
            self.add(
                "the rule that decided",
                rule(expected.as_deref()),
                rule(got),
            );
        }
    }

    fn cached(&mut self, expected: &Expected, observed: &Observed) {
        const NOT: &str = "an answer that may not be used again";
        self.maybe_time(
            "the time that the answer is cached",
            expected.cached,
            observed.cached,
            NOT,
        );
        let words = |facts: Facts| {
            if facts.is_empty() {
                return "host and port alone".to_owned();
            }
            let names: Vec<&str> = facts.iter().map(Fact::name).collect();
            names.join(", ")
        };
        let Some(expected) = expected.cached_by else {
            return;
        };
        let got = match observed.cached {
            Some(_) if expected == observed.asked => return,
            Some(_) => words(observed.asked),
            None => NOT.to_owned(),
        };
        self.add(
            "the facts by which the answer is cached",
            words(expected),
            got,
        );
    }

    fn log(&mut self, expected: &Expected, observed: &Observed) {
        let Some(parts) = &expected.log else {
            return;
        };
        let lines: Vec<String> = observed
            .log
            .iter()
            .map(|(level, line)| format!("{level}: {line}"))
            .collect();
        let said = || {
            if lines.is_empty() {
                return "no line".to_owned();
            }
            let quoted: Vec<String> = lines.iter().map(|line| format!("{line:?}")).collect();
            quoted.join(", ")
        };
        if parts.is_empty() && !lines.is_empty() {
            self.add("the log", "no line", said());
        }
        for part in parts {
            if !lines.iter().any(|line| line.contains(part)) {
                self.add("the log", format!("a line that contains {part:?}"), said());
            }
        }
    }

    fn fields<'a>(
        &mut self,
        whose: &str,
        expected: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
        message: &Message,
    ) {
        let words = |values: &[String]| match values {
            [] => "none".to_owned(),
            [value] => format!("{value:?}"),
            values => format!("{values:?}"),
        };
        for (name, expected) in expected {
            let values = message.values(name);
            let got: Vec<String> = values
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect();
            if got != *expected {
                self.add(
                    format!("{whose} field {name}"),
                    words(expected),
                    words(&got),
                );
            }
        }
    }

    fn state(&mut self, expected: &Expected, observed: &Observed) {
        for (key, expected) in &expected.state {
            let got = observed.state.get(key);
            let got = got.map(|value| String::from_utf8_lossy(value));
            self.entry(
                format!("the state of {key:?}"),
                expected.as_deref(),
                got.as_deref(),
            );
        }
    }

    fn notes(&mut self, expected: &Expected, observed: &Observed) {
        for (key, expected) in &expected.notes {
            let got = observed.notes.get(key).map(String::as_str);
            self.entry(format!("the note {key:?}"), expected.as_deref(), got);
        }
    }

    fn entry(&mut self, what: String, expected: Option<&str>, got: Option<&str>) {
        let words =
            |value: Option<&str>| value.map_or("nothing".to_owned(), |value| format!("{value:?}"));
        if got != expected {
            self.add(what, words(expected), words(got));
        }
    }

    fn metrics(&mut self, expected: &Expected, observed: &Observed) {
        let words = |value: Option<f64>| value.map_or("none".to_owned(), |value| value.to_string());
        for (name, expected) in &expected.metrics {
            let got = observed.metrics.get(name).copied();
            if got != *expected {
                self.add(format!("the metric {name}"), words(*expected), words(got));
            }
        }
    }
}

/// A URL in the spelling that the proxy gives it; the text as it is where it is not a URL.
fn canonical_url(text: &str) -> String {
    url::Url::parse(text).map_or_else(|_| text.to_owned(), Into::into)
}

fn time(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// The answer in a line.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str("next"),
            Self::Allow => f.write_str("allow"),
            Self::Block { status, reason } => write!(f, "block with {status}: {reason}"),
            Self::Redirect { status, location } => {
                write!(f, "redirect with {status} to {location}")
            }
            Self::Replace {
                status,
                content_type,
                body,
            } => write!(
                f,
                "replace with {status}: {} bytes of {content_type}",
                body.len()
            ),
            Self::Drop => f.write_str("drop"),
            Self::Ask {
                question,
                otherwise,
                wait,
            } => write!(
                f,
                "ask for {}, or else {}: {question}",
                time(*wait),
                otherwise.name()
            ),
            Self::Error(message) => write!(f, "error: {message}"),
            Self::Ticked(Some(pause)) => {
                write!(f, "a tick that goes well; the next in {}", time(*pause))
            }
            Self::Ticked(None) => f.write_str("a tick that goes well, and the last"),
        }
    }
}
