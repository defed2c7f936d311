//! What filters remember: one store for each filter, whichever worker and whichever version of the
//! filter asks.

use portcullis_tests::{Log, ROOM, Response, Stage, Wire, guests, plug};

const TWO: &str = "[grants]\nstate = true\n[config]\nlimit = 2";

const HOARD: &str = "[grants]\nstate = true\n[config]\nbytes = 400_000";

#[tokio::test]
async fn a_count_is_one_over_all_workers_and_connections() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "counter.toml", TWO.replace('2', "10"));
        plug(&config.plugins.dir, "counter.wasm", guests::counter());
    })
    .await;
    let url = stage.url("a.example");
    let mut clients: Vec<Wire> = Vec::new();
    for _ in 0..8 {
        clients.push(stage.proxy.client().await);
    }
    let mut answers: Vec<Response> = Vec::new();
    for _ in 0..5 {
        for client in &mut clients {
            let request = format!("GET {url} HTTP/1.1\r\nHost: a.example\r\n\r\n");
            client.send(request).await;
        }
        for client in &mut clients {
            answers.push(client.response().await);
        }
    }
    // Ten pass, and each of the others has a number of its own.
    let refused = answers.iter().filter(|answer| answer.status == 403);
    let mut numbers: Vec<u32> = refused.map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (11..=40).collect::<Vec<_>>());
    assert_eq!(stage.get("b.example").await.status, 200);
}

#[tokio::test]
async fn a_count_goes_on_when_the_filter_is_replaced() {
    let stage = Stage::start().await;
    stage.plug("lasting.toml", TWO);
    stage.plug("lasting.wasm", guests::counter());
    let before = number(&stage.ask_until("a.example", is_refused).await);

    // Other settings: had they brought another count, some requests would pass.
    stage.plug("lasting.toml", TWO.replace('2', "3"));
    let replaced = stage.until_response("a.example", |response| {
        assert_eq!(response.status, 403);
        response.body.contains(" of 3\n")
    });
    let after = number(&replaced.await);
    assert!(after > before, "{after} > {before}");

    // Another filter and back again: it did not count meanwhile, and the next request is the next
    // number.
    stage.plug("lasting.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
    stage.until("a.example", 200).await;
    let before = after;
    stage.plug("lasting.wasm", guests::counter());
    let after = number(&stage.until("a.example", 403).await);
    assert!(after > before, "{after} > {before}");
}

#[tokio::test]
async fn a_filter_that_was_removed_begins_anew() {
    let stage = Stage::start().await;
    for _ in 0..2 {
        stage.plug("leaving.toml", TWO);
        stage.plug("leaving.wasm", guests::counter());
        let refusal = stage.ask_until("a.example", is_refused).await;
        assert_eq!(number(&refusal), 3);
        stage.unplug("leaving.wasm");
        stage.until("a.example", 200).await;
    }
}

#[tokio::test]
async fn filters_of_the_same_code_share_nothing() {
    let stage = Stage::start_with(|config| {
        for name in ["first", "second"] {
            plug(&config.plugins.dir, &format!("{name}.toml"), TWO);
            let file = format!("{name}.wasm");
            plug(&config.plugins.dir, &file, guests::counter());
        }
    })
    .await;
    // Were there one count, the second request would be the fourth already.
    assert_eq!(stage.get("a.example").await.status, 200);
    assert_eq!(stage.get("a.example").await.status, 200);
    let refusal = stage.get("a.example").await;
    assert_eq!(number(&refusal), 3);
    assert!(refusal.body.contains("Filter: first\n"), "{}", refusal.body);
}

#[tokio::test]
async fn a_count_ends_with_its_window() {
    let stage = Stage::start_with(|config| {
        let settings = format!("{TWO}\nwindow_ms = 200");
        plug(&config.plugins.dir, "counter.toml", settings);
        plug(&config.plugins.dir, "counter.wasm", guests::counter());
    })
    .await;
    stage.ask_until("a.example", is_refused).await;
    stage
        .ask_until("a.example", |response| !is_refused(response))
        .await;
}

#[tokio::test]
async fn a_full_store_is_the_filters_trouble_and_not_the_proxys() {
    let stage = Stage::start_with(|config| {
        plug(
            &config.plugins.dir,
            "hoarder.toml",
            format!("{ROOM}{HOARD}"),
        );
        plug(&config.plugins.dir, "hoarder.wasm", guests::hoarder());
    })
    .await;
    let mut log = Log::follow();
    for host in ["a.example", "b.example"] {
        assert_eq!(stage.get(host).await.status, 200, "{host}");
    }
    assert_eq!(stage.get("c.example").await.status, 503);
    let reason = "the state of this filter is full, so nothing was stored";
    log.says(&["could not judge", "filter=\"hoarder\"", reason])
        .await;

    // What it has is kept, and may change.
    for (host, status) in [("a.example", 200), ("b.example", 200), ("c.example", 503)] {
        assert_eq!(stage.get(host).await.status, status, "{host}");
    }
    stage.plug("hoarder.toml", format!("{ROOM}state = \"2MiB\"\n{HOARD}"));
    stage.until("c.example", 200).await;
}

#[tokio::test]
async fn a_filter_that_is_not_granted_state_is_refused_with_the_line_to_add() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("curious.toml", "[config]\nlimit = 2");
    stage.plug("curious.wasm", guests::counter());
    let line = log.says(&["refused", "plugin=\"curious\"", "grant"]).await;
    let advice = "is not granted; if it may have it, begin curious.toml beside the filter with:  grants.state = true";
    assert!(line.contains(advice), "{line}");
    stage.plug("curious.toml", TWO);
    stage.ask_until("a.example", is_refused).await;
}

#[test]
fn a_filter_that_does_not_use_state_does_not_ask_for_it() {
    assert!(imports_state(guests::counter()));
    assert!(!imports_state(guests::suffix()));
}

fn imports_state(component: &[u8]) -> bool {
    let name = b"portcullis:filter/state@";
    component.windows(name.len()).any(|bytes| bytes == name)
}

fn is_refused(response: &Response) -> bool {
    response.status == 403
}

/// The count that the counter refuses with.
fn number(refusal: &Response) -> u32 {
    let (_, reason) = refusal.body.split_once("request ").expect("a count");
    let (number, _) = reason.split_once(' ').expect("a count");
    number.parse().expect("a number")
}
