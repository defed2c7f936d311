//! What panics is reported at once, takes nothing else with it, and is started again.

use std::num::NonZeroUsize;

use portcullis_tests::{Log, Stage, guests, plug};

#[tokio::test]
async fn the_folder_is_watched_again_after_a_panic() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    log.panics_once_at("explosive");
    stage.plug("explosive.wasm", "not a filter");
    let said = [
        "ERROR",
        "task=\"plugins\"",
        "panics at explosive",
        "panicked",
    ];
    log.says(&said).await;
    // Traffic goes on as before, and the file that was at fault is tried again.
    stage
        .answers(&[("blocked.example", 403), ("a.example", 200)])
        .await;
    log.says(&["refused", "explosive"]).await;
    stage.plug("suffix.toml", "[config]\nblock = [\"evil.example\"]");
    stage.plug("suffix.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
}

#[tokio::test]
async fn a_connection_that_panics_takes_no_other_with_it() {
    let stage = Stage::start_with(|config| {
        config.proxy.workers = NonZeroUsize::MIN;
        plug(&config.plugins.dir, "fragile.wasm", guests::wat("loops"));
    })
    .await;
    let mut log = Log::follow();
    stage.answers(&[("calm.example", 200)]).await;
    let mut other = stage.proxy.client().await;
    log.panics_once_at("fragile");
    let mut client = stage.proxy.client().await;
    client.send(stage.request("x.example", "")).await;
    assert_eq!(client.rest().await, "");
    log.says(&["ERROR", "serving a connection panicked"]).await;
    other.send(stage.request("calm.example", "")).await;
    assert_eq!(other.response().await.status, 200);
}

#[tokio::test]
async fn what_the_health_check_asks_is_counted_by_no_filter() {
    let settings = "[grants]\nstate = true\nfeeds = [\"*\"]\n[config]\nseconds = 0";
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "remembers.toml", settings);
        plug(&config.plugins.dir, "remembers.wasm", guests::remembers());
    })
    .await;
    // The check asks this, and nothing else.
    for _ in 0..3 {
        let mut client = stage.proxy.client().await;
        let question = "OPTIONS * HTTP/1.1\r\nHost: portcullis\r\nConnection: close\r\n\r\n";
        client.send(question).await;
        assert_eq!(client.response().await.status, 200);
    }
    let response = stage.get("a.example").await;
    assert!(response.body.contains("question 1 with"), "{response:?}");
}
