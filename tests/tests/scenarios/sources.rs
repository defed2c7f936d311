//! Feeds with several lists, and with entries in the settings.

use portcullis::Config;
use portcullis::commands::{self, Lists, explain};
use portcullis::config::{ConfigError, Feed, FeedFormat, Sources, UntilFirst};
use portcullis_tests::{Log, Site, Stage};

/// A feed with the lists that lie there.
fn feed(lists: &Site, paths: &[&str]) -> Feed {
    let mut feed = lists.feed("/");
    feed.format = FeedFormat::Auto;
    let urls = paths
        .iter()
        .map(|path| lists.feed(path).url.expect("a URL"));
    feed.urls = urls.collect();
    feed.url = None;
    feed
}

/// Adds the feed `ads`.
fn with_ads(feed: Feed) -> impl FnOnce(&mut Config) {
    move |config| drop(config.feeds.insert("ads".into(), feed))
}

fn settings(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    sources.dir = folder.path().into();
    let file = folder.path().join("portcullis.toml");
    std::fs::write(file, text).expect("a file");
    Config::load(&sources)
}

#[tokio::test]
async fn each_list_of_a_feed_counts_by_itself_and_is_told_apart() {
    let lists = Site::start().await;
    lists.serves("/rules", "||ads.example^\n@@||ok.ads.example^\n");
    lists.serves(
        "/hosts",
        "0.0.0.0 first.example\n0.0.0.0 other.ok.ads.example\n",
    );
    let stage = Stage::start_with(with_ads(feed(&lists, &["/rules", "/hosts"]))).await;
    stage.until("ads.example", 403).await;
    stage.until("other.ok.ads.example", 403).await;
    stage
        .answers(&[
            ("www.ads.example", 403),
            ("ok.ads.example", 200),
            ("www.ok.ads.example", 200),
            ("first.example", 403),
        ])
        .await;
    let config = stage.proxy.config();
    for (host, path, line) in [
        ("ads.example", "/rules", 1),
        ("other.ok.ads.example", "/hosts", 2),
    ] {
        let told = explain(config.clone(), host, None, None).await.unwrap();
        let told = serde_json::to_value(told).unwrap();
        let source = told["filters"][0]["source"].as_str().unwrap();
        assert!(source.ends_with(path), "{told}");
        assert_eq!(told["filters"][0]["line"], line, "{told}");
    }
}

#[tokio::test]
async fn log_page_field_and_explain_tell_feed_list_entry_and_line() {
    let lists = Site::start().await;
    lists.serves("/rules", "! title\n||told.example^\n");
    lists.serves("/hosts", "0.0.0.0 second.example\n");
    let ads = feed(&lists, &["/rules?key=secret", "/hosts"]);
    let list = ads.urls[0].to_string();
    let list = list.strip_suffix("?key=secret").expect("it has a key");
    let stage = Stage::start_with(with_ads(ads)).await;
    stage.until("told.example", 403).await;
    let mut log = Log::follow();
    let refusal = stage.get("www.told.example").await;
    let page = format!("List: ads\nSource: {list}\nEntry: ||told.example^\nLine: 2\n");
    assert!(refusal.body.contains(&page), "{}", refusal.body);
    let told = format!("feed ads, list {list}, rule ||told.example^, line 2");
    let field = refusal.field("proxy-status").expect("it says why");
    let details = format!("details=\"||told.example^ is on the list ads; {told}\"");
    assert!(field.ends_with(&details), "{field}");
    let line = log.says(&["kind=access", "host=www.told.example"]).await;
    let fields = format!(" feed=ads source={list} rule=\"||told.example^\" line=2 ");
    assert!(line.contains(&fields), "{line}");
    let config = stage.proxy.config().clone();
    let text = explain(config, "www.told.example", None, None).await;
    let text = text.unwrap().to_string();
    assert!(text.contains(&told), "{text}");
    for told in [refusal.body.as_str(), field, &line, &text] {
        assert!(!told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn a_list_that_fails_costs_its_feed_no_other() {
    let lists = Site::start().await;
    lists.serves("/good", "good-list.example\n");
    let feed = feed(&lists, &["/good", "/missing"]);
    let missing = feed.urls[1].to_string();
    let mut log = Log::follow();
    let stage = Stage::start_with(with_ads(feed)).await;
    stage.until("good-list.example", 403).await;
    log.says(&["feed not refreshed: it has no data yet", &missing, "404"])
        .await;
    let report = commands::check(stage.proxy.config().clone(), Lists::Fetched).await;
    let told = report.unwrap().to_string();
    assert!(
        told.contains(&format!("feed ads from {missing}: it cannot be fetched")),
        "{told}"
    );
    assert!(told.contains("/good: 1 names\n"), "{told}");
}

#[tokio::test]
async fn requests_wait_until_each_list_has_arrived() {
    let lists = Site::start().await;
    lists.serves("/first", "one.example\n");
    let mut feed = feed(&lists, &["/first", "/second"]);
    feed.until_first = UntilFirst::Block;
    let mut log = Log::follow();
    let stage = Stage::start_with(with_ads(feed)).await;
    log.says(&["feed updated", "/first"]).await;
    lists.is_asked("/second", 1).await;
    assert_eq!(stage.get("calm.example").await.status, 503);
    lists.serves("/second", "two.example\n");
    stage.until("calm.example", 200).await;
    stage
        .answers(&[("one.example", 403), ("two.example", 403)])
        .await;
}

#[tokio::test]
async fn every_list_has_a_copy_that_a_restart_begins_with() {
    let cache = tempfile::tempdir().unwrap();
    let mut lists = Site::start().await;
    lists.serves("/one", "one.example\n");
    lists.serves("/two", "two.example\n");
    let mut feed = feed(&lists, &["/one", "/two"]);
    let with = |feed: &Feed| {
        let (feed, dir) = (feed.clone(), cache.path().to_owned());
        move |config: &mut Config| {
            config.cache.dir = dir;
            with_ads(feed)(config);
        }
    };
    let stage = Stage::start_with(with(&feed)).await;
    stage.until("one.example", 403).await;
    stage.until("two.example", 403).await;
    // A copy is written before the next request.
    lists.is_asked("/one", 2).await;
    lists.is_asked("/two", 2).await;
    stage.proxy.stop().await;
    lists.stop().await;
    // A copy belongs to its URL, in whatever order they stand.
    feed.urls.reverse();
    let stage = Stage::start_with(with(&feed)).await;
    stage
        .answers(&[
            ("one.example", 403),
            ("two.example", 403),
            ("calm.example", 200),
        ])
        .await;
}

#[tokio::test]
async fn entries_in_the_settings_count_at_once_beside_a_list_that_is_fetched() {
    let lists = Site::start().await;
    lists.serves("/list", "ok.ads.example\n");
    let entries = r#"[feeds.ads]
        entries = ["ads.example", "||bad.example^", "@@||ok.ads.example^", "@@||good.bad.example^", "192.0.2.0/24"]"#;
    let mut ads = settings(entries).unwrap().feeds.remove("ads").unwrap();
    let stage = Stage::start_with(with_ads(ads.clone())).await;
    stage
        .answers(&[
            ("www.ads.example", 403),
            ("ok.ads.example", 200),
            ("www.bad.example", 403),
            ("good.bad.example", 200),
            ("192.0.2.7", 403),
            ("calm.example", 200),
        ])
        .await;
    let told = explain(stage.proxy.config().clone(), "www.bad.example", None, None).await;
    let told = serde_json::to_value(told.unwrap()).unwrap();
    assert_eq!(told["filters"][0]["source"], "entries", "{told}");
    assert_eq!(told["filters"][0]["line"], 2, "{told}");

    // They are a list of their own: what they except is still on the other.
    ads.url = lists.feed("/list").url;
    let stage = Stage::start_with(with_ads(ads)).await;
    stage.until("ok.ads.example", 403).await;
    stage.answers(&[("good.bad.example", 200)]).await;
}

#[tokio::test]
async fn entries_in_the_settings_mean_what_they_say_of_public_suffixes() {
    let ads = |more: &str| {
        let entries = r#"entries = ["ads.example", "*.zip", "||com.br^", "github.io"]"#;
        let settings = settings(&format!("[feeds.ads]\n{entries}\n{more}"));
        settings.unwrap().feeds.remove("ads").unwrap()
    };
    let stage = Stage::start_with(with_ads(ads(""))).await;
    stage
        .answers(&[
            ("a.zip", 403),
            ("www.uol.com.br", 403),
            // A name without marks does not say that what others have below it is meant.
            ("github.io", 403),
            ("rust-lang.github.io", 200),
        ])
        .await;
    let stage = Stage::start_with(with_ads(ads("public_suffixes = \"hold\""))).await;
    stage
        .answers(&[
            ("ads.example", 403),
            ("a.zip", 200),
            ("www.uol.com.br", 200),
        ])
        .await;
}

#[test]
fn an_entry_that_says_nothing_about_hosts_is_refused_with_its_place() {
    let text = "[feeds.ads]\nentries = [\"ads.example\",\n  \"ads.example/banner\"]";
    let error = settings(text).unwrap_err().to_string();
    let expected = "portcullis.toml:3:3: feeds.ads.entries: `ads.example/banner` is not a domain, an \
                    address, a network or a rule about whole hosts, such as \"ads.example\", \
                    \"||ads.example^\" or \"@@||ok.example^\"";
    assert!(error.ends_with(expected), "{error}");
}
