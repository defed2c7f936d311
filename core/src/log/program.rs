//! The lines of the program itself, on standard error. The process has one standard error, so it
//! has one writer for it: access lines that go there take the same way, and no line is torn by
//! another.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::lane::Kind;
use super::output::Stream;
use super::writer::{Producer, Writer};

/// Where the program's lines go.
///
/// # Errors
///
/// If the thread that writes them cannot be started.
pub fn stderr() -> io::Result<ProgramLines> {
    let writer = stderr_writer()?;
    Ok(ProgramLines(Arc::new(writer.producer(Kind::Program))))
}

/// Takes one line with each write, written by a thread of its own: a write never waits. When too
/// much waits already, lines are dropped and counted. A flush waits until everything is written, or
/// fails after half a second.
#[derive(Clone, Debug)]
pub struct ProgramLines(Arc<Producer>);

impl Write for ProgramLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(|lines| push_line(lines, line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0.flush() {
            Ok(())
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}

/// What others have said within a line must not become a line of its own, which could look like any
/// other.
fn push_line(lines: &mut Vec<u8>, line: &[u8]) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    for (at, part) in line.split(|&byte| byte == b'\n').enumerate() {
        if at > 0 {
            lines.extend_from_slice(b"\\n");
        }
        lines.extend_from_slice(part);
    }
    lines.push(b'\n');
}

pub(super) fn stderr_writer() -> io::Result<Arc<Writer>> {
    static WRITER: Mutex<Weak<Writer>> = Mutex::new(Weak::new());
    one_writer(&WRITER, || Stream::new("stderr", io::stderr()))
}

pub(super) fn stdout_writer() -> io::Result<Arc<Writer>> {
    static WRITER: Mutex<Weak<Writer>> = Mutex::new(Weak::new());
    one_writer(&WRITER, || Stream::new("stdout", io::stdout()))
}

/// The writer that runs, or a new one.
fn one_writer<W: Write + Send + 'static>(
    running: &Mutex<Weak<Writer>>,
    stream: impl FnOnce() -> Stream<W>,
) -> io::Result<Arc<Writer>> {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(writer) = running.upgrade() {
        return Ok(writer);
    }
    let writer = Writer::start(stream())?;
    *running = Arc::downgrade(&writer);
    Ok(writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_stands_in_it() {
        let mut lines = Vec::new();
        push_line(&mut lines, b"2026 WARN filter: x\ntime=2026 kind=access\n");
        push_line(&mut lines, b"next");
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            "2026 WARN filter: x\\ntime=2026 kind=access\nnext\n"
        );
    }
}
