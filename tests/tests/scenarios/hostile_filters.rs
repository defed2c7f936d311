//! Filters that loop, hoard, lie or break: each harms the requests that it fails on, and no
//! others. Beside each of them stands a neighbour that judges as it should.

use portcullis_tests::{Log, Stage, guests, plug};

/// The filters that fail for hosts that begin with `x` and have no opinion on others, and a word of
/// the log's explanation.
const FAILING: [(&str, &str); 11] = [
    ("loops", "[limits] cpu"),
    ("recurses", "[plugins] stack"),
    ("grows_memory", "computing time"),
    ("grows_table", "computing time"),
    ("needs_table", "[limits] table"),
    ("long_reason", "[limits] transfer"),
    ("answers_nonsense", "trap"),
    ("blocks_with_200", "verdict"),
    ("redirects_to_script", "verdict"),
    ("forges_error", "sorry"),
    ("forges_frame", "unreachable"),
];

#[tokio::test]
async fn a_filter_that_fails_costs_only_the_request_that_it_fails_on() {
    for (guest, reason) in FAILING {
        let name = format!("{guest}-block");
        let stage = Stage::beside_neighbour(&name, &guests::wat(guest), "").await;
        let mut log = Log::follow();
        let hosts = [
            ("calm.example", 200),
            ("x.example", 503),
            ("blocked.example", 403),
        ];
        stage.answers(&hosts.repeat(2)).await;
        log.says(&["WARN", "could not judge", &name, reason]).await;
        let refusal = stage.connect("x.example").await;
        let said = refusal.field("proxy-status").expect("it says why");
        assert!(said.contains(&name), "{said}");
        assert!(!stage.dns.was_asked_for("x.example"), "{name}");
    }
}

#[tokio::test]
async fn a_filter_that_may_be_skipped_costs_nothing_when_it_fails() {
    for (guest, reason) in FAILING {
        let name = format!("{guest}-skip");
        let stage =
            Stage::beside_neighbour(&name, &guests::wat(guest), "on_error = \"skip\"").await;
        let mut log = Log::follow();
        let hosts = [
            ("calm.example", 200),
            ("x.example", 200),
            ("blocked.example", 403),
        ];
        stage.answers(&hosts.repeat(2)).await;
        log.says(&["WARN", "could not judge", &name, reason]).await;
        assert_eq!(stage.connect("x.example").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_filter_has_what_its_limits_grant_and_no_more() {
    for (guest, limits, status) in [
        ("needs_time", "cpu = \"10s\"\nwall = \"10s\"", 200),
        ("needs_memory", "memory = \"33MiB\"", 200),
        (
            "needs_table",
            "table = 10_000_000\ncpu = \"10s\"\nwall = \"10s\"",
            200,
        ),
        ("long_reason", "transfer = \"3MiB\"", 403),
    ] {
        let settings = format!("[limits]\n{limits}");
        let stage = Stage::beside_neighbour(guest, &guests::wat(guest), &settings).await;
        stage
            .answers(&[("calm.example", 200), ("x.example", status)])
            .await;
    }
    for (guest, limits, named) in [
        (
            "needs_time",
            "cpu = \"10ms\"\nwall = \"10s\"",
            "[limits] cpu",
        ),
        (
            "needs_time",
            "cpu = \"10s\"\nwall = \"10ms\"",
            "[limits] wall",
        ),
        ("needs_memory", "memory = \"32MiB\"", "[limits] memory"),
        ("needs_table", "table = 9_999_999", "[limits] table"),
        ("long_reason", "transfer = \"1MiB\"", "[limits] transfer"),
    ] {
        let settings = format!("[limits]\n{limits}");
        let stage = Stage::beside_neighbour(guest, &guests::wat(guest), &settings).await;
        let mut log = Log::follow();
        stage
            .answers(&[("calm.example", 200), ("x.example", 503)])
            .await;
        stage.answers(&[("blocked.example", 403)]).await;
        log.says(&["could not judge", guest, named]).await;
    }
}

#[tokio::test]
async fn the_first_failure_of_each_kind_is_logged_however_much_there_is_of_another() {
    let settings = "[quarantine]\nfailures = 1000\n[grants]\nstate = true\nfeeds = ['*']\n[config]\ngreeting = ''";
    let stage = Stage::beside_neighbour("chatty", guests::obeys(), settings).await;
    let mut log = Log::follow();
    // Each has a text of its own.
    for number in 0..30 {
        let host = format!("panic.{number}.example");
        assert_eq!(stage.get(&host).await.status, 503);
    }
    assert_eq!(stage.get("fail.example").await.status, 503);
    let panics = ["could not judge", "chatty", "at panic."];
    log.clone().says(&panics).await;
    let told = log.count(&panics);
    assert!(told < 30, "{told} lines");
    log.says(&["could not judge", "chatty", "out of order", "suppressed=0"])
        .await;
}

#[tokio::test]
async fn calls_go_as_deep_as_the_stack_is() {
    for (stack, status) in [(512 << 10, 200), (64 << 10, 503)] {
        let stage = Stage::start_with(|config| {
            config.plugins.stack = stack;
            plug(&config.plugins.dir, "nests.wasm", guests::wat("nests"));
        })
        .await;
        let hosts = [("calm.example", 200), ("x.example", status)];
        stage.answers(&hosts.repeat(2)).await;
    }
}

#[tokio::test]
async fn an_instance_is_replaced_before_it_wears_out() {
    for (guest, limits, status) in [
        ("leaks", "memory = \"16MiB\"", 200),
        ("leaks", "memory = \"1MiB\"", 503),
        ("traps_on_third_call", "calls = 2", 200),
    ] {
        let settings = format!("[limits]\n{limits}");
        let stage = Stage::beside_neighbour(guest, &guests::wat(guest), &settings).await;
        stage
            .answers(&[("calm.example", status); 8].repeat(5))
            .await;
    }
}

#[tokio::test]
async fn a_filter_that_wears_its_instances_out_at_once_fails() {
    let stage = Stage::beside_neighbour("restless", &guests::wat("wears_out"), "").await;
    let mut log = Log::follow();
    stage.until("calm.example", 503).await;
    stage
        .answers(&[("calm.example", 503), ("blocked.example", 403)])
        .await;
    let reason = "of memory after 1 calls";
    log.says(&["could not judge", "restless", reason]).await;
}

#[tokio::test]
async fn a_filter_that_only_calls_the_proxy_is_ended_when_its_time_is_up() {
    let import = r#"(import "portcullis:filter/metrics@1.0.0" "count"
        (func $count (param i32 i32 i64 i32 i32)))"#;
    // A name of a MB, which is no name.
    let name = "(i32.const 65536) (i32.const 1000000)";
    let call = format!("(call $count {name} (i64.const 1) (i32.const 0) (i32.const 0))");
    let guest = guests::straight_line(import, &call.repeat(3000));
    let stage = Stage::beside_neighbour("caller", &guest, "").await;
    let mut log = Log::follow();
    let hosts = [
        ("x.example", 503),
        ("calm.example", 200),
        ("blocked.example", 403),
    ];
    stage.answers(&hosts.repeat(2)).await;
    log.says(&["could not judge", "caller", "[limits] cpu"])
        .await;

    stage.plug("caller.toml", "mode = \"shadow\"");
    stage.until("x.example", 200).await;
    log.says(&["could not judge", "caller", "[limits] cpu"])
        .await;
}

#[tokio::test]
async fn a_filter_that_computes_where_no_tick_is_noticed_is_found_out() {
    let fill = "(memory.fill (i32.const 0) (i32.const 1) (i32.const 62000000))";
    let guest = guests::straight_line("", &fill.repeat(30));
    let stage = Stage::beside_neighbour("filler", &guest, "").await;
    let mut log = Log::follow();
    // The first call that is late has the next ones measured.
    let found_out = ["could not judge", "filler", "[limits] cpu"];
    stage.until_said(&mut log, "x.example", &found_out).await;
    stage
        .answers(&[("calm.example", 200), ("blocked.example", 403)])
        .await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_used() {
    let fill = "(memory.fill (i32.const 0) (i32.const 0) (i32.const 62000000))";
    let guest = guests::straight_line("", fill);
    let settings = "[limits]\ncpu = \"1h\"\nwall = \"1ms\"\n[quarantine]\nfailures = 4294967295";
    let stage = Stage::beside_neighbour("tardy", &guest, settings).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 503)]).await;
    // Whether such a call has computed or was kept waiting was not measured, unless it met a tick
    // at its very beginning. After that, 64 are measured.
    let measured = ["could not judge", "tardy", "its next calls are measured"];
    stage.until_said(&mut log, "x.example", &measured).await;
    stage.answers(&[("x.example", 503)]).await;
}

#[tokio::test]
async fn calls_that_never_end_wait_for_each_other_and_not_the_neighbours_for_them() {
    let settings = "[limits]\ncpu = \"1h\"\nwall = \"2s\"\nconcurrency = 1";
    let stage = Stage::beside_neighbour("crowded", &guests::wat("loops"), settings).await;
    let mut log = Log::follow();
    let mut stuck = Vec::new();
    for _ in 0..5 {
        let mut client = stage.proxy.client().await;
        client.send(stage.request("x.example", "")).await;
        stuck.push(client);
    }
    stage
        .answers(&[("calm.example", 503), ("blocked.example", 403)])
        .await;
    for mut client in stuck {
        assert_eq!(client.response().await.status, 503);
    }
    log.says(&["could not judge", "crowded"]).await;
}

#[tokio::test]
async fn a_table_of_ordinary_size_is_granted() {
    let stage = Stage::beside_neighbour("table", &guests::wat("needs_table"), "").await;
    let hosts = [("y.example", 200), ("x.example", 503)];
    stage.answers(&hosts.repeat(2)).await;
}

#[tokio::test]
async fn a_long_reason_is_cut() {
    let stage = Stage::beside_neighbour("verbose", &guests::wat("long_reason"), "").await;
    let refusal = stage.get("y.example").await;
    assert_eq!(refusal.status, 403);
    assert!((100..2000).contains(&refusal.body.len()), "{refusal:?}");
    assert!(refusal.head.len() < 2000, "{refusal:?}");
}

#[tokio::test]
async fn a_filter_that_never_answers_holds_up_no_other_client() {
    let settings = "[limits]\ncpu = \"3s\"\nwall = \"10s\"";
    let stage = Stage::beside_neighbour("endless", &guests::wat("loops"), settings).await;
    let mut log = Log::follow();
    let mut stuck = stage.proxy.client().await;
    stuck.send(stage.request("x.example", "")).await;
    // Not so many that they take as long as its three seconds of computing.
    for _ in 0..10 {
        let hosts = [("calm.example", 200), ("blocked.example", 403)];
        stage.answers(&hosts).await;
    }
    assert!(
        !log.has_said("filter=\"endless\""),
        "it was not running meanwhile"
    );
    assert_eq!(stuck.response().await.status, 503);
    log.says(&["could not judge", "endless", "computing time"])
        .await;
}

#[tokio::test]
async fn an_instance_that_trapped_is_replaced() {
    let stage = Stage::beside_neighbour("third", &guests::wat("traps_on_third_call"), "").await;
    let mut log = Log::follow();
    let hosts = [("a.example", 200), ("b.example", 200), ("c.example", 503)];
    stage.answers(&hosts.repeat(3)).await;
    log.says(&["could not judge", "third", "unreachable"]).await;
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
async fn each_panic_is_told_with_its_place_and_message() {
    let stage = Stage::beside_neighbour("excited", guests::panics(), "").await;
    let mut log = Log::follow();
    let panics = ["panic.example", "panic-too.example"];
    for host in panics {
        let hosts = [(host, 503), ("blocked.example", 403)];
        stage.answers(&hosts).await;
    }
    for host in panics {
        let said = format!("panics/src/lib.rs:16: asked about {host}");
        log.says(&["could not judge", "excited", &said]).await;
    }
}

#[tokio::test]
async fn a_reason_cannot_become_a_header_field() {
    let stage = Stage::beside_neighbour("splitter", &guests::wat("splits_reason"), "").await;
    let mut client = stage.proxy.client().await;
    client.send(stage.request("x.example", "")).await;
    let refusal = client.response().await;
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.field("set-cookie"), None);
    assert!(refusal.body.contains("Set-Cookie: a=b"), "{}", refusal.body);
    client.send(stage.request("calm.example", "")).await;
    assert_eq!(client.response().await.body, "welcome");
}

#[tokio::test]
async fn a_location_cannot_become_a_header_field() {
    let stage = Stage::beside_neighbour("mover", &guests::wat("splits_location"), "").await;
    let moved = stage.get("x.example").await;
    assert_eq!(moved.field("set-cookie"), None);
    // The URL standard takes line breaks out.
    let location = "http://elsewhere.test/Set-Cookie:%20a";
    assert_eq!(moved.field("location"), Some(location));
    let hosts = [("calm.example", 200), ("blocked.example", 403)];
    stage.answers(&hosts).await;
}

#[tokio::test]
async fn a_few_lines_of_log_are_all_written() {
    let stage = Stage::beside_neighbour("poet", &guests::wat("floods_log"), "").await;
    let mut log = Log::follow();
    stage.answers(&[("y.example", 200)]).await;
    for _ in 0..10 {
        log.says(&["ERROR", "poet", "all work and no play"]).await;
    }
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
async fn a_filter_cannot_fill_the_log() {
    let settings = "[limits]\ncpu = \"5s\"\nwall = \"10s\"";
    let stage = Stage::beside_neighbour("chatter", &guests::wat("floods_log"), settings).await;
    let mut log = Log::follow();
    let hosts = [
        ("x.example", 200),
        ("calm.example", 200),
        ("blocked.example", 403),
    ];
    stage.answers(&hosts.repeat(2)).await;
    let lines = log.count(&["chatter", "all work and no play"]);
    assert!((1..1000).contains(&lines), "{lines} of 10000 lines");
    log.says(&["WARN", "chatter", "lines"]).await;
}

#[tokio::test]
async fn a_filter_cannot_fill_more_than_its_own_store() {
    let grant = "[grants]\nstate = true\n";
    let stage = Stage::beside_neighbour("packrat", &guests::wat("floods_state"), grant).await;
    let counter = format!("{grant}[config]\nlimit = 1");
    let mut log = Log::follow();
    for _ in 0..3 {
        stage
            .answers(&[("x.example", 503), ("blocked.example", 403)])
            .await;
    }
    log.says(&["could not judge", "packrat", "[limits] cpu"])
        .await;
    // Others have all the room that is theirs.
    stage.plug("careful.toml", counter);
    stage.plug("careful.wasm", guests::counter());
    stage
        .ask_until("calm.example", |response| response.status == 403)
        .await;
}

#[tokio::test]
async fn what_a_filter_says_of_its_failure_stays_one_line_of_the_log() {
    for guest in ["forges_error", "forges_frame"] {
        let name = format!("{guest}-once");
        let stage = Stage::beside_neighbour(&name, &guests::wat(guest), "").await;
        let mut log = Log::follow();
        stage.answers(&[("x.example", 503)]).await;
        let line = log.says(&["could not judge", &name, "sorry"]).await;
        assert!(!line.contains("\nERROR"), "{line:?}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}
