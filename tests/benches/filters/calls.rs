//! What a call of a filter costs when nothing else is there: a small filter, and the built-in one
//! with a list of ordinary length.

use std::fs;
use std::path::Path;

use portcullis_tests::{guests, within};

use crate::plugin_bench::{Bench, ROOMY, instructions};
use crate::program::{Program, request};
use crate::show;
use crate::table::Table;

/// At most so many instructions to say that nothing is wrong: what almost all requests wait for.
const LIMIT: f64 = 6_000.0;

const CALLS: u32 = 1_000_000;

/// Names on the list.
const LISTED: usize = 100_000;

pub(crate) async fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let list: String = (0..LISTED).map(|n| format!("evil-{n}.example\n")).collect();
    fs::write(folder.join("list"), list).expect("a folder to write to");
    let config = "[feeds.malware]\nurl = \"file:list\"\nformat = \"domains\"\n";
    let config = config.replace(
        "file:list",
        &format!("file://{}", folder.join("list").display()),
    );
    let proxy = Program::start(folder, &config, show);
    // The proxy leaves the list where the measurement finds it.
    within("the list is in use", async {
        let mut client = proxy.client().await;
        loop {
            client.send(request("evil-1.example:1")).await;
            if client.response().await.status == 403 {
                break;
            }
        }
    })
    .await;
    proxy.stop();

    let suffix = folder.join("suffix.wasm");
    fs::write(&suffix, guests::suffix()).expect("a folder to write to");
    let settings = format!("{ROOMY}[config]\nblock = [\"evil.example\", \"bad.example\"]\n");
    fs::write(suffix.with_extension("toml"), settings).expect("a folder to write to");
    for (file, host) in [
        (&*suffix, "www.good.example"),
        (&suffix, "www.evil.example"),
        (Path::new("blocklist"), "www.good.example"),
        (Path::new("blocklist"), "www.evil-1.example"),
    ] {
        let bench = Bench::run(folder, file, host, CALLS);
        for hook in bench.hooks() {
            let what = format!("{} {}", bench.filter(), hook.what);
            let measured = format!("p50 {:.0} ns, p99 {:.0} ns", hook.p50, hook.p99);
            table.tell(what, measured);
        }
    }
    let count = instructions(folder, &suffix, "www.good.example");
    table.check(
        "suffix judge-host -> next",
        format!("{count:.0} instructions"),
        format!("at most {LIMIT:.0}"),
        count <= LIMIT,
    );
}
