//! A day in the life of a feed: whatever its server does, the proxy has a list.

use std::fs;
use std::path::Path;
use std::time::Duration;

use portcullis::Config;
use portcullis::commands::{self, Lists};
use portcullis::config::Feed;
use portcullis_tests::{Log, Site, Stage};

/// The list of the morning: ten names.
fn morning() -> String {
    let names = (0..10).map(|number| format!("morning-{number}.example\n"));
    names.collect()
}

/// A whole answer with a validator.
fn answer(etag: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nETag: \"{etag}\"\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A proxy whose only feed is `daily`, and its cache.
async fn begin(feed: &Feed, cache: &Path) -> Stage {
    let (feed, cache) = (feed.clone(), cache.to_owned());
    Stage::start_with(|config: &mut Config| {
        config.feeds.insert("daily".into(), feed);
        config.cache.dir = cache;
    })
    .await
}

/// The list of the morning serves, and nothing else.
async fn serves_morning(stage: &Stage, when: &str) {
    for (host, status) in [
        ("www.morning-0.example", 403),
        ("morning-9.example", 403),
        ("evening.example", 200),
    ] {
        assert_eq!(stage.get(host).await.status, status, "{host} {when}");
    }
}

/// The morning's list serves on whatever else the server sends.
async fn breaks_in_every_way(lists: &mut Site, stage: &Stage, log: &mut Log) {
    let half = answer("half", &morning()).replace("morning-9", "evening");
    let (half, _) = half.split_at(half.len() - 20);
    for (what, broken, said) in [
        (
            "after a 500",
            "HTTP/1.1 500 Oops\r\nContent-Length: 16\r\n\r\nevening.example\n",
            "the server answered 500",
        ),
        ("after half a list", half, "broke off"),
        (
            "after an error page",
            &answer("page", "<html>\n<p>evening.example is down\n</html>\n"),
            "not names of hosts",
        ),
    ] {
        lists.breaks("/daily", broken);
        log.says(&["feed not refreshed: its 10 names", "feed=\"daily\"", said])
            .await;
        serves_morning(stage, what).await;
    }
}

#[tokio::test]
async fn a_feed_keeps_a_list_through_a_bad_day_and_a_restart() {
    let cache = tempfile::tempdir().unwrap();
    let mut lists = Site::start().await;
    let mut feed = lists.feed("/daily");
    feed.timeout = Duration::from_secs(3);
    let mut log = Log::follow();

    lists.serves_version("/daily", "morning", &morning());
    let stage = begin(&feed, cache.path()).await;
    stage.until("morning-0.example", 403).await;
    serves_morning(&stage, "when it is fresh").await;

    lists.has_confirmed("/daily", 1).await;
    // What became of it is logged before the next request.
    lists.has_confirmed("/daily", 2).await;
    assert_eq!(log.count(&["feed not refreshed", "feed=\"daily\""]), 0);
    serves_morning(&stage, "after a 304").await;

    breaks_in_every_way(&mut lists, &stage, &mut log).await;

    lists.is_silent("/daily");
    log.says(&[
        "feed not refreshed: its 10 names",
        "feed=\"daily\"",
        "the server took longer than 3s",
    ])
    .await;
    serves_morning(&stage, "after a silence").await;

    let short = answer("short", "evening.example\nnight.example\n");
    let evening = answer("evening", &morning().replace("morning", "evening"));
    lists.breaks_once("/daily", short, evening);
    log.says(&[
        "feed=\"daily\"",
        "it has 2 names, fewer than half of the 10 that serve",
    ])
    .await;
    stage.until("evening-0.example", 403).await;
    assert_eq!(stage.get("morning-0.example").await.status, 200);
    assert_eq!(stage.get("night.example").await.status, 200);

    // The copy is written before the next request.
    lists.is_asked("/daily", 2).await;
    stage.proxy.stop().await;
    lists.stop().await;
    let stage = begin(&feed, cache.path()).await;
    assert_eq!(stage.get("evening-0.example").await.status, 403);
    stage.proxy.stop().await;

    comes_back_without_its_copy(&feed, cache.path(), &mut log).await;
}

/// What is damaged on disk is not used, and `check` says what is wrong with a feed.
async fn comes_back_without_its_copy(feed: &Feed, cache: &Path, log: &mut Log) {
    for file in ["daily.list", "daily.json", "daily.snapshot"] {
        fs::write(cache.join("feeds").join(file), "\0 damaged").expect("the folder is there");
    }
    let stage = begin(feed, cache).await;
    log.says(&["the feed's copy on disk is not used", "feed=\"daily\""])
        .await;
    assert_eq!(stage.get("evening-0.example").await.status, 200);
    let report = commands::check(stage.proxy.config().clone(), Lists::Fetched).await;
    let told = report.expect("the settings are right").to_string();
    assert!(told.contains("feed daily: it cannot be fetched"), "{told}");
}
