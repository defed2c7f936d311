//! Feeds in the configuration file change while the proxy runs: no restart, no lookup that fails,
//! and nothing passes meanwhile that is blocked before and after.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_tests::{Log, Settings, Site, Stage, plug};

/// A feed whose list lies at `path`, with more keys.
fn feed(name: &str, lists: &Site, path: &str, keys: &str) -> String {
    let url = format!("http://127.0.0.1:{}{path}", lists.port());
    format!("[feeds.{name}]\nurl = \"{url}\"\nformat = \"domains\"\n{keys}\n")
}

/// A feed of entries.
fn entries(name: &str, entries: &[&str], keys: &str) -> String {
    format!("[feeds.{name}]\nentries = {entries:?}\n{keys}\n")
}

async fn stage(settings: &Settings) -> Stage {
    Stage::start_with(|config| settings.apply(config)).await
}

/// What `portcullis plugin list` says of the proxy that runs.
async fn list(stage: &Stage) -> String {
    let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
    list.expect("it can be listed").to_string()
}

/// Changes the file, and waits until that holds.
async fn change(stage: &Stage, settings: &Settings, text: &str) {
    let mut log = Log::follow();
    settings.say(text);
    // As SIGHUP does: it looks at once.
    stage.proxy.reload();
    log.says(&["feeds changed"]).await;
}

#[tokio::test]
async fn a_feed_that_is_added_changed_or_removed_in_the_file_holds_without_a_restart() {
    let lists = Site::start().await;
    lists.serves("/one", "one.example\n");
    let settings = Settings::new("");
    let stage = stage(&settings).await;
    assert_eq!(stage.get("one.example").await.status, 200);

    let mut log = Log::follow();
    settings.say(&feed("one", &lists, "/one", ""));
    log.says(&["INFO", "feeds changed", "added=\"one\""]).await;
    stage.until("one.example", 403).await;

    settings.say(&feed("one", &lists, "/one", "subdomains = false"));
    log.says(&["INFO", "feeds changed", "changed=\"one\""])
        .await;
    stage.until("www.one.example", 200).await;
    assert_eq!(stage.get("one.example").await.status, 403);

    settings.say("");
    log.says(&["INFO", "feeds changed", "removed=\"one\""])
        .await;
    stage.until("one.example", 200).await;
    assert_eq!(stage.get("www.blocked.portcullis.test").await.status, 403);
    // Its copy is there when it comes back, even without its server.
    lists.breaks("/one", "");
    settings.say(&feed("one", &lists, "/one", ""));
    stage.until("one.example", 403).await;
}

#[tokio::test]
async fn a_file_that_comes_after_the_start_is_followed() {
    let settings = Settings::without_file();
    let stage = stage(&settings).await;
    assert_eq!(stage.get("one.example").await.status, 200);
    let mut log = Log::follow();
    // Nothing can be taken from it, and nothing changes.
    settings.say("[feeds.own]\nentries = [\"a b\"]\n");
    log.says(&["ERROR", "portcullis.toml:2:", "the settings before stay"])
        .await;
    let limits = "[limits]\nidle = \"7s\"\n";
    settings.say(&(entries("own", &["one.example"], "") + limits));
    let said = log
        .says(&["INFO", "there is a configuration file now"])
        .await;
    assert!(said.contains("portcullis.toml"), "{said}");
    log.says(&["feeds changed", "added=\"own\""]).await;
    log.says(&["WARN", "[limits]", "it holds after the next start"])
        .await;
    stage.until("one.example", 403).await;

    settings.say(&entries("own", &["two.example"], ""));
    log.says(&["feeds changed", "changed=\"own\""]).await;
    stage.until("two.example", 403).await;
    assert_eq!(log.count(&["there is a configuration file now"]), 0);
    // One that goes changes nothing.
    std::fs::remove_file(settings.file()).expect("it is there");
    stage.proxy.reload();
    stage
        .answers(&[("one.example", 200), ("two.example", 403)])
        .await;
}

#[tokio::test]
async fn a_list_that_moves_blocks_what_it_has_blocked_until_the_new_one_is_there() {
    let lists = Site::start().await;
    lists.serves("/before", "before.example\nboth.example\n");
    lists.is_silent("/after");
    let settings = Settings::new(&feed("list", &lists, "/before", ""));
    let stage = stage(&settings).await;
    stage.until("before.example", 403).await;

    // The list before is no measure for the new one, which is much shorter.
    change(
        &stage,
        &settings,
        &feed("list", &lists, "/after", "timeout = \"1s\""),
    )
    .await;
    let refusal = stage.get("before.example").await;
    assert_eq!(refusal.status, 403);
    lists.was_asked("/after").await;
    lists.breaks("/after", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    lists.is_asked("/after", 1).await;
    assert_eq!(stage.get("before.example").await.status, 403);
    lists.serves("/after", "after.example\n");
    stage.until("after.example", 403).await;
    assert_eq!(stage.get("before.example").await.status, 200);
}

#[tokio::test]
async fn what_was_allowed_is_allowed_no_more_at_once() {
    let lists = Site::start().await;
    lists.serves("/allow", "good.evil.example\n");
    lists.is_silent("/other");
    let block = entries("block", &["evil.example"], "");
    let allowed = |path, keys| block.clone() + &feed("allow", &lists, path, keys);
    let settings = Settings::new(&allowed("/allow", "kind = \"allow\""));
    let stage = stage(&settings).await;
    stage.until("good.evil.example", 200).await;
    // What is about fetching leaves it alone.
    let longer = "kind = \"allow\"\nrefresh = \"1h\"";
    change(&stage, &settings, &allowed("/allow", longer)).await;
    assert_eq!(stage.get("good.evil.example").await.status, 200);

    change(&stage, &settings, &allowed("/other", longer)).await;
    assert_eq!(stage.get("good.evil.example").await.status, 403);
    change(&stage, &settings, &allowed("/allow", longer)).await;
    stage.until("good.evil.example", 200).await;
    change(&stage, &settings, &block).await;
    assert_eq!(stage.get("good.evil.example").await.status, 403);
}

#[tokio::test]
async fn entries_hold_as_soon_as_the_file_is_read() {
    let settings = Settings::new(&entries("own", &["one.example"], ""));
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        // All verdicts that are kept are in one place, so that old ones would be used again.
        config.proxy.workers = NonZeroUsize::MIN;
    });
    let stage = stage.await;
    stage
        .answers(&[("one.example", 403), ("two.example", 200)])
        .await;
    change(&stage, &settings, &entries("own", &["two.example"], "")).await;
    stage
        .answers(&[("one.example", 200), ("two.example", 403)])
        .await;
    change(
        &stage,
        &settings,
        &entries("own", &["two.example"], "enabled = false"),
    )
    .await;
    stage.answers(&[("two.example", 200)]).await;
}

#[tokio::test]
async fn a_file_that_is_wrong_changes_nothing_and_says_so_until_it_is_mended() {
    let before = entries("own", &["one.example"], "");
    let settings = Settings::new(&before);
    let stage = stage(&settings).await;
    let mut log = Log::follow();
    settings.say("[feeds.own]\nentries = [\"two.example\"]\nrefesh = \"1h\"\n");
    let said = log.says(&["ERROR", "cannot be used"]).await;
    for part in [
        "portcullis.toml:3:1: unknown key `refesh`",
        "the settings before stay",
    ] {
        assert!(said.contains(part), "{said}");
    }
    stage
        .answers(&[("one.example", 403), ("two.example", 200)])
        .await;
    let is_told = async || list(&stage).await.contains("the configuration file");
    stage.until_true("it is not ready", is_told).await;

    settings.say(&entries("own", &["two.example"], ""));
    log.says(&["feeds changed", "changed=\"own\""]).await;
    stage.until("two.example", 403).await;
    let is_ready = async || !list(&stage).await.contains("the configuration file");
    stage.until_true("it is ready again", is_ready).await;
    assert_eq!(log.count(&["cannot be used"]), 0);
}

#[tokio::test]
async fn a_file_that_is_emptied_changes_nothing_and_says_so_until_it_is_written() {
    let settings = Settings::new(&entries("own", &["one.example"], ""));
    let stage = stage(&settings).await;
    let mut log = Log::follow();
    let file = settings.file().display().to_string();
    // As an editor does before it writes the file.
    std::fs::write(settings.file(), "").expect("it can be written to");
    let said = log.says(&["ERROR", &file, "is empty"]).await;
    for part in ["the settings before stay", "a comment if the defaults"] {
        assert!(said.contains(part), "{said}");
    }
    stage.answers(&[("one.example", 403)]).await;

    settings.say(&entries("own", &["two.example"], ""));
    stage.until("two.example", 403).await;
    // These are the defaults, and meant.
    std::fs::write(settings.file(), "# the defaults\n").expect("it can be written to");
    stage.until("two.example", 200).await;
}

#[tokio::test]
async fn a_file_that_is_gone_changes_nothing_and_says_so_until_it_is_back() {
    let settings = Settings::new(&entries("own", &["one.example"], ""));
    let stage = stage(&settings).await;
    let mut log = Log::follow();
    let file = settings.file().display().to_string();
    let aside = settings.file().with_extension("aside");
    std::fs::rename(settings.file(), &aside).expect("it is there");
    let said = log.says(&["ERROR", &file, "is gone"]).await;
    for part in ["the settings before stay", "put the file back"] {
        assert!(said.contains(part), "{said}");
    }
    stage.answers(&[("one.example", 403)]).await;
    let is_told = async || list(&stage).await.contains("the configuration file");
    stage.until_true("it is listed as not ready", is_told).await;

    std::fs::rename(&aside, settings.file()).expect("it is there");
    let is_ready = async || !list(&stage).await.contains("the configuration file");
    stage.until_true("it is ready again", is_ready).await;
    stage.answers(&[("one.example", 403)]).await;
    // It is followed as before.
    settings.say(&entries("own", &["two.example"], ""));
    stage.until("two.example", 403).await;
}

#[tokio::test]
async fn a_file_that_was_empty_at_the_start_is_followed() {
    let settings = Settings::without_file();
    std::fs::write(settings.file(), "").expect("it can be written to");
    let mut log = Log::follow();
    let whole_log = log.clone();
    let stage = stage(&settings).await;
    stage.proxy.reload();
    log.says(&["configuration file is read again: nothing has changed"])
        .await;
    settings.say(&entries("own", &["one.example"], ""));
    stage.until("one.example", 403).await;
    let file = settings.file().display().to_string();
    assert_eq!(whole_log.count(&[&file, "is empty"]), 0);
}

#[tokio::test]
async fn lookups_meet_no_gap_while_the_file_changes_again_and_again() {
    const CHANGES: usize = 50;
    let lists = Site::start().await;
    lists.serves("/always", "always.example\n");
    lists.serves("/other", "always.example\nother.example\n");
    let always = feed("always", &lists, "/always", "");
    let settings = Settings::new(&always);
    let stage = stage(&settings).await;
    stage.until("always.example", 403).await;

    let is_over = AtomicBool::new(false);
    let changing = async {
        for number in 0..CHANGES {
            let mut text = match number % 5 {
                // Another list, and another reading of it.
                0 => feed("always", &lists, "/other", ""),
                1 => feed("always", &lists, "/other", "public_suffixes = \"apply\""),
                _ => always.clone(),
            };
            let _ = write!(
                text,
                "{}",
                entries("own", &[&format!("own-{number}.example")], "")
            );
            if number % 3 == 0 {
                text += &feed("more", &lists, "/other", "refresh = \"1h\"");
            }
            change(&stage, &settings, &text).await;
            let own = format!("own-{number}.example");
            assert_eq!(stage.get(&own).await.status, 403, "{own}");
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let asking = async {
        while !is_over.load(Ordering::Relaxed) {
            stage
                .answers(&[("always.example", 403), ("never.example", 200)])
                .await;
        }
    };
    tokio::join!(changing, asking);
}

#[tokio::test]
async fn filters_that_name_feeds_see_those_that_come_later() {
    let settings = Settings::new("");
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        plug(
            &config.plugins.dir,
            "blocklist.toml",
            "[config]\nfeeds = [\"later\"]\n",
        );
    })
    .await;
    let mut log = Log::follow();
    settings.say(&entries("later", &["later.example"], ""));
    log.says(&["feeds changed", "added=\"later\""]).await;
    stage.until("later.example", 403).await;
    stage.until("never.example", 200).await;
    // As at the start: a filter that names a feed which is not there cannot judge.
    change(&stage, &settings, &entries("other", &["later.example"], "")).await;
    stage.until("never.example", 503).await;
}

#[tokio::test]
async fn a_filter_that_has_failed_for_want_of_a_feed_is_asked_when_it_is_there() {
    let settings = Settings::new(&entries("later", &["later.example"], ""));
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        // No pause of the quarantine ends during this test.
        let quarantine = "[quarantine]\nfailures = 3\npause = \"1h\"\nlongest_pause = \"1h\"\n";
        let feeds = "[config]\nfeeds = [\"later\"]\n";
        let settings = format!("{quarantine}{feeds}");
        plug(&config.plugins.dir, "blocklist.toml", &settings);
    })
    .await;
    stage
        .answers(&[("later.example", 403), ("never.example", 200)])
        .await;
    let mut log = Log::follow();
    change(&stage, &settings, &entries("other", &["later.example"], "")).await;
    stage
        .until_said(&mut log, "new.example", &["in quarantine", "later"])
        .await;
    assert_eq!(stage.get("never.example").await.status, 503);
    change(&stage, &settings, &entries("later", &["later.example"], "")).await;
    log.says(&["INFO", "blocklist", "out of quarantine", "feeds"])
        .await;
    stage
        .answers(&[("later.example", 403), ("never.example", 200)])
        .await;
}

#[tokio::test]
async fn filters_that_keep_the_names_of_feeds_are_told_of_new_ones() {
    let one = entries("one", &["one.example"], "");
    let settings = Settings::new(&one);
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        // It keeps the names of all feeds then.
        let exact = "[config]\nsubdomains = false\n";
        plug(&config.plugins.dir, "blocklist.toml", exact);
    })
    .await;
    stage
        .answers(&[("one.example", 403), ("www.one.example", 200)])
        .await;
    let both = one.clone() + &entries("two", &["two.example"], "");
    change(&stage, &settings, &both).await;
    stage
        .answers(&[("two.example", 403), ("www.two.example", 200)])
        .await;
    change(&stage, &settings, &one).await;
    stage
        .answers(&[("two.example", 200), ("one.example", 403)])
        .await;
}

#[tokio::test]
async fn a_feed_that_is_added_with_until_first_block_is_waited_for() {
    let lists = Site::start().await;
    lists.is_silent("/list");
    let settings = Settings::new("");
    let stage = stage(&settings).await;
    let awaited = feed(
        "list",
        &lists,
        "/list",
        "until_first = \"block\"\ntimeout = \"1s\"",
    );
    settings.say(&awaited);
    stage.until("never.example", 503).await;
    lists.serves("/list", "listed.example\n");
    stage.until("never.example", 200).await;
    assert_eq!(stage.get("listed.example").await.status, 403);
}

#[tokio::test]
async fn other_tables_need_a_restart_and_the_log_says_so() {
    let settings = Settings::new("");
    let stage = stage(&settings).await;
    let mut log = Log::follow();
    settings.say("[proxy]\nlisten = \"127.0.0.1:1\"\n[limits]\nidle = \"7s\"\n");
    for table in ["proxy", "limits"] {
        let line = format!("a change of [{table}] needs a restart: it holds after the next start");
        log.says(&["WARN", &line]).await;
    }
    // Back to what holds: there is nothing to say.
    settings.say(&entries("own", &["one.example"], ""));
    log.says(&["feeds changed"]).await;
    stage.until("one.example", 403).await;
    assert_eq!(log.count(&["needs a restart"]), 0);
    stage.proxy.reload();
    log.says(&["configuration file is read again: nothing has changed"])
        .await;
}
