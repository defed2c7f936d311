//! The built-in filters that wait for their settings: each does what its settings say, to real
//! requests.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis::commands::Lists;
use portcullis::config::Group;
use portcullis_tests::{Log, Origin, Proxy, Stage, guests, plug};

const ONLY_CORP: &str = "[config]\nhosts = [\"corp.example\"]\n";

async fn with(name: &str, settings: &str) -> Stage {
    Stage::start_with(|config| plug(&config.plugins.dir, &format!("{name}.toml"), settings)).await
}

#[tokio::test]
async fn a_built_in_filter_judges_from_when_its_settings_are_there_until_they_are_gone() {
    let stage = Stage::start().await;
    stage.answers(&[("other.example", 200)]).await;
    stage.plug("allowlist.toml", ONLY_CORP);
    stage.until("other.example", 403).await;

    // Settings that are wrong change nothing.
    let mut log = Log::follow();
    stage.plug("allowlist.toml", "[config]\nhost = []");
    log.says(&[
        "refused",
        "allowlist",
        "unknown key `host`",
        "goes on serving",
    ])
    .await;
    stage
        .answers(&[("other.example", 403), ("corp.example", 200)])
        .await;

    stage.unplug("allowlist.toml");
    stage.until("other.example", 200).await;
}

#[tokio::test]
async fn settings_that_are_gone_for_a_moment_leave_the_filter_in_use() {
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        plug(&config.plugins.dir, "allowlist.toml", ONLY_CORP);
    })
    .await;
    stage.answers(&[("other.example", 403)]).await;
    stage.unplug("allowlist.toml");
    // What comes later is in use; so that they are gone was seen.
    stage.plug("later.wasm", guests::bare());
    stage.until("blocked.corp.example", 403).await;
    stage.answers(&[("other.example", 403)]).await;

    stage.plug("allowlist.toml", ONLY_CORP.replace("corp", "other"));
    stage.until("other.example", 200).await;
}

#[tokio::test]
async fn check_names_the_built_in_filters_that_could_be_used() {
    let stage = with("headers", "enabled = false").await;
    stage.plug("schedule.toml", "[config]\nrules = 1");
    let report = portcullis::commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    let report = report.expect("an engine");
    assert!(!report.is_ok());
    let text = report.to_string();
    let allowlist = stage.proxy.plugins().join("allowlist.toml");
    let schedule = stage.proxy.plugins().join("schedule.toml");
    for line in [
        "plugin blocklist (built in): ok\n".to_owned(),
        "plugin headers (built in): disabled\n".to_owned(),
        format!(
            "plugin schedule (built in): refused: {}:2:9: config.rules: invalid type: integer `1`, expected a list\n",
            schedule.display()
        ),
        format!(
            "plugin allowlist (built in): available, add {} to use it\n",
            allowlist.display()
        ),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }
}

#[tokio::test]
async fn the_settings_that_the_readme_shows_can_be_used() {
    let readme = include_str!("../../../README.md");
    let tablets = Group::new(["192.0.2.0/28".parse().unwrap()]);
    let groups = BTreeMap::from([("tablets".to_owned(), tablets)]);
    let stage = Stage::start_with(|config| config.groups = groups).await;
    for section in readme.split("\n**`").skip(1) {
        let (file, text) = section.split_once("`**").expect("a file's name");
        let settings = text.split("```").nth(1).expect("an example");
        stage.plug(file, settings.trim_start_matches("toml"));
    }
    let report = portcullis::commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    let report = report.expect("an engine").to_string();
    let names = [
        "allowlist",
        "blocklist",
        "headers",
        "lookalike",
        "ratelimit",
        "schedule",
    ];
    for name in names {
        let line = format!("plugin {name} (built in): ok\n");
        assert!(report.contains(&line), "{report}");
        assert!(
            stage.proxy.plugins().join(format!("{name}.toml")).exists(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_allowlist_lets_pass_what_is_listed_for_the_client() {
    let settings = r#"
        [config]
        hosts = ["corp.example"]
        reason = "{host} is not for us"
        [[config.clients]]
        networks = ["127.0.0.0/8"]
        hosts = ["vendor.example"]
        [[config.clients]]
        networks = ["192.0.2.0/24"]
        hosts = ["*"]
    "#;
    let stage = with("allowlist", settings).await;
    stage
        .answers(&[
            ("corp.example", 200),
            ("www.vendor.example", 200),
            ("other.example", 403),
        ])
        .await;
    assert_eq!(stage.connect("other.example").await.status, 403);
    assert_eq!(stage.connect("vendor.example").await.status, 200);
    let refusal = stage.get("other.example").await;
    let told = "Reason: other.example is not for us\nFilter: allowlist\n";
    assert!(refusal.body.contains(told), "{}", refusal.body);
}

#[tokio::test]
async fn the_allowlist_keeps_some_clients_to_some_hosts_and_shuts_out_no_others() {
    let kept_to = |network: &str| {
        format!(
            "[config]\nclients = [{{networks = [\"{network}\"], hosts = [\"school.example\"], only = true}}]"
        )
    };
    let stage = with("allowlist", &kept_to("192.0.2.0/24")).await;
    stage
        .answers(&[("school.example", 200), ("games.example", 200)])
        .await;
    stage.plug("allowlist.toml", kept_to("127.0.0.0/8"));
    stage.until("games.example", 403).await;
    stage.answers(&[("www.school.example", 200)]).await;
}

#[tokio::test]
async fn hosts_in_settings_may_be_written_in_their_own_script() {
    let settings = "[config]\nhosts = [\"Bücher.example\", \"例え。テスト\"]";
    let stage = with("allowlist", settings).await;
    stage
        .answers(&[
            ("www.xn--bcher-kva.example", 200),
            ("xn--r8jz45g.xn--zckzah", 200),
            ("bucher.example", 403),
        ])
        .await;
}

#[tokio::test]
async fn what_the_allowlist_lets_pass_the_blocklist_may_refuse() {
    let settings = "[config]\nhosts = [\"wicar.org\"]";
    let stage = with("allowlist", settings).await;
    stage.answers(&[("www.wicar.org", 200)]).await;
    let refusal = stage.get("malware.wicar.org").await;
    assert!(
        refusal.body.contains("Filter: blocklist\n"),
        "{}",
        refusal.body
    );
}

#[tokio::test]
async fn look_alikes_of_a_brand_are_refused() {
    let stage = with("lookalike", "[config]\nbrands = [\"paypal.com\"]").await;
    // The third has a Cyrillic letter.
    for host in ["paypa1.com", "www.paypal-login.test", "xn--pypal-4ve.com"] {
        for _ in ["asked", "from the cache"] {
            let refusal = stage.get(host).await;
            let told = format!("Reason: {host} looks like paypal.com\nFilter: lookalike\n");
            assert!(refusal.body.contains(&told), "{refusal:?}");
        }
        assert_eq!(stage.connect(host).await.status, 403);
    }
    stage
        .answers(&[("www.paypal.com", 200), ("palpitation.test", 200)])
        .await;
}

#[tokio::test]
async fn header_fields_are_changed_and_referrers_trimmed_on_their_way() {
    let settings = r#"
        [[config.rules]]
        referrer = "origin"
        request = { remove = ["sec-ch-ua*"], set = { Sec-GPC = "1" } }
        response = { remove = ["Server"] }
        [[config.rules]]
        hosts = ["elsewhere.example"]
        request.set = { Sec-GPC = "0" }
    "#;
    let proxy =
        Proxy::start_with(|config| plug(&config.plugins.dir, "headers.toml", settings)).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let (url, host) = (origin.url("/"), origin.authority());
    let fields = "Referer: http://intranet.corp.example/secret?q=1\r\nSec-CH-UA: a\r\nSec-CH-UA-Mobile: ?0\r\nX-Own: kept\r\n";
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    for field in [
        "referer: http://intranet.corp.example/",
        "sec-gpc: 1",
        "x-own: kept",
    ] {
        assert!(
            head.contains(&format!("\r\n{field}\r\n")),
            "{field} in {head}"
        );
    }
    assert!(!head.contains("sec-ch-ua"), "{head}");

    served
        .send("HTTP/1.1 200 OK\r\nServer: secret/1\r\nX-Own: kept\r\nContent-Length: 0\r\n\r\n")
        .await;
    let response = client.response().await;
    assert_eq!(response.field("server"), None);
    assert_eq!(response.field("x-own"), Some("kept"));
}

#[tokio::test]
async fn a_schedule_opens_and_closes_hosts() {
    // Whatever the time is, it lies within a window of all day.
    let settings = r#"
        [config]
        timezone = "Europe/Berlin"
        [[config.rules]]
        hosts = ["open.example"]
        open = [{ from = "08:00", to = "20:00" }, { from = "20:00", to = "08:00" }]
        [[config.rules]]
        hosts = ["closed.example"]
        closed = [{ days = ["mon", "tue", "wed", "thu", "fri"] }, { days = ["sat", "sun"] }]
    "#;
    let stage = with("schedule", settings).await;
    stage
        .answers(&[
            ("open.example", 200),
            ("closed.example", 403),
            ("other.example", 200),
        ])
        .await;
    let refusal = stage.get("www.closed.example").await;
    let told = "Reason: www.closed.example is closed at this time (";
    assert!(refusal.body.contains(told), "{}", refusal.body);

    let mut log = Log::follow();
    stage.plug("schedule.toml", settings.replace("Berlin", "Berln"));
    log.says(&[
        "refused",
        "schedule",
        "timezone: there is no time zone",
        "Europe/Berln",
    ])
    .await;
}

#[tokio::test]
async fn a_rate_limit_counts_for_all_workers_together() {
    let settings = r#"
        [[config.limits]]
        requests = 4
        per = "1h"
        [[config.limits]]
        requests = 2
        per = "1h"
        by = "client-and-domain"
    "#;
    let stage = with("ratelimit", settings).await;
    // Each is a connection of its own, so both workers have their share; a tunnel is a request.
    assert_eq!(stage.get("a.one.example").await.status, 200);
    assert_eq!(stage.connect("b.one.example").await.status, 200);
    let refusal = stage.get("c.one.example").await;
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.field("retry-after"), Some("3600"));
    let told = "Reason: more than 2 requests in 1h\nFilter: ratelimit\n";
    assert!(refusal.body.contains(told), "{}", refusal.body);

    assert_eq!(stage.get("two.example").await.status, 200);
    let refusal = stage.get("three.example").await;
    assert!(
        refusal.body.contains("more than 4 requests in 1h"),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn where_no_more_can_be_counted_those_who_are_go_on() {
    let settings = r#"
        [grants]
        state = true
        [limits]
        state = "1KiB"
        [[config.limits]]
        requests = 9
        per = "1h"
        by = "client-and-host"
    "#;
    let stage = with("ratelimit", settings).await;
    let mut log = Log::follow();
    assert_eq!(stage.get("first.example").await.status, 200);
    let mut hosts = (0..50).map(|number| format!("{number}.example"));
    let refusal = loop {
        let host = hosts.next().expect("room for a few hosts only");
        let response = stage.get(&host).await;
        if response.status != 200 {
            break response;
        }
    };
    assert_eq!(refusal.status, 503);
    let told = "Reason: the proxy is counting as many clients as it can; try again later\nFilter: ratelimit\n";
    assert!(refusal.body.contains(told), "{}", refusal.body);
    log.says(&["WARN", "ratelimit", "raise [limits] state"])
        .await;
    // More failures than would have a filter in quarantine.
    for host in hosts {
        assert_eq!(stage.get(&host).await.status, 503, "{host}");
    }
    assert_eq!(stage.get("first.example").await.status, 200);
}
