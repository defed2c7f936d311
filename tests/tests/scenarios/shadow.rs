//! Filters in shadow mode: what they would have done is told, and nothing of it happens.

use portcullis_tests::{Log, Stage, guests, plug};

const SHADOW: &str = "mode = \"shadow\"\n";

#[tokio::test]
async fn a_shadow_filter_tells_what_it_would_have_done() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "candidate.toml", SHADOW);
        plug(&config.plugins.dir, "candidate.wasm", guests::bare());
    })
    .await;
    let mut log = Log::follow();
    let before = log.clone();
    stage
        .answers(&[("blocked.example", 200), ("calm.example", 200)])
        .await;
    let line = log.says(&["would have decided", "candidate"]).await;
    for part in [
        "judge-host",
        "verdict=\"block\"",
        "status=403",
        "reason=\"bare\"",
        "blocked.example",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_is_of_an_access_line(&line, before).await;
    // It is counted for explain, and asked there.
    let explain = async || {
        let config = stage.proxy.config().clone();
        let explanation =
            portcullis::commands::explain(config, "blocked.example", None, None).await;
        explanation
            .expect("there is something to explain")
            .to_string()
    };
    let counts = "candidate is in shadow mode: 1 would be blocked, 0 redirected, 0 replaced, 0 dropped, 0 allowed, 1 passed; 0 would be changed; 0 failed";
    stage
        .until_true("explain has the counts", async || {
            explain().await.contains(counts)
        })
        .await;
    let explanation = explain().await;
    let address = stage.proxy.address();
    let whose = format!("\nnote: what follows is about the proxy that runs on {address}, as of ");
    let (_, notes) = explanation.split_once(&whose).expect("it says whose");
    assert!(notes.contains(counts), "{explanation}");
    assert!(
        explanation.contains("(shadow: decides nothing)"),
        "{explanation}"
    );
    assert!(
        explanation.contains("passes: no filter objects"),
        "{explanation}"
    );

    // Enforced, it does what it said; the counts are the shadow's last word.
    stage.plug("candidate.toml", "mode = \"enforce\"");
    stage.until("blocked.example", 403).await;
    log.says(&["shadow", "candidate", "ends: ", "would be blocked"])
        .await;
}

/// The access line is that of the exchange about which the filter was asked. `log` is from before.
async fn assert_is_of_an_access_line(line: &str, mut log: Log) {
    let exchange = line.split(" exchange=").nth(1);
    let exchange = exchange.and_then(|rest| rest.split(' ').next());
    let id = format!(" id={} ", exchange.expect("it says which exchange"));
    let told = ["kind=access", &id, " host=blocked.example ", " status=200 "];
    log.says(&told).await;
}

#[tokio::test]
async fn the_failures_of_a_shadow_filter_touch_no_request() {
    let stage = Stage::start_with(|config| {
        let folder = &config.plugins.dir;
        config.plugins.order = vec!["dark".into(), "neighbour".into()];
        let settings = format!("{SHADOW}[quarantine]\nfailures = 3");
        plug(folder, "dark.toml", settings);
        plug(folder, "dark.wasm", guests::wat("loops"));
        plug(folder, "neighbour.wasm", guests::bare());
    })
    .await;
    let mut log = Log::follow();
    let hosts = [
        ("x.example", 200),
        ("blocked.example", 403),
        ("calm.example", 200),
    ];
    stage.answers(&hosts.repeat(4)).await;
    log.says(&["could not judge", "dark", "none, as it runs in shadow mode"])
        .await;
    assert_eq!(stage.connect("x.example").await.status, 200);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_makes_a_shadow_filter_fail_is_refused_nothing() {
    let stage = Stage::start_with(|config| {
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        let settings = format!("{SHADOW}[quarantine]\npause = \"1h\"\nlongest_pause = \"1h\"");
        plug(&config.plugins.dir, "provoked-in-shadow.toml", settings);
        let wasm = guests::wat("guards");
        plug(&config.plugins.dir, "provoked-in-shadow.wasm", wasm);
    })
    .await;
    let mut log = Log::follow();
    stage.answers(&[("calm.example", 200)]).await;
    let mut eve = stage.proxy.client_from([127, 0, 0, 2]).await;
    for _ in 0..10 {
        eve.send(stage.request("x.example", "")).await;
        assert_eq!(eve.response().await.status, 200);
    }
    let line = log
        .says(&["WARN", "requests of one client", "provoked-in-shadow"])
        .await;
    assert!(line.contains("none, as it runs in shadow mode"), "{line}");
    for host in ["blocked.example", "x.example"] {
        eve.send(stage.request(host, "")).await;
        assert_eq!(eve.response().await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_shadow_filter_sees_requests_as_they_were() {
    let stage = Stage::start_with(|config| {
        let settings = format!("{SHADOW}[config]\nheaders = {{ user-agent = \"bad\" }}");
        plug(&config.plugins.dir, "reader.toml", settings);
        plug(&config.plugins.dir, "reader.wasm", guests::headers());
    })
    .await;
    let mut log = Log::follow();
    let answer = stage.get_with("a.example", "User-Agent: bad/2\r\n").await;
    assert_eq!(answer.status, 200);
    log.says(&[
        "would have decided",
        "reader",
        "judge-request",
        "user-agent contains bad",
    ])
    .await;
}
