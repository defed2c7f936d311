//! The proxy's own access lines read back, in both forms that `log::access` writes: one after the
//! other, however long the file is. Used by `replay` and by `cases`.

mod entry;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;

pub(crate) use self::entry::Entry;
use crate::error::PluginError;

/// An access line has some hundreds of bytes, and with the longest values a few thousand.
const MAX_LINE: usize = 64 << 10;

/// Stands for standard input.
const STDIN: &str = "-";

/// What a log holds, besides what its access lines say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Access lines.
    pub(crate) exchanges: u64,
    /// Access lines of requests that name no host, or that were answered before a filter was asked.
    pub(crate) unjudged: u64,
    /// All other lines.
    pub(crate) unparsed: u64,
    /// The first and the last time that an access line tells.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

impl Summary {
    /// How long it all took, in seconds; none if no time passed.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let (first, last) = self.times?;
        let seconds = last.duration_since(first).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }
}

/// Hands every access line about a host that was judged to `each`, in the order of the file, or of
/// standard input if the file is `-`.
///
/// # Errors
///
/// If the file cannot be read, or has no such line.
pub(crate) fn read(file: &Path, each: impl FnMut(&Entry<'_>)) -> Result<Summary, PluginError> {
    let unreadable = |source| PluginError::Read {
        file: file.to_owned(),
        source,
    };
    let input: Box<dyn Read> = if file == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).map_err(unreadable)?)
    };
    let found = read_lines(BufReader::new(input), each).map_err(unreadable)?;
    if found.exchanges == found.unjudged {
        return Err(PluginError::NoAccessLines {
            file: file.to_owned(),
            lines: found.unparsed + found.unjudged,
        });
    }
    Ok(found)
}

/// What to call a log.
pub(crate) fn name(file: &Path) -> String {
    if file == Path::new(STDIN) {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

pub(crate) fn read_lines(
    mut input: impl BufRead,
    mut each: impl FnMut(&Entry<'_>),
) -> io::Result<Summary> {
    let mut found = Summary::default();
    let mut bytes = Vec::new();
    while read_line(&mut input, &mut bytes)? {
        let line = str::from_utf8(&bytes).unwrap_or_default();
        let Some(entry) = Entry::parse(line) else {
            found.unparsed += 1;
            continue;
        };
        found.exchanges += 1;
        let (first, last) = found.times.unwrap_or((entry.time, entry.time));
        // Exchanges are written when they end, by several threads.
        found.times = Some((first.min(entry.time), last.max(entry.time)));
        if entry.verdict.is_some() && !entry.host.is_empty() {
            each(&entry);
        } else {
            found.unjudged += 1;
        }
    }
    Ok(found)
}

/// Reads a line into `bytes`, nothing of one that is too long. False at the end.
fn read_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    let limit = MAX_LINE as u64;
    if input.by_ref().take(limit).read_until(b'\n', bytes)? == 0 {
        return Ok(false);
    }
    if bytes.len() == MAX_LINE && !bytes.ends_with(b"\n") {
        bytes.clear();
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "time=2026-11-23T13:42:32.500000Z kind=access id=4 client=10.0.0.7 method=GET host=a.example \
                        port=80 protocol=http status=200 verdict=next up=0 down=5 ms=2.500 outcome=complete\n";

    fn read(text: &str) -> (Summary, Vec<String>) {
        let mut hosts = Vec::new();
        let found = read_lines(text.as_bytes(), |entry| hosts.push(entry.host.to_string()));
        (found.unwrap(), hosts)
    }

    #[test]
    fn access_lines_are_told_from_others() {
        let later = LINE
            .replace("a.example", "b.example")
            .replace(":32.5", ":34.5");
        let unjudged = LINE.replace("verdict=next ", "");
        let text = format!(
            "2026-11-23T13:42:30Z  INFO portcullis: starting\n{later}\n{LINE}{unjudged}what"
        );
        let (found, hosts) = read(&text);
        assert_eq!(hosts, ["b.example", "a.example"]);
        assert_eq!((found.exchanges, found.unjudged, found.unparsed), (3, 1, 3));
        assert_eq!(found.seconds(), Some(2.0));
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let endless = "x".repeat(3 * MAX_LINE);
        let (found, hosts) = read(&format!("{endless}\n{LINE}{endless}"));
        assert_eq!((hosts.len(), found.unparsed), (1, 2));
        let mut bytes = Vec::new();
        read_line(&mut endless.as_bytes(), &mut bytes).unwrap();
        assert_eq!(bytes.capacity(), MAX_LINE);
    }

    #[test]
    fn what_is_not_text_is_not_an_access_line() {
        let input = [&b"\xff\n"[..], LINE.as_bytes()].concat();
        let found = read_lines(&*input, |_| ()).unwrap();
        assert_eq!((found.exchanges, found.unparsed), (1, 1));
    }
}
