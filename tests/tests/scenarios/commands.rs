//! What the commands about filters say of more than the built-in one, and of a proxy that runs.

use std::fs;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::time::Duration;

use portcullis::Config;
use portcullis::commands::{self, Bench, Inspection, Lists, Needed};
use portcullis_tests::{Stage, guests};
use tempfile::TempDir;

/// A folder with a filter, which is granted what there is, and the settings of a proxy beside it.
fn folder(wasm: &[u8], config: &str) -> (TempDir, Config) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("guest.wasm"), wasm).expect("a folder to write to");
    let settings = format!("[grants]\nfeeds = ['*']\nstate = true\n[config]\n{config}");
    fs::write(dir.path().join("guest.toml"), settings).expect("a folder to write to");
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    (dir, config)
}

async fn check(wasm: &[u8], config: &str) -> Inspection {
    let (dir, config) = folder(wasm, config);
    let file = dir.path().join("guest.wasm");
    let description = portcullis::commands::check_plugin(config, &file).await;
    description.expect("a filter to describe")
}

#[tokio::test]
async fn a_running_proxy_says_how_its_filters_fare() {
    let settings = "mode = 'shadow'\n[grants]\nstate = true\n[config]\nlimit = 0";
    let stage = Stage::beside_neighbour("counter", guests::counter(), settings).await;
    stage.answers(&[("a.example", 200)]).await;
    let list = async || {
        let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
        list.unwrap()
    };
    stage
        .until_true("the shadow is counted", async || {
            let said = list().await.to_string();
            said.contains("in shadow mode: 1 would be blocked")
        })
        .await;
    let said = list().await.to_string();
    let address = stage.proxy.address();
    assert!(
        said.starts_with(&format!("as the proxy on {address} uses them, as of ")),
        "{said}"
    );
    assert!(said.contains(" s ago:\n"), "{said}");
    assert!(said.contains("the answers of hooks are counted"), "{said}");
    let json = serde_json::to_value(list().await).unwrap();
    assert!(json["age_s"].is_u64(), "{json}");
    assert!(
        said.contains("\n 2 counter    file      shadow   ok: judge-host\n"),
        "{said}"
    );
}

#[tokio::test]
async fn a_filter_in_quarantine_is_listed_with_its_last_failure() {
    let stage = Stage::beside_neighbour("panics", guests::panics(), "").await;
    stage
        .until_true("it is in quarantine", async || {
            stage.get("panic.example").await;
            let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
            let said = list.unwrap().to_string();
            said.contains("enforce  in quarantine for one client, asked for all others\n")
                && said.contains(", the last one so: the filter trapped; its last words: ")
                && said.contains("panics/src/lib.rs:16: asked about panic.example")
        })
        .await;
}

#[tokio::test]
async fn a_file_that_is_not_all_there_is_listed_as_such_and_forgotten_when_it_goes() {
    let stage = Stage::with_neighbour().await;
    let list = async || {
        let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
        list.unwrap().to_string()
    };
    let proxy_runs = async || list().await.contains("as the proxy");
    stage.until_true("the proxy is listed", proxy_runs).await;
    stage.plug("begun.wasm", b"");
    let line = "begun      file      -        being loaded, judges nothing yet\n";
    let is_listed = async || list().await.contains(line);
    stage.until_true("the file is listed", is_listed).await;
    stage.unplug("begun.wasm");
    let is_gone = async || !list().await.contains("begun");
    stage.until_true("the file is forgotten", is_gone).await;
}

#[tokio::test]
async fn a_filter_that_is_being_compiled_is_listed_as_such() {
    let stage = Stage::start_with(|config| config.compiler.time = Duration::from_secs(3600)).await;
    let lists = async |line: &str| {
        let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
        list.unwrap().to_string().contains(line)
    };
    stage
        .until_true("the proxy is listed", async || lists("as the proxy").await)
        .await;
    stage.plug("endless.wasm", guests::switch(4000, 1001));
    let line = "endless    file      -        being loaded, judges nothing yet\n";
    stage
        .until_true("the filter is listed", async || lists(line).await)
        .await;
}

#[tokio::test]
async fn components_are_told_from_core_modules() {
    let component = check(guests::suffix(), "block = []").await;
    assert_eq!((component.kind, component.ok), (Some("component"), true));
    let module = check(guests::suffix_module(), "block = []").await;
    assert_eq!((module.kind, module.ok), (Some("core module"), true));
    assert_eq!(module.hooks, component.hooks);
    let sorted = |mut needed: Vec<Needed>| {
        needed.sort_by(|a, b| a.interface.cmp(&b.interface));
        needed
    };
    assert_eq!(sorted(module.imports), sorted(component.imports));
}

#[tokio::test]
async fn what_a_filter_can_do_stands_in_its_bytes() {
    let refused = check(guests::obeys_module(), "").await;
    assert_eq!(
        refused.hooks,
        [
            "judge-host",
            "judge-request",
            "judge-response",
            "exchange-ended",
            "tick"
        ]
    );
    let reason = refused.refused.unwrap();
    assert!(reason.contains("[config] lacks `greeting`"), "{reason}");
    let granted = refused
        .imports
        .iter()
        .filter(|import| import.grant.is_some());
    let mut granted: Vec<&str> = granted.map(|import| &*import.interface).collect();
    granted.sort_unstable();
    assert_eq!(granted, ["feeds", "state"]);

    let wasi = check(&guests::wat("wants_wasi"), "").await;
    let text = wasi.to_string();
    assert!(
        text.contains(", which this proxy does not offer\n"),
        "{text}"
    );
}

#[tokio::test]
async fn an_answer_that_may_be_used_again_is_timed_from_the_cache() {
    let (dir, config) = folder(guests::obeys(), "greeting = ''");
    let bench = async |host: &str| -> Bench {
        let calls = NonZeroUsize::new(16).unwrap();
        let file = dir.path().join("guest.wasm");
        let bench = portcullis::commands::bench(
            config.clone(),
            &file,
            host,
            Ipv4Addr::LOCALHOST.into(),
            calls,
        )
        .await;
        bench.unwrap()
    };
    let cached = bench("count.example").await;
    assert_eq!(cached.cached.as_ref().unwrap().verdict, "next");
    let text = cached.to_string();
    let mut rows = text
        .lines()
        .skip_while(|row| !row.starts_with("judge-host "));
    let behind = rows.nth(1).unwrap_or_default();
    assert!(behind.starts_with("  from cache "), "{cached}");
    let asked = bench("a.example").await;
    assert!(asked.cached.is_none());
    assert!(!asked.to_string().contains("from cache"), "{asked}");
}

#[tokio::test]
async fn times_of_two_answers_are_said_to_be_those_of_both() {
    let bench = async |wasm: &[u8], config: &str| {
        let (dir, settings) = folder(wasm, config);
        let (file, calls) = (dir.path().join("guest.wasm"), NonZeroUsize::MIN);
        let client = Ipv4Addr::LOCALHOST.into();
        let bench = portcullis::commands::bench(settings, &file, "a.example", client, calls).await;
        bench.unwrap()
    };
    let changing = bench(guests::counter(), "limit = 2").await;
    let hook = &changing.hooks[0];
    let changed_to = hook.changed_to.as_deref();
    assert_eq!((hook.verdict, changed_to), ("next", Some("block")));
    let told = "  next, later block: the times are those of both\n";
    assert!(changing.to_string().contains(told), "{changing}");
    // The last of each sixteen calls has the answer of the first call.
    let alternating = bench(&guests::wat("alternates"), "").await;
    assert!(alternating.to_string().contains(told), "{alternating}");
    let counting = bench(guests::remembers(), "seconds = 0").await;
    let told = "  block, later block with another status or text: the times are those of both\n";
    assert!(counting.to_string().contains(told), "{counting}");
    let steady = bench(guests::counter(), "limit = 1000000").await;
    assert_eq!(steady.hooks[0].changed_to, None);
    assert!(!steady.to_string().contains(", later "), "{steady}");
}

#[tokio::test]
async fn what_a_filter_does_in_the_background_is_timed_too() {
    let bench = async |wasm: &[u8], config: &str| {
        let (dir, settings) = folder(wasm, config);
        let (file, calls) = (dir.path().join("guest.wasm"), NonZeroUsize::MIN);
        let client = Ipv4Addr::LOCALHOST.into();
        let bench = portcullis::commands::bench(settings, &file, "a.example", client, calls).await;
        bench.unwrap()
    };
    let ticker = bench(guests::ticker(), "pause_ms = 1500").await;
    let tick = ticker.tick.as_ref().unwrap();
    assert_eq!((tick.calls, tick.pause_ms), (1, Some(1500)));
    assert!(tick.mean_ns > 0.0 && tick.memory_bytes > 0, "{tick:?}");
    let text = ticker.to_string();
    assert!(text.contains("  again after 1.5s\n"), "{text}");

    let only_ticks = bench(&guests::wat("only_ticks"), "").await;
    assert_eq!(only_ticks.memory_bytes, 1 << 16);
    let text = only_ticks.to_string();
    assert!(text.contains("  never again\n"), "{text}");
    assert!(!text.contains("calls a hook"), "{text}");

    let failing = bench(guests::ticker(), "fails = true").await.to_string();
    assert!(
        failing.contains("  fails: the filter reports: an odd tick\n"),
        "{failing}"
    );
}

#[cfg_attr(not(unix), ignore = "no file can have such a name")]
#[tokio::test]
async fn the_name_of_a_file_forges_no_line() {
    let (dir, mut config) = folder(b"no filter", "");
    config.plugins.dir = dir.path().to_owned();
    config.cache.dir = dir.path().join("cache");
    config.feeds.clear();
    let name = "a\nplugin forged (file): ok\r\u{1b}[2J.wasm";
    fs::write(dir.path().join(name), "no filter either").expect("a name that the system takes");
    let report = commands::check(config.clone(), Lists::OnDisk).await;
    let list = commands::list_plugins(config).await;
    for said in [report.unwrap().to_string(), list.unwrap().to_string()] {
        assert!(said.contains("a\\nplugin forged"), "{said:?}");
        assert!(!said.contains("\nplugin forged"), "{said:?}");
        assert!(!said.contains(['\r', '\u{1b}']), "{said:?}");
    }
}
