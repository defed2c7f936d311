//! Files that are no filter, or none that could be used or even compiled: refused, while a
//! neighbour judges as it should.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_tests::{Log, Stage, guests, plug};

#[tokio::test]
async fn a_filter_may_take_as_long_to_start_as_its_limits_say() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    let slow = guests::wat("starts_slowly");
    stage.plug("late.wasm", &slow);
    log.says(&["loaded", "late"]).await;
    for limit in ["start_cpu", "start_wall"] {
        stage.plug("late.toml", format!("[limits]\n{limit} = \"2ms\""));
        log.says(&["refused", "late", limit]).await;
    }
    stage
        .answers(&[("calm.example", 200), ("blocked.example", 403)])
        .await;
}

#[tokio::test]
async fn a_filter_may_start_as_large_as_its_limit_is() {
    let large = guests::wat("starts_large");
    let stage = Stage::beside_neighbour("large", &large, "[limits]\nmemory = \"1GiB\"").await;
    let mut log = Log::follow();
    stage.answers(&[("calm.example", 200)]).await;
    stage.plug("large.toml", "[limits]\nmemory = \"1023MiB\"");
    log.says(&["refused", "large", "memory"]).await;
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
async fn a_filter_that_cannot_run_here_is_refused_while_traffic_goes_on() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    // On a crowded machine, computing for so long can take many times as long.
    let limits = "[limits]\nstart_cpu = \"100ms\"\nstart_wall = \"20s\"";
    for (guest, reason) in [
        ("loops_in_init", "computing time"),
        ("loops_at_start", "computing time"),
        ("starts_large", "memory"),
        ("starts_with_table", "table"),
        ("speaks_2_0", "2.0"),
        ("has_later_hook", "portcullis:filter/judge-address@1.1.0"),
        (
            "wants_later_interface",
            "it was built for portcullis:filter@1.1.0, and this proxy speaks 1.0.0, which does not \
             have `portcullis:filter/tls@1.1.0`; update the proxy",
        ),
        (
            "wants_later_function",
            "it was built for portcullis:filter@1.1.0, and this proxy speaks 1.0.0, which does not \
             have `later` of `portcullis:filter/clock@1.1.0`; update the proxy",
        ),
        ("wants_wasi", "wasi:clocks/monotonic-clock"),
    ] {
        stage.plug(&format!("{guest}.toml"), limits);
        stage.plug(&format!("{guest}.wasm"), guests::wat(guest));
        let hosts = [("calm.example", 200), ("blocked.example", 403)];
        stage.answers(&hosts.repeat(2)).await;
        log.says(&["ERROR", "refused", guest, reason]).await;
        stage.answers(&hosts.repeat(2)).await;
    }
}

#[tokio::test]
async fn a_filter_has_no_more_than_the_proxys_own_settings_allow() {
    let stage = Stage::start_with(|config| {
        config.plugins.ceilings.memory = Some(32 << 20);
        config.plugins.ceilings.cpu = Some(Duration::from_millis(10));
    })
    .await;
    let mut log = Log::follow();
    stage.plug("greedy.toml", "[limits]\nmemory = '64MiB'");
    stage.plug("greedy.wasm", guests::bare());
    let reason = "greedy.toml:2:1: limits.memory: it is higher than [plugins.ceilings] memory";
    log.says(&["refused", "greedy", reason]).await;
    stage.plug("greedy.toml", "[limits]\nmemory = '32MiB'\ncpu = '10ms'");
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn a_filter_has_a_handful_of_memories() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    stage.plug("forgetful.wasm", guests::memories(8));
    log.says(&["loaded", "forgetful"]).await;
    stage.plug("forgetful.wasm", guests::memories(9));
    log.says(&["refused", "forgetful", "memor"]).await;
}

#[tokio::test]
async fn a_file_that_only_bears_the_name_of_a_filter_is_refused_while_traffic_goes_on() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    let truncated = &guests::bare()[..guests::bare().len() / 2];
    for (name, content, reason) in [
        ("archive", &b"PK\x03\x04garbage\xff\0"[..], "WebAssembly"),
        ("article", b"(component)", "WebAssembly"),
        (
            "precompiled",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0",
            "WebAssembly",
        ),
        ("hollow", b"", "incomplete"),
        ("halved", truncated, "incomplete"),
    ] {
        stage.plug(&format!("{name}.wasm"), content);
        let hosts = [("calm.example", 200), ("blocked.example", 403)];
        stage.answers(&hosts.repeat(2)).await;
        log.says(&["ERROR", "refused", name, reason]).await;
        stage.answers(&hosts.repeat(2)).await;
    }
}

#[tokio::test]
async fn a_file_whose_types_have_no_end_is_refused_while_traffic_goes_on() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    let (circle, deep) = (
        guests::corpus("packages_in_a_circle"),
        guests::nested_types(1_000_000),
    );
    for (name, module, reason) in [
        ("circle", circle, "p:f@1.0.0, p:f@1.1.0"),
        ("deep", deep, "nested too deeply"),
    ] {
        stage.plug(&format!("{name}.wasm"), module);
        log.says(&["ERROR", "refused", name, reason]).await;
        stage
            .answers(&[("calm.example", 200), ("blocked.example", 403)])
            .await;
    }
}

#[tokio::test]
async fn a_filter_of_fifty_thousand_functions_is_compiled_while_traffic_goes_on() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    stage.plug("crowd.wasm", guests::functions(50_000));
    let hosts = [("calm.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts.repeat(5)).await;
    log.says(&["loaded", "crowd"]).await;
    stage.answers(&hosts).await;
}

#[tokio::test]
async fn loops_of_ordinary_depth_are_compiled() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    stage.plug("deep.wasm", guests::nested_loops(50, 100));
    log.says(&["loaded", "deep"]).await;
}

#[tokio::test]
async fn a_filter_that_would_take_minutes_to_compile_is_refused_while_traffic_goes_on() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    stage.plug("bomb.wasm", guests::nested_loops(500, 200));
    let hosts = [("calm.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts.repeat(5)).await;
    log.says(&["ERROR", "refused", "bomb"]).await;
    stage.plug("next.wasm", guests::wat("needs_time"));
    log.says(&["loaded", "next"]).await;
    stage.answers(&hosts).await;
}

#[tokio::test]
async fn a_filter_that_would_take_minutes_to_compile_does_not_keep_the_proxy_from_starting() {
    // Nothing is wrong with them that could be seen beforehand.
    let bombs = [guests::switch(4000, 999), guests::switch(4000, 1000)];
    let stage = Stage::start_with(|config| {
        config.compiler.time = Duration::from_secs(2);
        plug(&config.plugins.dir, "neighbour.wasm", guests::bare());
        for (bomb, file) in bombs.iter().zip(["early-1.wasm", "early-2.wasm"]) {
            plug(&config.plugins.dir, file, bomb);
        }
    })
    .await;
    stage.answers(&[("calm.example", 503)]).await;
    for file in ["early-1.wasm", "early-2.wasm"] {
        stage.unplug(file);
    }
    stage.until("calm.example", 200).await;
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
async fn a_file_that_never_stops_changing_does_not_keep_the_proxy_from_starting() {
    let done = Arc::new(AtomicBool::new(false));
    let mut writer = None;
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "neighbour.wasm", guests::bare());
        let (file, done) = (config.plugins.dir.join("restless.toml"), done.clone());
        writer = Some(thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                std::fs::write(&file, "# again").expect("a file");
                thread::sleep(Duration::from_millis(20));
            }
        }));
    })
    .await;
    // The first filter in the chain blocks, and what has no filter yet refuses the rest.
    stage
        .answers(&[("blocked.example", 403), ("calm.example", 503)])
        .await;
    done.store(true, Ordering::Relaxed);
    let writer = writer.expect("it was started");
    writer.join().expect("it wrote to the end");
    stage.unplug("restless.toml");
    stage.until("calm.example", 200).await;
}

#[tokio::test]
async fn settings_for_a_name_in_another_case_take_nothing_away() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "keeper.wasm", guests::bare());
        plug(&config.plugins.dir, "Keeper.toml", "on_error = \"skip\"");
        plug(&config.plugins.dir, "Blocklist.toml", "enabled = false");
    })
    .await;
    let hosts = [("blocked.example", 403), ("malware.wicar.org", 403)];
    stage.answers(&hosts).await;
}

#[tokio::test]
async fn a_name_that_differs_by_case_only_is_refused() {
    let stage = Stage::beside_neighbour("Twin", guests::bare(), "").await;
    let mut log = Log::follow();
    stage.plug("twin.wasm", guests::wat("loops"));
    log.says(&["refused", "twin", "case"]).await;
    let hosts = [("x.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts.repeat(2)).await;
}
