//! Filters that fail too often: not asked for a while, and tried again.

use portcullis_tests::{Log, Stage, guests, plug};

const STRICT: &str = "[quarantine]\nfailures = 3\npause = \"1h\"\nlongest_pause = \"1h\"\n";

async fn stage_with(name: &str, settings: &str) -> Stage {
    Stage::start_with(|config| {
        config.plugins.order = vec!["neighbour".into()];
        let folder = &config.plugins.dir;
        plug(folder, "neighbour.wasm", guests::bare());
        plug(folder, &format!("{name}.toml"), settings);
        plug(folder, &format!("{name}.wasm"), guests::wat("loops"));
    })
    .await
}

#[tokio::test]
async fn a_filter_that_fails_too_often_refuses_at_once_until_its_file_changes() {
    let stage = stage_with("spinner", STRICT).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 503); 3]).await;
    let line = log.says(&["ERROR", "in quarantine", "spinner"]).await;
    for part in [
        "failures=3",
        "calls=3",
        "[limits] cpu",
        "pause=3600s",
        "503",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    // It is not asked: it would have no opinion on this one.
    let refusal = stage.get("calm.example").await;
    assert_eq!(refusal.status, 503);
    let said = refusal.field("proxy-status").expect("it says why");
    assert!(
        said.contains("filter spinner") && said.contains("quarantine"),
        "{said}"
    );
    log.says(&[
        "access",
        "calm.example",
        "status=503",
        "filter=spinner",
        "quarantine",
    ])
    .await;
    stage.answers(&[("blocked.example", 403)]).await;

    stage.plug("spinner.toml", format!("{STRICT}[limits]\ncpu = \"4ms\""));
    stage.until("calm.example", 200).await;
}

#[tokio::test]
async fn a_filter_that_may_be_skipped_is_passed_over_in_quarantine() {
    let stage = stage_with("optional", &format!("on_error = \"skip\"\n{STRICT}")).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 200); 3]).await;
    log.says(&["in quarantine", "optional", "the next filter is asked"])
        .await;
    stage
        .answers(&[("x.example", 200), ("blocked.example", 403)])
        .await;
    log.says(&["access", "x.example", "status=200", "skipped=optional"])
        .await;
}

#[tokio::test]
async fn a_filter_in_quarantine_is_tried_again_by_one_request() {
    let settings = "[quarantine]\nfailures = 3\npause = \"100ms\"\n";
    let stage = stage_with("relapsing", settings).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 503); 3]).await;
    log.says(&["in quarantine", "relapsing", "pause=100ms"])
        .await;
    // The request that tries it meets the same fault, and the pause is twice as long.
    stage
        .until_said(
            &mut log,
            "x.example",
            &["in quarantine", "relapsing", "pause=200ms"],
        )
        .await;
    stage.until("calm.example", 200).await;
    log.says(&["INFO", "relapsing", "back from quarantine"])
        .await;
    stage.answers(&[("calm.example", 200); 2]).await;
}

#[tokio::test]
async fn a_filter_that_fails_at_every_third_call_goes_on_judging() {
    let stage = Stage::start_with(|config| {
        let folder = &config.plugins.dir;
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        plug(folder, "third-of-many.toml", "[quarantine]\nfailures = 2");
        plug(
            folder,
            "third-of-many.wasm",
            guests::wat("traps_on_third_call"),
        );
    })
    .await;
    let hosts = [("a.example", 200), ("b.example", 200), ("c.example", 503)];
    stage.answers(&hosts.repeat(10)).await;
}

#[tokio::test]
async fn explain_tells_of_the_running_proxys_quarantine() {
    let stage = stage_with("notorious", STRICT).await;
    stage.answers(&[("x.example", 503); 3]).await;
    let told = async || {
        let config = stage.proxy.config().clone();
        let explanation = portcullis::commands::explain(config, "calm.example", None).await;
        explanation
            .expect("there is something to explain")
            .to_string()
    };
    let note = "note: the running proxy has notorious in quarantine, as 3 of 3 calls failed";
    let explanation = stage.until_true("explain tells", async || told().await.contains(note));
    explanation.await;

    stage.plug("notorious.wasm", guests::bare());
    stage.until("calm.example", 200).await;
    let is_forgotten = async || !told().await.contains("quarantine");
    stage
        .until_true("explain has forgotten", is_forgotten)
        .await;
}
