//! What it costs a filter to ask for a fact, and an answer that was kept for one client: the time,
//! and the instructions, which are the same on a busy machine.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_tests::guests;

use crate::plugin_bench::{Bench, ROOMY, instructions};
use crate::table::Table;

const CALLS: u32 = 200_000;

/// How many facts the filter of this benchmark asks for in a call.
const FACTS: u32 = 100;

/// A fact that is a number, and one that is a string, in nanoseconds.
const NUMBER: f64 = 75.0;
const STRING: f64 = 140.0;

/// An answer that was kept for one client's address, in nanoseconds.
const KEPT_BY_ADDRESS: f64 = 150.0;

/// The same three in instructions, a tenth above what they are: those times hold with some room.
const NUMBER_COUNT: f64 = 500.0;
const STRING_COUNT: f64 = 1_350.0;
const KEPT_COUNT: f64 = 1_200.0;

/// What a filter does in a call.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// How often it asks for the port.
    numbers: u32,
    /// How often it asks for the host.
    strings: u32,
    /// How often it asks for the client's address.
    addresses: u32,
    /// How often it says that its verdict may be kept.
    keeps: u32,
}

pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let none = filter(folder, Work::default());
    let numbers = Work {
        numbers: FACTS,
        ..Work::default()
    };
    let strings = Work {
        strings: FACTS,
        ..Work::default()
    };
    for (what, work, limit, most) in [
        ("a fact that is a number", numbers, NUMBER, NUMBER_COUNT),
        ("a fact that is a string", strings, STRING, STRING_COUNT),
    ] {
        let file = filter(folder, work);
        let each = |of: &dyn Fn(&Path) -> f64| (of(&file) - of(&none)) / f64::from(FACTS);
        let time = each(&|file| Bench::run(folder, file, HOST, CALLS).hooks()[0].p50);
        check(table, what, time, limit);
        let count = each(&|file| instructions(folder, file, HOST));
        check_count(table, what, count, most);
    }
    kept(folder, table);
}

/// A verdict that is used again for one client.
fn kept(folder: &Path, table: &mut Table) {
    let what = "a verdict kept for a client's address";
    let asks = |keeps| {
        let work = Work {
            addresses: 1,
            keeps,
            ..Work::default()
        };
        filter(folder, work)
    };
    let time = Bench::run(folder, &asks(1), HOST, CALLS).cached();
    let time = time.expect("it lets the proxy use its verdict again");
    check(table, what, time.p50, KEPT_BY_ADDRESS);
    let [none, one, two] = [0, 1, 2].map(|keeps| instructions(folder, &asks(keeps), HOST));
    // A run with a verdict that may be kept has as many kept ones besides, and what it takes to say
    // so is what it takes to say it twice.
    let count = one - none - (two - one);
    check_count(table, what, count, KEPT_COUNT);
}

fn check_count(table: &mut Table, what: &str, count: f64, limit: f64) {
    table.check(
        what,
        format!("{count:.0} instructions"),
        format!("at most {limit:.0}"),
        count <= limit,
    );
}

fn check(table: &mut Table, what: &str, time: f64, limit: f64) {
    table.check(
        what,
        format!("p50 {time:.0} ns"),
        format!("p50 at most {limit:.0} ns"),
        time <= limit,
    );
}

const HOST: &str = "www.good.example";

/// A filter that does that and says `next`.
fn filter(folder: &Path, work: Work) -> PathBuf {
    let Work {
        numbers,
        strings,
        addresses,
        keeps,
    } = work;
    let name = format!("asks-{numbers}-{strings}-{addresses}-{keeps}");
    let file = folder.join(name).with_extension("wasm");
    fs::write(&file, asks(work)).expect("a folder to write to");
    fs::write(file.with_extension("toml"), ROOMY).expect("a folder to write to");
    file
}

fn asks(work: Work) -> Vec<u8> {
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
    let numbers = repeat(work.numbers, "(drop (call $port))");
    let strings = repeat(work.strings, "(call $host (i32.const 512))");
    let addresses = repeat(work.addresses, "(call $address (i32.const 512))");
    let keeps = repeat(work.keeps, "(call $keep (i64.const 3600000))");
    let text = format!(
        r#"(module
          (import "portcullis:filter/exchange@1.0.0" "port" (func $port (result i32)))
          (import "portcullis:filter/exchange@1.0.0" "host" (func $host (param i32)))
          (import "portcullis:filter/client@1.0.0" "address" (func $address (param i32)))
          (import "portcullis:filter/answer@1.0.0" "keep" (func $keep (param i64)))
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/judge-host@1.0.0#judge")
            (param i32 i32 i32) (result i32) (local $left i32)
            {numbers} {strings} {addresses} {keeps}
            ;; ok(next)
            (i32.const 56)))"#
    );
    guests::kept(&text, include_str!("../../../sdk/wit/filter.wit"))
}
