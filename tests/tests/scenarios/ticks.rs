//! Filters that work in the background.

use portcullis_tests::{Log, Response, Stage, guests};

const STATE: &str = "[grants]\nstate = true\n";

fn ticks(response: &Response) -> Option<u32> {
    let said = response.body.split("Reason: tick ").nth(1)?;
    said.split_whitespace().next()?.parse().ok()
}

#[tokio::test]
async fn what_is_learnt_in_the_background_is_judged_by() {
    let stage = Stage::start().await;
    stage.plug("ticker.toml", STATE);
    stage.plug("ticker.wasm", guests::ticker());
    let first = stage
        .ask_until("a.example", |response| response.status == 403)
        .await;
    let more = |response: &Response| ticks(response) > ticks(&first);
    stage.ask_until("a.example", more).await;
}

#[tokio::test]
async fn a_tick_that_fails_is_told_and_tried_again_while_requests_are_judged() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    let settings = format!("{STATE}[quarantine]\npause = \"10ms\"\n[config]\nfails = true");
    stage.plug("ticker.toml", settings);
    stage.plug("ticker.wasm", guests::ticker());
    log.says(&["ticker", "work in the background failed", "an odd tick"])
        .await;
    let third = |response: &Response| ticks(response) >= Some(3);
    stage.ask_until("a.example", third).await;
}

#[tokio::test]
async fn a_new_version_ticks_in_place_of_the_one_before_it() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug(
        "ticker.toml",
        format!("{STATE}[config]\nmark = \"old one\""),
    );
    stage.plug("ticker.wasm", guests::ticker());
    log.says(&["old one"]).await;
    stage.plug(
        "ticker.toml",
        format!("{STATE}[config]\nmark = \"new one\""),
    );
    log.says(&["new one"]).await;
    let since = log.clone();
    for _ in 0..5 {
        log.says(&["new one"]).await;
    }
    assert_eq!(since.count(&["old one"]), 0);
}

#[tokio::test]
async fn a_filter_that_comes_back_ticks_at_once() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    let settings = format!("{STATE}[config]\nfails = true\npause_ms = 3_600_000");
    stage.plug(
        "ticker.toml",
        format!("[quarantine]\npause = \"1h\"\nlongest_pause = \"1h\"\n{settings}"),
    );
    stage.plug("ticker.wasm", guests::ticker());
    log.says(&["ticker", "an odd tick"]).await;
    // It comes back with other settings, and with it the first tick: the test does not wait for the
    // hour to pass.
    stage.unplug("ticker.wasm");
    log.says(&["removed"]).await;
    stage.plug("ticker.wasm", guests::ticker());
    log.says(&["ticker", "an odd tick"]).await;
}

#[tokio::test]
async fn a_tick_that_never_ends_holds_up_neither_requests_nor_the_filters_that_come() {
    let import = r#"(import "portcullis:filter/log@1.0.0" "write" (func $write (param i32 i32 i32)))
        (data (i32.const 64) "here we go")"#;
    let work = "(call $write (i32.const 4) (i32.const 64) (i32.const 10)) ;; at level error
        (loop $again (br $again))";
    let settings = "[limits]\nstart_cpu = '1h'\nstart_wall = '1h'";
    let mut log = Log::follow();
    let guest = guests::ticking(import, work);
    let stage = Stage::beside_neighbour("tireless", &guest, settings).await;
    log.says(&["ERROR", "tireless", "here we go"]).await;
    let hosts = [("calm.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts.repeat(10)).await;
    stage.plug("suffix.toml", "[config]\nblock = [\"evil.example\"]");
    stage.plug("suffix.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
    let failed = ["tireless", "work in the background failed"];
    assert_eq!(log.count(&failed), 0, "it was not working meanwhile");
    stage.proxy.stop().await;
}
