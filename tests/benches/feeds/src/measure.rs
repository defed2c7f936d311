//! Measures a design, in a process that does nothing else. What it prints, [`Figures`] reads.

use std::fmt;
use std::fs;
use std::hint::black_box;
use std::ops::{Add, Sub};
use std::path::Path;
use std::time::Instant;

use portcullis::bench::Lists;

use crate::designs::{self, Built, DESIGNS, OURS};
use crate::names::Hosts;

/// Hosts of each kind that are looked up.
const HOSTS: usize = 200_000;

/// Names that a proxy finds in a day of a user, more or less.
const FOUND: usize = 100;

/// Parts of them, each of which is a round of lookups of its own.
const ROUNDS: usize = 5;

/// Which hosts these are.
const SEED: u64 = 7;

/// What stands behind a promise that is not kept.
pub(crate) const BROKEN: &str = "BROKEN";

/// A promise, and whether it is kept.
type Promise = (&'static str, fn(&Figures) -> bool);

/// What is promised of the list of a million names.
pub(crate) const BUDGET: [Promise; 6] = [
    (
        "at most 10 bytes a name, with the records of 100 names read and their hits counted",
        |f| f.bytes <= 10.0,
    ),
    ("a miss of four labels in 120 ns, half of them", |f| {
        f.misses.0 <= 120
    }),
    ("a hit in 400 ns, half of them", |f| f.hits.0 <= 400),
    ("built in 1.5 s of computing", |f| f.build <= 1.5),
    (
        "while it is built beside the one before, at most 2.5 times that and 64 MB",
        |f| f.peak <= 2.5 * f.bytes + 64.0,
    ),
    ("from the file in 50 ms", |f| f.start <= 0.050),
];

/// What was measured of a design.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    design: String,
    /// Bytes of memory for each name, when some were found, and when all were: the process's own,
    /// and the pages of a mapped file that were touched.
    bytes: f64,
    bytes_of_all: f64,
    /// The same when some were found, with all that is resident: program text, and the pages that
    /// the system maps around those that are touched.
    resident: f64,
    /// Nanoseconds: half are not above the first, 99 % not above the second.
    hits: (u32, u32),
    misses: (u32, u32),
    deep: (u32, u32),
    /// Seconds of computing.
    build: f64,
    /// Megabytes at most while it was built, with the list before it.
    peak: f64,
    /// Seconds until the list that is in a file can be asked.
    start: f64,
}

impl Figures {
    pub(crate) const HEAD: &str = "design      bytes a name  all found  resident  hit ns p50/p99  miss ns p50/p99  deep ns p50/p99  build s  peak MB  start ms";

    /// The times in the lines that a process has printed.
    pub(crate) fn read(design: &str, lines: &str) -> Self {
        let all: Vec<f64> = lines
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let &[
            bytes,
            bytes_of_all,
            resident,
            h50,
            h99,
            m50,
            m99,
            d50,
            d99,
            build,
            peak,
            start,
        ] = &*all
        else {
            panic!("{design}: {lines}");
        };
        let pair = |one: f64, other: f64| (one as u32, other as u32);
        Self {
            design: design.to_owned(),
            bytes,
            bytes_of_all,
            resident,
            hits: pair(h50, h99),
            misses: pair(m50, m99),
            deep: pair(d50, d99),
            build,
            peak,
            start,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = |(one, other): (u32, u32)| format!("{one}/{other}");
        write!(
            f,
            "{:10}  {:12.1}  {:9.1}  {:8.1}  {:>14}  {:>15}  {:>15}  {:7.2}  {:7.0}  {:8.0}",
            self.design,
            self.bytes,
            self.bytes_of_all,
            self.resident,
            pair(self.hits),
            pair(self.misses),
            pair(self.deep),
            self.build,
            self.peak,
            self.start * 1e3,
        )
    }
}

pub(crate) fn run(what: &str, folder: &Path) {
    if what == "besides" {
        besides(folder);
        return;
    }
    let (_, build) = DESIGNS
        .iter()
        .find(|(name, _)| *name == what)
        .expect("a design");
    let (mut seconds, mut peak) = (0.0, 0.0);
    let ours = OURS.iter().find(|(name, _)| *name == what);
    if let Some((_, open)) = ours {
        (seconds, peak) = rebuild(folder, *open);
    }
    let before = Memory::now();
    let computed = computing();
    let started = Instant::now();
    let Built { has, decides } = build(folder);
    let start = started.elapsed().as_secs_f64();
    if ours.is_none() {
        seconds = computing() - computed;
        peak = highest() - before.resident();
    }
    let built = Memory::now();
    let hosts = Hosts::of(folder, HOSTS, SEED);
    // What asks is not of the design.
    let base = before + (Memory::now() - built);
    let find = |hosts: &[String]| assert!(hosts.iter().all(|host| decides(host)));
    let some = &hosts.hits[..FOUND];
    find(some);
    let found = Memory::now() - base;
    let (own, resident) = (found.own, found.resident());
    let of_files = touched(folder, || find(some));
    assert_eq!(of_files > 0.0, what == "portcullis", "{of_files}");
    let bytes = own + of_files;
    let kinds = [&*hosts.misses, &*hosts.deep, &*hosts.hits];
    let [misses, deep, hits] = nanoseconds(kinds, |hosts| round(hosts, &*has));
    find(&hosts.hits);
    let own = (Memory::now() - base).own;
    let bytes_of_all = own + touched(folder, || find(&hosts.hits));
    println!(
        "{bytes:.3} {bytes_of_all:.3} {resident:.3} {} {} {} {} {} {} {seconds} {peak} {start}",
        hits.0, hits.1, misses.0, misses.1, deep.0, deep.1
    );
}

/// Reads the list as when it has arrived, twice: the second time with the first serving. Seconds of
/// computing, and megabytes at most.
fn rebuild(folder: &Path, open: fn(&Path) -> Lists) -> (f64, f64) {
    let before = Memory::now().resident();
    let lists = open(folder);
    designs::refresh(&lists, &["list"]);
    // The list before is in use: the same hosts are found day after day.
    let hosts = Hosts::of(folder, FOUND, SEED);
    assert!(hosts.hits.iter().all(|host| lists.count(&["list"], host)));
    drop(hosts);
    fs::write("/proc/self/clear_refs", "5").expect("Linux lets a process do that");
    let computed = computing();
    designs::refresh(&lists, &["list"]);
    (computing() - computed, highest() - before)
}

/// What is promised besides: from several threads at once, and of several lists.
fn besides(folder: &Path) {
    let hosts = Hosts::of(folder, HOSTS, 11);
    let (_, open) = DESIGNS[0];
    let Built { has, .. } = open(folder);
    let from_two = |hosts: &[String]| {
        std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(|| round(hosts, &*has)));
            let [one, other] = threads.map(|thread| thread.join().expect("it counts"));
            (one.0.max(other.0), one.1.max(other.1))
        })
    };
    let kinds = [&*hosts.misses, &*hosts.hits, &*hosts.deep];
    let times = nanoseconds(kinds, from_two);
    let limits = [("misses", 120), ("hits", 400), ("deep names", u32::MAX)];
    for ((what, limit), (half, most)) in limits.into_iter().zip(times) {
        println!(
            "{what} from two threads: half within {half} ns, 99 % within {most} ns{}",
            word(half <= limit)
        );
    }
    let one = designs::lists(folder);
    let (ten, names) = designs::parts(folder);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (what, hosts) in [("misses", &hosts.misses), ("hits", &hosts.hits)] {
        let mut rounds = (0..5).map(|_| {
            let single = mean(hosts, |host| one.has(&["list"], host));
            (single, mean(hosts, |host| ten.has(&names, host)))
        });
        let first = rounds.next().expect("there are five");
        let best = rounds.fold(first, |best, now| (best.0.min(now.0), best.1.min(now.1)));
        let holds = word(best.1 <= 2.0 * best.0);
        println!(
            "{what}, all that a question takes: one list {:.0} ns, ten {:.0} ns{holds}",
            best.0, best.1
        );
    }
}

fn word(holds: bool) -> String {
    if holds {
        String::new()
    } else {
        format!(", {BROKEN}")
    }
}

/// Of each kind of hosts, half of the lookups take no longer than the first and 99 % no longer than
/// the second, in the round in which that was least: what else the machine does falls on some of
/// them, so the rounds of one kind are not one behind the other. No host is looked up in two.
fn nanoseconds<const KINDS: usize>(
    kinds: [&[String]; KINDS],
    round_of: impl Fn(&[String]) -> (u32, u32),
) -> [(u32, u32); KINDS] {
    let clock = round(&vec![String::new(); 10_000], |_| false).0;
    let mut least = [(u32::MAX, u32::MAX); KINDS];
    for number in 0..ROUNDS {
        for (least, hosts) in least.iter_mut().zip(kinds) {
            let length = hosts.len() / ROUNDS;
            let times = round_of(&hosts[number * length..][..length]);
            *least = times.min(*least);
        }
    }
    least.map(|(half, most)| (half.saturating_sub(clock), most.saturating_sub(clock)))
}

fn round(hosts: &[String], has: impl Fn(&str) -> bool) -> (u32, u32) {
    let time = |host: &String| {
        // The host of a request was just read from a socket, too.
        black_box(host.bytes().fold(0, |all: u8, byte| all ^ byte));
        let started = Instant::now();
        black_box(has(black_box(host)));
        started.elapsed().as_nanos() as u32
    };
    let mut times: Vec<u32> = hosts.iter().map(time).collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// Nanoseconds that a lookup takes.
fn mean(hosts: &[String], has: impl Fn(&str) -> bool) -> f64 {
    let started = Instant::now();
    for host in hosts {
        black_box(has(black_box(host)));
    }
    started.elapsed().as_nanos() as f64 / hosts.len() as f64
}

/// Megabytes that the process has in memory.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// Its own.
    own: f64,
    /// Mapped pages of files: the program's, and those of lists.
    files: f64,
}

impl Memory {
    fn now() -> Self {
        Self {
            own: status("RssAnon"),
            files: status("RssFile"),
        }
    }

    fn resident(self) -> f64 {
        self.own + self.files
    }
}

impl Add for Memory {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            own: self.own + other.own,
            files: self.files + other.files,
        }
    }
}

impl Sub for Memory {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            own: self.own - other.own,
            files: self.files - other.files,
        }
    }
}

/// Megabytes of the pages in mapped files of a folder that are touched. The pages are mapped
/// already, so that the system maps no others around them, which it would take for touched.
fn touched(folder: &Path, touch: impl Fn()) -> f64 {
    fs::write("/proc/self/clear_refs", "1").expect("Linux lets a process do that");
    // Where a processor still knows a page, a touch leaves no mark. It forgets all pages when many
    // are given back at once.
    drop(black_box(vec![1_u8; 256 << 20]));
    touch();
    let maps = fs::read_to_string("/proc/self/smaps").expect("Linux has it");
    let folder = folder.canonicalize().expect("it is there");
    let folder = folder.to_str().expect("a path of this program's");
    let (mut is_list, mut touched) = (false, 0.0);
    for line in maps.lines() {
        let (key, value) = line.split_once(':').unwrap_or_default();
        if key.contains(' ') {
            // `START-END PERMISSIONS OFFSET MAJOR:MINOR INODE PATH`
            is_list = value.contains(folder);
        } else if is_list && key == "Referenced" {
            touched += megabytes(value);
        }
    }
    touched
}

/// Megabytes that it had at most.
fn highest() -> f64 {
    status("VmHWM")
}

fn status(what: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status
        .lines()
        .find(|line| line.starts_with(what))
        .expect("Linux has it");
    megabytes(&line[what.len() + 1..])
}

/// Linux writes ` 12 kB` and means 12 KiB.
fn megabytes(text: &str) -> f64 {
    let number = text.split_whitespace().next();
    let number = number.and_then(|number| number.parse::<f64>().ok());
    number.expect("it is a number") * 1024.0 / 1e6
}

/// Seconds that all threads of the process have computed.
fn computing() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let fields = stat.rsplit(')').next().expect("it has fields");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
