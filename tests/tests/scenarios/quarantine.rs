//! Filters that fail too often: not asked for a while, and tried again.

use portcullis_tests::{Log, Stage, guests, plug, within};

const STRICT: &str = "[quarantine]\nfailures = 3\npause = \"1h\"\nlongest_pause = \"1h\"\n";

/// A filter that computes for too long, however busy the machine is.
async fn stage_with(name: &str, settings: &str) -> Stage {
    let settings = format!("{settings}\n[limits]\nwall = \"20s\"\n");
    Stage::start_with(|config| {
        config.plugins.order = vec!["neighbour".into()];
        let folder = &config.plugins.dir;
        plug(folder, "neighbour.wasm", guests::bare());
        plug(folder, &format!("{name}.toml"), &settings);
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
async fn a_filter_in_quarantine_is_tried_again_by_some_requests() {
    let settings = "[quarantine]\nfailures = 3\npause = \"100ms\"\n";
    let stage = stage_with("relapsing", settings).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 503); 3]).await;
    log.says(&["in quarantine", "relapsing", "pause=100ms"])
        .await;
    // The requests that try it meet the same fault, and the pause is twice as long.
    stage
        .until_said(
            &mut log,
            "x.example",
            &["in quarantine", "relapsing", "pause=200ms"],
        )
        .await;
    let back = ["INFO", "relapsing", "back from quarantine"];
    stage.until_said(&mut log, "calm.example", &back).await;
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

/// `guards`, which blocks `blocked.example` and traps at `x.example`.
async fn guarded(name: &str, settings: &str) -> Stage {
    Stage::start_with(|config| {
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        let folder = &config.plugins.dir;
        plug(folder, &format!("{name}.toml"), settings);
        plug(folder, &format!("{name}.wasm"), guests::wat("guards"));
    })
    .await
}

#[tokio::test]
async fn a_burst_of_failures_among_calls_that_go_well_switches_no_filter_off() {
    let stage = guarded("in-a-burst", "on_error = \"skip\"").await;
    let log = Log::follow();
    stage.answers(&[("calm.example", 200); 30]).await;
    let mut client = stage.proxy.client().await;
    client.send(stage.request("x.example", "").repeat(12)).await;
    for _ in 0..12 {
        assert_eq!(client.response().await.status, 200);
    }
    stage.answers(&[("blocked.example", 403)]).await;
    assert!(!log.has_said("in quarantine: the filter"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_burst_of_failures_among_a_clients_good_calls_does_not_hold_it_back() {
    let stage = guarded(
        "beside-another",
        "on_error = \"skip\"\n[quarantine]\nwindow = \"1h\"",
    )
    .await;
    let mut other = stage.proxy.client_from([127, 0, 0, 2]).await;
    other.send(stage.request("calm.example", "")).await;
    assert_eq!(other.response().await.status, 200);
    stage.answers(&[("calm.example", 200); 30]).await;
    let mut client = stage.proxy.client().await;
    client.send(stage.request("x.example", "").repeat(12)).await;
    for _ in 0..12 {
        assert_eq!(client.response().await.status, 200);
    }
    stage.answers(&[("blocked.example", 403)]).await;
}

/// Nothing passes unjudged for this client, and nothing has changed for others.
#[cfg(target_os = "linux")]
async fn is_refused_alone(stage: &Stage, client: &mut portcullis_tests::Wire, filter: &str) {
    let named = format!("Filter: {filter}\n");
    for host in ["blocked.example", "calm.example"] {
        client.send(stage.request(host, "")).await;
        let refusal = client.response().await;
        assert_eq!(refusal.status, 503);
        assert!(refusal.body.contains(&named), "{refusal:?}");
    }
    stage
        .answers(&[("blocked.example", 403), ("calm.example", 200)])
        .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_makes_a_filter_fail_is_refused_alone() {
    let settings = "on_error = \"skip\"\n[quarantine]\npause = \"1h\"\nlongest_pause = \"1h\"";
    let stage = guarded("provoked", settings).await;
    let mut log = Log::follow();
    stage.answers(&[("calm.example", 200)]).await;
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    for _ in 0..10 {
        eve.send(stage.request("x.example", "")).await;
        assert_eq!(eve.response().await.status, 200);
    }
    log.says(&["WARN", "requests of one client", "provoked", "127.0.0.2"])
        .await;
    is_refused_alone(&stage, &mut eve, "provoked").await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_was_alone_is_not_passed_over_once_there_are_others() {
    let settings = "on_error = \"skip\"\n\
        [quarantine]\nwindow = \"1h\"\npause = \"1h\"\nlongest_pause = \"1h\"";
    let stage = guarded("once-alone", settings).await;
    let mut log = Log::follow();
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    for _ in 0..10 {
        eve.send(stage.request("x.example", "")).await;
        assert_eq!(eve.response().await.status, 200);
    }
    log.says(&["in quarantine", "once-alone", "the only one that has asked"])
        .await;
    eve.send(stage.request("blocked.example", "")).await;
    assert_eq!(eve.response().await.status, 200, "as the settings say");

    stage.answers(&[("blocked.example", 403)]).await;
    is_refused_alone(&stage, &mut eve, "once-alone").await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_leaves_while_a_filter_runs_is_refused_alone() {
    let settings = "[limits]\ncpu = \"1h\"\nwall = \"1h\"\n\
        [quarantine]\nfailures = 3\npause = \"1h\"\nlongest_pause = \"1h\"";
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "left.toml", settings);
        let wasm = guests::wat("says_and_loops");
        plug(&config.plugins.dir, "left.wasm", wasm);
    })
    .await;
    let mut log = Log::follow();
    for _ in 0..3 {
        let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
        eve.send(stage.request("x.example", "")).await;
        log.says(&["left", "here we go"]).await;
        eve.reset();
    }
    let held = ["WARN", "requests of one client", "left", "127.0.0.2"];
    log.says(&held).await;
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    eve.send(stage.request("calm.example", "")).await;
    assert_eq!(eve.response().await.status, 503);
    stage.answers(&[("calm.example", 200)]).await;
}

/// A filter whose instances are costly to start. The time that a client has for that is soon over.
#[cfg(target_os = "linux")]
async fn costly(name: &str) -> Stage {
    let settings = "[limits]\ncpu = \"1h\"\nwall = \"1h\"\nconcurrency = 2\n\
        start_cpu = \"1s\"\nstart_wall = \"20s\"";
    Stage::start_with(|config| {
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        plug(&config.plugins.dir, &format!("{name}.toml"), settings);
        let wasm = guests::wat("costly");
        plug(&config.plugins.dir, &format!("{name}.wasm"), wasm);
    })
    .await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_has_one_call_in_three_fail_pays_for_the_instances() {
    let stage = costly("failed-now-and-then").await;
    let log = Log::follow();
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    let says = [
        "could not judge",
        "failed-now-and-then",
        "requests of this client",
        "127.0.0.2",
    ];
    let asking = async {
        let mut rounds_after = 0..20;
        while log.count(&says) == 0 || rounds_after.next().is_some() {
            for host in ["calm.example", "calm.example", "x.example"] {
                eve.send(stage.request(host, "")).await;
                eve.response().await;
            }
            stage.answers(&[("calm.example", 200)]).await;
        }
    };
    within("one client is told of", asking).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_leaves_one_call_in_three_pays_for_the_instances() {
    let stage = costly("left-now-and-then").await;
    let mut log = Log::follow();
    let whole = log.clone();
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    let says = [
        "could not judge",
        "left-now-and-then",
        "requests of this client",
        "127.0.0.2",
    ];
    let asking = async {
        let mut rounds_after = 0..20;
        while whole.count(&says) == 0 || rounds_after.next().is_some() {
            let mut may_ask = true;
            for _ in 0..2 {
                eve.send(stage.request("calm.example", "")).await;
                may_ask &= eve.response().await.status == 200;
            }
            if may_ask {
                let mut leaver = stage.proxy.client_from([127, 0, 0, 2]).await;
                leaver.send(stage.request("y.example", "")).await;
                log.says(&["left-now-and-then", "here we go"]).await;
                leaver.reset();
            }
            stage.answers(&[("calm.example", 200)]).await;
        }
    };
    within("one client is told of", asking).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_asks_for_much_computing_overloads_no_filter_for_others() {
    for on_error in ["skip", "block"] {
        let name = format!("busy-{on_error}");
        let stage = guarded(&name, &format!("on_error = \"{on_error}\"")).await;
        let mut log = Log::follow();
        let mut eves = Vec::new();
        for _ in 0..60 {
            let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
            eve.send(stage.request("slow.example", "").repeat(3)).await;
            eves.push(eve);
        }
        let mut statuses = Vec::new();
        for eve in &mut eves {
            // A turn between Eve's is Alice's.
            let refusal = stage.get("blocked.example").await;
            assert_ne!(refusal.status, 200, "never unjudged");
            for _ in 0..3 {
                statuses.push(eve.response().await.status);
            }
        }
        assert!(statuses.iter().all(|status| matches!(status, 200 | 503)));
        // Some of hers did not get their turn in time, and none of that is the filter's fault.
        if statuses.contains(&503) {
            log.says(&["could not judge", &name, "503"]).await;
        }
        assert!(!log.has_said("in quarantine: the filter"));
        stage
            .answers(&[("blocked.example", 403), ("calm.example", 200)])
            .await;
    }
}

#[tokio::test]
async fn explain_tells_of_the_running_proxys_quarantine() {
    let stage = stage_with("notorious", STRICT).await;
    stage.answers(&[("x.example", 503); 3]).await;
    let told = async || {
        let config = stage.proxy.config().clone();
        let explanation = portcullis::commands::explain(config, "calm.example", None, None).await;
        explanation
            .expect("there is something to explain")
            .to_string()
    };
    let note = "note: the running proxy has notorious in quarantine for the one client that had it \
                fail, and asks it for all others, as 3 of 3 calls failed";
    let explanation = stage.until_true("explain tells", async || told().await.contains(note));
    explanation.await;
    // Clients could make the proxy unready otherwise.
    assert!(!told().await.contains("not ready"), "{}", told().await);

    stage.plug("notorious.wasm", guests::bare());
    stage.until("calm.example", 200).await;
    let is_forgotten = async || !told().await.contains("quarantine");
    stage
        .until_true("explain has forgotten", is_forgotten)
        .await;
}
