//! What five small filters cost a request, in instructions: those of a proxy that asks them less
//! those of one that asks none of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use portcullis_tests::guests;

use crate::plugin_bench::ROOMY;
use crate::program::{Program, program, request};
use crate::show;
use crate::table::Table;

/// At most so many instructions for all five to say that nothing is wrong, with what the proxy does
/// to ask them.
const LIMIT: f64 = 30_000.0;

const FILTERS: usize = 5;

pub(crate) async fn measure(table: &mut Table) {
    let [none, five] = [request_with(0).await, request_with(FILTERS).await];
    let count = five - none;
    table.check(
        "five filters, each judge-host -> next",
        format!("{count:.0} instructions"),
        format!("at most {LIMIT:.0}"),
        count <= LIMIT,
    );
}

/// Instructions of one request that so many filters have no opinion on, and that the last filter
/// refuses: nothing is dialled.
async fn request_with(filters: usize) -> f64 {
    const REQUESTS: [usize; 2] = [500, 2_500];
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let plugins = folder.join("plugins");
    fs::create_dir(&plugins).expect("a new folder");
    let write = |name: &str, wasm: &[u8], config: &str| {
        let file = plugins.join(name);
        fs::write(file.with_extension("wasm"), wasm).expect("a folder to write to");
        let settings = format!("{ROOMY}[config]\n{config}");
        fs::write(file.with_extension("toml"), settings).expect("a folder to write to");
    };
    for number in 0..filters {
        let block = "block = [\"evil.example\", \"bad.example\"]\n";
        write(&format!("suffix-{number}"), guests::suffix(), block);
    }
    write("zz-last", guests::suffix(), "block = [\"good.example\"]\n");
    // Valgrind cannot run the process that compiles a filter, so that is done before.
    counted(folder, Command::new(program()), 1).await;
    let out = folder.join("callgrind");
    let mut counts = Vec::new();
    for requests in REQUESTS {
        let mut valgrind = Command::new("valgrind");
        valgrind
            // The filters' machine code is written while the program runs.
            .args(["--tool=callgrind", "--smc-check=all-non-file"])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(program());
        counted(folder, valgrind, requests).await;
        counts.push(total(&out));
    }
    let [fewer, more] = REQUESTS.map(|requests| requests as f64);
    (counts[1] - counts[0]) / (more - fewer)
}

/// Runs the proxy for so many requests.
async fn counted(folder: &Path, command: Command, requests: usize) {
    let proxy = Program::start_by(command, folder, "[feeds.malware]\nenabled = false\n", show);
    let mut client = proxy.client().await;
    for _ in 0..requests {
        client.send(request("www.good.example")).await;
        assert_eq!(client.response().await.status, 403);
    }
    proxy.stop();
}

/// All instructions of the process that has written this file.
fn total(out: &Path) -> f64 {
    let written = fs::read_to_string(out).expect("valgrind has written it");
    // It ends with the sum twice over, under two names.
    let count = written
        .lines()
        .find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
    count.expect("valgrind says how many instructions there were")
}
