//! What a call of a filter costs when nothing else is there: a small filter, and the built-in one
//! with a list of ordinary length.

use std::fs;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::path::Path;

use portcullis::Config;
use portcullis::config::Sources;
use portcullis_tests::{guests, within};

use crate::program::{Program, program, request};
use crate::show;
use crate::table::Table;

/// At most so many nanoseconds, half of the time, to say that nothing is wrong: what almost all
/// requests wait for.
const LIMIT: f64 = 1000.0;

const CALLS: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("it is more than none");

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
    let settings = "[config]\nblock = [\"evil.example\", \"bad.example\"]\n";
    fs::write(suffix.with_extension("toml"), settings).expect("a folder to write to");
    for (file, host) in [
        (&*suffix, "www.good.example"),
        (&suffix, "www.evil.example"),
        (Path::new("blocklist"), "www.good.example"),
        (Path::new("blocklist"), "www.evil-1.example"),
    ] {
        let config = settings_of(folder);
        let bench =
            portcullis::commands::bench(config, file, host, Ipv4Addr::LOCALHOST.into(), CALLS)
                .await;
        let bench = bench.expect("the filter answers");
        for hook in &bench.hooks {
            let what = format!("{} {} -> {}", bench.filter, hook.hook, hook.verdict);
            let measured = format!(
                "p50 {:.0} ns, p99 {:.0} ns, mean {:.0} ns",
                hook.p50_ns, hook.p99_ns, hook.mean_ns
            );
            // A block hands over a reason, and `blocklist` asks the proxy for each list.
            let is_the_least = hook.verdict == "next" && bench.filter == "suffix";
            if is_the_least {
                let limit = format!("p50 at most {LIMIT:.0} ns");
                table.check(what, measured, limit, hook.p50_ns <= LIMIT);
            } else {
                table.tell(what, measured);
            }
        }
    }
}

/// The settings of the proxy that has run in `folder`.
fn settings_of(folder: &Path) -> Config {
    let mut sources = Sources::default();
    sources.dir = folder.to_owned();
    let mut config = Config::load(&sources).expect("the proxy has read it, too");
    config.compiler.program = Some(program());
    config
}
