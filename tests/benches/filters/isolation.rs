//! What one filter's endless loops do to requests that another filter decides, on the same two
//! workers.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portcullis_tests::{Wire, guests};
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::program::{Program, request};
use crate::show;
use crate::table::{Table, ms, percentile};

/// How much later, at most, the answers may be of which only one in a hundred is later still.
const LIMIT: Duration = Duration::from_millis(10);

/// Phases of each kind, one after the other: what else the machine does falls on both.
const ROUNDS: usize = 4;

const PHASE: Duration = Duration::from_secs(4);

/// Clients whose latency is measured, and the time between two requests of one of them: 500
/// requests a second in all.
const CLIENTS: usize = 8;
const PERIOD: Duration = Duration::from_millis(16);

/// Clients that ask the filter that loops, each as soon as it has an answer.
const TROUBLEMAKERS: usize = 4;

pub(crate) async fn measure(table: &mut Table) {
    for (quarantine, settings) in [
        ("quarantine", ""),
        ("no quarantine", "[quarantine]\nfailures = 4294967295\n"),
    ] {
        measure_with(table, quarantine, settings).await;
    }
}

async fn measure_with(table: &mut Table, quarantine: &str, settings: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).expect("a new folder");
    for (file, content) in [
        ("first.wasm", guests::bare()),
        ("loops.wasm", &guests::wat("loops")),
        ("loops.toml", settings.as_bytes()),
    ] {
        fs::write(plugins.join(file), content).expect("a folder to write to");
    }
    let config = "[feeds.malware]\nenabled = false\n[plugins]\norder = [\"first\", \"loops\"]\n";
    let proxy = Program::start(folder.path(), config, show);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let mut loops = 0;
    for _ in 0..ROUNDS {
        alone.extend(latencies(&proxy).await);
        let troublemakers = Troublemakers::start(proxy.address());
        beside.extend(latencies(&proxy).await);
        loops += troublemakers.stop();
    }
    proxy.stop();

    let (median, worst) = (percentile(&mut alone, 50), percentile(&mut alone, 99));
    table.tell(
        format!("{} requests that another filter decides", alone.len()),
        format!("p50 {}, p99 {}", ms(median), ms(worst)),
    );
    let (median, worst_beside) = (percentile(&mut beside, 50), percentile(&mut beside, 99));
    let added = worst_beside.saturating_sub(worst);
    table.check(
        format!("the same beside {loops} calls of a filter that loops, {quarantine}"),
        format!("p50 {}, p99 {}", ms(median), ms(worst_beside)),
        format!("p99 at most {} more", ms(LIMIT)),
        added <= LIMIT,
    );
}

/// From each request to its answer. A request that is late because the answer before was is counted
/// from when it was due.
async fn latencies(proxy: &Program) -> Vec<Duration> {
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        let client = proxy.client().await;
        let offset = PERIOD * n as u32 / CLIENTS as u32;
        clients.spawn(paced(client, Instant::now() + offset));
    }
    clients.join_all().await.concat()
}

async fn paced(mut client: Wire, mut due: Instant) -> Vec<Duration> {
    let end = due + PHASE;
    let mut latencies = Vec::new();
    while due < end {
        // How late a sleep wakes up is not the proxy's doing.
        let begun = if Instant::now() < due {
            sleep_until(due.into()).await;
            Instant::now()
        } else {
            due
        };
        client.send(request("blocked.example")).await;
        let response = client.response().await;
        latencies.push(begun.elapsed());
        assert_eq!(response.status, 403);
        due += PERIOD;
    }
    latencies
}

/// Clients on a thread of their own, so that they do not keep the others from looking at the clock.
struct Troublemakers {
    enough: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Troublemakers {
    fn start(address: SocketAddr) -> Self {
        let (enough, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let thread = thread::spawn({
            let (enough, answers) = (enough.clone(), answers.clone());
            move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build();
                let mut clients = JoinSet::new();
                runtime.expect("a runtime").block_on(async {
                    for _ in 0..TROUBLEMAKERS {
                        clients.spawn(trouble(address, enough.clone(), answers.clone()));
                    }
                    clients.join_all().await;
                });
            }
        });
        Self {
            enough,
            answers,
            thread,
        }
    }

    /// How often the filter failed or was not asked, as it had failed too often.
    fn stop(self) -> usize {
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().expect("every client got its answers");
        self.answers.load(Ordering::Relaxed)
    }
}

async fn trouble(address: SocketAddr, enough: Arc<AtomicBool>, answers: Arc<AtomicUsize>) {
    let mut client = Wire::connect(address).await;
    while !enough.load(Ordering::Relaxed) {
        client.send(request("x.example")).await;
        assert_eq!(client.response().await.status, 503);
        answers.fetch_add(1, Ordering::Relaxed);
    }
}
