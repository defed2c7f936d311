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

    /// Opens what was moved away.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    name: &'static str,
    lines: Lines<W>,
}

impl<W: Write> Stream<W> {
    pub(super) fn new(name: &'static str, stream: W) -> Self {
        Self {
            name,
            lines: Lines::new(stream),
        }
    }
}

impl<W: Write + Send + 'static> Output for Stream<W> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        self.lines.write(lines)
    }
}

/// Where lines are written one after the other.
#[derive(Debug)]
pub(super) struct Lines<W> {
    pub(super) out: W,
    /// The last line is there in part only.
    is_torn: bool,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            is_torn: false,
        }
    }

    /// Writes a batch. A line that was torn before is ended first, so that no other continues it.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), Failure> {
        if self.is_torn {
            self.is_torn = write_all(&mut self.out, b"\n").is_err();
        }
        write_all(&mut self.out, lines).map_err(|torn| {
            let written = &lines[..lines.len() - torn.rest.len()];
            self.is_torn |= written.last().is_some_and(|&byte| byte != b'\n');
            Failure {
                lost: count_lines(torn.rest),
                source: torn.source,
            }
        })
    }
}

/// A write that has not come to its end.
struct Torn<'a> {
    source: io::Error,
    /// What was not written.
    rest: &'a [u8],
}

/// Writes and flushes. In one system call, unless the system takes less at a time.
fn write_all<'a>(out: &mut impl Write, bytes: &'a [u8]) -> Result<(), Torn<'a>> {
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
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a number of bytes and then fails once.
    struct Full {
        room: usize,
        taken: Vec<u8>,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                self.room = usize::MAX;
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.taken.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next_one() {
        let full = Full {
            room: 6,
            taken: Vec::new(),
        };
        let mut lines = Lines::new(full);
        let failure = lines.write(b"one\ntwo\nthree\n").unwrap_err();
        assert_eq!(failure.lost, 2);
        lines.write(b"four\n").unwrap();
        assert_eq!(lines.out.taken, b"one\ntw\nfour\n");
    }
}
