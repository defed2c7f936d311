//! What it costs a filter to ask for a fact, and an answer that was kept for one client.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_tests::guests;

use crate::plugin_bench::Bench;
use crate::table::Table;

const CALLS: u32 = 200_000;

/// How many facts the filter of this benchmark asks for in a call.
const FACTS: u32 = 100;

/// A fact that is a number, and one that is a string, in nanoseconds.
const NUMBER: f64 = 75.0;
const STRING: f64 = 140.0;

/// An answer that was kept for one client's address, in nanoseconds.
const KEPT_BY_ADDRESS: f64 = 150.0;

pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let none = fact_time(folder, 0, 0);
    for (what, asked, limit) in [
        ("a fact that is a number", (FACTS, 0), NUMBER),
        ("a fact that is a string", (0, FACTS), STRING),
    ] {
        let each = (fact_time(folder, asked.0, asked.1) - none) / f64::from(FACTS);
        table.check(
            what,
            format!("p50 {each:.0} ns"),
            format!("p50 at most {limit:.0} ns"),
            each <= limit,
        );
    }

    let settings = "[config]\nseconds = 3600\n[grants]\nfeeds = [\"*\"]\nstate = true";
    let remembers = filter(folder, "remembers", guests::remembers(), settings);
    let kept = Bench::run(folder, &remembers, "client.good.example", CALLS).cached();
    let kept = kept.expect("it lets the proxy use its verdict again");
    table.check(
        "a verdict kept for a client's address",
        format!("p50 {:.0} ns, p99 {:.0} ns", kept.p50, kept.p99),
        format!("p50 at most {KEPT_BY_ADDRESS:.0} ns"),
        kept.p50 <= KEPT_BY_ADDRESS,
    );
}

/// Writes a filter with its configuration.
fn filter(folder: &Path, name: &str, wasm: &[u8], config: &str) -> PathBuf {
    let file = folder.join(name).with_extension("wasm");
    fs::write(&file, wasm).expect("a folder to write to");
    fs::write(file.with_extension("toml"), config).expect("a folder to write to");
    file
}

/// Half of the calls of a filter that asks for so many numbers and strings, in nanoseconds.
fn fact_time(folder: &Path, numbers: u32, strings: u32) -> f64 {
    let name = format!("asks-{numbers}-{strings}");
    let file = filter(folder, &name, &asks(numbers, strings), "");
    Bench::run(folder, &file, "www.good.example", CALLS).hooks()[0].p50
}

/// A filter that asks for the port and for the host so often, and says `next`.
fn asks(numbers: u32, strings: u32) -> Vec<u8> {
    let repeat = |times, call| {
        format!(
            "(local.set $left (i32.const {times}))
             (block $done (loop $again
               (br_if $done (i32.eqz (local.get $left)))
               {call}
               (local.set $left (i32.sub (local.get $left) (i32.const 1)))
               (br $again)))"
        )
    };
    let numbers = repeat(numbers, "(drop (call $port))");
    let strings = repeat(strings, "(call $host (i32.const 512))");
    let text = format!(
        r#"(module
          (import "portcullis:filter/exchange@1.0.0" "port" (func $port (result i32)))
          (import "portcullis:filter/exchange@1.0.0" "host" (func $host (param i32)))
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/judge-host@1.0.0#judge")
            (param i32 i32 i32) (result i32) (local $left i32)
            {numbers} {strings}
            ;; ok(next)
            (i32.const 56)))"#
    );
    guests::kept(&text, include_str!("../../../sdk/wit/filter.wit"))
}
