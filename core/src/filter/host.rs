//! What a filter can reach: the capabilities of the contract, answered by the proxy. Host calls are short and never wait.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use tracing::Level;
use wasmtime::{StoreLimits, StoreLimitsBuilder};

use super::bindings::portcullis::filter::{feeds, log, request_headers, types};
use super::engine::Engine;
use crate::feeds::Feeds;
use crate::verdict::Match;

/// A filter's log lines are cut at so many bytes.
const LOG_LINE_BYTES: usize = 4096;

/// What the proxy knows about one instance while it runs.
pub(super) struct State {
    name: Arc<str>,
    feeds: Arc<Feeds>,
    pub(super) engine: Engine,
    pub(super) limits: StoreLimits,
    /// Epochs that the running call may still begin.
    pub(super) ticks_left: u64,
    /// The fields of the request that is being judged.
    pub(super) headers: HeaderMap,
    /// The last feed entry found by the running call.
    pub(super) matched: Option<Match>,
}

impl State {
    pub(super) fn new(name: Arc<str>, feeds: Arc<Feeds>, engine: Engine, memory: usize) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory)
            .table_elements(100_000)
            .instances(64)
            .memories(16)
            .tables(64)
            .build();
        Self {
            name,
            feeds,
            engine,
            limits,
            ticks_left: 0,
            headers: HeaderMap::new(),
            matched: None,
        }
    }
}

impl types::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) {
        let (filter, message) = (&*self.name, printable(&message));
        match level {
            log::Level::Trace => {
                tracing::event!(target: "filter", Level::TRACE, filter, "{message}")
            }
            log::Level::Debug => {
                tracing::event!(target: "filter", Level::DEBUG, filter, "{message}")
            }
            log::Level::Info => tracing::event!(target: "filter", Level::INFO, filter, "{message}"),
            log::Level::Warn => tracing::event!(target: "filter", Level::WARN, filter, "{message}"),
            log::Level::Error => {
                tracing::event!(target: "filter", Level::ERROR, filter, "{message}")
            }
        }
    }
}

impl feeds::Host for State {
    fn names(&mut self) -> Vec<String> {
        self.feeds.names().map(|name| name.to_string()).collect()
    }

    fn lookup(&mut self, feed: String, host: String) -> Result<Option<String>, String> {
        let rule = self
            .feeds
            .lookup(&feed, &host)
            .map_err(|unknown| unknown.to_string())?;
        if let Some(rule) = &rule {
            self.matched = Some(Match {
                feed: feed.into(),
                rule: rule.clone(),
            });
        }
        Ok(rule.map(Into::into))
    }
}

impl request_headers::Host for State {
    fn get(&mut self, name: String) -> Vec<Vec<u8>> {
        let Ok(name) = HeaderName::try_from(name) else {
            return Vec::new();
        };
        self.headers
            .get_all(name)
            .iter()
            .map(|value| value.as_bytes().to_vec())
            .collect()
    }

    fn names(&mut self) -> Vec<String> {
        self.headers.keys().map(ToString::to_string).collect()
    }
}

/// One line, without control characters: a filter must not be able to forge log lines.
fn printable(message: &str) -> String {
    let mut line = String::with_capacity(message.len().min(LOG_LINE_BYTES));
    for c in message.chars() {
        if line.len() >= LOG_LINE_BYTES {
            line.push('…');
            break;
        }
        if c.is_control() {
            line.extend(c.escape_default())
        } else {
            line.push(c)
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_message_stays_one_line() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert!(printable(&"x".repeat(100_000)).len() < LOG_LINE_BYTES + 8);
    }
}
