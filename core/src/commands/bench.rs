//! Measures what one filter costs: `portcullis plugin bench`. The filter is loaded as from the
//! folder and asked as by `chain`, but without traffic.

mod change;
mod report;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, SERVER,
    SET_COOKIE, USER_AGENT,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};

pub use self::report::{Bench, TickTiming, Timing};
use crate::chain::{LocalFilter, Member};
use crate::config::Config;
use crate::error::{ErrorChain, PluginError};
use crate::feeds::Feeds;
use crate::filter::{Failure, Filter, FilterAnswer, Hook, HookCall, Instance, Loader};
use crate::flow::groups::Groups;
use crate::flow::{Flow, Inquiry, Protocol, RequestHead, ResponseHead};
use crate::plugins::FilterFile;
use crate::target::{HTTP_PORT, Target};
use crate::verdict::Judgement;

/// Calls between two reads of the clock, which costs a tenth of a fast filter's call.
const BATCH: usize = 16;

/// Calls before the first that counts.
const WARM_UP: usize = 1000;

/// Instances that are started to measure that, unless they take longer together than [`TIMEOUT`].
const STARTS: usize = 100;

/// Calls of `tick`, unless they take longer together than [`TIMEOUT`]: it may do a lot of work.
const TICKS: usize = 1000;

const TIMEOUT: Duration = Duration::from_secs(1);

/// Measures the filter in `file`, or the built-in filter of that name, with the settings beside it:
/// how long it takes to compile and to start, and what each of its hooks takes for `host`, asked
/// for by `client`. Feeds are read from the copies on disk; nothing is fetched.
///
/// # Errors
///
/// If the filter cannot be loaded, or does not answer every call.
pub async fn bench(
    config: Config,
    file: &Path,
    host: &str,
    client: IpAddr,
    calls: NonZeroUsize,
) -> Result<Bench, PluginError> {
    let single = FilterFile::named(file, &config.plugins.dir)?;
    let target = Target::parse(host, Some(80))?;
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    let loader = Loader::new(&config, feeds)?;
    let file_bytes = single.bytes();
    let filter = single.filter(loader).await?;
    let failed = |hook, failure: &Failure| PluginError::Failed {
        hook,
        host: target.to_string(),
        failure: ErrorChain(failure).to_string(),
    };

    let start = start_time(&filter)
        .await
        .map_err(|failure| failed("init", &failure))?;
    let batches = calls.get().div_ceil(BATCH);
    let local = LocalFilter::new(Arc::new(Member::new(filter.clone())));
    let inquiry = Inquiry::by(
        Groups::new(&config.groups).client(Some(client), None),
        SystemTime::now(),
    );
    let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
    let hooks = time_hooks(&local, &flow, batches)
        .await
        .map_err(|(hook, failure)| failed(hook.name(), &failure))?;
    let cached = time_cached(&local, HookCall::Host(&flow), batches).await;
    let tick = time_tick(&filter, calls).await;
    let tick = tick.map_err(|failure| failed("init", &failure))?;
    Ok(Bench {
        filter: filter.name.to_string(),
        host: target.to_string(),
        client: client.to_canonical(),
        file_bytes,
        compile_ms: filter.compile_time.map(|time| round_to_tenth(time, 1e3)),
        start_us: round_to_tenth(start, 1e6),
        memory_bytes: match &tick {
            Some(tick) if hooks.is_empty() => tick.memory_bytes,
            _ => local.memory(),
        },
        calls: batches * BATCH,
        hooks,
        cached: cached.map_err(|failure| failed(Hook::Host.name(), &failure))?,
        tick,
    })
}

/// Times each hook that judges, about one exchange with the heads that browsers and servers send.
async fn time_hooks(
    local: &LocalFilter,
    flow: &Flow<'_>,
    batches: usize,
) -> Result<Vec<Timing>, (Hook, Failure)> {
    let url = format!("http://{}/", flow.target.authority(HTTP_PORT));
    let headers = browser_headers(flow.target);
    let head = RequestHead {
        method: &Method::GET,
        url: &url,
        headers: &headers,
    };
    let response_headers = server_headers();
    let response = ResponseHead {
        status: StatusCode::OK,
        headers: &response_headers,
    };
    let mut timings = Vec::new();
    for call in [
        HookCall::Host(flow),
        HookCall::Request(flow, head),
        HookCall::Response(flow, head, response),
    ] {
        if local.has(call.hook()) {
            let timing = time(local, call, batches).await;
            timings.push(timing.map_err(|failure| (call.hook(), failure))?);
        }
    }
    Ok(timings)
}

pub(crate) async fn start_time(filter: &Filter) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < STARTS && begun.elapsed() < TIMEOUT {
        let start = Instant::now();
        let instance = Instance::start(filter).await?;
        times.push(start.elapsed());
        drop(instance);
    }
    times.sort();
    Ok(percentile(&times, 50))
}

/// Asks as a worker with one client does: always the same instance, until `[limits] calls` retires
/// it.
async fn time(
    local: &LocalFilter,
    question: HookCall<'_>,
    batches: usize,
) -> Result<Timing, Failure> {
    let first = local.ask(question, None).await?;
    let verdict = first.verdict.name();
    let ask = async || Ok(Some(local.ask(question, None).await?));
    let differs = |answer: &FilterAnswer| change::of_answer(&first, answer);
    let timed = time_calls(batches, ask, differs).await?;
    Ok(timed.timing(question.hook(), verdict))
}

/// Times a question whose answer is kept; none if the filter wants to be asked each time.
async fn time_cached(
    local: &LocalFilter,
    question: HookCall<'_>,
    batches: usize,
) -> Result<Option<Timing>, Failure> {
    if !local.has(question.hook()) || local.ask(question, None).await?.cache.is_none() {
        return Ok(None);
    }
    let Ok(first) = local.try_judge(question, None).await else {
        return Ok(None);
    };
    let verdict = first.verdict.name();
    // It has just answered. It is asked again only once that answer has expired.
    let ask = async || Ok(local.try_judge(question, None).await.ok());
    let differs = |judgement: &Judgement| change::of_judgement(&first, judgement);
    let timed = time_calls(batches, ask, differs).await?;
    Ok(Some(timed.timing(question.hook(), verdict)))
}

/// The times of batches of calls.
struct Timed {
    times: Vec<Duration>,
    /// An answer that was not the first one.
    changed_to: Option<String>,
}

/// Times batches of calls. Outside of these times, it looks at each answer, if there is one, and
/// `differs` says what it is if it is another one than before.
async fn time_calls<T>(
    batches: usize,
    ask: impl AsyncFn() -> Result<Option<T>, Failure>,
    differs: impl Fn(&T) -> Option<String>,
) -> Result<Timed, Failure> {
    let mut changed_to = None;
    for _ in 0..WARM_UP {
        let answer = ask().await?;
        changed_to = changed_to.or_else(|| differs(answer.as_ref()?));
    }
    let mut times = Vec::with_capacity(batches);
    let mut answers = Vec::with_capacity(BATCH);
    for _ in 0..batches {
        let begun = Instant::now();
        for _ in 0..BATCH {
            answers.push(ask().await?);
        }
        times.push(begun.elapsed());
        for answer in answers.drain(..).flatten() {
            changed_to = changed_to.or_else(|| differs(&answer));
        }
    }
    Ok(Timed { times, changed_to })
}

impl Timed {
    fn timing(self, hook: Hook, verdict: &'static str) -> Timing {
        let [p50_ns, p99_ns, mean_ns] = percentiles(self.times, BATCH);
        Timing {
            hook: hook.name(),
            verdict,
            changed_to: self.changed_to,
            p50_ns,
            p99_ns,
            mean_ns,
        }
    }
}

/// Times `tick` as the proxy calls it in the background; none if the filter does not have it. A
/// failure is part of the result, as the proxy would call it again.
async fn time_tick(filter: &Filter, calls: NonZeroUsize) -> Result<Option<TickTiming>, Failure> {
    if !filter.hooks.has(Hook::Tick) {
        return Ok(None);
    }
    let mut instance = Instance::start(filter).await?;
    let (mut times, mut last) = (Vec::new(), Ok(None));
    let begun = Instant::now();
    while times.len() < TICKS.min(calls.get()) && begun.elapsed() < TIMEOUT {
        let start = Instant::now();
        last = instance.tick().await;
        if last.is_err() {
            break;
        }
        times.push(start.elapsed());
    }
    let calls = times.len();
    let [p50_ns, p99_ns, mean_ns] = percentiles(times, 1);
    let error = last.as_ref().err();
    Ok(Some(TickTiming {
        calls,
        error: error.map(|failure| ErrorChain(failure).to_string()),
        pause_ms: last.ok().flatten().and_then(milliseconds),
        memory_bytes: instance.memory(),
        p50_ns,
        p99_ns,
        mean_ns,
    }))
}

/// A pause in milliseconds; none for the longest one that a filter can name, which means never.
fn milliseconds(pause: Duration) -> Option<u64> {
    let pause = u64::try_from(pause.as_millis()).ok();
    pause.filter(|pause| *pause < u64::MAX)
}

/// The median, the 99th percentile and the mean of `times`, in nanoseconds for one of `calls`
/// calls.
fn percentiles(mut times: Vec<Duration>, calls: usize) -> [f64; 3] {
    times.sort();
    let unit = 1e9 / calls as f64;
    let mean = times.iter().sum::<Duration>().as_secs_f64() / times.len().max(1) as f64;
    let mean = Duration::from_secs_f64(mean);
    [percentile(&times, 50), percentile(&times, 99), mean].map(|time| round_to_tenth(time, unit))
}

/// The header fields that a filter finds in a request.
fn browser_headers(target: &Target) -> HeaderMap {
    let host = HeaderValue::from_str(&target.authority(80));
    let fields = [
        (USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
        (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8"),
        (ACCEPT_LANGUAGE, "en-GB,en;q=0.5"),
        (ACCEPT_ENCODING, "gzip, deflate"),
    ];
    let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let host = host.ok().map(|host| (HOST, host));
    let fields: Vec<(HeaderName, HeaderValue)> = host.into_iter().chain(fields).collect();
    fields.into_iter().collect()
}

fn server_headers() -> HeaderMap {
    let fields = [
        (SERVER, "nginx"),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "max-age=600"),
        (SET_COOKIE, "session=0123456789abcdef; Path=/; HttpOnly"),
    ];
    let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    fields.into_iter().collect()
}

/// Nearest-rank percentile of sorted `times`.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100);
    let time = times.get(rank.saturating_sub(1));
    time.copied().unwrap_or_default()
}

/// Converts to `units` per second, rounded to one decimal.
pub(crate) fn round_to_tenth(time: Duration, units: f64) -> f64 {
    (time.as_secs_f64() * units * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = |count| (1..=count).map(Duration::from_millis).collect::<Vec<_>>();
        for (count, percent, expected) in [(1, 50, 1), (2, 50, 1), (100, 99, 99), (200, 99, 198)] {
            let found = percentile(&times(count), percent);
            assert_eq!(found, Duration::from_millis(expected), "{count} {percent}");
        }
    }
}
