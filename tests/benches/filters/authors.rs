//! What an author gets: how long the way to the first filter is, how large that is, and what a call
//! costs, in each of the languages.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use portcullis_tests::guests;

use crate::plugin_bench::Bench;
use crate::program::program;
use crate::table::Table;

/// From nothing to a filter in Rust that is tested and built, where cargo has the sources already.
const FIRST_FILTER: Duration = Duration::from_secs(60);

/// A filter in Rust as it is begun, in bytes.
const SIZE: u64 = 100_000;

/// An answer that the proxy has kept, in nanoseconds.
const CACHED: f64 = 150.0;

/// How often each filter is asked.
const CALLS: u32 = 200_000;

/// What `plugin new` knows.
struct Language {
    /// As `--lang` has it.
    name: &'static str,
    /// What must be there.
    tools: &'static [&'static str],
    /// What runs the tests of the template.
    test: &'static [&'static str],
    /// Half of the calls may take longer, in nanoseconds.
    limit: f64,
}

const LANGUAGES: [Language; 3] = [
    Language {
        name: "rust",
        tools: &["cargo"],
        test: &["cargo", "test", "--quiet"],
        limit: 1_000.0,
    },
    Language {
        name: "js",
        tools: &["node", "npm"],
        test: &["npm", "test"],
        limit: 25_000.0,
    },
    Language {
        name: "python",
        tools: &["python3"],
        test: &["python3", "-m", "unittest"],
        limit: 10_000.0,
    },
];

pub(crate) fn measure(table: &mut Table) {
    for language in &LANGUAGES {
        if language.tools.iter().all(|tool| is_there(tool)) {
            author(language, table);
        } else {
            table.tell(language.name, "not measured: its tools are not there");
        }
    }
    cached(table);
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok()
}

/// New, test, build, bench.
fn author(language: &Language, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let name = format!("{}-filter", language.name);
    let project = folder.join(&name);
    let begun = Instant::now();
    let program = program();
    let program = program.to_str().expect("a path of letters");
    let new = [program, "plugin", "new", "--lang", language.name, &name];
    run(folder, folder, &new);
    if language.name == "rust" {
        // The versions that are here already.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, project.join("Cargo.lock")).expect("a folder to write to");
    }
    run(folder, &project, language.test);
    run(folder, &project, &[program, "plugin", "build"]);
    let time = begun.elapsed();

    let wasm = project.join(&name).with_extension("wasm");
    let bench = Bench::run(folder, &wasm, "www.good.example", CALLS);
    let what = |what: &str| format!("the {} template: {what}", language.name);
    let (first, size) = (what("new, tests and build"), what("size"));
    let took = format!("{:.0} s", time.as_secs_f64());
    let bytes = format!("{:.1} kB", bench.file_bytes() as f64 / 1e3);
    if language.name == "rust" {
        let limit = format!("{} s", FIRST_FILTER.as_secs());
        table.check(first, took, limit, time <= FIRST_FILTER);
        let limit = format!("{} kB", SIZE / 1000);
        table.check(size, bytes, limit, bench.file_bytes() < SIZE);
    } else {
        table.tell(first, took);
        table.tell(size, bytes);
    }
    for hook in bench.hooks() {
        let measured = format!("p50 {:.0} ns, p99 {:.0} ns", hook.p50, hook.p99);
        let limit = format!("p50 at most {:.0} ns", language.limit);
        let what = what(&hook.what);
        table.check(what, measured, limit, hook.p50 <= language.limit);
    }
}

/// A verdict that the filter has let the proxy use again.
fn cached(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let file = folder.join("remembers.wasm");
    fs::write(&file, guests::remembers()).expect("a folder to write to");
    let settings = "[grants]\nfeeds = [\"*\"]\nstate = true\n[config]\nseconds = 3600\n";
    fs::write(file.with_extension("toml"), settings).expect("a folder to write to");
    let cached = Bench::run(folder, &file, "www.good.example", CALLS).cached();
    let cached = cached.expect("it lets the proxy use its verdict again");
    let measured = format!("p50 {:.0} ns, p99 {:.0} ns", cached.p50, cached.p99);
    let limit = format!("p50 at most {CACHED:.0} ns");
    table.check(
        "a verdict from the cache",
        measured,
        limit,
        cached.p50 <= CACHED,
    );
}

/// Runs it in `dir` and waits until it has done its work. What the program keeps lies in
/// `folder`.
fn run(folder: &Path, dir: &Path, command: &[&str]) {
    let output = Command::new(command[0])
        .args(&command[1..])
        .current_dir(dir)
        .env("PORTCULLIS_CACHE_DIR", folder.join("cache"))
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("a program that is there");
    assert!(
        output.status.success(),
        "{command:?} in {}: {}{}",
        dir.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
