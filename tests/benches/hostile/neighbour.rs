//! A client that behaves, and the clock on its requests. They begin when they are due, whether or
//! not those before have been answered in time.

use std::cell::Cell;
use std::io::{Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use crate::load::{Row, Scene};
use crate::peer::{Peer, get};
use crate::table::{Table, ms, percentile};

/// Kept connections with requests, and the time between two requests on one of them: 200 a second.
const CONNECTIONS: u32 = 8;
const PERIOD: Duration = Duration::from_millis(40);

/// Between two tunnels, each to a name that was not asked for before: 100 a second.
const TUNNEL_PERIOD: Duration = Duration::from_millis(10);

/// An answer that takes longer is missing.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Neighbour {
    runtime: Runtime,
    proxy: SocketAddr,
    origin: String,
    port: u16,
    /// Of names.
    number: Cell<usize>,
}

/// From when requests were due to their answers.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    get: Vec<Duration>,
    tunnel: Vec<Duration>,
    /// Answers that were missing or not the origin's, and the last of them.
    failures: usize,
    last_failure: Option<Error>,
}

impl Latencies {
    pub(crate) fn extend(&mut self, other: Self) {
        self.get.extend(other.get);
        self.tunnel.extend(other.tunnel);
        self.failures += other.failures;
        self.last_failure = other.last_failure.or(self.last_failure.take());
    }

    /// Answers that were missing or not the origin's.
    pub(crate) fn failures(&self) -> usize {
        self.failures
    }

    /// What took how long, alone and beside others. What has no answers is left out.
    pub(crate) fn pairs(
        alone: Self,
        beside: Self,
    ) -> impl Iterator<Item = (&'static str, Vec<Duration>, Vec<Duration>)> {
        let pairs = [
            ("GET", alone.get, beside.get),
            ("CONNECT", alone.tunnel, beside.tunnel),
        ];
        let pairs = pairs.into_iter();
        pairs.filter(|(_, alone, beside)| !alone.is_empty() && !beside.is_empty())
    }

    fn failed(&mut self, error: Error) {
        self.failures += 1;
        self.last_failure = Some(error);
    }
}

impl Neighbour {
    pub(crate) fn new(proxy: SocketAddr, scene: &Scene) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            runtime: runtime.expect("a runtime"),
            proxy,
            origin: format!("neighbour.example:{}/", scene.neighbour),
            port: scene.neighbour,
            number: Cell::new(0),
        }
    }

    /// Waits.
    pub(crate) fn pause(&self, time: Duration) {
        self.runtime.block_on(async { sleep(time).await });
    }

    /// Asks for so long, by GET and by CONNECT.
    pub(crate) fn measure(&self, phase: Duration) -> Latencies {
        self.runtime.block_on(async {
            let begin = Instant::now() + Duration::from_millis(50);
            let end = begin + phase;
            let mut clients = JoinSet::new();
            for n in 0..CONNECTIONS {
                let due = begin + PERIOD * n / CONNECTIONS;
                clients.spawn(requests(self.proxy, get(&self.origin), due, end));
            }
            let mut tunnels = JoinSet::new();
            let mut due = begin;
            while due < end {
                sleep_until(due.into()).await;
                let number = self.number.replace(self.number.get() + 1);
                let target = format!("n{number}.neighbour.example:{}", self.port);
                // How late a sleep wakes up is not the proxy's doing.
                tunnels.spawn(timed(Instant::now(), tunnel(self.proxy, target)));
                due += TUNNEL_PERIOD;
            }
            let mut latencies = Latencies::default();
            while let Some(client) = clients.join_next().await {
                latencies.extend(client.expect("a client does not panic"));
            }
            while let Some(tunnel) = tunnels.join_next().await {
                match tunnel.expect("a client does not panic") {
                    Ok(time) => latencies.tunnel.push(time),
                    Err(error) => latencies.failed(error),
                }
            }
            latencies
        })
    }
}

/// What one connection hears. It is opened again when it breaks.
async fn requests(proxy: SocketAddr, request: String, mut due: Instant, end: Instant) -> Latencies {
    let mut latencies = Latencies::default();
    let mut kept = Peer::connect(Ipv4Addr::LOCALHOST, proxy).await.ok();
    while due < end {
        let begun = if Instant::now() < due {
            sleep_until(due.into()).await;
            Instant::now()
        } else {
            due
        };
        let ask = async {
            let mut client = match kept.take() {
                Some(client) => client,
                None => Peer::connect(Ipv4Addr::LOCALHOST, proxy).await?,
            };
            answered(client.ask(&request).await?)?;
            Ok(client)
        };
        match timed_with(begun, ask).await {
            Ok((time, client)) => {
                latencies.get.push(time);
                kept = Some(client);
            }
            Err(error) => latencies.failed(error),
        }
        due += PERIOD;
    }
    latencies
}

/// A tunnel, a request and a response in it.
async fn tunnel(proxy: SocketAddr, target: String) -> Result<()> {
    let mut client = Peer::connect(Ipv4Addr::LOCALHOST, proxy).await?;
    let connect = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    answered(client.ask(connect).await?)?;
    let request = format!("GET / HTTP/1.1\r\nHost: {target}\r\n\r\n");
    answered(client.ask(request).await?)?;
    client.reset()
}

fn answered(status: u16) -> Result<()> {
    match status {
        200 => Ok(()),
        _ => Err(Error::other(format!("it is answered with {status}"))),
    }
}

async fn timed(begun: Instant, exchange: impl Future<Output = Result<()>>) -> Result<Duration> {
    Ok(timed_with(begun, exchange).await?.0)
}

async fn timed_with<T>(
    begun: Instant,
    exchange: impl Future<Output = Result<T>>,
) -> Result<(Duration, T)> {
    let done = timeout(TIMEOUT, exchange).await??;
    Ok((begun.elapsed(), done))
}

/// Two rows: the neighbour's requests, and its tunnels.
pub(crate) fn report(row: &Row, alone: Latencies, beside: Latencies, table: &mut Table) {
    let (peer, promise) = (row.name, row.promise);
    let error = beside.last_failure.or(alone.last_failure);
    let failures = alone.failures + beside.failures;
    for (what, mut alone, mut beside) in [
        ("GET", alone.get, beside.get),
        ("CONNECT", alone.tunnel, beside.tunnel),
    ] {
        let name = format!("{peer}: {what}");
        if alone.is_empty() || beside.is_empty() {
            table.check(name, "no answers", "answers", false);
            continue;
        }
        let (usual, before) = (percentile(&mut alone, 50), percentile(&mut alone, 99));
        let (median, worst) = (percentile(&mut beside, 50), percentile(&mut beside, 99));
        let added = worst.saturating_sub(before);
        let measured = format!(
            "p50 {}, p99 {}, max {}; alone p50 {}, p99 {}; added {}",
            ms(median),
            ms(worst),
            ms(percentile(&mut beside, 100)),
            ms(usual),
            ms(before),
            ms(added)
        );
        table.check(
            name,
            measured,
            format!("at most {}", ms(promise)),
            added <= promise,
        );
    }
    if failures > 0 {
        let last = error.map(|error| error.to_string()).unwrap_or_default();
        let measured = format!("{failures}, the last: {last}");
        table.check(
            format!("{peer}: answers that were missing or refused"),
            measured,
            "none",
            false,
        );
    }
}
