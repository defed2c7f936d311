//! What becomes of requests while a configured filter cannot judge: the table in the README, cell
//! by cell.

#[cfg(unix)]
mod compiling;
#[cfg(unix)]
mod files;

use std::fs;

use portcullis::Config;
use portcullis::commands::{self, Lists};
use portcullis::config::{Feed, FeedFormat, UntilFirst};
use portcullis_tests::{Log, Proxy, Settings, Stage, guests, plug};

/// Some way in which a filter is never usable.
type Fault = fn(&mut Config, settings: &str);

/// Each makes a filter `guard` that cannot judge.
const NEVER_USABLE: [(&str, Fault); 4] = [
    ("it is no filter", |config, settings| {
        plug(&config.plugins.dir, "guard.toml", settings);
        plug(&config.plugins.dir, "guard.wasm", "no filter");
    }),
    ("half of the file is there", |config, settings| {
        plug(&config.plugins.dir, "guard.toml", settings);
        let half = &guests::bare()[..guests::bare().len() / 2];
        plug(&config.plugins.dir, "guard.wasm", half);
    }),
    ("its settings stand alone", |config, settings| {
        plug(&config.plugins.dir, "guard.toml", settings);
    }),
    ("its settings have a mistake", |config, settings| {
        let settings = format!("{settings}\non_eror = 'block'");
        plug(&config.plugins.dir, "guard.toml", settings);
        plug(&config.plugins.dir, "guard.wasm", guests::bare());
    }),
];

async fn list(stage: &Stage) -> String {
    let list = commands::list_plugins(stage.proxy.config().clone()).await;
    list.expect("a list").to_string()
}

async fn explain(stage: &Stage, host: &str) -> String {
    let config = stage.proxy.config().clone();
    let explanation = commands::explain(config, host, None, None).await;
    explanation.expect("a host to explain").to_string()
}

#[tokio::test]
async fn a_filter_that_is_not_usable_at_the_start_answers_by_its_on_error() {
    for (fault, arrange) in NEVER_USABLE {
        for (settings, status) in [
            ("", 503),
            ("on_error = 'skip'", 200),
            ("required = false", 200),
            ("mode = 'shadow'", 200),
            ("enabled = false", 200),
        ] {
            let stage = Stage::start_with(|config| arrange(config, settings)).await;
            let response = stage.get("a.example").await;
            assert_eq!(response.status, status, "{fault}, {settings}: {response:?}");
            if status == 503 {
                assert!(response.body.contains("Filter: guard\n"), "{response:?}");
                assert!(!stage.dns.was_asked_for("a.example"), "{fault}");
                assert_eq!(stage.connect("a.example").await.status, 503, "{fault}");
            }
            // What judges before it judges as ever.
            assert_eq!(stage.get("malware.wicar.org").await.status, 403, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_filter_that_is_skipped_as_it_is_not_usable_is_named_in_the_access_log() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "guard.toml", "on_error = 'skip'");
        plug(&config.plugins.dir, "guard.wasm", "no filter");
    })
    .await;
    stage.answers(&[("skipped-here.example", 200)]).await;
    log.says(&["skipped-here.example", "status=200", "skipped=guard"])
        .await;
}

#[tokio::test]
async fn what_is_not_usable_at_the_start_is_not_ready_until_it_is_mended_or_removed() {
    for (fault, arrange) in NEVER_USABLE {
        let stage = Stage::start_with(|config| arrange(config, "")).await;
        // By the running proxy: the list says the same of files that a proxy would load.
        let is_listed = async || {
            let list = list(&stage).await;
            list.starts_with("as the proxy on ") && list.contains("not ready")
        };
        stage
            .until_true("it is listed as not ready", is_listed)
            .await;
        let explanation = explain(&stage, "a.example").await;
        assert!(explanation.contains("guard"), "{fault}: {explanation}");
        assert!(explanation.contains("503"), "{fault}: {explanation}");
        let note = "the running proxy is not ready: the filter guard: ";
        assert!(explanation.contains(note), "{fault}: {explanation}");
        let whose = format!("the proxy that runs on {}, as of ", stage.proxy.address());
        assert!(explanation.contains(&whose), "{fault}: {explanation}");
        let report = commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
        let report = report.unwrap();
        assert!(!report.is_ok(), "{fault}");
        let text = report.to_string();
        assert!(text.contains("not ready: the filter guard: "), "{text}");

        stage.plug("guard.toml", "");
        stage.plug("guard.wasm", guests::bare());
        stage.until("a.example", 200).await;
        assert_eq!(stage.get("blocked.example").await.status, 403, "{fault}");
        let is_ready = async || !list(&stage).await.contains("not ready");
        stage.until_true("it is ready", is_ready).await;

        let stage = Stage::start_with(|config| arrange(config, "")).await;
        for file in ["guard.wasm", "guard.toml"] {
            drop(fs::remove_file(stage.proxy.plugins().join(file)));
        }
        stage.until("a.example", 200).await;
    }
}

#[tokio::test]
async fn settings_that_change_while_a_filter_is_not_usable_hold_at_once() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "guard.wasm", "no filter");
    })
    .await;
    stage.answers(&[("a.example", 503)]).await;
    stage.plug("guard.toml", "required = false");
    stage.until("a.example", 200).await;
    stage.plug("guard.toml", "required = true");
    stage.until("a.example", 503).await;
}

#[tokio::test]
async fn a_name_in_the_order_that_nothing_bears_refuses_at_the_start() {
    let stage = Stage::start_with(|config| {
        config.plugins.order = vec!["blocklist".into(), "gaurd".into()];
        plug(&config.plugins.dir, "guard.wasm", guests::bare());
    })
    .await;
    let refusal = stage.get("a.example").await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.body.contains("Filter: gaurd\n"), "{refusal:?}");
    assert_eq!(stage.get("malware.wicar.org").await.status, 403);
    let report = commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    assert!(!report.unwrap().is_ok());

    stage.plug("gaurd.wasm", guests::bare());
    stage.until("a.example", 200).await;
}

#[tokio::test]
async fn a_filter_that_is_not_usable_when_it_comes_leaves_the_chain_as_it_is() {
    for (fault, arrange) in NEVER_USABLE {
        let stage = Stage::start().await;
        let mut log = Log::follow();
        arrange(&mut stage.proxy.config().clone(), "");
        let line = log.says(&["ERROR", "refused", "plugin=\"guard\""]).await;
        let consequence = "after a restart they would be refused with 503: mend or remove it";
        assert!(line.contains(consequence), "{line}");
        stage.answers(&[("a.example", 200)]).await;
        let is_listed = async || {
            let list = list(&stage).await;
            list.contains("as the proxy") && list.contains("not ready")
        };
        stage
            .until_true("the running proxy is listed as not ready", is_listed)
            .await;
        // As it is now, and not as it would be after a restart.
        let explanation = explain(&stage, "a.example").await;
        assert!(explanation.contains("not ready"), "{fault}: {explanation}");
        assert!(!explanation.contains("503"), "{fault}: {explanation}");
    }
}

#[tokio::test]
async fn what_the_settings_say_changes_nothing_for_a_filter_that_is_not_usable_when_it_comes() {
    for (fault, arrange) in NEVER_USABLE {
        for (settings, is_missed) in [
            ("on_error = 'skip'", true),
            ("required = false", false),
            ("mode = 'shadow'", false),
            ("enabled = false", false),
        ] {
            let stage = Stage::start().await;
            let mut log = Log::follow();
            arrange(&mut stage.proxy.config().clone(), settings);
            // The folder is looked at as a whole.
            stage.plug("marker.wasm", guests::bare());
            log.says(&["filters in use", "marker"]).await;
            let hosts = [("a.example", 200), ("blocked.example", 403)];
            stage.answers(&hosts).await;
            let is_listed = async || {
                let list = list(&stage).await;
                let is_of_now = list.starts_with("as the proxy on ") && list.contains("marker");
                is_of_now && list.contains("not ready") == is_missed
            };
            let what = format!("it is missed: {is_missed} ({fault}, {settings})");
            stage.until_true(&what, is_listed).await;
        }
    }
}

#[tokio::test]
async fn a_name_that_comes_into_the_order_and_that_nothing_bears_leaves_the_chain_as_it_is() {
    let settings = Settings::new("[plugins]\norder = []\n");
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        plug(&config.plugins.dir, "guard.wasm", guests::bare());
    })
    .await;
    let mut log = Log::follow();
    settings.say("[plugins]\norder = [\"gaurd\", \"guard\"]\n");
    let line = log.says(&["ERROR", "refused", "plugin=\"gaurd\""]).await;
    for part in ["[plugins] order names it", "after a restart"] {
        assert!(line.contains(part), "{line}");
    }
    let hosts = [("a.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts).await;
    let is_listed = async || list(&stage).await.contains("not ready");
    stage
        .until_true("it is listed as not ready", is_listed)
        .await;
    settings.say("[plugins]\norder = [\"guard\"]\n");
    let is_ready = async || !list(&stage).await.contains("not ready");
    stage.until_true("it is ready", is_ready).await;
}

#[tokio::test]
async fn a_filter_that_is_removed_leaves_the_chain_and_what_still_names_it_is_told() {
    let order = vec!["guard".to_owned()];
    let stage = Stage::start_with(|config| {
        config.plugins.order = order;
        plug(&config.plugins.dir, "guard.wasm", guests::bare());
        plug(&config.plugins.dir, "other.toml", "");
        plug(&config.plugins.dir, "other.wasm", guests::bare());
    })
    .await;
    let mut log = Log::follow();
    stage.answers(&[("blocked.example", 403)]).await;
    for (name, still) in [
        ("guard", "[plugins] order names it"),
        ("other", "there are settings, but no other.wasm"),
    ] {
        stage.unplug(&format!("{name}.wasm"));
        log.says(&["ERROR", name, still, "after a restart"]).await;
    }
    stage.until("blocked.example", 200).await;
}

#[tokio::test]
async fn a_folder_that_was_named_and_is_not_there_refuses_until_it_is() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("plugins");
    let stage = Stage::start_with(|config| {
        config.plugins.dir.clone_from(&folder);
        config.plugins.dir_must_exist = true;
    })
    .await;
    let refusal = stage.get("a.example").await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.body.contains("[plugins] dir"), "{refusal:?}");
    assert_eq!(stage.get("malware.wicar.org").await.status, 503);
    let report = commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    assert!(!report.unwrap().is_ok());

    fs::create_dir(&folder).unwrap();
    stage.plug("guard.wasm", guests::bare());
    stage.until("a.example", 200).await;
    assert_eq!(stage.get("malware.wicar.org").await.status, 403);
    stage.until("blocked.example", 403).await;
    // Nothing is taken away when it goes: it may be a disk that is not there for a moment.
    fs::remove_dir_all(&folder).unwrap();
    let is_listed = async || list(&stage).await.contains("not ready");
    stage
        .until_true("it is listed as not ready", is_listed)
        .await;
    stage
        .answers(&[("blocked.example", 403), ("a.example", 200)])
        .await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_listed_refuses() {
    let outer = tempfile::tempdir().unwrap();
    let file = outer.path().join("plugins");
    fs::write(&file, "no folder").unwrap();
    let stage = Stage::start_with(|config| config.plugins.dir.clone_from(&file)).await;
    stage.answers(&[("a.example", 503)]).await;
}

#[tokio::test]
async fn a_list_that_requests_wait_for_refuses_until_it_has_arrived_once() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let with_list = |until_first| {
        let url = format!("file://{}", list.display());
        let mut feed = Feed::new(url.parse().unwrap(), FeedFormat::Domains);
        feed.until_first = until_first;
        move |config: &mut Config| drop(config.feeds.insert("ads".into(), feed))
    };
    let mut log = Log::follow();
    let stage = Stage::start_with(with_list(UntilFirst::Pass)).await;
    let line = log.says(&["WARN", "feed=\"ads\"", "never arrived"]).await;
    assert!(line.contains("passes until it has arrived"), "{line}");
    stage.answers(&[("evil.example", 200)]).await;
    let is_listed = async || {
        let said = self::list(&stage).await;
        said.contains("not ready, as these cannot judge: the feed ads\n")
    };
    stage
        .until_true("it is listed as not ready", is_listed)
        .await;

    let stage = Stage::start_with(with_list(UntilFirst::Block)).await;
    let line = log.says(&["WARN", "feed=\"ads\"", "never arrived"]).await;
    assert!(line.contains("refused with 503 until"), "{line}");
    let refusal = stage.get("a.example").await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.body.contains("[feeds.ads]"), "{refusal:?}");
    fs::write(&list, "evil.example\n").unwrap();
    stage.until("a.example", 200).await;
    assert_eq!(stage.get("evil.example").await.status, 403);

    let config = stage.proxy.config().clone();
    stage.proxy.stop().await;
    // The copy on disk counts.
    let again = Proxy::start_with(|new| {
        new.feeds = config.feeds;
        new.cache = config.cache;
    });
    again.await.serves().await;
}

#[tokio::test]
async fn a_check_that_fetches_says_which_list_cannot_be_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let mut config = Config::default();
    config.cache.dir = folder.path().join("cache");
    config.compiler.cache_dir = folder.path().join("compiled");
    let url = format!("file://{}", list.display());
    let feed = Feed::new(url.parse().unwrap(), FeedFormat::Domains);
    config.feeds = [("ads".to_owned(), feed)].into();
    let check = async |lists| commands::check(config.clone(), lists).await.unwrap();
    assert!(check(Lists::OnDisk).await.is_ok());
    let report = check(Lists::Fetched).await;
    assert!(!report.is_ok());
    assert!(
        report
            .to_string()
            .contains("feed ads: it cannot be fetched")
    );
    fs::write(&list, "evil.example\n").unwrap();
    let report = check(Lists::Fetched).await;
    assert!(report.is_ok(), "{report}");
    assert!(report.to_string().contains("feed ads: 1 names"), "{report}");
}

#[tokio::test]
async fn settings_that_stand_alone_and_are_touched_go_on_refusing() {
    let stage = Stage::start_with(|config| plug(&config.plugins.dir, "guard.toml", "")).await;
    stage.answers(&[("a.example", 503)]).await;
    let mut log = Log::follow();
    stage.plug("guard.toml", "# again");
    log.says(&["refused", "plugin=\"guard\"", "there are settings"])
        .await;
    stage.plug("marker.wasm", guests::bare());
    log.says(&["filters in use", "marker"]).await;
    stage.answers(&[("a.example", 503)]).await;
    stage.plug("guard.toml", "on_error = 'skip'");
    stage.until("a.example", 200).await;
}

#[tokio::test]
async fn a_request_whose_host_was_allowed_is_refused_where_its_filter_is_missing() {
    let stage = Stage::start_with(|config| {
        config.plugins.order = vec!["allower".into()];
        plug(
            &config.plugins.dir,
            "allower.toml",
            "[config]\ngreeting = ''\n[grants]\nfeeds = ['*']\nstate = true",
        );
        plug(&config.plugins.dir, "allower.wasm", guests::obeys());
        plug(&config.plugins.dir, "guard.wasm", "no filter");
    })
    .await;
    let refusal = stage.get("allow.example").await;
    assert_eq!(refusal.status, 503, "{refusal:?}");
    assert!(refusal.body.contains("Filter: guard\n"), "{refusal:?}");
}

#[tokio::test]
async fn a_built_in_filter_in_the_order_that_lacks_its_settings_refuses() {
    let stage = Stage::start_with(|config| config.plugins.order = vec!["allowlist".into()]).await;
    stage.answers(&[("a.example", 503)]).await;
    stage.plug("allowlist.toml", "[config]\nhosts = ['a.example']");
    stage.until("a.example", 200).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_nothing_refuses_until_it_leads_somewhere() {
    let outer = tempfile::tempdir().unwrap();
    let real = outer.path().join("real.wasm");
    let stage = Stage::start_with(|config| {
        std::os::unix::fs::symlink(&real, config.plugins.dir.join("guard.wasm")).unwrap();
    })
    .await;
    stage.answers(&[("a.example", 503)]).await;
    fs::write(&real, guests::bare()).unwrap();
    stage.until("a.example", 200).await;
    assert_eq!(stage.get("blocked.example").await.status, 403);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_itself_refuses_and_hides_no_other_filter() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let file = config.plugins.dir.join("circle.wasm");
        std::os::unix::fs::symlink("circle.wasm", file).unwrap();
    })
    .await;
    log.says(&["refused", "circle", "cannot read"]).await;
    stage.answers(&[("a.example", 503)]).await;
    stage.plug("guard.wasm", guests::bare());
    stage.unplug("circle.wasm");
    stage.until("a.example", 200).await;
    assert_eq!(stage.get("blocked.example").await.status, 403);

    // While the proxy runs, the chain stays as it is.
    let file = stage.proxy.plugins().join("circle.toml");
    std::os::unix::fs::symlink("circle.toml", file).unwrap();
    log.says(&["refused", "circle"]).await;
    stage
        .answers(&[("a.example", 200), ("blocked.example", 403)])
        .await;
}
