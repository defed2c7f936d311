//! What proxies log while scenarios run, their access lines included. All tests of a process share
//! it, so scenarios look for names of their own.

use std::io::{self, Write};
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, Once};

use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;

use crate::wire::within;

static LINES: LazyLock<watch::Sender<Vec<String>>> = LazyLock::new(watch::Sender::default);

/// How many lines the proxies have written themselves. Access lines are not among them, as each
/// request of a scenario has one.
static EVENTS: LazyLock<watch::Sender<usize>> = LazyLock::new(watch::Sender::default);

/// Texts at which the log panics.
static TRAPS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A reader of the log, from where it stood when the reader was made.
#[derive(Clone, Debug)]
pub struct Log {
    read: usize,
}

impl Log {
    /// Begins to read.
    pub fn follow() -> Self {
        static START: Once = Once::new();
        START.call_once(|| {
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_max_level(LevelFilter::INFO)
                .with_writer(|| Sink)
                .init();
        });
        Self {
            read: LINES.borrow().len(),
        }
    }

    /// Waits for a line that contains all `parts`, and reads on behind it from then on.
    pub async fn says(&mut self, parts: &[&str]) -> String {
        let is_it = |line: &String| parts.iter().all(|part| line.contains(part));
        let mut lines = LINES.subscribe();
        let said = lines.wait_for(|lines| lines[self.read..].iter().any(is_it));
        let what = format!("the log has a line with {parts:?}");
        let lines = within(&what, said).await.expect("the log is never closed");
        let at = lines[self.read..].iter().position(is_it);
        self.read += at.expect("it was there a moment ago") + 1;
        lines[self.read - 1].clone()
    }

    /// Has the next line that contains `text` panic where it is written: in whatever part of the
    /// proxy has something to say about that.
    pub fn panics_once_at(&self, text: &str) {
        let mut traps = TRAPS.lock().expect("nothing panics that holds it");
        traps.push(text.to_owned());
    }

    /// Whether a line with `text` has come already, behind what was read.
    pub fn has_said(&self, text: &str) -> bool {
        LINES.borrow()[self.read..]
            .iter()
            .any(|line| line.contains(text))
    }

    /// How many lines with all `parts` have come, behind what was read.
    pub fn count(&self, parts: &[&str]) -> usize {
        let is_it = |line: &&String| parts.iter().all(|part| line.contains(part));
        LINES.borrow()[self.read..].iter().filter(is_it).count()
    }
}

/// What the proxies tell of themselves: filters that are loaded, lists that are updated, failures.
#[derive(Debug)]
pub(crate) struct Events(watch::Receiver<usize>);

impl Events {
    /// The events that follow.
    pub(crate) fn follow() -> Self {
        Log::follow();
        Self(EVENTS.subscribe())
    }

    /// Waits for the next one. Those that have come since the last call are one.
    pub(crate) async fn next(&mut self) {
        self.0.changed().await.expect("the log is never closed");
    }
}

/// A path that a proxy writes access lines to, which then appear in the log.
#[cfg(unix)]
pub(crate) fn access_path() -> PathBuf {
    use std::io::BufRead;
    use std::os::fd::IntoRawFd;

    let (lines, writer) = io::pipe().expect("a pipe");
    std::thread::spawn(move || {
        for line in io::BufReader::new(lines).lines() {
            let line = line.expect("a pipe can be read");
            append(line.as_bytes()).expect("standard error can be written");
        }
    });
    // It is never closed: the number must go on to mean this pipe for as long as a proxy writes to
    // the path.
    PathBuf::from(format!("/dev/fd/{}", writer.into_raw_fd()))
}

/// Adds a line, and shows it to those who read the output of a failed test.
fn append(line: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(line).trim_end().to_owned();
    let shown = io::stderr().write_all(format!("{text}\n").as_bytes());
    LINES.send_modify(|lines| lines.push(text));
    shown
}

/// Takes one line with each write.
struct Sink;

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let trap = {
            let text = String::from_utf8_lossy(line);
            let mut traps = TRAPS.lock().expect("nothing panics that holds it");
            let at = traps.iter().position(|trap| text.contains(trap.as_str()));
            at.map(|at| traps.remove(at))
        };
        if let Some(trap) = trap {
            panic!("the log panics at {trap}");
        }
        append(line)?;
        EVENTS.send_modify(|events| *events += 1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
