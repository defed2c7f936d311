//! Lists of hosts from a server: who is on them, and what happens when the server fails.

use portcullis::Config;
use portcullis::commands::{self, Lists};
use portcullis::config::{Feed, FeedFormat, UntilFirst};
use portcullis_tests::{Log, Site, Stage, plug};

/// The first name is for those who wait for the list.
const LIST: &str = "ready.example\nevil.example\ndeep.bad.example\n";

/// Sets the feed `lists` up, which lies at `/list`.
fn subscribe(config: &mut Config, lists: &Site) {
    config.feeds.insert("lists".into(), lists.feed("/list"));
}

/// A stage whose proxy has fetched `list`.
async fn stage(list: &str) -> (Stage, Site) {
    let lists = Site::start().await;
    lists.serves("/list", list);
    let stage = Stage::start_with(|config| subscribe(config, &lists)).await;
    stage.until("ready.example", 403).await;
    (stage, lists)
}

#[tokio::test]
async fn a_listed_name_and_all_below_it_are_refused_before_anything_is_resolved() {
    let (stage, _lists) = stage(LIST).await;
    for (host, rule) in [
        ("evil.example", "evil.example"),
        ("www.evil.example", "evil.example"),
        ("a.b.evil.example", "evil.example"),
        ("EVIL.Example.", "evil.example"),
        ("deep.bad.example", "deep.bad.example"),
    ] {
        for refusal in [stage.get(host).await, stage.connect(host).await] {
            assert_eq!(refusal.status, 403, "{host}");
            let said = format!(
                "Reason: {rule} is on the list lists\nFilter: blocklist\nList: lists\nEntry: {rule}\n"
            );
            assert!(refusal.body.contains(&said), "{}", refusal.body);
            let status = refusal.field("proxy-status").expect("it says why");
            assert!(
                status.starts_with("portcullis;error=http_request_denied;"),
                "{status}"
            );
        }
        assert!(
            !stage.dns.was_asked_for(host.trim_end_matches('.')),
            "{host}"
        );
    }
}

#[tokio::test]
async fn names_beside_a_listed_one_pass() {
    let (stage, _lists) = stage(LIST).await;
    for host in [
        "notevil.example",
        "evil-example",
        "evil.example.org",
        "bad.example",
        "sibling.bad.example",
        "example",
    ] {
        assert_eq!(stage.get(host).await.body, "welcome", "{host}");
        assert_eq!(stage.connect(host).await.status, 200, "{host}");
        assert!(stage.dns.was_asked_for(host), "{host}");
    }
}

#[tokio::test]
async fn a_public_suffix_on_a_list_does_not_block_what_others_have_below_it() {
    let list = "ready.example\nco.uk\ngithub.io\n*.com.br\n*.herokuapp.com\n";
    let (stage, _lists) = stage(list).await;
    for host in ["www.bbc.co.uk", "rust-lang.github.io", "www.uol.com.br"] {
        assert_eq!(stage.get(host).await.body, "welcome", "{host}");
    }
    for host in ["co.uk", "github.io", "a.herokuapp.com"] {
        assert_eq!(stage.get(host).await.status, 403, "{host}");
    }
}

#[tokio::test]
async fn an_exception_on_a_list_holds_for_that_list_alone() {
    let lists = Site::start().await;
    lists.serves("/adblock", "||ads.example^\n@@||ok.ads.example^\n");
    lists.serves("/hosts", "0.0.0.0 other.ok.ads.example\n");
    let stage = Stage::start_with(|config| {
        for path in ["/adblock", "/hosts"] {
            let mut feed = lists.feed(path);
            feed.format = FeedFormat::Auto;
            config.feeds.insert(path[1..].into(), feed);
        }
    });
    let stage = stage.await;
    stage.until("ads.example", 403).await;
    stage.until("other.ok.ads.example", 403).await;
    for (host, status) in [
        ("www.ads.example", 403),
        ("ok.ads.example", 200),
        ("www.ok.ads.example", 200),
    ] {
        assert_eq!(stage.get(host).await.status, status, "{host}");
    }
}

/// An entry in each format, under another domain each, that covers what is below it or would.
const ENTRIES: [(&str, FeedFormat, &str); 8] = [
    (
        "hosts",
        FeedFormat::Hosts,
        "0.0.0.0 B\u{fc}cher.hosts.example",
    ),
    (
        "domains",
        FeedFormat::Domains,
        "B\u{fc}cher.domains.example.",
    ),
    (
        "adblock",
        FeedFormat::Adblock,
        "||b\u{fc}cher.adblock.example^",
    ),
    (
        "dnsmasq",
        FeedFormat::Dnsmasq,
        "local=/b\u{fc}cher.dnsmasq.example/",
    ),
    (
        "unbound",
        FeedFormat::Unbound,
        "local-zone: \"b\u{fc}cher.unbound.example.\" refuse",
    ),
    ("rpz", FeedFormat::Rpz, "xn--bcher-kva.rpz CNAME ."),
    ("json", FeedFormat::Json, "b\u{fc}cher.json.example:443"),
    ("csv", FeedFormat::Csv, "b\u{fc}cher.csv.example"),
];

/// A stage with these entries, each in a list of its own.
async fn stage_of_entries(blocklist: &str) -> (Stage, Site) {
    let lists = Site::start().await;
    for (name, format, entry) in ENTRIES {
        let body = match format {
            FeedFormat::Json => format!("[\"{entry}\"]"),
            FeedFormat::Rpz => {
                format!("$ORIGIN z.\n@ SOA a b 1 2 3 4 5\n$ORIGIN example.z.\n{entry}\n")
            }
            _ => entry.to_owned(),
        };
        lists.serves(&format!("/{name}"), &body);
    }
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "blocklist.toml", blocklist);
        for (name, format, _) in ENTRIES {
            let mut feed = lists.feed(&format!("/{name}"));
            feed.format = format;
            config.feeds.insert(name.into(), feed);
        }
    });
    let stage = stage.await;
    for (name, ..) in ENTRIES {
        stage
            .until(&format!("xn--bcher-kva.{name}.example"), 403)
            .await;
    }
    (stage, lists)
}

#[tokio::test]
async fn a_refusal_tells_the_entry_as_it_is_written_in_its_list() {
    let (stage, _lists) = stage_of_entries("").await;
    for (name, _, entry) in ENTRIES {
        let refusal = stage.get(&format!("xn--bcher-kva.{name}.example")).await;
        let said = format!("List: {name}\nEntry: {entry}\n");
        assert!(refusal.body.contains(&said), "{}", refusal.body);
    }
}

#[tokio::test]
async fn without_subdomains_an_entry_in_any_format_blocks_the_host_that_it_names_alone() {
    let (stage, _lists) = stage_of_entries("[config]\nsubdomains = false\n").await;
    for (name, ..) in ENTRIES {
        let below = format!("www.xn--bcher-kva.{name}.example");
        assert_eq!(stage.get(&below).await.status, 200, "{below}");
    }
}

#[tokio::test]
async fn the_server_of_a_list_is_found_by_the_configured_name_server() {
    let lists = Site::start().await;
    lists.serves("/list", LIST);
    let stage = Stage::start_with(|config| {
        let mut feed = lists.feed("/list");
        let url = feed.url.as_mut().expect("a URL");
        url.set_host(Some("lists.example")).expect("a host");
        config.feeds.insert("lists".into(), feed);
    });
    let stage = stage.await;
    stage.until("ready.example", 403).await;
    assert!(stage.dns.was_asked_for("lists.example"));
}

#[tokio::test]
async fn a_list_that_changes_is_taken_up() {
    let (stage, lists) = stage(LIST).await;
    lists.serves("/list", "new.example\ndeep.bad.example\n");
    stage.until("new.example", 403).await;
    assert_eq!(stage.get("evil.example").await.status, 200);
    assert_eq!(stage.get("deep.bad.example").await.status, 403);
}

#[tokio::test]
async fn the_list_before_serves_while_the_server_answers_with_something_else() {
    let (stage, lists) = stage(LIST).await;
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\nnew.example\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\n<!doctype html><p>Try again later.\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\0\x01\x02\x7f\0\0\x1b\x07",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnew.example\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\nnew.example\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnew.example\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nnew.example\n",
        "HTTP/1.1 301 Moved\r\nLocation: /list\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "",
    ] {
        lists.breaks("/list", answer);
        // With the second request from now on, the answer to the first has been dealt with.
        lists.is_asked("/list", 2).await;
        assert_eq!(stage.get("evil.example").await.status, 403, "{answer:?}");
        assert_eq!(stage.get("new.example").await.status, 200, "{answer:?}");
    }
    lists.serves("/list", "new.example");
    stage.until("new.example", 403).await;
}

#[tokio::test]
async fn the_list_on_disk_blocks_from_the_start_when_the_server_is_gone() {
    let cache = tempfile::tempdir().unwrap();
    let mut lists = Site::start().await;
    lists.serves("/list", LIST);
    let settings = |config: &mut Config| {
        subscribe(config, &lists);
        config.cache.dir = cache.path().into();
    };
    let stage = Stage::start_with(settings).await;
    stage.until("evil.example", 403).await;
    // The copy is written before the next request.
    lists.is_asked("/list", 2).await;
    stage.proxy.stop().await;

    let settings = {
        let feed = lists.feed("/list");
        |config: &mut Config| {
            config.feeds.insert("lists".into(), feed);
            config.cache.dir = cache.path().into();
        }
    };
    lists.stop().await;
    let mut log = Log::follow();
    let stage = Stage::start_with(settings).await;
    assert_eq!(stage.get("www.evil.example").await.status, 403);
    log.says(&[
        "feed not refreshed: its 3 names from",
        "keep serving",
        "feed=\"lists\"",
    ])
    .await;
    assert_eq!(stage.get("www.evil.example").await.status, 403);
}

#[tokio::test]
async fn a_feed_that_was_never_fetched_holds_up_nothing() {
    let mut lists = Site::start().await;
    let feed = lists.feed("/list");
    lists.stop().await;
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        config.feeds.insert("absent".into(), feed);
    })
    .await;
    log.says(&["feed=\"absent\"", "it has no data yet"]).await;
    assert_eq!(stage.get("evil.example").await.status, 200);
    assert_eq!(stage.get("www.blocked.portcullis.test").await.status, 403);
}

#[tokio::test]
async fn a_disabled_feed_is_never_fetched_and_lists_nothing_though_it_is_named() {
    let lists = Site::start().await;
    lists.serves("/list", LIST);
    let stage = Stage::start_with(|config| {
        subscribe(config, &lists);
        let mut disabled = lists.feed("/disabled");
        disabled.enabled = false;
        disabled.until_first = UntilFirst::Block;
        config.feeds.insert("disabled".into(), disabled);
        let named = "[config]\nfeeds = [\"lists\", \"disabled\"]\n";
        plug(&config.plugins.dir, "blocklist.toml", named);
    });
    let stage = stage.await;
    stage.until("evil.example", 403).await;
    assert_eq!(stage.get("good.example").await.status, 200);
    // The other list has been fetched twice more by now.
    lists.is_asked("/list", 2).await;
    assert!(!lists.has_been_asked("/disabled"));
    let report = commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    let report = report.unwrap();
    assert!(report.is_ok(), "{report}");
    let told = report.to_string();
    assert!(
        told.contains("feed disabled: disabled: it lists nothing\n"),
        "{told}"
    );
}

#[tokio::test]
async fn what_the_settings_allow_passes_although_it_is_listed() {
    let lists = Site::start().await;
    lists.serves("/list", LIST);
    let stage = Stage::start_with(|config| {
        subscribe(config, &lists);
        let allow = "[config]\nallow = [\"good.evil.example\"]\n";
        plug(&config.plugins.dir, "blocklist.toml", allow);
    })
    .await;
    stage.until("evil.example", 403).await;
    for (host, status) in [
        ("good.evil.example", 200),
        ("www.good.evil.example", 200),
        ("notgood.evil.example", 403),
        ("evil.example", 403),
    ] {
        assert_eq!(stage.get(host).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_serves_long_before_the_next_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let [list, next] = ["list", "next"].map(|name| folder.path().join(name));
    std::fs::write(&list, "ready.example\n").unwrap();
    let url = format!("file://{}", list.display());
    let feed = Feed::new(url.parse().unwrap(), FeedFormat::Domains);
    let stage = Stage::start_with(|config| drop(config.feeds.insert("lists".into(), feed))).await;
    stage.until("ready.example", 403).await;
    std::fs::write(&next, "other.example\n").unwrap();
    std::fs::rename(&next, &list).unwrap();
    stage.until("other.example", 403).await;
    assert_eq!(stage.get("ready.example").await.status, 200);
}
