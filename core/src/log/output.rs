//! Where a writer's lines end up: standard output or error, or a file (`file`).

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// Between two attempts to write to what was made non-blocking by another process that shares it.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Takes batches of whole lines. Only the writer's thread calls it, and it may block.
pub(super) trait Output: Send + 'static {
    /// For messages.
    fn name(&self) -> String;

    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Failure>;
}

/// Lines could not be written.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) source: io::Error,
    /// How many lines of the batch are lost. A line that is there in part is lost as well.
    pub(super) lost: u64,
}

/// Standard output or error.
#[derive(Debug)]
pub(super) struct Stream<W> {
    pub(super) name: &'static str,
    pub(super) stream: W,
}

impl<W: Write + Send + 'static> Output for Stream<W> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        write_all(&mut self.stream, lines).map_err(|torn| Failure {
            lost: count_lines(torn.rest),
            source: torn.source,
        })
    }
}

/// A write that has not come to its end.
pub(super) struct Torn<'a> {
    pub(super) source: io::Error,
    /// What was not written.
    pub(super) rest: &'a [u8],
}

/// Writes and flushes. In one system call, unless the system takes less at a time.
pub(super) fn write_all<'a>(out: &mut impl Write, bytes: &'a [u8]) -> Result<(), Torn<'a>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let source = match out.write(rest) {
            Ok(0) => ErrorKind::WriteZero.into(),
            Ok(written) => {
                rest = &rest[written..];
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(RETRY_INTERVAL);
                continue;
            }
            Err(error) => error,
        };
        return Err(Torn { source, rest });
    }
    out.flush().map_err(|source| Torn { source, rest })
}

/// How many lines end in `bytes`.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}
