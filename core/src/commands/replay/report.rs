//! What a replay has found, for people and for programs.

use crate::error::Escaped;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Answer;
use super::tally::{Asked, Happened, NAMES, Tally};
use crate::commands::access_log::{self, Summary};
use crate::filter::{Filter, Hook};
use crate::flow::Protocol;
use crate::verdict::VerdictKind;

/// Rows shown in text output; JSON has all.
const ROWS: usize = 50;

/// What would be different with a filter. Its text is a line for each host and verdict that would
/// change, most requests first; by serde, an object with the same fields.
#[derive(Debug, Serialize)]
pub struct Replay {
    /// The filter's name.
    pub filter: String,
    /// The log.
    pub log: String,
    /// Requests that the log tells of and that the filter could be asked about.
    pub requests: u64,
    /// Different hosts among them.
    pub hosts: usize,
    /// When the first of them and the last ended (RFC 3339), if the log has times.
    pub times: Option<[String; 2]>,
    /// Requests per second over that time.
    pub requests_per_second: Option<f64>,
    /// How many requests would have another verdict.
    pub changed: u64,
    /// How many requests would go from one verdict to another.
    pub changes: Vec<Change>,
    /// The same by host, most requests first.
    pub differences: Vec<Difference>,
    /// How often the filter was asked: once for each host with each port, protocol and, if it looks
    /// at them, client.
    pub asked: u64,
    /// How long that took in all.
    pub asked_ms: f64,
    /// What could not be replayed, and what to keep in mind.
    pub notes: Vec<String>,
    /// Requests that this filter had decided for more than their host.
    #[serde(skip)]
    undecided: u64,
    #[serde(skip)]
    found: BTreeMap<(String, Happened, Answer), u64>,
}

/// How many requests there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The verdict in the log.
    pub was: &'static str,
    /// The filter's, or `error` if it fails.
    pub would_be: &'static str,
    /// How many.
    pub requests: u64,
}

/// Requests to one host that would have another verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Canonical.
    pub host: String,
    /// How many there were.
    pub requests: u64,
    /// The verdict in the log.
    pub was: &'static str,
    /// The filter that had decided.
    pub by: Option<String>,
    /// The verdict of the filter, or `error` if it fails.
    pub would_be: &'static str,
    /// Status and reason of a refusal, or why the filter fails.
    pub detail: Option<String>,
}

impl Replay {
    pub(super) fn new(filter: &str, log: &Path, found: &Summary, tally: &Tally) -> Self {
        let seconds = found.seconds();
        Self {
            filter: filter.to_owned(),
            log: access_log::name(log),
            requests: tally.requests,
            hosts: tally.distinct_hosts(),
            times: found
                .times
                .map(|(first, last)| [first, last].map(|time| time.to_string())),
            requests_per_second: seconds.map(|seconds| rounded(found.exchanges as f64 / seconds)),
            changed: 0,
            changes: Vec::new(),
            differences: Vec::new(),
            asked: 0,
            asked_ms: 0.0,
            notes: Vec::new(),
            undecided: 0,
            found: BTreeMap::new(),
        }
    }

    /// Records what would be different for that number of requests.
    pub(super) fn compare(
        &mut self,
        filter: &Filter,
        asked: &Asked,
        answer: &Answer,
        was: &Happened,
        requests: u64,
    ) {
        let is_own = was.filter.as_ref() == Some(&filter.name);
        let may_be_for_more = asked.protocol == Protocol::Http && judges_messages(filter);
        if is_own && may_be_for_more && answer.verdict.is_some_and(VerdictKind::passes) {
            self.undecided += requests;
        } else if is_different(was, is_own, answer.verdict) {
            let key = (asked.host.to_string(), was.clone(), answer.clone());
            *self.found.entry(key).or_default() += requests;
        }
    }

    pub(super) fn took(&mut self, time: Duration) {
        self.asked_ms = (time.as_secs_f64() * 1e6).round() / 1e3;
    }

    /// Makes lists of what was found.
    pub(super) fn sort(&mut self) {
        let mut changes: BTreeMap<(VerdictKind, Option<VerdictKind>), u64> = BTreeMap::new();
        for ((host, was, answer), requests) in std::mem::take(&mut self.found) {
            self.changed += requests;
            *changes.entry((was.verdict, answer.verdict)).or_default() += requests;
            self.differences.push(Difference {
                host,
                requests,
                was: was.verdict.name(),
                by: was.filter.map(|filter| filter.to_string()),
                would_be: name(answer.verdict),
                detail: answer.detail,
            });
        }
        let changes = changes.into_iter();
        self.changes = changes
            .map(|((was, would_be), requests)| Change {
                was: was.name(),
                would_be: name(would_be),
                requests,
            })
            .collect();
        // Both are sorted by name already, and stay so where the counts are the same.
        self.changes
            .sort_by_key(|change| std::cmp::Reverse(change.requests));
        self.differences
            .sort_by_key(|row| std::cmp::Reverse(row.requests));
    }

    /// Says what could not be replayed.
    pub(super) fn note(&mut self, filter: &Filter, found: &Summary, tally: &Tally) {
        let hooks = &filter.hooks;
        let judges_messages = judges_messages(filter);
        let notes = [
            (
                !hooks.has(Hook::Host),
                format!(
                    "{name} judges no hosts, and the log has neither URLs nor header fields to ask it about. To see what it does, let it run in \
                     shadow mode (mode = \"shadow\" in {name}.toml), or ask it by `portcullis plugin test`",
                    name = filter.name
                ),
            ),
            (
                judges_messages && tally.plain > 0,
                format!(
                    "plain HTTP requests whose URLs and header fields the filter would judge, if they were in the log: {}",
                    tally.plain
                ),
            ),
            (
                self.undecided > 0,
                format!(
                    "requests that {} has decided, perhaps for their URL or header fields: {}; they are not compared",
                    filter.name, self.undecided
                ),
            ),
            (
                filter.uses("state") || filter.uses("clock"),
                "the filter remembers, or looks at the time: it was asked about each host once, now, with nothing remembered"
                    .to_owned(),
            ),
            (
                tally.uncounted > 0,
                format!("requests left out, to hosts beyond the first {}: {}", super::MOST, tally.uncounted),
            ),
            (
                tally.unnamed > 0,
                format!("requests decided by filters beyond the first {NAMES} in the log, shown without a name: {}", tally.unnamed),
            ),
            (
                found.unjudged > 0,
                format!("access lines of requests that no filter was asked about: {}", found.unjudged),
            ),
            (found.unparsed > 0, format!("lines that are not access lines: {}", found.unparsed)),
        ];
        let notes = notes.into_iter().filter(|(is_so, _)| *is_so);
        self.notes.extend(notes.map(|(_, note)| note));
    }
}

/// The word for what the filter says.
fn name(answer: Option<VerdictKind>) -> &'static str {
    answer.map_or("error", VerdictKind::name)
}

/// What the filter says counts where the request would have come to it.
fn is_different(was: &Happened, is_own: bool, answer: Option<VerdictKind>) -> bool {
    match was.verdict {
        _ if is_own => answer != Some(was.verdict),
        // No other filter has decided, or only that no further one is asked: a refusal may come
        // first.
        VerdictKind::Next => answer != Some(VerdictKind::Next),
        VerdictKind::Allow => !answer.is_some_and(VerdictKind::passes),
        // Another has refused it, and does so still unless it is not asked.
        VerdictKind::Block
        | VerdictKind::Redirect
        | VerdictKind::Replace
        | VerdictKind::Drop
        | VerdictKind::Ask => answer == Some(VerdictKind::Allow),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            filter,
            log,
            requests,
            hosts,
            ..
        } = self;
        let (filter, log) = (Escaped(filter), Escaped(log));
        write!(f, "{filter} on {log}: {requests} requests to {hosts} hosts")?;
        if let Some([first, last]) = &self.times {
            write!(f, "\nfrom {first} to {last}")?;
        }
        if let Some(rate) = self.requests_per_second {
            write!(f, ", {rate} a second")?;
        }
        writeln!(f, "\n")?;
        self.write_differences(f)?;
        if self.asked == 0 {
            writeln!(f, "nothing was asked")?;
        } else {
            self.write_changes(f)?;
        }
        let mut notes = self.notes.iter();
        notes.try_for_each(|note| writeln!(f, "note: {}", Escaped(note)))
    }
}

impl Replay {
    fn write_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.changed as f64 * 100.0 / self.requests.max(1) as f64;
        write!(f, "{} requests ({share:.1} %) would change", self.changed)?;
        for (at, change) in self.changes.iter().enumerate() {
            let Change {
                was,
                would_be,
                requests,
            } = change;
            let mark = if at == 0 { ":" } else { "," };
            write!(f, "{mark} {requests} from {was} to {would_be}")?;
        }
        writeln!(f)?;
        let each = self.asked_ms * 1e3 / self.asked as f64;
        writeln!(
            f,
            "asked {} times in {:.1} ms, {each:.1} us a time",
            self.asked, self.asked_ms
        )
    }

    fn write_differences(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differences.is_empty() {
            return Ok(());
        }
        let shown = &self.differences[..ROWS.min(self.differences.len())];
        let was = |row: &Difference| match &row.by {
            Some(filter) => format!("{} by {}", row.was, Escaped(filter)),
            None => row.was.to_owned(),
        };
        let width = |text: &dyn Fn(&Difference) -> usize| {
            shown.iter().map(text).max().unwrap_or_default().max(4)
        };
        let host = |row: &Difference| Escaped(&row.host).to_string();
        let (hosts, befores) = (width(&|row| host(row).len()), width(&|row| was(row).len()));
        writeln!(
            f,
            "requests  {:hosts$}  {:befores$}  would be",
            "host", "was"
        )?;
        for row in shown {
            let detail = row.detail.as_ref();
            let detail = detail.map(|detail| format!(" {}", Escaped(detail)));
            writeln!(
                f,
                "{:8}  {:hosts$}  {:befores$}  {}{}",
                row.requests,
                host(row),
                was(row),
                row.would_be,
                detail.unwrap_or_default()
            )?;
        }
        let rest = self.differences.len() - shown.len();
        if rest > 0 {
            writeln!(f, "          … and {rest} more; --json has all")?;
        }
        writeln!(f)
    }
}

/// Whether the filter also judges what no access line tells.
fn judges_messages(filter: &Filter) -> bool {
    filter.hooks.has(Hook::Request) || filter.hooks.has(Hook::Response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_different_where_the_request_would_have_come_to_the_filter() {
        use VerdictKind::{Allow, Block, Next};
        for (was, is_own, answer, expected) in [
            (Next, false, Some(Next), false),
            (Next, false, Some(Block), true),
            (Next, false, Some(Allow), true),
            (Next, false, None, true),
            // Another filter has decided, and would do so still.
            (Allow, false, Some(Next), false),
            (Allow, false, Some(Allow), false),
            (Allow, false, Some(Block), true),
            (Block, false, Some(Next), false),
            (Block, false, Some(Block), false),
            (Block, false, Some(Allow), true),
            // It has decided itself, as another version or by other settings.
            (Block, true, Some(Block), false),
            (Block, true, Some(Next), true),
            (Allow, true, Some(Next), true),
        ] {
            let was = Happened {
                verdict: was,
                filter: None,
            };
            assert_eq!(
                is_different(&was, is_own, answer),
                expected,
                "{was:?} {is_own} {answer:?}"
            );
        }
    }
}
