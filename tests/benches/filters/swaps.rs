//! A filter that is replaced a thousand times under traffic. Each version is compiled, and each is
//! seen to answer.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use portcullis_tests::{Dns, Site, Wire, guests, within};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::program::{Program, request};
use crate::show;
use crate::table::{Table, ms, percentile};

/// Unless the variable `SWAPS` says another number; versions have four digits.
const SWAPS: usize = 1000;

/// The swap after which the proxy's memory has reached its size.
const SETTLED: usize = 50;

/// By how much its memory may have grown in the end, in per cent of what it was then.
const GROWTH: f64 = 10.0;

const CLIENTS: usize = 4;

/// Between two requests of a client, and between two looks whether the new version answers. The
/// compiling process gives way to traffic, so without a rest it is how much of the machine the
/// clients leave that would be measured.
const REST: Duration = Duration::from_millis(1);

const SETTINGS: &str = "[config]\nblock = [\"evil.example\"]\n";

pub(crate) async fn measure(table: &mut Table) {
    let swaps = std::env::var("SWAPS").map_or(SWAPS, |text| text.parse().expect("a number"));
    let (site, dns) = (Site::start().await, Dns::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).expect("a new folder");
    fs::write(plugins.join("suffix.toml"), SETTINGS).expect("a folder to write to");
    put(&plugins, 0);
    let config = format!(
        "[feeds.malware]\nenabled = false\n[egress]\nresolvers = [\"{}\"]\n",
        dns.address()
    );
    let proxy = Program::start(folder.path(), &config, show);

    let traffic = Traffic::start(&proxy, site.port()).await;
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut settled = 0;
    for number in 1..=swaps {
        times.push(swap(&proxy, &plugins, number).await);
        if number == SETTLED.min(swaps) {
            settled = proxy.resident_memory();
        }
    }
    let took = begun.elapsed();
    let last = proxy.resident_memory();
    let (answered, failed) = traffic.stop().await;
    proxy.stop();

    table.tell(
        format!("{swaps} swaps, until the new version answers"),
        format!(
            "p50 {}, p99 {}, {:.0} s in all",
            ms(percentile(&mut times, 50)),
            ms(percentile(&mut times, 99)),
            took.as_secs_f64()
        ),
    );
    table.check(
        format!("requests that failed of {answered}"),
        failed.to_string(),
        "none",
        failed == 0,
    );
    let growth = (last as f64 / settled as f64 - 1.0) * 100.0;
    table.check(
        format!("memory after swap {} and in the end", SETTLED.min(swaps)),
        format!(
            "{:.1} MB, {:.1} MB",
            settled as f64 / 1e6,
            last as f64 / 1e6
        ),
        format!("at most {GROWTH} % more"),
        growth <= GROWTH,
    );
}

async fn swap(proxy: &Program, plugins: &Path, number: usize) -> Duration {
    let mut client = proxy.client().await;
    let begun = Instant::now();
    put(plugins, number);
    within("the new version answers", async {
        loop {
            client.send(request("evil.example")).await;
            if client.response().await.body.contains(&reason(number)) {
                break;
            }
            sleep(REST).await;
        }
    })
    .await;
    begun.elapsed()
}

/// Puts a version of the filter into the folder, whole from the first moment.
fn put(plugins: &Path, number: usize) {
    let mut wasm = guests::suffix().to_vec();
    let common = b"is blocked here";
    let mut places = wasm.windows(common.len());
    let at = places.position(|bytes| bytes == common);
    let at = at.expect("the filter's reason is a text in its data");
    wasm[at..][..common.len()].copy_from_slice(reason(number).as_bytes());
    let part = plugins.join("suffix.wasm.part");
    fs::write(&part, wasm).expect("a folder to write to");
    fs::rename(part, plugins.join("suffix.wasm")).expect("the same folder");
}

/// As long as the reason in the filter's source.
fn reason(number: usize) -> String {
    format!("is blocked {number:04}")
}

/// Clients that ask for what passes and for what does not, all the time, each over a connection
/// that it keeps.
struct Traffic {
    clients: JoinSet<()>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    answered: AtomicUsize,
    /// The requests among them whose answer was neither the origin's nor the filter's.
    failed: AtomicUsize,
    enough: AtomicBool,
}

impl Traffic {
    async fn start(proxy: &Program, origin: u16) -> Self {
        let mut traffic = Self {
            clients: JoinSet::new(),
            counts: Arc::default(),
        };
        for _ in 0..CLIENTS {
            let client = proxy.client().await;
            let counts = traffic.counts.clone();
            traffic.clients.spawn(ask(client, origin, counts));
        }
        traffic
    }

    /// How many requests were answered, and how many failed. One whose connection broke ends its
    /// client.
    async fn stop(mut self) -> (usize, usize) {
        self.counts.enough.store(true, Ordering::Relaxed);
        let mut broken = 0;
        while let Some(client) = self.clients.join_next().await {
            broken += usize::from(client.is_err());
        }
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let failed = count(&self.counts.failed) + broken;
        (count(&self.counts.answered) + broken, failed)
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the person at the terminal should know"
)]
async fn ask(mut client: Wire, origin: u16, counts: Arc<Counts>) {
    while !counts.enough.load(Ordering::Relaxed) {
        for (host, status, text) in [
            ("good.example", 200, "welcome"),
            ("evil.example", 403, "evil.example is blocked "),
        ] {
            client.send(request(&format!("{host}:{origin}"))).await;
            let response = client.response().await;
            counts.answered.fetch_add(1, Ordering::Relaxed);
            if response.status != status || !response.body.contains(text) {
                counts.failed.fetch_add(1, Ordering::Relaxed);
                eprintln!("{host} gets {response:?}");
            }
            sleep(REST).await;
        }
    }
}
