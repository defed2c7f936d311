//! How soon a proxy serves again that has a large filter, such as one with a language runtime in
//! it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_tests::{Site, guests};

use crate::program::{Program, request};
use crate::show;
use crate::table::{Table, ms};

/// From the start of the process to the first answer.
const LIMIT: Duration = Duration::from_secs(1);

/// What a filter in JavaScript has.
const SIZE: usize = 12 << 20;

pub(crate) async fn measure(table: &mut Table) {
    let wasm = match std::env::var_os("BIG_COMPONENT") {
        Some(file) => fs::read(file).expect("the file that BIG_COMPONENT names"),
        None => guests::large(SIZE),
    };
    let size = format!("{:.1} MB", wasm.len() as f64 / 1e6);
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).expect("a new folder");
    fs::write(plugins.join("large.wasm"), wasm).expect("a folder to write to");
    let site = Site::start().await;

    let (first, _) = start(folder.path(), site.port()).await;
    table.tell(format!("first start with a filter of {size}"), ms(first));
    let (again, ready) = start(folder.path(), site.port()).await;
    table.check(
        format!("start with the same filter of {size} again, first answer"),
        format!("{}, ready after {}", ms(again), ms(ready)),
        format!("at most {}", ms(LIMIT)),
        again <= LIMIT,
    );
}

/// The time to the first answer, and that until the filters were in use.
async fn start(folder: &Path, origin: u16) -> (Duration, Duration) {
    let begun = Instant::now();
    let proxy = Program::start(folder, "[feeds.malware]\nenabled = false", show);
    let mut client = proxy.client().await;
    client.send(request(&format!("127.0.0.1:{origin}"))).await;
    let response = client.response().await;
    let took = begun.elapsed();
    // What the filter says is its own affair, but it must have been asked.
    assert_ne!(response.status, 503, "{response:?}");
    let ready = proxy.start_time;
    proxy.stop();
    (took, ready)
}
