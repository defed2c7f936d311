//! What precedes what: a scenario for each line of the table in README.md.

use portcullis::Config;
use portcullis::commands::{NewDecision, Ruling, decide, explain};
use portcullis::config::{Clients, Feed, FeedKind, PrivateAddresses};
use portcullis_tests::{Log, Site, Stage, plug};

/// Feeds `ads`, `more` and, which allows, `work`. Their entries stand in the settings.
fn with_feeds(lists: &Site) -> impl Fn(&mut Config) {
    let feed = |kind, entries: &[&str]| {
        let mut feed: Feed = lists.feed("/");
        feed.url = None;
        feed.kind = kind;
        feed.entries = entries.iter().map(ToString::to_string).collect();
        feed
    };
    let feeds = [
        (
            "ads",
            feed(
                FeedKind::Block,
                &[
                    "||ads.example^$important",
                    "||site.example^",
                    "@@||ok.site.example^",
                    "listed.example",
                ],
            ),
        ),
        ("more", feed(FeedKind::Block, &["twice.ok.site.example"])),
        (
            "work",
            feed(
                FeedKind::Allow,
                &["shop.ads.example", "@@||not.shop.ads.example^"],
            ),
        ),
    ];
    move |config| {
        for (name, feed) in &feeds {
            config.feeds.insert((*name).into(), feed.clone());
        }
    }
}

/// What becomes of a request for a host, and what that follows from.
async fn decides(stage: &Stage, host: &str, status: u16, decided_by: &str, line: u8) {
    assert_eq!(stage.get(host).await.status, status, "{host}");
    let told = explain(stage.proxy.config().clone(), host, None, None).await;
    let told = told.expect("an explanation");
    let (text, json) = (told.to_string(), serde_json::to_value(told).expect("JSON"));
    assert_eq!(json["decided_by"], decided_by, "{host}: {text}");
    assert!(text.contains(&format!("\n> {line}  ")), "{host}: {text}");
}

#[tokio::test]
async fn a_decision_of_a_person_precedes_everything() {
    let lists = Site::start().await;
    let stage = Stage::start_with(with_feeds(&lists)).await;
    for (verdict, host) in [
        (Ruling::Allow, "listed.example"),
        (Ruling::Deny, "shop.ads.example"),
    ] {
        let mut log = Log::follow();
        decide(stage.proxy.config(), &NewDecision::about(verdict, host)).unwrap();
        let folder = stage.proxy.config().state.dir.display().to_string();
        log.says(&["decisions in use", &folder]).await;
    }
    decides(&stage, "listed.example", 200, "person", 2).await;
    decides(&stage, "shop.ads.example", 403, "person", 2).await;
}

#[tokio::test]
async fn a_filter_with_reasons_of_its_own_refuses_what_a_feed_allows() {
    let lists = Site::start().await;
    let feeds = with_feeds(&lists);
    let stage = Stage::start_with(|config| {
        feeds(config);
        let hosts = "[config]\nhosts = [\"calm.example\"]\n";
        plug(&config.plugins.dir, "allowlist.toml", hosts);
    });
    let stage = stage.await;
    decides(&stage, "shop.ads.example", 403, "filter", 3).await;
}

#[tokio::test]
async fn an_allow_feed_precedes_every_list_also_important_rules() {
    let lists = Site::start().await;
    let stage = Stage::start_with(with_feeds(&lists)).await;
    decides(&stage, "shop.ads.example", 200, "allow-feed", 4).await;
    decides(&stage, "www.shop.ads.example", 200, "allow-feed", 4).await;
    // What is excepted on the list of allowed ones is not allowed.
    decides(&stage, "not.shop.ads.example", 403, "list", 5).await;
}

#[tokio::test]
async fn an_allow_feed_counts_where_only_exact_names_do_and_not_where_it_is_not_asked() {
    let lists = Site::start().await;
    let feeds = with_feeds(&lists);
    let exact = Stage::start_with(|config| {
        feeds(config);
        config.feeds.get_mut("ads").unwrap().entries = vec!["shop.ads.example".into()];
        plug(
            &config.plugins.dir,
            "blocklist.toml",
            "[config]\nsubdomains = false\n",
        );
    });
    decides(&exact.await, "shop.ads.example", 200, "allow-feed", 4).await;
    let others = Stage::start_with(|config| {
        feeds(config);
        plug(
            &config.plugins.dir,
            "blocklist.toml",
            "[config]\nfeeds = [\"ads\"]\n",
        );
    });
    decides(&others.await, "shop.ads.example", 403, "list", 5).await;
}

/// The settings that cannot be used may leave it out.
#[tokio::test]
async fn an_allow_feed_does_not_count_while_the_defaults_stand_in_for_settings_with_a_mistake() {
    let lists = Site::start().await;
    let feeds = with_feeds(&lists);
    let stage = Stage::start_with(|config| {
        feeds(config);
        let mistaken = "[config]\nfeed = [\"ads\"]\n";
        plug(&config.plugins.dir, "blocklist.toml", mistaken);
    });
    let stage = stage.await;
    let hosts = [("shop.ads.example", 403), ("calm.example", 200)];
    stage.answers(&hosts).await;
    stage.plug("blocklist.toml", "");
    stage.until("shop.ads.example", 200).await;
    // While the proxy runs, the settings from before stay.
    let mut log = Log::follow();
    stage.plug("blocklist.toml", "[config]\nfed = []\n");
    log.says(&["refused", "blocklist", "`fed`", "goes on serving"])
        .await;
    stage.answers(&[("shop.ads.example", 200)]).await;
}

#[tokio::test]
async fn within_a_list_its_format_decides_and_an_exception_reaches_no_other_list() {
    let lists = Site::start().await;
    let stage = Stage::start_with(with_feeds(&lists)).await;
    decides(&stage, "www.site.example", 403, "list", 5).await;
    decides(&stage, "twice.ok.site.example", 403, "list", 5).await;
    decides(&stage, "ok.site.example", 200, "nothing", 7).await;
}

#[tokio::test]
async fn what_nobody_speaks_of_passes() {
    let lists = Site::start().await;
    let stage = Stage::start_with(with_feeds(&lists)).await;
    decides(&stage, "calm.example", 200, "nothing", 7).await;
}

#[tokio::test]
async fn a_client_that_may_not_come_in_gets_nothing_whatever_a_person_allows() {
    let lists = Site::start().await;
    let feeds = with_feeds(&lists);
    let stage = Stage::start_with(|config| {
        feeds(config);
        config.clients = Clients::new(["192.0.2.0/24".parse().unwrap()]);
    });
    let stage = stage.await;
    let config = stage.proxy.config();
    decide(config, &NewDecision::about(Ruling::Allow, "calm.example")).unwrap();
    for (client, decided_by, line) in [("127.0.0.1", "clients", 1), ("192.0.2.1", "person", 2)] {
        let asked = explain(config.clone(), "calm.example", client.parse().ok(), None).await;
        let told = asked.expect("an explanation");
        let (text, json) = (told.to_string(), serde_json::to_value(told).expect("JSON"));
        assert_eq!(json["decided_by"], decided_by, "{text}");
        assert!(text.contains(&format!("\n> {line}  ")), "{text}");
    }
    assert_eq!(stage.get("calm.example").await.status, 403);
}

#[tokio::test]
async fn where_the_proxy_may_not_connect_no_person_lets_it() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| config.egress.private = PrivateAddresses::Deny).await;
    let config = stage.proxy.config();
    decide(config, &NewDecision::about(Ruling::Allow, "127.0.0.1")).unwrap();
    let folder = config.state.dir.display().to_string();
    log.says(&["decisions in use", &folder]).await;
    decides(&stage, "127.0.0.1", 403, "egress", 6).await;
}
