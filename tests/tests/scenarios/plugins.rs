//! The plugin folder: what is copied, changed or deleted there holds for the next requests.

use portcullis_tests::{Log, Stage, guests, plug};

const BLOCK_EVIL: &str = "[config]\nblock = [\"evil.example\"]\n";

#[tokio::test]
async fn a_filter_judges_from_when_it_is_copied_into_the_folder_until_it_is_deleted() {
    let stage = Stage::start().await;
    assert_eq!(stage.get("blocked.example").await.body, "welcome");

    stage.plug("newcomer.wasm", guests::bare());
    let refusal = stage.until("blocked.example", 403).await;
    assert!(
        refusal.body.contains("Reason: bare\nFilter: newcomer\n"),
        "{}",
        refusal.body
    );
    assert_eq!(stage.connect("blocked.example").await.status, 403);
    assert_eq!(stage.get("other.example").await.body, "welcome");

    stage.unplug("newcomer.wasm");
    stage.until("blocked.example", 200).await;
    assert_eq!(stage.connect("blocked.example").await.status, 200);
}

#[tokio::test]
async fn a_core_module_is_as_good_as_a_component() {
    let stage = Stage::start().await;
    stage.plug("plain.wasm", guests::bare_module());
    stage.until("blocked.example", 403).await;

    stage.plug("configured.toml", BLOCK_EVIL);
    stage.plug("configured.wasm", guests::suffix_module());
    let refusal = stage.until("www.evil.example", 403).await;
    assert!(
        refusal
            .body
            .contains("Reason: evil.example is blocked here\nFilter: configured\n")
    );
}

#[tokio::test]
async fn settings_that_change_are_taken_up() {
    let stage = Stage::start().await;
    stage.plug("suffix.toml", BLOCK_EVIL);
    stage.plug("suffix.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
    assert_eq!(stage.get("bad.example").await.status, 200);

    stage.plug("suffix.toml", BLOCK_EVIL.replace("evil", "bad"));
    stage.until("bad.example", 403).await;
    assert_eq!(stage.get("evil.example").await.status, 200);
}

#[tokio::test]
async fn a_file_that_is_no_filter_leaves_the_one_before_in_use_and_the_log_says_why() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("steady.toml", BLOCK_EVIL);
    stage.plug("steady.wasm", guests::suffix());
    stage.until("evil.example", 403).await;

    let half = &guests::suffix()[..guests::suffix().len() / 2];
    let mut garbled = guests::suffix().to_vec();
    garbled[1000..2000].fill(0xee);
    for (content, reason) in [
        (
            &b"\x1f\x8b\x08garbage\xff\0"[..],
            "not a WebAssembly binary",
        ),
        (b"(component)", "this is WebAssembly text"),
        (b"", "the file is incomplete"),
        (half, "the file is incomplete"),
        (&garbled, "this component does not compile"),
        (b"\0asm\x01\0\0\0", "#[filter] above its impl?"),
    ] {
        stage.plug("steady.wasm", content);
        let line = log.says(&["refused", "plugin=\"steady\"", reason]).await;
        assert!(
            line.contains("ERROR") && line.contains("goes on serving"),
            "{line}"
        );
        assert_eq!(stage.get("evil.example").await.status, 403, "{reason}");
    }
    stage.plug("steady.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn settings_that_cannot_be_used_leave_the_ones_before_in_use_and_the_log_says_why() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("choosy.toml", BLOCK_EVIL);
    stage.plug("choosy.wasm", guests::suffix());
    stage.until("evil.example", 403).await;

    for (settings, reason) in [
        (
            "[config]\nblok = []",
            "choosy.toml:2:1: unknown key `blok` in [config]; did you mean `block`?",
        ),
        ("[config", "choosy.toml:1:8: "),
        ("on_eror = \"skip\"", "did you mean `on_error`?"),
    ] {
        stage.plug("choosy.toml", settings);
        let line = log.says(&["refused", "plugin=\"choosy\"", reason]).await;
        assert!(line.contains("goes on serving"), "{line}");
        assert_eq!(stage.get("evil.example").await.status, 403, "{settings}");
    }
    stage.plug("choosy.toml", "[config]\nblock = []");
    stage.until("evil.example", 200).await;
}

#[tokio::test]
async fn a_filter_without_what_it_needs_is_refused_and_traffic_passes() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("lacking.wasm", guests::suffix());
    let advice = "lacking.toml; write there:  config = { block = [] }";
    let line = log.says(&["refused", "plugin=\"lacking\"", advice]).await;
    assert!(line.contains("requests are not judged by it"), "{line}");
    assert_eq!(stage.get("evil.example").await.status, 200);

    stage.plug("lacking.toml", BLOCK_EVIL);
    stage.until("evil.example", 403).await;
}

#[tokio::test]
async fn the_refusal_of_a_filter_that_may_refuse_nothing_says_why_it_may_not() {
    let rows = [
        ("watching", "mode = 'shadow'", "it is in shadow mode"),
        ("optional", "required = false", "it is not required"),
        ("turned-off", "enabled = false", "it is disabled"),
    ];
    let log = Log::follow();
    let stage = Stage::start_with(|config| {
        for (name, settings, _) in rows {
            let mistaken = format!("{settings}\nlimitz = 1");
            plug(&config.plugins.dir, &format!("{name}.toml"), mistaken);
            plug(&config.plugins.dir, &format!("{name}.wasm"), guests::bare());
        }
    })
    .await;
    for (name, _, why) in rows {
        let plugin = format!("plugin=\"{name}\"");
        let line = log.clone().says(&["refused", &plugin, "limitz"]).await;
        assert!(line.contains(why), "{line}");
    }
    stage.answers(&[("blocked.example", 200)]).await;
}

#[tokio::test]
async fn a_file_may_be_renamed_into_place() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    let part = stage.proxy.plugins().join("moved.wasm.part");
    std::fs::write(&part, guests::bare()).unwrap();
    // What comes later is in use; so the first file was seen, and left alone.
    stage.plug("later.toml", BLOCK_EVIL);
    stage.plug("later.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
    assert_eq!(stage.get("blocked.example").await.status, 200);

    std::fs::rename(&part, part.with_file_name("moved.wasm")).unwrap();
    log.says(&["loaded", "plugin=\"moved\""]).await;
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn a_folder_that_is_made_later_or_made_again_is_seen() {
    let stage = Stage::start_with(|config| config.plugins.dir.push("later")).await;
    let folder = stage.proxy.plugins();
    for _ in 0..2 {
        assert_eq!(stage.get("blocked.example").await.status, 200);
        std::fs::create_dir(folder).unwrap();
        stage.plug("bare.wasm", guests::bare());
        stage.until("blocked.example", 403).await;
        std::fs::remove_dir_all(folder).unwrap();
        stage.until("blocked.example", 200).await;
    }
}

#[tokio::test]
async fn the_first_filter_in_the_order_answers() {
    for (order, first) in [(&[][..], "a"), (&["b"], "b"), (&["c", "b", "a"], "c")] {
        let stage = Stage::start_with(|config| {
            config.plugins.order = order.iter().map(ToString::to_string).collect();
            for file in ["a.wasm", "b.wasm", "c.wasm"] {
                plug(&config.plugins.dir, file, guests::bare());
            }
        });
        let refusal = stage.await.get("blocked.example").await;
        assert!(
            refusal.body.contains(&format!("Filter: {first}\n")),
            "{}",
            refusal.body
        );
    }
}

#[tokio::test]
async fn a_file_replaces_the_built_in_filter_of_its_name() {
    let stage = Stage::start().await;
    assert_eq!(stage.get("malware.wicar.org").await.status, 403);

    stage.plug("blocklist.wasm", guests::bare());
    stage.until("malware.wicar.org", 200).await;
    assert_eq!(stage.get("blocked.example").await.status, 403);

    stage.unplug("blocklist.wasm");
    stage.until("malware.wicar.org", 403).await;
    assert_eq!(stage.get("blocked.example").await.status, 200);
}

#[tokio::test]
async fn a_filter_can_be_switched_off_and_on() {
    let stage = Stage::start().await;
    stage.plug("blocklist.toml", "enabled = false");
    stage.until("malware.wicar.org", 200).await;
    stage.plug("blocklist.toml", "enabled = true");
    stage.until("malware.wicar.org", 403).await;
}

#[tokio::test]
async fn a_filter_that_panics_takes_only_its_request_with_it() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "fragile.wasm", guests::panics());
    })
    .await;
    let mut client = stage.proxy.client().await;
    for (host, status) in [("panic.example", 503), ("calm.example", 200)].repeat(3) {
        let url = stage.url(host);
        client
            .send(format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .await;
        let response = client.response().await;
        assert_eq!(response.status, status, "{host}");
        if status == 503 {
            let said = response.field("proxy-status").expect("it says why");
            assert!(said.contains("error=proxy_internal_error"), "{said}");
            assert!(said.contains("filter fragile"), "{said}");
            assert!(!stage.dns.was_asked_for(host));
        }
    }
    assert_eq!(stage.connect("panic.example").await.status, 503);
}

#[tokio::test]
async fn a_filter_that_may_be_skipped_is_skipped_when_it_panics() {
    let stage = Stage::start_with(|config| {
        let folder = &config.plugins.dir;
        plug(folder, "expendable.toml", "on_error = \"skip\"");
        plug(folder, "expendable.wasm", guests::panics());
        plug(folder, "next.wasm", guests::bare());
    })
    .await;
    let mut log = Log::follow();
    assert_eq!(stage.get("panic.example").await.body, "welcome");
    log.says(&[
        "WARN",
        "could not judge",
        "filter=\"expendable\"",
        "the next filter is asked",
    ])
    .await;
    let refusal = stage.get("blocked.panic.example").await;
    assert!(refusal.body.contains("Filter: next\n"), "{}", refusal.body);
}

#[tokio::test]
async fn a_filter_sees_methods_urls_and_header_fields() {
    let rules = r#"
        [config]
        methods = ["DELETE"]
        urls = ["/ads/"]
        headers = { user-agent = "bad" }
    "#;
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "rules.toml", rules);
        plug(&config.plugins.dir, "rules.wasm", guests::headers());
    })
    .await;
    assert_eq!(
        stage
            .get_with("a.example", "User-Agent: good/1\r\n")
            .await
            .status,
        200
    );
    let fields = "User-Agent: good/1\r\nUser-Agent: bad/2\r\n";
    let refusal = stage.get_with("a.example", fields).await;
    assert_eq!(refusal.status, 403);
    assert!(
        refusal
            .body
            .contains("Reason: user-agent contains bad\nFilter: rules\n")
    );

    let url = stage.url("a.example");
    for (line, status) in [
        (format!("DELETE {url}"), 405),
        (format!("GET {url}ads/1.gif"), 403),
    ] {
        let mut client = stage.proxy.client().await;
        client
            .send(format!("{line} HTTP/1.1\r\nHost: a.example\r\n\r\n"))
            .await;
        assert_eq!(client.response().await.status, status, "{line}");
    }
    // Its fields are invisible in a tunnel, and so is the tunnel to it.
    assert_eq!(stage.connect("a.example").await.status, 200);
}

#[tokio::test]
async fn settings_left_behind_keep_no_filter_alive() {
    let stage = Stage::start().await;
    stage.plug("gone.toml", BLOCK_EVIL);
    stage.plug("gone.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
    stage.unplug("gone.wasm");
    stage.until("evil.example", 200).await;
}

#[tokio::test]
async fn a_built_in_filter_stands_in_with_its_defaults_for_settings_with_a_mistake() {
    for content in ["on_eror = \"block\"", "[config]\nstatus = 200"] {
        let settings = |config: &mut portcullis::Config| {
            plug(&config.plugins.dir, "blocklist.toml", content);
        };
        let stage = Stage::start_with(settings).await;
        assert_eq!(
            stage.get("malware.wicar.org").await.status,
            403,
            "{content}"
        );
        stage.plug("blocklist.toml", "");
        stage.unplug("blocklist.toml");
        assert_eq!(
            stage.get("malware.wicar.org").await.status,
            403,
            "{content}"
        );
    }
}

#[tokio::test]
async fn a_built_in_filter_that_may_refuse_nothing_does_not_stand_in_either() {
    for settings in ["mode = 'shadow'", "required = false", "enabled = false"] {
        let mistaken = format!("{settings}\non_eror = 'block'");
        let stage = Stage::start_with(|config| {
            plug(&config.plugins.dir, "blocklist.toml", mistaken);
        })
        .await;
        let hosts = [("malware.wicar.org", 200), ("a.example", 200)];
        stage.answers(&hosts).await;
    }
}

/// A file takes the place of a built-in filter, and so does one that cannot be used at the start.
#[tokio::test]
async fn nothing_stands_in_for_a_refused_file_that_has_the_name_of_a_built_in_filter() {
    for (settings, status) in [("", 503), ("mode = 'shadow'", 200)] {
        let stage = Stage::start_with(|config| {
            plug(&config.plugins.dir, "blocklist.toml", settings);
            plug(&config.plugins.dir, "blocklist.wasm", "no filter");
        })
        .await;
        for host in ["malware.wicar.org", "a.example"] {
            let response = stage.get(host).await;
            assert_eq!(response.status, status, "{settings}: {response:?}");
            let is_named = response.body.contains("Filter: blocklist\n");
            assert_eq!(is_named, status == 503, "{response:?}");
        }
        stage.unplug("blocklist.wasm");
        stage.unplug("blocklist.toml");
        stage.until("malware.wicar.org", 403).await;
        stage.answers(&[("a.example", 200)]).await;
    }
    // The built-in filter is the version before of a file that comes later.
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("blocklist.wasm", "no filter");
    log.says(&["refused", "plugin=\"blocklist\"", "goes on serving"])
        .await;
    stage
        .answers(&[("malware.wicar.org", 403), ("a.example", 200)])
        .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_could_not_be_read_is_read_when_it_can_be() {
    use std::os::unix::fs::symlink;
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let dir = &config.plugins.dir;
        std::fs::create_dir_all(dir).unwrap();
        // A regular file whose first byte cannot be read, not even by root.
        symlink("/proc/self/mem", dir.join("locked.toml")).unwrap();
        plug(dir, "locked.wasm", guests::bare());
    })
    .await;
    log.says(&["refused", "locked", "cannot read"]).await;
    assert_eq!(stage.get("blocked.example").await.status, 503);
    stage.unplug("locked.toml");
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn the_log_says_for_which_contract_a_file_was_built() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("dated.wasm", guests::bare());
    log.says(&["loaded", "plugin=\"dated\"", "contract=\"1.0.0\""])
        .await;
    // It may change with the file.
    stage.plug("dated.wasm", guests::wat("guards"));
    log.says(&["replaced", "plugin=\"dated\"", "contract=\"1.0.0\""])
        .await;
}
