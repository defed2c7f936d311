//! What a filter can know, and in which hook: the table in `sdk/wit/filter.wit`, cell by cell.

use portcullis_tests::{Log, Stage, guests, plug};

/// Known in every hook that is about an exchange. There are no users, groups and server names yet.
const EXCHANGE: [&str; 8] = [
    "exchange.id",
    "exchange.host",
    "exchange.port",
    "exchange.protocol",
    "exchange.found-in",
    "exchange.listener",
    "exchange.started",
    "client.address",
];

/// What a hook knows besides.
const BESIDES: [(&str, &[&str]); 4] = [
    ("judge-host", &["answer", "notes"]),
    (
        "judge-request",
        &[
            "request.method",
            "request.url",
            "request-headers",
            "request-headers.set",
            "answer",
            "notes",
        ],
    ),
    (
        "judge-response",
        &[
            "request.method",
            "request.url",
            "request-headers",
            "response-headers",
            "response-headers.set",
            "answer",
            "notes",
        ],
    ),
    (
        "exchange-ended",
        &[
            "request.method",
            "request.url",
            "outcome.how",
            "outcome.status",
            "outcome.bytes-to-client",
            "notes",
        ],
    ),
];

#[tokio::test]
async fn each_hook_knows_what_the_table_says_and_nothing_else() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("knows.wasm", guests::knows());
    log.says(&["filter=\"knows\"", "init knows ."]).await;
    log.says(&["filter=\"knows\"", "tick knows ."]).await;
    // The first exchange that is judged by the filter is over when its end is told.
    let mut log = Log::follow();
    let told = ["filter=\"knows\"", "exchange-ended knows "];
    stage.until_said(&mut log.clone(), "a.example", &told).await;
    for (hook, besides) in BESIDES {
        let known: Vec<&str> = EXCHANGE.iter().chain(besides).copied().collect();
        let line = format!("{hook} knows {}.", known.join(", "));
        log.says(&["filter=\"knows\"", &line]).await;
    }
}

#[tokio::test]
async fn the_end_of_an_exchange_is_told_whatever_became_of_it() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("ends.wasm", guests::knows());
    let blocked = "blocked.portcullis.test";
    stage
        .until_said(
            &mut log,
            blocked,
            &["filter=\"ends\"", "exchange-ended knows "],
        )
        .await;
    // A tunnel has no request that the proxy sees, and here no bytes.
    assert_eq!(stage.connect("a.example").await.status, 200);
    let besides = ["outcome.how", "outcome.status", "notes"];
    let known: Vec<&str> = EXCHANGE.into_iter().chain(besides).collect();
    let line = format!("exchange-ended knows {}.", known.join(", "));
    log.says(&["filter=\"ends\"", &line]).await;
}

#[tokio::test]
async fn a_tunnel_that_can_be_neither_redirected_nor_replaced_has_ended_as_blocked() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let settings = "[grants]\nstate = true\nfeeds = [\"*\"]\n[config]\ngreeting = \"hello\"";
        plug(&config.plugins.dir, "obeys.toml", settings);
        plug(&config.plugins.dir, "obeys.wasm", guests::obeys());
    })
    .await;
    for (host, status, how) in [
        ("elsewhere.example", 307, "redirected"),
        ("page.example", 404, "replaced"),
    ] {
        assert_eq!(stage.get(host).await.status, status);
        let told = format!("{host} {how} Some({status})");
        log.says(&["filter=\"obeys\"", &told]).await;
        assert_eq!(stage.connect(host).await.status, 403);
        let told = format!("{host} blocked Some(403)");
        log.says(&["filter=\"obeys\"", &told]).await;
    }
}
