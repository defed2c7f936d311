//! The proxy's own access lines read back, as `exchange` writes them and `telemetry` formats them: text or JSON, one after the other,
//! however long the file is. Read by `replay` and by `cases`.

mod line;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;

pub(crate) use self::line::{Line, Word};
use crate::error::PluginError;

/// A line of the proxy has some hundreds of bytes; what is longer than this is none.
const MAX_LINE: usize = 64 << 10;

/// Stands for standard input.
const STDIN: &str = "-";

/// What was found in a log, besides what its access lines say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Access lines.
    pub(crate) exchanges: u64,
    /// Access lines of requests that name no host, or that were answered before anybody judged them.
    pub(crate) unjudged: u64,
    /// All others.
    pub(crate) others: u64,
    /// The first and the last time that an access line tells.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

impl Found {
    /// How long it all took, in seconds; none if no time passed, or no line tells.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let (first, last) = self.times?;
        let seconds = last.duration_since(first).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }
}

/// Hands every access line about a host that was judged to `each`, in the order of the file, or of standard input if it is `-`.
///
/// # Errors
///
/// If the file cannot be read, or has no such line.
pub(crate) fn read(file: &Path, each: impl FnMut(&Line<'_>)) -> Result<Found, PluginError> {
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
            lines: found.others + found.unjudged,
        });
    }
    Ok(found)
}

/// What to call a log.
pub(crate) fn name(file: &Path) -> String {
    match file == Path::new(STDIN) {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    }
}

fn read_lines(mut input: impl BufRead, mut each: impl FnMut(&Line<'_>)) -> io::Result<Found> {
    let mut found = Found::default();
    let mut bytes = Vec::new();
    while read_line(&mut input, &mut bytes)? {
        let text = str::from_utf8(&bytes).unwrap_or_default();
        match Line::parse(text) {
            None => found.others += 1,
            Some(line) => {
                found.exchanges += 1;
                if let Some(time) = line.time() {
                    let (first, last) = found.times.unwrap_or((time, time));
                    // Exchanges are written when they end, by several threads.
                    found.times = Some((first.min(time), last.max(time)));
                }
                match line.verdict {
                    Some(_) if !line.host.is_empty() => each(&line),
                    _ => found.unjudged += 1,
                }
            }
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

    const LINE: &str = "2026-11-23T13:42:32.5Z  INFO access: client=10.0.0.7 method=\"GET\" host=\"a.example\" port=80 \
                        protocol=\"http\" status=200 verdict=\"next\" up=0 down=5 ms=2.5 outcome=\"complete\"\n";

    fn read(text: &str) -> (Found, Vec<String>) {
        let mut hosts = Vec::new();
        let found = read_lines(text.as_bytes(), |line| hosts.push(line.host.to_string()));
        (found.unwrap(), hosts)
    }

    #[test]
    fn access_lines_are_told_from_others() {
        let later = LINE
            .replace("a.example", "b.example")
            .replace(":32.5Z", ":34.5Z");
        let unjudged = LINE.replace("verdict=\"next\" ", "");
        let text = format!(
            "2026-11-23T13:42:30Z  INFO portcullis: starting\n{later}\n{LINE}{unjudged}what"
        );
        let (found, hosts) = read(&text);
        assert_eq!(hosts, ["b.example", "a.example"]);
        assert_eq!((found.exchanges, found.unjudged, found.others), (3, 1, 3));
        assert_eq!(found.seconds(), Some(2.0));
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let endless = "x".repeat(3 * MAX_LINE);
        let (found, hosts) = read(&format!("{endless}\n{LINE}{endless}"));
        assert_eq!((hosts.len(), found.others), (1, 2));
        let mut bytes = Vec::new();
        read_line(&mut endless.as_bytes(), &mut bytes).unwrap();
        assert_eq!(bytes.capacity(), MAX_LINE);
    }

    #[test]
    fn what_is_not_text_is_no_access_line() {
        let input = [&b"\xff\n"[..], LINE.as_bytes()].concat();
        let found = read_lines(&*input, |_| ()).unwrap();
        assert_eq!((found.exchanges, found.others), (1, 1));
    }
}
