//! As many clients at a time as the usual limit of descriptors has room for: what each takes, what
//! is left of it when all have gone, and how a neighbour fares beside them.

use std::fs;
use std::io::{Error, Result};
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Plan;
use crate::load::{Count, Row, Running, Scene};
use crate::neighbour::{Latencies, Neighbour};
use crate::peer::Peer;
use crate::program::Program;
use crate::table::{Table, ms, percentile};

/// A process may have so many descriptors here. A tunnel takes two.
pub(crate) const DESCRIPTORS: u64 = 20_000;

const CLIENTS: usize = 9_000;

/// So many come from each address of loopback.
const OF_AN_ADDRESS: usize = 1_000;

/// How many connect at the same time.
const OPENERS: usize = 50;

/// What one of them may take, in bytes.
const MEMORY: u64 = 8 << 10;

/// How much more there may be when they have gone, in per cent.
const LEFT: u64 = 10;

/// After which the allocator has given back what is not used.
const SETTLE: Duration = Duration::from_secs(5);

/// For all to be connected, or gone.
const LATEST: Duration = Duration::from_secs(60);

/// Between two bytes of a head, which is not whole when all was measured.
const TRICKLE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Tunnel,
    SlowHead,
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, client| Row::of(name, move |scene, count| hold(scene, count, client));
    vec![
        row("9000 idle tunnels", Client::Tunnel),
        row("9000 slow heads", Client::SlowHead),
    ]
}

/// Has them connect and stay. Counts those that do.
async fn hold(scene: Scene, count: Count, client: Client) {
    let mut openers = JoinSet::new();
    for opener in 0..OPENERS {
        let (scene, count) = (scene.clone(), count.clone());
        openers.spawn(async move {
            let mut clients = Vec::new();
            for number in (opener..CLIENTS).step_by(OPENERS) {
                if let Ok(opened) = open(&scene, number, client).await {
                    clients.push(opened);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            loop {
                sleep(TRICKLE).await;
                for slow in clients.iter_mut().filter(|_| client == Client::SlowHead) {
                    // One that was given up is counted when all is measured.
                    let _ = slow.send("x").await;
                }
            }
        });
    }
    openers.join_all().await;
}

async fn open(scene: &Scene, number: usize, client: Client) -> Result<Peer> {
    // The first one is the neighbour's.
    let address = u8::try_from(2 + number / OF_AN_ADDRESS).expect("few addresses");
    let mut peer = Peer::connect(Ipv4Addr::new(127, 0, 0, address), scene.proxy).await?;
    let target = scene.target("many.example", "");
    let authority = target.trim_end_matches('/');
    match client {
        Client::Tunnel => {
            let connect = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
            match peer.ask(connect).await? {
                200 => {}
                status => return Err(Error::other(format!("it is answered with {status}"))),
            }
        }
        Client::SlowHead => {
            let head = format!("GET http://{target} HTTP/1.1\r\nHost: {authority}\r\nX: ");
            peer.send(head).await?;
        }
    }
    Ok(peer)
}

/// What a proxy has.
#[derive(Clone, Copy)]
struct Held {
    descriptors: u64,
    /// Bytes.
    memory: u64,
}

impl Held {
    fn by(proxy: &Program) -> Self {
        Self {
            descriptors: descriptors(proxy),
            memory: proxy.resident_memory(),
        }
    }
}

fn descriptors(proxy: &Program) -> u64 {
    let open = fs::read_dir(format!("/proc/{}/fd", proxy.id()));
    open.expect("a process of a Linux system").count() as u64
}

/// Measures what they take, and what is left of it.
pub(crate) fn measure(row: Row, scene: &Scene, plan: &Plan, table: &mut Table) {
    let proxy = row.start(scene);
    let scene = scene.at(proxy.address());
    let neighbour = Neighbour::new(proxy.address(), &scene);
    let phase = plan.phase * u32::try_from(plan.rounds).expect("few rounds");
    neighbour.measure(phase);
    let alone = neighbour.measure(phase);
    neighbour.pause(SETTLE);
    let before = Held::by(&proxy);
    let running = Running::start(row.load.clone(), scene);
    wait(&neighbour, || running.count() == CLIENTS);
    neighbour.pause(SETTLE);
    let (during, count) = (Held::by(&proxy), running.count());
    let beside = neighbour.measure(phase);
    running.stop();
    let is_left = |now: u64, before: u64| now * 100 <= before * (100 + LEFT);
    wait(&neighbour, || {
        is_left(descriptors(&proxy), before.descriptors)
    });
    neighbour.pause(SETTLE);
    let after = Held::by(&proxy);
    proxy.stop();

    let name = row.name;
    table.check(
        format!("{name}: served"),
        count.to_string(),
        CLIENTS.to_string(),
        count == CLIENTS,
    );
    let each = during.memory.saturating_sub(before.memory) / CLIENTS as u64;
    table.check(
        format!("{name}: memory of one"),
        format!("{:.1} KiB", each as f64 / 1024.0),
        format!("at most {} KiB", MEMORY >> 10),
        each <= MEMORY,
    );
    for (what, before, after) in [
        ("descriptors", before.descriptors, after.descriptors),
        ("KiB of memory", before.memory >> 10, after.memory >> 10),
    ] {
        table.check(
            format!("{name}: {what} before and after"),
            format!("{before}, {after}"),
            format!("at most {LEFT} % more"),
            is_left(after, before),
        );
    }
    compare(name, alone, beside, table);
}

fn wait(neighbour: &Neighbour, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() && begun.elapsed() < LATEST {
        neighbour.pause(Duration::from_millis(100));
    }
}

/// The neighbour's answers may take twice as long.
fn compare(name: &str, alone: Latencies, beside: Latencies, table: &mut Table) {
    let failures = alone.failures() + beside.failures();
    table.check(
        format!("{name}: missing answers"),
        failures.to_string(),
        "none",
        failures == 0,
    );
    for (what, mut alone, mut beside) in Latencies::pairs(alone, beside) {
        let (before, after) = (percentile(&mut alone, 99), percentile(&mut beside, 99));
        table.check(
            format!("{name}: {what}"),
            format!("p99 {}; alone {}", ms(after), ms(before)),
            "at most twice",
            after <= 2 * before,
        );
    }
}
