//! The program's log lines: on standard error, as text for people or as JSON for machines. Set up
//! once by `main`; everything else only uses `tracing`. The library's `log` writes the lines, and
//! the access lines beside them.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;

use portcullis::config::{Log, LogFormat};
use portcullis::log::ProgramLines;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// notify tells the operator of every folder that goes away, which `plugins` does better. hickory
/// and rustls tell of all that peers and strangers send, and `resolve` of what the operator can do
/// something about. The operator's own directives for these come later and win.
const QUIET: &str = "notify=warn,hickory_net=error,rustls=error";

/// Writes what is left when it is dropped.
#[must_use = "lines are lost when the guard is not dropped last"]
#[derive(Debug)]
pub(crate) struct Guard(ProgramLines);

impl Drop for Guard {
    fn drop(&mut self) {
        // A reader that has stalled does not hold up the end of the program.
        let _ = self.0.flush();
    }
}

/// Starts logging. Lines are written by a thread of their own, so that a slow terminal or pipe
/// never holds up traffic; when too many of them wait, further ones are dropped, counted and told.
///
/// `RUST_LOG` is not looked at: `[log] filter` and `PORTCULLIS_LOG_FILTER` say the same with errors
/// for typos.
pub(crate) fn init(log: &Log) -> io::Result<Guard> {
    let lines = portcullis::log::stderr()?;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = if io::stderr().is_terminal() && !plain {
        Colours::On
    } else {
        Colours::Off
    };
    let writer = lines.clone();
    let writer = move || Unbroken(writer.clone());
    subscriber(log, colours, writer).init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard(lines))
}

/// Writes what is left, for an end that drops nothing.
pub(crate) fn flush() {
    // There is no other place to say what fails here.
    let _ = portcullis::log::stderr().and_then(|mut lines| lines.flush());
}

/// Keeps every event on one line, and terminals from obeying it: what is logged may hold the names
/// of files, which may hold any character. tracing writes each event in one go, and escapes only
/// some fields.
#[derive(Debug)]
struct Unbroken<W>(W);

impl<W: Write> Write for Unbroken<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.write_all(event)?;
            return Ok(event.len());
        }
        let text = String::from_utf8_lossy(text);
        let mut line = String::with_capacity(event.len() + 16);
        for (at, c) in text.char_indices() {
            if c.is_control() && !is_colour(&text[at..]) {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether a text begins with a change of colour or weight, as tracing writes them for a terminal.
fn is_colour(text: &str) -> bool {
    text.strip_prefix("\x1b[").is_some_and(|codes| {
        let end = codes.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        end.starts_with('m')
    })
}

/// Tells of a panic in a line like any other. Where the proxy goes on, another line says how.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let location = panic.location().map(ToString::to_string);
    tracing::error!(
        thread = std::thread::current().name(),
        location,
        panic = panic.payload_as_str(),
        backtrace,
        "the proxy panicked, which is its fault; please report it"
    );
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colours {
    On,
    Off,
}

fn subscriber<W>(log: &Log, colours: Colours, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        // Fields of spans stand beside those of the event: one level is what log stores can index.
        // So that no key stands twice, an event does not repeat the name of a field that its spans
        // have.
        LogFormat::Json => json_subscriber::layer()
            .flatten_event(true)
            .flatten_span_list_on_top_level(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
        _ => tracing_subscriber::fmt::layer()
            .with_ansi(colours == Colours::On)
            .with_writer(writer)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(EnvFilter::new(format!("{QUIET},{}", log.filter)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, info, info_span};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str) -> String {
        written_by(format, filter, || {
            let connection = info_span!("connection", client.addr = "192.0.2.1:1");
            let _connection = connection.enter();
            let exchange = info_span!(
                "exchange",
                target.host = "a.example",
                status = tracing::field::Empty
            );
            exchange.record("status", 403);
            let _exchange = exchange.enter();
            info!(target: "access", bytes = 12, "a \"request\"");
            debug!("not seen");
        })
    }

    fn written_by(format: LogFormat, filter: &str, writes: impl FnOnce()) -> String {
        let mut log = Log::default();
        log.format = format;
        log.filter = filter.into();
        let lines = Lines::default();
        let writer = lines.clone();
        let writer = move || Unbroken(writer.clone());
        let subscriber = subscriber(&log, Colours::Off, writer);
        tracing::subscriber::with_default(subscriber, writes);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_are_flat_and_hold_the_fields_of_all_spans() {
        let line = written(LogFormat::Json, "info");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["message"], "a \"request\"");
        assert_eq!(json["target"], "access");
        assert_eq!(json["level"], "INFO");
        assert_eq!(json["bytes"], 12);
        assert_eq!(json["status"], 403);
        assert_eq!(json["target.host"], "a.example");
        assert_eq!(json["client.addr"], "192.0.2.1:1");
        assert!(json["timestamp"].is_string());
    }

    #[test]
    fn text_lines_name_spans_and_have_no_colours_in_a_file() {
        let line = written(LogFormat::Text, "info");
        assert!(
            line.contains("connection{client.addr=\"192.0.2.1:1\"}"),
            "{line}"
        );
        assert!(line.contains("access: a \"request\" bytes=12"), "{line}");
        assert!(!line.contains('\x1b'), "{line:?}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn no_name_of_a_file_forges_a_line() {
        let name = "a\n2026-01-01T00:00:00Z ERROR all is lost\r\x1b[2Jb";
        let forge = || tracing::warn!(plugin = %name, "a filter called {name}");
        let line = written_by(LogFormat::Text, "warn", forge);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert!(!line.contains(['\r', '\x1b']), "{line:?}");
        let line = written_by(LogFormat::Json, "warn", forge);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    }

    #[test]
    fn the_filter_decides_what_is_written() {
        assert_eq!(written(LogFormat::Text, "info,access=off"), "");
        assert_eq!(written(LogFormat::Text, "debug").lines().count(), 2);
    }

    #[test]
    fn a_panic_is_one_line_with_its_thread_place_and_message() {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let line = written_by(LogFormat::Text, "error", || {
            std::panic::catch_unwind(|| panic!("two\nlines")).unwrap_err();
        });
        std::panic::set_hook(previous);
        assert_eq!(line.lines().count(), 1, "{line}");
        let thread = std::thread::current();
        let thread = format!("thread={:?}", thread.name().unwrap());
        let place = format!("location=\"{}:", file!());
        for part in ["ERROR", &thread, &place, r#"panic="two\nlines""#] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
