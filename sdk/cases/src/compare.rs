//! What was observed beside what was expected, in words that a person can act on.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use portcullis_contract::Scope;
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
        self.cached(expected, observed.cached);
        self.log(expected, observed);
        self.fields("request", &expected.request_headers, &observed.request);
        self.fields("response", &expected.response_headers, &observed.response);
        self.state(expected, observed);
        self.metrics(expected, observed);
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
            Answer::Next | Answer::Allow => {}
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
            Answer::Error(message) => {
                let wanted = expected.error.as_deref();
                if let Some(part) = wanted.filter(|part| !message.contains(part)) {
                    let wanted = format!("one that contains {part:?}");
                    self.add("the error", wanted, format!("{message:?}"));
                }
            }
            Answer::Ticked(pause) => {
                if let Some(wanted) = expected.pause.filter(|wanted| wanted != pause) {
                    self.add("the pause", time(wanted), time(*pause));
                }
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

    fn cached(&mut self, expected: &Expected, got: Option<(Scope, Duration)>) {
        let words = |scope: Option<Scope>, kept: Option<Duration>| match (kept, scope) {
            (None, None) => "an answer that may not be used again".to_owned(),
            (None, Some(scope)) => format!("for {}", scope.name()),
            (Some(kept), None) => time(kept),
            (Some(kept), Some(scope)) => format!("{} for {}", time(kept), scope.name()),
        };
        let (scope, kept) = got.unzip();
        let is_right = expected.cached.is_none_or(|expected| expected == kept)
            && expected
                .cached_for
                .is_none_or(|expected| Some(expected) == scope);
        if !is_right {
            let expected = words(expected.cached_for, expected.cached.flatten());
            self.add(
                "the time that the answer is cached",
                expected,
                words(scope, kept),
            );
        }
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
        side: &str,
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
                    format!("the {side}'s field {name}"),
                    words(expected),
                    words(&got),
                );
            }
        }
    }

    fn state(&mut self, expected: &Expected, observed: &Observed) {
        let words =
            |value: Option<&str>| value.map_or("nothing".to_owned(), |value| format!("{value:?}"));
        for (key, expected) in &expected.state {
            let got = observed
                .state
                .get(key)
                .map(|value| String::from_utf8_lossy(value));
            if got.as_deref() != expected.as_deref() {
                self.add(
                    format!("the state of {key:?}"),
                    words(expected.as_deref()),
                    words(got.as_deref()),
                );
            }
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
            Self::Error(message) => write!(f, "error: {message}"),
            Self::Ticked(pause) => write!(f, "a tick that goes well; the next in {}", time(*pause)),
        }
    }
}
