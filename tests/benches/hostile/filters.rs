//! Filters that fail in one way each, and clients that make them: at hosts that begin with `x`.

use std::fs;
use std::future::pending;
use std::io::Result;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis_tests::{ROOM, guests};
use tokio::time::sleep;

use crate::load::{Count, Row, Scene};
use crate::peer::{HOSTILE, Peer, get};

/// Clients that ask, each as soon as it has its answer.
const CLIENTS: usize = 4;

/// A filter that fails is asked again and again.
const NO_QUARANTINE: &str = "[quarantine]\nfailures = 4294967295\n";

/// Wears its instances out at every host, the neighbour's too.
const SKIPPED: &str = "on_error = \"skip\"\n[quarantine]\nfailures = 4294967295\n";

const SHADOW: &str = "mode = \"shadow\"\n[quarantine]\nfailures = 4294967295\n";

const OFF: &str = "enabled = false\n";

/// One tick lasts for as long as the filter is in use.
const ENDLESS_TICK: &str = "[limits]\nstart_cpu = \"1h\"\nstart_wall = \"1h\"\n";

/// Nothing interrupts the filter while it fills 8 MB of new memory eight times, which takes about
/// 10 ms. The calls of all clients may come before an answer.
const UNINTERRUPTED: Duration = Duration::from_millis(100);

pub(crate) fn rows() -> Vec<Row> {
    let groups = [computing(), hoarding(), in_background(), changing()];
    groups.into_iter().flatten().collect()
}

fn computing() -> Vec<Row> {
    let import = r#"(import "portcullis:filter/metrics@1.0.0" "count"
            (func $count (param i32 i32 i64 i32 i32)))"#;
    let call = "(call $count (i32.const 65536) (i32.const 1000000) (i64.const 1)
        (i32.const 0) (i32.const 0))";
    let calls = guests::straight_line(import, &call.repeat(3000));
    let fill = "(memory.fill (i32.const 0) (i32.const 1) (i32.const 8000000))";
    vec![
        failing("a filter that loops", guests::wat("loops"), NO_QUARANTINE),
        failing("a filter that traps", guests::wat("guards"), NO_QUARANTINE),
        failing(
            "a filter that computes in a straight line",
            guests::straight_line("", &fill.repeat(8)),
            NO_QUARANTINE,
        )
        .promise(UNINTERRUPTED),
        failing(
            "a filter that calls the proxy with names of 1 MB",
            calls.clone(),
            NO_QUARANTINE,
        ),
        failing(
            "a filter in shadow mode that calls the proxy with names of 1 MB",
            calls,
            SHADOW,
        ),
    ]
}

fn hoarding() -> Vec<Row> {
    let state = format!("{NO_QUARANTINE}[grants]\nstate = true\n");
    vec![
        failing(
            "a filter that hoards memory",
            guests::wat("grows_memory"),
            NO_QUARANTINE,
        ),
        failing(
            "a filter that fills its state",
            guests::wat("floods_state"),
            &state,
        ),
        failing(
            "a filter that logs without end",
            guests::wat("floods_log"),
            NO_QUARANTINE,
        ),
        failing(
            "a filter that wears out at each call",
            guests::wat("wears_out"),
            SKIPPED,
        ),
        Row::crowd(
            "a filter that lists 18,000 fields for requests with 985",
            CLIENTS,
            ask_with_fields,
        )
        // A list is copied for the proxy before it can be refused, the neighbour's own as well.
        .promise(UNINTERRUPTED)
        .file("hostile.wasm", guests::wat("lists_fields"))
        // A call of the neighbour takes 3 of the 5 ms that it has by default.
        .file("hostile.toml", format!("{ROOM}{NO_QUARANTINE}")),
        failing(
            "a filter in quarantine that one client makes fail",
            guests::wat("guards"),
            "",
        ),
    ]
}

fn in_background() -> Vec<Row> {
    vec![
        failing(
            "a filter that loops when an exchange has ended",
            guests::wat("loops_at_end"),
            NO_QUARANTINE,
        ),
        // It takes a moment until the filter is compiled.
        Row::of("a filter whose tick loops", use_hostile)
            .file("hostile.toml", OFF)
            .file(
                "hostile.wasm",
                guests::ticking("", "(loop $again (br $again))"),
            )
            .phases(2),
    ]
}

fn changing() -> Vec<Row> {
    vec![
        Row::rate("a filter whose settings change every 100 ms", 10, settings)
            .file("suffix.toml", "[config]\nblock = [\"evil-0.example\"]\n")
            .file("suffix.wasm", guests::suffix()),
        Row::rate("a filter whose file changes every 500 ms", 2, version)
            .file("suffix.toml", "[config]\nblock = [\"evil-0.example\"]\n")
            .file("suffix.wasm", guests::suffix()),
    ]
}

fn failing(name: &'static str, wasm: Vec<u8>, settings: &str) -> Row {
    Row::crowd(name, CLIENTS, ask)
        .file("hostile.wasm", wasm)
        .file("hostile.toml", settings)
}

async fn ask(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    for _ in 0..100 {
        client.ask(get(&scene.target("x.example", ""))).await?;
        // A filter that is in quarantine, or traps at once, costs nothing to ask.
        sleep(Duration::from_millis(1)).await;
    }
    client.reset()
}

async fn ask_with_fields(scene: Scene, _: usize) -> Result<()> {
    let fields: String = (0..985).map(|n| format!("a: z{}\r\n", n % 7)).collect();
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let head = get(&scene.target("x.example", ""));
    let head = head.trim_end();
    for _ in 0..100 {
        client.ask(format!("{head}\r\n{fields}\r\n")).await?;
    }
    client.reset()
}

/// Has the hostile filter work, without a client that asks it.
async fn use_hostile(scene: Scene, count: Count) {
    let _in_use = InUse::from_now_on(scene);
    count.fetch_add(1, Ordering::Relaxed);
    pending().await
}

/// The hostile filter, until this is dropped.
struct InUse(Scene);

impl InUse {
    fn from_now_on(scene: Scene) -> Self {
        put(&scene, "hostile.toml", ENDLESS_TICK.as_bytes()).expect("a folder to write to");
        Self(scene)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        put(&self.0, "hostile.toml", OFF.as_bytes()).expect("a folder to write to");
    }
}

async fn settings(scene: Scene, number: usize) -> Result<()> {
    let text = format!("[config]\nblock = [\"evil-{number}.example\"]\n");
    put(&scene, "suffix.toml", text.as_bytes())
}

async fn version(scene: Scene, number: usize) -> Result<()> {
    let manifest = format!("{{\"manifest\": 1, \"version\": \"{number}\"}}");
    put(
        &scene,
        "suffix.wasm",
        &guests::with_manifest(guests::suffix(), manifest.as_bytes()),
    )
}

/// Whole from the first moment.
fn put(scene: &Scene, file: &str, content: &[u8]) -> Result<()> {
    let plugins = scene.folder.join("plugins");
    let part = plugins.join(format!("{file}.part"));
    fs::write(&part, content)?;
    fs::rename(part, plugins.join(file))
}
