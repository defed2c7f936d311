//! What the proxy writes to its log.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::Notify;
use tracing_subscriber::fmt::MakeWriter;

use crate::wire::within;

/// Everything that this process logs, from the first use on.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    text: Mutex<String>,
    written: Notify,
}

impl Log {
    /// Begins to listen. There is one log in a process, so scenarios in one file see each other's lines.
    pub fn listen() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let begin = || {
            let log = Self::default();
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_writer(log.clone())
                .init();
            log
        };
        LOG.get_or_init(begin).clone()
    }

    /// The first line with that text, as soon as there is one.
    pub async fn line_with(&self, text: &str) -> String {
        let line = async {
            loop {
                let written = self.0.written.notified();
                if let Some(line) = self.lines_with(text).into_iter().next() {
                    return line;
                }
                written.await;
            }
        };
        within(&format!("a line is logged that contains {text:?}"), line).await
    }

    /// All lines with that text, until now.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        let logged = self.0.text.lock().expect("no writer panicked");
        let lines = logged.lines().filter(|line| line.contains(text));
        lines.map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0
            .text
            .lock()
            .expect("no writer panicked")
            .push_str(&text);
        self.0.written.notify_waiters();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
