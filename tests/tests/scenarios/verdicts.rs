//! Verdicts that a filter lets the proxy use again, and what a filter can know when it gives one.

use std::num::NonZeroUsize;

use portcullis::Config;
use portcullis_tests::{Log, Response, Site, Stage, guests, plug};

const HOUR: &str = "[grants]\nstate = true\nfeeds = [\"*\"]\n[config]\nseconds = 3600";

/// One worker, which has all that is remembered.
fn remembering(config: &mut Config) {
    config.proxy.workers = NonZeroUsize::MIN;
    plug(&config.plugins.dir, "remembers.toml", HOUR);
    plug(&config.plugins.dir, "remembers.wasm", guests::remembers());
}

fn question(response: &Response) -> u32 {
    let said = response.body.split("Reason: question ").nth(1);
    let number = said.and_then(|said| said.split(' ').next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{response:?}"))
}

#[tokio::test]
async fn a_verdict_about_a_host_is_used_again_whatever_the_protocol() {
    let stage = Stage::start_with(remembering).await;
    let first = question(&stage.get("a.example").await);
    assert_eq!(question(&stage.get("a.example").await), first);
    assert_eq!(question(&stage.connect("A.example.").await), first);
    assert_ne!(question(&stage.get("b.example").await), first);
    assert_eq!(question(&stage.get("a.example").await), first);
    // All clients have the same address here.
    let client = question(&stage.get("client.example").await);
    assert_eq!(question(&stage.get("client.example").await), client);
}

#[tokio::test]
async fn a_verdict_that_was_reached_by_which_exchange_it_is_is_asked_for_each_time() {
    let stage = Stage::start_with(remembering).await;
    let first = question(&stage.get("exchange.example").await);
    assert_ne!(question(&stage.get("exchange.example").await), first);
}

#[tokio::test]
async fn a_list_that_changes_has_filters_asked_again() {
    let lists = Site::start().await;
    lists.serves("/list", "ready.example\n");
    let stage = Stage::start_with(|config| {
        remembering(config);
        config.feeds.insert("lists".into(), lists.feed("/list"));
    })
    .await;
    let mut log = Log::follow();
    lists.serves("/list", "ready.example\nother.example\n");
    log.says(&["feed updated", "names=2"]).await;
    let before = question(&stage.get("a.example").await);
    assert_eq!(question(&stage.get("a.example").await), before);
    lists.serves("/list", "ready.example\nother.example\nthird.example\n");
    log.says(&["feed updated", "names=3"]).await;
    assert!(question(&stage.get("a.example").await) > before);
}

#[tokio::test]
async fn a_new_version_is_asked_at_once() {
    let stage = Stage::start_with(remembering).await;
    let before = question(&stage.get("a.example").await);
    let mut log = Log::follow();
    stage.plug("remembers.toml", HOUR.replace("3600", "7200"));
    log.says(&["filters in use", "remembers"]).await;
    let asked_again = |response: &Response| question(response) > before;
    stage.until_response("a.example", asked_again).await;
}

#[tokio::test]
async fn metrics_of_the_running_proxy_reach_the_operator() {
    let stage = Stage::start_with(remembering).await;
    for host in ["a.example", "a.example", "b.example"] {
        stage.get(host).await;
    }
    let asked = async || {
        let explained =
            portcullis::commands::explain(stage.proxy.config().clone(), "a.example", None, None)
                .await;
        let text = explained.expect("a host").to_string();
        text.contains("the running remembers counts: asked 2")
    };
    stage.until_true("two questions are counted", asked).await;
}

#[tokio::test]
async fn a_filter_knows_who_asks_for_which_domain_and_when() {
    let stage = Stage::start().await;
    stage.plug("facts.wasm", guests::facts());
    let is_answered = |response: &Response| response.body.starts_with("127.0.0.1 asks for ");
    let answer = stage.until_response("www.example.co.uk", is_answered).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("content-type"), Some("text/plain"));
    let said = "127.0.0.1 asks for example.co.uk in 20";
    let end = format!(", false, by {}", stage.proxy.address());
    assert!(
        answer.body.starts_with(said) && answer.body.ends_with(&end),
        "{}",
        answer.body
    );
    // A tunnel cannot be answered for.
    assert_eq!(stage.connect("www.example.co.uk").await.status, 403);
}
