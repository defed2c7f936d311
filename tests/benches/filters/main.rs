//! What the proxy promises about filters, measured with the release program, real sockets and real
//! WASM: `make bench-filters`. Exits with 1 if a limit is broken.
//!
//! Names of measurements as arguments choose some of them: `make bench-filters ARGS="calls swaps"`.

mod authors;
mod builtins;
mod calls;
mod facts;
mod five;
mod isolation;
mod plugin_bench;
mod program;
mod restart;
mod swaps;
mod table;

use std::io::{BufRead, BufReader};
use std::process::{ChildStderr, ExitCode};

use tokio::runtime;

use self::table::Table;

#[expect(clippy::print_stdout, reason = "a person reads it at the terminal")]
fn main() -> ExitCode {
    // Cargo adds a flag of its own.
    let arguments = std::env::args().skip(1);
    let chosen: Vec<String> = arguments.filter(|name| !name.starts_with("--")).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);

    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut table = Table::default();
    if is_chosen("authors") {
        authors::measure(&mut table);
    }
    if is_chosen("builtins") {
        builtins::measure(&mut table);
    }
    if is_chosen("calls") {
        runtime.block_on(calls::measure(&mut table));
    }
    if is_chosen("facts") {
        facts::measure(&mut table);
    }
    if is_chosen("five") {
        runtime.block_on(five::measure(&mut table));
    }
    if is_chosen("isolation") {
        runtime.block_on(isolation::measure(&mut table));
    }
    if is_chosen("restart") {
        runtime.block_on(restart::measure(&mut table));
    }
    if is_chosen("swaps") {
        runtime.block_on(swaps::measure(&mut table));
    }
    println!("\n{table}");
    if table.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Reads the log as it comes, and shows what an operator would be shown. That a filter that loops
/// fails is no news.
#[expect(
    clippy::print_stderr,
    reason = "the person at the terminal should know"
)]
fn show(mut log: BufReader<ChildStderr>) {
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        let mut words = text.split(' ');
        let is_trouble = words.any(|word| word == "WARN" || word == "ERROR");
        if is_trouble && !text.contains("filter=\"loops\"") {
            eprint!("{text}");
        }
        line.clear();
    }
}
