//! Every limit of a filter tells which one it was, how much it allows, and the setting that raises
//! it: in the log, and where a person asks (`explain`, or `plugin list` for what is not loaded).
//!
//! What happens to requests meanwhile is in `hostile_filters`, `hostile_files` and `quarantine`;
//! the limits of compiling are in `compiler` and `hostile_files`; what a call of the proxy answers
//! to an argument that is too long is told to the filter, and asked for in
//! `guests/obeys/cases.toml` as far as the SDK passes such arguments on. A limit that work in the
//! background meets is in the log alone.

mod hooks;
mod reasons;

use portcullis_tests::{Log, Stage, guests, plug};

/// A limit, a filter that meets it at hosts that begin with `x`, settings under which it does, and
/// parts of what is said of it.
struct Row {
    limit: &'static str,
    wasm: Vec<u8>,
    settings: &'static str,
    says: Vec<&'static str>,
}

fn row(limit: &'static str, guest: &str, settings: &'static str, says: &'static str) -> Row {
    made(limit, guests::wat(guest), settings, says)
}

/// The same for a filter that is made here.
fn made(limit: &'static str, wasm: Vec<u8>, settings: &'static str, says: &'static str) -> Row {
    Row {
        limit,
        wasm,
        settings,
        says: says.split("..").collect(),
    }
}

/// Limits that are met while a request is judged.
fn of_calls() -> Vec<Row> {
    vec![
        row(
            "cpu",
            "loops",
            "cpu = '7ms'\nwall = '20s'",
            "used more than its 7ms of computing time ([limits] cpu)",
        ),
        row(
            "wall",
            "needs_time",
            "cpu = '20s'\nwall = '10ms'",
            " its 10ms..([limits] wall)",
        ),
        row(
            "memory",
            "needs_memory",
            "memory = '32MiB'\ncpu = '10s'\nwall = '20s'",
            "needs more than its 32.0 MiB of memory ([limits] memory)",
        ),
        row(
            "table",
            "needs_table",
            "table = 9_999_999\ncpu = '10s'\nwall = '20s'",
            "needs more than its 9999999 table elements ([limits] table)",
        ),
        row(
            "transfer",
            "long_reason",
            "transfer = '1MiB'\ncpu = '10s'\nwall = '20s'",
            "hands over more than 1.0 MiB at once ([limits] transfer)",
        ),
        row(
            "stack",
            "recurses",
            "cpu = '10s'\nwall = '20s'",
            "go deeper than the stack of 512.0 KiB ([plugins] stack)",
        ),
    ]
}

/// Limits that are met when an instance is made, so that the file is refused.
fn of_starts() -> Vec<Row> {
    vec![
        row(
            "start_cpu",
            "loops_in_init",
            "start_cpu = '20ms'\nstart_wall = '20s'",
            "used more than its 20ms of computing time ([limits] start_cpu)",
        ),
        row(
            "start_wall",
            "loops_in_init",
            "start_cpu = '20s'\nstart_wall = '20ms'",
            " its 20ms..([limits] start_wall)",
        ),
        row(
            "memory",
            "starts_large",
            "memory = '64MiB'",
            "needs more than its 64.0 MiB of memory ([limits] memory)",
        ),
        row(
            "table",
            "starts_with_table",
            "table = 1000",
            "needs more than its 1000 table elements ([limits] table)",
        ),
        made(
            "start_cpu",
            guests::starting(COUNT, &many_calls()),
            "start_cpu = '20ms'\nstart_wall = '20s'",
            "used more than its 20ms of computing time ([limits] start_cpu)",
        ),
    ]
}

/// The function that [`count`] calls.
const COUNT: &str = r#"(import "portcullis:filter/metrics@1.0.0" "count"
    (func $count (param i32 i32 i64 i32 i32)))"#;

/// A call of the proxy with a text of so many bytes, which names no metric.
fn count(bytes: usize) -> String {
    format!(
        "(call $count (i32.const 65536) (i32.const {bytes}) (i64.const 1)
          (i32.const 0) (i32.const 0))"
    )
}

/// Calls in a straight line, which take more than 50 ms: the guest itself notices no tick.
fn many_calls() -> String {
    count(1_000_000).repeat(3000)
}

/// Limits that are met by work in the background.
fn of_ticks() -> Vec<Row> {
    let endless = || guests::ticking("", "(loop $again (br $again))");
    let hoarding = "(loop $again
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (br $again))";
    // What it answers begins at 0: to be called again in 300 ms. It has 60 MB to begin with.
    let again_with_more = "(i32.store8 (i32.const 8) (i32.const 1))
        (i64.store (i32.const 16) (i64.const 300))
        (drop (memory.grow (i32.const 64)))";
    vec![
        made(
            "start_cpu",
            endless(),
            "start_cpu = '20ms'\nstart_wall = '20s'",
            "used more than its 20ms of computing time ([limits] start_cpu)",
        ),
        made(
            "start_wall",
            endless(),
            "start_cpu = '20s'\nstart_wall = '200ms'",
            " its 200ms..([limits] start_wall)",
        ),
        made(
            "start_cpu",
            guests::ticking(COUNT, &many_calls()),
            "start_cpu = '20ms'\nstart_wall = '20s'",
            "used more than its 20ms of computing time ([limits] start_cpu)",
        ),
        made(
            "memory",
            guests::ticking("", hoarding),
            "memory = '64MiB'\nstart_cpu = '10s'\nstart_wall = '20s'",
            "needs more than its 64.0 MiB of memory ([limits] memory)",
        ),
        made(
            "memory",
            guests::ticking("", again_with_more),
            "memory = '64MiB'\nstart_cpu = '10s'\nstart_wall = '20s'\n[quarantine]\npause = '100ms'",
            " of memory after 1 calls..([limits] memory)..next=300ms",
        ),
        made(
            "transfer",
            guests::ticking(COUNT, &count(2_000_000)),
            "transfer = '1MiB'\nstart_cpu = '10s'\nstart_wall = '20s'",
            "hands over more than 1.0 MiB at once ([limits] transfer)",
        ),
    ]
}

/// Limits that are told by tests of their own below, and limits that are met without a failure: an
/// instance is replaced, a verdict is asked for again.
const OTHERS: [&str; 5] = ["concurrency", "log", "state", "calls", "verdict_cache"];

#[test]
fn every_limit_of_the_readme_is_looked_at_here() {
    let readme = include_str!("../../../README.md");
    let settings = readme.split("The settings of a filter are in").nth(1);
    let limits = settings.and_then(|text| text.split("[limits]\n").nth(1));
    let limits = limits.and_then(|text| text.split("\n\n").next());
    let limits = limits.expect("the README has the limits of a filter");
    let rows: Vec<Row> = of_calls().into_iter().chain(of_starts()).collect();
    for line in limits.lines() {
        let (limit, _) = line.split_once(" = ").expect("a setting");
        let is_known = rows.iter().any(|row| row.limit == limit) || OTHERS.contains(&limit);
        assert!(is_known, "{limit} has no row");
    }
}

#[tokio::test]
async fn a_limit_that_a_call_meets_is_told_with_its_value_and_its_setting() {
    for (number, row) in of_calls().into_iter().enumerate() {
        let name = format!("meets-{number}-{}", row.limit.replace('_', "-"));
        let settings = format!("[limits]\n{}", row.settings);
        let stage = Stage::beside_neighbour(&name, &row.wasm, &settings).await;
        let mut log = Log::follow();
        stage.answers(&[("x.example", 503)]).await;
        let parts = [&["could not judge", &name], &*row.says].concat();
        log.says(&parts).await;
        let config = stage.proxy.config().clone();
        let explanation = portcullis::commands::explain(config, "x.example", None, None).await;
        let explanation = explanation.expect("something to explain").to_string();
        let is_told = row.says.iter().all(|part| explanation.contains(part));
        assert!(is_told, "{explanation}");
    }
}

#[tokio::test]
async fn a_limit_that_a_start_meets_is_told_with_its_value_and_its_setting() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    for (number, row) in of_starts().into_iter().enumerate() {
        let name = format!("starts-{number}");
        stage.plug(
            &format!("{name}.toml"),
            format!("[limits]\n{}", row.settings),
        );
        stage.plug(&format!("{name}.wasm"), &row.wasm);
        log.says(&[&["refused", &name], &*row.says].concat()).await;
        stage
            .answers(&[("calm.example", 200), ("blocked.example", 403)])
            .await;
        let is_listed = async || {
            let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
            let list = list.expect("a list").to_string();
            row.says.iter().all(|part| list.contains(part))
        };
        stage.until_true("it is listed", is_listed).await;
        for file in ["toml", "wasm"] {
            stage.unplug(&format!("{name}.{file}"));
        }
    }
}

#[tokio::test]
async fn a_limit_that_a_tick_meets_is_told_while_the_neighbour_judges() {
    for (number, row) in of_ticks().into_iter().enumerate() {
        let name = format!("ticks-{number}-{}", row.limit.replace('_', "-"));
        let settings = format!("[limits]\n{}", row.settings);
        let mut log = Log::follow();
        let stage = Stage::beside_neighbour(&name, &row.wasm, &settings).await;
        let hosts = [("calm.example", 200), ("blocked.example", 403)];
        stage.answers(&hosts).await;
        let parts = [&["work in the background failed", &name], &*row.says].concat();
        log.says(&parts).await;
        stage.answers(&hosts).await;
    }
}

/// Overload is not the filter's failure, so what is to happen then does not count.
#[tokio::test]
async fn a_call_without_a_place_is_told_of_concurrency_and_refused_whatever_on_error_says() {
    let settings = "on_error = 'skip'\n[limits]\ncpu = '1h'\nwall = '300ms'\nconcurrency = 1";
    let stage = Stage::beside_neighbour("one-place", &guests::wat("loops"), settings).await;
    let mut log = Log::follow();
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(stage.proxy.client().await);
    }
    for client in &mut clients {
        client.send(stage.request("x.example", "")).await;
    }
    let mut statuses = Vec::new();
    for mut client in clients {
        statuses.push(client.response().await.status);
    }
    // Calls that had a place failed, and then the next filter is asked.
    assert!(statuses.contains(&503), "{statuses:?}");
    let says = "no place was free for 300ms";
    log.says(&["one-place", says, "([limits] concurrency, wall)"])
        .await;
}

/// Starting instances has no setting of its own: they may take a tenth of the time, and those that
/// one client makes necessary a twentieth.
async fn starting_often() -> Stage {
    let count = "(func $count (local $i i32) (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 20_000_000)))))
        (start $count)";
    let guest = guests::straight_line(count, "(unreachable)");
    let settings = "[limits]\nstart_cpu = '200ms'\nstart_wall = '20s'\nconcurrency = 1\n\
                    [quarantine]\nfailures = 4294967295";
    Stage::start_with(|config| {
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        plug(&config.plugins.dir, "starter.toml", settings);
        plug(&config.plugins.dir, "starter.wasm", guest);
    })
    .await
}

#[tokio::test]
async fn instances_that_one_client_has_started_again_and_again_are_told_of() {
    let stage = starting_often().await;
    let mut log = Log::follow();
    let says = "cost more than 1/20 of the time for starting instances anew";
    let says = ["could not judge", "starter", says, "refused with 503"];
    stage.until_said(&mut log, "x.example", &says).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn instances_that_are_started_again_and_again_are_told_of() {
    let stage = starting_often().await;
    let mut log = Log::follow();
    let mut clients = Vec::new();
    for last in 2..6 {
        clients.push(stage.proxy.client_from([127, 0, 0, last]).await);
    }
    let says = "starting the filter's instances takes more than 1/10 of the time";
    while !log.has_said(says) {
        for client in &mut clients {
            client.send(stage.request("x.example", "")).await;
            assert_eq!(client.response().await.status, 503);
        }
    }
    let says = ["could not judge", "starter", says, "refused with 503"];
    log.says(&says).await;
}

#[tokio::test]
async fn lines_beyond_the_limit_are_told_with_its_value_and_its_setting() {
    let settings = "[limits]\nlog = 5";
    let stage = Stage::beside_neighbour("chatty", &guests::wat("floods_log"), settings).await;
    let mut log = Log::follow();
    stage.answers(&[("y.example", 200)]).await;
    let says = ["WARN", "chatty", "lines_per_second=5", "([limits] log)"];
    log.says(&says).await;
}

/// What is not a setting: a number of metrics is enough, or they are names of hosts.
#[tokio::test]
async fn a_metric_that_is_not_kept_is_told_once_with_the_reason() {
    let guest = guests::straight_line(COUNT, &count(65).repeat(3));
    let stage = Stage::beside_neighbour("namer", &guest, "").await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 200); 3]).await;
    let says = "the name of a metric or a label has 1 to 64 of the characters";
    log.says(&["WARN", "namer", says]).await;
    assert_eq!(log.count(&["namer", says]), 0);
}

/// The function that [`note`] calls, and one-letter keys from 4096 on.
const NOTE: &str = r#"(import "portcullis:filter/notes@1.0.0" "set"
        (func $note (param i32 i32 i32 i32)))
    (data (i32.const 4096) "abcdefghijklmnopq")"#;

/// A note of `bytes` bytes under a key of `key_bytes`, which begins with one of the letters.
fn note(letter: usize, key_bytes: usize, bytes: usize) -> String {
    let key = 4096 + letter;
    format!(
        "(call $note (i32.const {key}) (i32.const {key_bytes})
          (i32.const 4096) (i32.const {bytes}))"
    )
}

/// No setting, either: what is noted stands in the access log.
#[tokio::test]
async fn a_note_that_is_not_kept_is_told_once_with_the_reason() {
    let many: String = (0..17).map(|letter| note(letter, 1, 1)).collect();
    let key = "its key has not 1 to 64 of the characters a-z, 0-9 and _";
    for (name, work, says, kept) in [
        ("jots-many", many, "the exchange has 16 already", 16),
        ("jots-key", note(0, 65, 1), key, 0),
        (
            "jots-long",
            note(0, 1, 1025),
            "its value has more than 1024 bytes",
            0,
        ),
    ] {
        let guest = guests::straight_line(NOTE, &work);
        let stage = Stage::beside_neighbour(name, &guest, "").await;
        let mut log = Log::follow();
        let mut lines = log.clone();
        stage.answers(&[("x.example", 200); 3]).await;
        let dropped = "a note of the filter is not kept";
        log.says(&["WARN", name, dropped, says]).await;
        assert_eq!(log.count(&[name, dropped]), 0);
        let line = lines.says(&["kind=access", " host=x.example "]).await;
        let noted = line.matches(&format!("{name}.")).count();
        assert_eq!(noted, kept, "{line}");
    }
}

/// A filter that is built with the SDK cannot ask about such a host, so the log has no line for it.
#[tokio::test]
async fn what_is_longer_than_a_host_has_no_registrable_domain() {
    let host = format!("bbb{}example.com", "c.".repeat(120));
    assert_eq!(host.len(), 254);
    let import = format!(
        r#"(import "portcullis:filter/domains@1.0.0" "registrable"
            (func $registrable (param i32 i32 i32)))
        (data (i32.const 4096) "{host}")"#
    );
    // The first byte of an answer, at 512, says whether there is a domain.
    let work = "(call $registrable (i32.const 4097) (i32.const 253) (i32.const 512))
        (if (i32.eqz (i32.load8_u (i32.const 512))) (then (unreachable)))
        (call $registrable (i32.const 4096) (i32.const 254) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (unreachable)))";
    let guest = guests::straight_line(&import, work);
    let stage = Stage::beside_neighbour("registrar", &guest, "").await;
    stage.answers(&[("x.example", 200)]).await;
}

/// The filter learns of it and may go on; the operator is told once.
#[tokio::test]
async fn a_value_that_does_not_fit_is_told_with_the_room_and_the_setting() {
    let settings = "[limits]\nstate = '1KiB'\ncpu = '10s'\nwall = '20s'\n\
                    [config]\nbytes = 2000\n[grants]\nstate = true";
    let stage = Stage::beside_neighbour("crammed", guests::hoarder(), settings).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 503); 2]).await;
    let says = "does not fit into its state of 1.0 KiB";
    log.says(&["WARN", "crammed", says, "[limits] state"]).await;
    assert_eq!(log.count(&["crammed", says]), 0);
}

#[tokio::test]
async fn nesting_that_a_compiler_would_not_survive_is_told_with_what_to_do() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    stage.plug("nested.wasm", guests::nested_loops(500, 200));
    let says = "a compiler would take too long, so make it simpler";
    log.says(&["refused", "nested", says]).await;
}
