//! `portcullis plugin bench`, run as an author runs it: what is measured is the released program.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::program;

/// Limits for a filter that Valgrind runs, which is slow.
pub(crate) const ROOMY: &str = "[limits]\ncpu = \"5s\"\nwall = \"30s\"\n";

/// What the program has measured of one filter.
#[derive(Debug)]
pub(crate) struct Bench(Value);

/// Nanoseconds.
#[derive(Debug)]
pub(crate) struct Timing {
    /// The hook and what it answered.
    pub(crate) what: String,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Bench {
    /// Measures the filter in `file`, or the built-in one of that name. Settings of the proxy are
    /// those in `folder`, where what is kept lies, too.
    pub(crate) fn run(folder: &Path, file: &Path, host: &str, calls: u32) -> Self {
        let command = plugin_bench(Command::new(program()), folder, file, host, calls);
        let output = run(command).stdout;
        Self(serde_json::from_slice(&output).expect("what --json promises"))
    }

    pub(crate) fn filter(&self) -> &str {
        self.0["filter"].as_str().expect("a name")
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.0["file_bytes"].as_u64().expect("a size")
    }

    /// One for each hook that judges.
    pub(crate) fn hooks(&self) -> Vec<Timing> {
        let hooks = self.0["hooks"].as_array().expect("a list");
        hooks.iter().map(Timing::read).collect()
    }

    /// An answer that was kept; none if the filter wants to be asked each time.
    pub(crate) fn cached(&self) -> Option<Timing> {
        let cached = &self.0["cached"];
        (!cached.is_null()).then(|| Timing::read(cached))
    }
}

impl Timing {
    fn read(timing: &Value) -> Self {
        let text = |name: &str| timing[name].as_str().expect("a text").to_owned();
        let time = |name: &str| timing[name].as_f64().expect("a time");
        Self {
            what: format!("{} -> {}", text("hook"), text("verdict")),
            p50: time("p50_ns"),
            p99: time("p99_ns"),
        }
    }
}

/// Instructions of one call, counted by valgrind: those of many calls less those of few. What a run
/// costs besides is in both.
pub(crate) fn instructions(folder: &Path, file: &Path, host: &str) -> f64 {
    const CALLS: [u32; 2] = [1_000, 11_000];

    // Valgrind cannot run the process that compiles a filter, so that is done before.
    Bench::run(folder, file, host, 1);
    let [few, many] = CALLS.map(|calls| {
        let mut valgrind = Command::new("valgrind");
        valgrind
            // The filters' machine code is written while the program runs.
            .args(["--tool=callgrind", "--smc-check=all-non-file"])
            .arg("--callgrind-out-file=/dev/null")
            .arg(program());
        let output = run(plugin_bench(valgrind, folder, file, host, calls));
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said.split_once("Collected :").and_then(|(_, rest)| {
            let count = rest.split_whitespace().next()?;
            count.parse::<f64>().ok()
        });
        count.unwrap_or_else(|| panic!("valgrind says how many instructions there were: {said}"))
    });
    let [fewer, more] = CALLS.map(f64::from);
    (many - few) / (more - fewer)
}

fn plugin_bench(
    mut program: Command,
    folder: &Path,
    file: &Path,
    host: &str,
    calls: u32,
) -> Command {
    program
        .args(["plugin", "bench", "--json", "--host", host, "--calls"])
        .arg(calls.to_string())
        .arg(file)
        .env("PORTCULLIS_CACHE_DIR", folder.join("cache"))
        .current_dir(folder);
    program
}

fn run(mut command: Command) -> std::process::Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}
