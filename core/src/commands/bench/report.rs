//! What a filter costs, as text for people and as JSON for programs.

use std::fmt;
use std::iter;
use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Serialize;

use super::BATCH;
use crate::error::Escaped;

/// What was measured. As text it is a line about the filter and one for each hook. By serde it is
/// an object with the same fields, where `compile_ms` is null if the machine code was on disk.
#[derive(Debug, Serialize)]
pub struct Bench {
    /// The filter's name.
    pub filter: String,
    /// What it was asked about.
    pub host: String,
    /// The client that it was told.
    pub client: IpAddr,
    /// Its size as it is deployed.
    pub file_bytes: u64,
    /// To compile it in a process of its own; none if the machine code was on disk.
    pub compile_ms: Option<f64>,
    /// To make an instance and hand it its configuration: the median of up to 100.
    pub start_us: f64,
    /// The linear memory of the instance after all calls; if it only works in the background, of
    /// the one that does.
    pub memory_bytes: usize,
    /// How many calls of each hook were measured, after 1000 that do not count.
    pub calls: usize,
    /// One for each hook that judges.
    pub hooks: Vec<Timing>,
    /// The time of a kept answer of `judge-host`; none if the filter does not let the proxy keep
    /// it.
    pub cached: Option<Timing>,
    /// The time of `tick`; none if the filter does not work in the background.
    pub tick: Option<TickTiming>,
}

/// The time of one hook's calls, in nanoseconds. The percentiles are those of the means of 16 calls
/// in a row.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// The hook, by the contract's name.
    pub hook: &'static str,
    /// What it answered.
    pub verdict: &'static str,
    /// What it answered to the same question later in the run, if any answer was another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_to: Option<String>,
    /// Half of the batches took longer.
    pub p50_ns: f64,
    /// One batch in a hundred took longer.
    pub p99_ns: f64,
    /// The mean of all calls.
    pub mean_ns: f64,
}

/// The time of the calls of `tick`, one by one, on an instance of its own.
#[derive(Clone, Debug, Serialize)]
pub struct TickTiming {
    /// Up to 1000, as many as fit into a second and went well.
    pub calls: usize,
    /// Why the next one failed, if it did.
    pub error: Option<String>,
    /// The pause after which it wants to be called again; none if never.
    pub pause_ms: Option<u64>,
    /// The linear memory of the instance afterwards.
    pub memory_bytes: usize,
    /// Half of the calls took longer.
    pub p50_ns: f64,
    /// One call in a hundred took longer.
    pub p99_ns: f64,
    /// The mean of all calls.
    pub mean_ns: f64,
}

impl fmt::Display for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            filter,
            host,
            client,
            calls,
            ..
        } = self;
        let (filter, size) = (Escaped(filter), ByteSize(self.file_bytes));
        match self.compile_ms {
            Some(time) => writeln!(f, "{filter}: {size}, compiled in {time:.1} ms")?,
            None => writeln!(f, "{filter}: {size}, machine code from the cache")?,
        }
        let memory = ByteSize(self.memory_bytes as u64);
        let start = self.start_us;
        writeln!(
            f,
            "instance: starts in {start:.1} us, has {memory} of memory\n"
        )?;
        writeln!(f, "ns per call        p50        p99       mean  answer")?;
        let rows = self.hooks.iter().flat_map(|timing| {
            // A kept answer is one of this hook.
            let cached = self
                .cached
                .iter()
                .filter(|cached| cached.hook == timing.hook);
            let cached = cached.map(|cached| ("  from cache", cached));
            iter::once((timing.hook, timing)).chain(cached)
        });
        for (name, timing) in rows {
            let (p50, p99, mean) = (timing.p50_ns, timing.p99_ns, timing.mean_ns);
            let verdict = timing.verdict;
            write!(f, "{name:13} {p50:8.0}   {p99:8.0}   {mean:8.0}  {verdict}")?;
            match &timing.changed_to {
                Some(other) => writeln!(f, ", later {other}: the times are those of both")?,
                None => writeln!(f)?,
            }
        }
        if let Some(tick) = &self.tick {
            writeln!(f, "{tick}")?;
        }
        writeln!(f)?;
        if !self.hooks.is_empty() {
            writeln!(
                f,
                "{calls} calls a hook about {host} by client {client}, on one instance with all \
                 limits on; percentiles of batches of {BATCH} calls"
            )?;
        }
        self.tick.iter().try_for_each(|tick| {
            let (calls, memory) = (tick.calls, ByteSize(tick.memory_bytes as u64));
            writeln!(
                f,
                "tick: {calls} calls, on an instance of its own that has {memory} of memory"
            )
        })
    }
}

/// A line of the table.
impl fmt::Display for TickTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, mean) = (self.p50_ns, self.p99_ns, self.mean_ns);
        write!(f, "tick          {p50:8.0}   {p99:8.0}   {mean:8.0}  ")?;
        match (&self.error, self.pause_ms.map(Duration::from_millis)) {
            (Some(error), _) => write!(f, "fails: {}", Escaped(error)),
            (None, Some(pause)) => write!(f, "again after {pause:?}"),
            (None, None) => write!(f, "never again"),
        }
    }
}
