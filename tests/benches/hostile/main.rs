//! What slow and hostile peers do to a neighbour that behaves, measured with the release program:
//! `make bench-hostile`. Exits with 1 if an answer is late or missing.
//!
//! Words as arguments choose the rows whose names contain one of them, and `--quick` measures each
//! for a second: `make bench-hostile ARGS="--quick origin"`.

mod clients;
mod costs;
mod filters;
mod lists;
mod load;
mod many;
mod names;
mod neighbour;
mod origins;
mod peer;
#[path = "../filters/program.rs"]
#[expect(dead_code, reason = "the other benchmark starts programs in more ways")]
mod program;
#[path = "../filters/table.rs"]
mod table;
mod world;

use std::fs;
use std::io::{BufReader, Read};
use std::process::{ChildStderr, ExitCode};
use std::time::{Duration, Instant};

use self::load::{Row, Running, Scene};
use self::neighbour::{Latencies, Neighbour};
use self::table::{Table, ms};
use self::world::World;

/// How much later the answers of the neighbour may be of which only one in a hundred is later
/// still, unless a row says otherwise.
const PROMISE: Duration = Duration::from_millis(10);

/// In which Linux counts computing, in milliseconds.
const TICK: u64 = 10;

/// How long everything is measured.
struct Plan {
    /// Alone and beside, one after the other: what else the machine does falls on both.
    rounds: usize,
    phase: Duration,
    /// For a load to begin or to be over.
    pause: Duration,
}

const FULL: Plan = Plan {
    rounds: 2,
    phase: Duration::from_secs(2),
    pause: Duration::from_millis(500),
};

const QUICK: Plan = Plan {
    rounds: 1,
    phase: Duration::from_secs(1),
    pause: Duration::from_millis(300),
};

#[expect(clippy::print_stdout, reason = "a person reads it at the terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let plan = if is_quick { QUICK } else { FULL };
    // Cargo adds a flag of its own.
    let chosen = arguments.iter().filter(|word| !word.starts_with("--"));
    let chosen: Vec<&String> = chosen.collect();

    limit_descriptors();
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(folder.path(), World::start(), World::start());
    let mut table = Table::default();
    let rows = [
        clients::rows(),
        origins::rows(),
        names::rows(),
        filters::rows(),
        lists::rows(),
    ];
    let is_chosen = |name: &str| {
        let mut words = chosen.iter();
        words.len() == 0 || words.any(|word| name.contains(word.as_str()))
    };
    for row in rows.into_iter().flatten().filter(|row| is_chosen(row.name)) {
        measure(row, &scene, &plan, &mut table);
    }
    for row in many::rows().into_iter().filter(|row| is_chosen(row.name)) {
        many::measure(row, &scene, &plan, &mut table);
    }
    for cost in costs::all().iter().filter(|cost| is_chosen(cost.name)) {
        costs::measure(cost, &scene, &plan, &mut table);
    }
    println!("\n{table}");
    if table.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The proxies have the limit of this process, which is as low as it is elsewhere.
fn limit_descriptors() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = Some(many::DESCRIPTORS);
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    setrlimit(Resource::Nofile, limit).expect("a machine with so many descriptors");
}

/// Measures the neighbour alone and beside one kind of peer, with a proxy of its own.
fn measure(row: Row, scene: &Scene, plan: &Plan, table: &mut Table) {
    let proxy = row.start(scene);
    let scene = scene.at(proxy.address());
    let phase = plan.phase * row.phases;
    let neighbour = Neighbour::new(proxy.address(), &scene);
    // What takes long to do takes long to begin with.
    neighbour.pause(plan.pause * row.phases);
    let before = proxy.resident_memory();
    let (mut alone, mut beside) = (Latencies::default(), Latencies::default());
    let (mut count, mut computing, mut took) = (0, Duration::ZERO, Duration::ZERO);
    for _ in 0..plan.rounds {
        alone.extend(neighbour.measure(phase));
        let running = Running::start(row.load.clone(), scene.clone());
        neighbour.pause(plan.pause);
        let (begun, computed) = (Instant::now(), computed(proxy.id()));
        beside.extend(neighbour.measure(phase));
        computing += self::computed(proxy.id()) - computed;
        took += begun.elapsed();
        count += running.stop();
        neighbour.pause(plan.pause);
    }
    let after = proxy.resident_memory();
    let end = proxy.stop();
    neighbour::report(&row, alone, beside, table);
    let share = computing.as_secs_f64() / took.as_secs_f64();
    table.tell(
        format!("{}: the proxy", row.name),
        format!(
            "{:.0} % of a core; {:.1} MB before, {:.1} MB after; ended in {}; {count} times",
            share * 100.0,
            before as f64 / 1e6,
            after as f64 / 1e6,
            ms(end)
        ),
    );
}

/// How long a process has computed on all cores.
fn computed(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // The name of the program, in parentheses, may have spaces.
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields = fields.split(' ').skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK)
}

/// Reads a log, so that no writer has to wait. What it tells of hostile peers is no news here.
fn swallow(mut log: BufReader<ChildStderr>) {
    let mut buffer = vec![0; 1 << 16];
    while log.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

/// Leaves a log open and unread.
fn leave(log: BufReader<ChildStderr>) {
    std::mem::forget(log);
}
