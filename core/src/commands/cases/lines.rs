//! What a filter logs while it is asked, and what the proxy has to say about it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_contract as contract;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Lines in order. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<(contract::Level, String)>>>);

impl Lines {
    /// Collects what is logged where it is the default.
    pub(super) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        tracing_subscriber::registry().with(self.clone())
    }

    pub(super) fn take(&self) -> Vec<(contract::Level, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let target = metadata.target();
        let is_warning = *metadata.level() <= Level::WARN;
        if target != "filter" && !(is_warning && target.starts_with(env!("CARGO_CRATE_NAME"))) {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((level(*metadata.level()), text.0));
    }
}

fn level(level: Level) -> contract::Level {
    match level {
        Level::TRACE => contract::Level::Trace,
        Level::DEBUG => contract::Level::Debug,
        Level::INFO => contract::Level::Info,
        Level::WARN => contract::Level::Warn,
        _ => contract::Level::Error,
    }
}

/// The message, and the error if there is one.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.0 = format!("{value:?}{}", self.0),
            "error" => self.0 += &format!(": {value:?}"),
            _ => {}
        }
    }
}
