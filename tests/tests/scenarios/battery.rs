//! The battery of checks that filters are run through: built-in filters and guests pass it, and a
//! filter that breaks the contract is told where.

mod odd;

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::Config;
use portcullis::commands::{self, Conformance, Finding};
use portcullis_tests::guests;
use tempfile::TempDir;

/// Room for a machine that is busy. A filter that loops in `init` takes all of `start_cpu`.
const ROOMY: &str = "[limits]\ncpu = '10s'\nwall = '20s'\nstart_cpu = '5s'\nstart_wall = '60s'\n";

async fn found(dir: &TempDir, file: &Path, config: &str) -> Conformance {
    let name = file
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let settings = format!("{ROOMY}[config]\n{config}");
    fs::write(dir.path().join(name + ".toml"), settings).expect("a folder to write to");
    let mut proxy = Config::default();
    proxy.plugins.dir = dir.path().into();
    proxy.compiler.cache_dir = dir.path().join("compiled");
    let found = commands::conformance(proxy, file).await;
    found.expect("there is such a filter")
}

async fn of_guest(wasm: &[u8], config: &str) -> Conformance {
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("guest.wasm");
    fs::write(&file, wasm).expect("a folder to write to");
    found(&dir, &file, config).await
}

fn finding(found: &Conformance, id: &str) -> Finding {
    let mut checks = found.checks.iter();
    let check = checks.find(|check| check.id == id);
    check.expect("the battery has the check").finding
}

#[tokio::test]
async fn the_filters_that_come_with_the_proxy_pass() {
    let dir = TempDir::new().unwrap();
    for (name, config) in [
        ("allowlist", "hosts = ['example.com']"),
        ("blocklist", ""),
        (
            "headers",
            "rules = [{request = {remove = ['x-client-data']}}]",
        ),
        ("lookalike", "brands = ['example.com']"),
        ("ratelimit", "limits = [{requests = 5, per = '1m'}]"),
        (
            "schedule",
            "rules = [{hosts = ['games.example'], closed = [{from = '22:00', to = '06:00'}]}]",
        ),
    ] {
        let found = found(&dir, &PathBuf::from(name), config).await;
        assert!(found.ok, "{found}");
        assert_eq!(finding(&found, "S1"), Finding::Pass, "{found}");
    }
}

#[tokio::test]
async fn guests_pass_and_are_warned_of_what_may_be_meant() {
    for (wasm, config) in [
        (guests::bare(), ""),
        (guests::bare_module(), ""),
        (guests::counter(), "limit = 5"),
        (
            guests::editor(),
            "request = {set = {x-more = '1'}, remove = ['cookie']}",
        ),
        (guests::facts(), ""),
        (guests::insists(), "on = 'nothing'"),
        (guests::headers(), "methods = ['TRACE']"),
        (guests::hoarder(), "bytes = 100"),
        (guests::obeys(), "greeting = 'hello'"),
        (guests::suffix(), "block = ['evil.example']"),
        (guests::ticker(), ""),
    ] {
        let found = of_guest(wasm, config).await;
        assert!(found.ok, "{found}");
    }
    let knows = of_guest(guests::knows(), "").await;
    assert!(knows.ok, "{knows}");
    let i4 = knows.checks.iter().find(|check| check.id == "I4");
    let seen = i4
        .and_then(|check| check.seen.as_deref())
        .unwrap_or_default();
    for function in [
        "exchange.host",
        "exchange.port",
        "exchange.id",
        "client.groups",
        "request.method",
        "request.url",
        "request-headers",
        "response-headers",
        "outcome.how",
        "outcome.duration",
        "answer.add-field",
        "notes.get",
        "notes.set",
    ] {
        assert!(seen.contains(function), "{function}: {knows}");
    }
    assert_eq!(finding(&knows, "S5"), Finding::Warn, "{knows}");
    assert_eq!(knows.contract.as_deref(), Some("1.0.0"));
}

/// Has the filter fail that check, and be told what to do.
async fn fails(id: &str, wasm: &[u8], config: &str) {
    let found = of_guest(wasm, config).await;
    assert_eq!(finding(&found, id), Finding::Fail, "{id} {found}");
    let check = found.checks.iter().find(|check| check.id == id);
    assert!(check.is_some_and(|check| check.fix.is_some()), "{found}");
}

/// Has the filter pass that check, and fail none.
async fn passes(id: &str, wasm: &[u8], config: &str) {
    let found = of_guest(wasm, config).await;
    assert_eq!(finding(&found, id), Finding::Pass, "{id} {found}");
    assert!(found.ok, "{found}");
}

#[tokio::test]
async fn a_filter_is_too_large_or_its_verdict_cannot_be_carried_out() {
    fails("S6", &guests::nested_loops(101, 1), "").await;
    fails("S6", &guests::wat("starts_large"), "").await;
    passes("S6", guests::bare(), "").await;
    fails("J6", &guests::wat("blocks_with_200"), "").await;
    passes("J6", guests::bare(), "").await;
}

#[tokio::test]
async fn fields_are_handed_back_as_they_came_and_may_be_refused() {
    fails("R2", guests::editor(), "rewrite = 'text'").await;
    passes("R2", guests::editor(), "rewrite = 'bytes'").await;
    fails("R3", guests::insists(), "on = 'fields'").await;
    passes("R3", guests::insists(), "on = 'fields'\nreports = true").await;
    passes("R3", guests::editor(), "request = {set = {x-more = '1'}}").await;
}

/// What is reported is an answer, even if it has the words of a trap.
#[tokio::test]
async fn what_the_proxy_refuses_may_be_reported_and_is_not_a_reason_to_trap() {
    for (id, on) in [("H1", "state"), ("H2", "feeds"), ("H3", "notes")] {
        fails(id, guests::insists(), &format!("on = '{on}'")).await;
        passes(
            id,
            guests::insists(),
            &format!("on = '{on}'\nreports = true"),
        )
        .await;
    }
}

/// A filter that judges nothing but messages; each hook ends with the `code` that it is given.
fn judges_messages(imports: &str, request: &str, response: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {imports}
          (memory (export "memory") 2)
          ;; At 64, a `block` with status 200.
          (data (i32.const 64) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\c8")
          ;; At 96, `drop`.
          (data (i32.const 96) "\00\00\00\00\00\00\00\00\05")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/judge-request@1.0.0#judge")
            (param $method i32) (param i32) (param $url i32) (param $length i32) (result i32)
            {request} (i32.const 0))
          (func (export "portcullis:filter/judge-response@1.0.0#judge")
            (param $status i32) (result i32)
            {response} (i32.const 0)))"#
    );
    guests::kept(&text, include_str!("../../../sdk/wit/filter.wit"))
}

/// A filter that does this in `init`, and says of itself that its configuration has this schema.
fn begins(imports: &str, init: &str, schema: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {imports}
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/lifecycle@1.0.0#init")
            (param $config i32) (param $length i32) (result i32) {init} (i32.const 0))
          (func (export "portcullis:filter/judge-host@1.0.0#judge")
            (param i32 i32 i32) (result i32) (i32.const 0)))"#
    );
    let filter = guests::kept(&text, include_str!("../../../sdk/wit/filter.wit"));
    let manifest = format!(r#"{{"manifest": 1, "name": "guest", "config": {schema}}}"#);
    guests::with_manifest(&filter, manifest.as_bytes())
}

#[tokio::test]
async fn what_init_asks_takes_and_says_of_its_configuration_is_looked_at() {
    let object = r#"{"type": "object"}"#;
    let silent = of_guest(&begins("", "", object), "").await;
    for id in ["S5", "I1", "I2", "I4"] {
        assert_eq!(finding(&silent, id), Finding::Pass, "{id} {silent}");
    }
    let asks = of_guest(&begins(PORT, "(drop (call $port))", object), "").await;
    assert_eq!(finding(&asks, "I4"), Finding::Warn, "{asks}");
    let empty = "(if (i32.eqz (local.get $length)) (then unreachable))";
    fails("I2", &begins("", empty, object), "").await;
    for schema in [
        r#"{"type": 7, "properties": []}"#,
        r##"{"$ref": "#/$defs/x"}"##,
    ] {
        fails("S5", &begins("", "", schema), "").await;
    }
    let misspelt = r#"{"type": "object", "properties": {"block": {"format": "hosts"}}}"#;
    let doubtful = of_guest(&begins("", "", misspelt), "").await;
    assert_eq!(finding(&doubtful, "S5"), Finding::Warn, "{doubtful}");
    let hint = "did you mean `host`?";
    assert!(doubtful.to_string().contains(hint), "{doubtful}");
}

const PORT: &str =
    r#"(import "portcullis:filter/exchange@1.0.0" "port" (func $port (result i32)))"#;

/// What a check looks at it looks at in each hook that judges.
#[tokio::test]
async fn the_checks_of_what_is_judged_are_made_of_messages_too() {
    let odd_port = "(if (i32.eq (call $port) (i32.const 65535)) (then unreachable))";
    let invalid =
        "(if (i32.eq (local.get $status) (i32.const 599)) (then (return (i32.const 64))))";
    let later = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                 (if (i32.eq (global.get $calls) (i32.const 2)) (then (return (i32.const 64))))";
    let counts = "(global $calls (mut i32) (i32.const 0))";
    let well = of_guest(&judges_messages(PORT, "(drop (call $port))", ""), "").await;
    assert!(well.ok, "{well}");
    for id in [
        "I3", "J1", "J2", "J3", "J4", "J5", "J6", "J7", "J9", "R1", "R4", "R5", "T1",
    ] {
        assert_eq!(finding(&well, id), Finding::Pass, "{well}");
    }
    for id in ["J8", "R2", "R3", "H1", "H2", "H3", "T2", "T3"] {
        assert_eq!(finding(&well, id), Finding::NotApplicable, "{well}");
    }
    for (id, guest, expected) in [
        ("J3", judges_messages(PORT, odd_port, ""), Finding::Fail),
        ("J3", judges_messages(PORT, "", odd_port), Finding::Fail),
        ("J6", judges_messages("", "", invalid), Finding::Fail),
        ("J1", judges_messages("", "unreachable", ""), Finding::Fail),
        ("J7", judges_messages(counts, "", later), Finding::Warn),
    ] {
        let found = of_guest(&guest, "").await;
        assert_eq!(finding(&found, id), expected, "{found}");
    }
}

/// An instance that is asked for the second time answers otherwise than a new one.
#[tokio::test]
async fn what_an_instance_keeps_for_itself_is_found_and_chance_and_state_are_not() {
    let counts = "(global $calls (mut i32) (i32.const 0))";
    let once = "(if (global.get $calls) (then (return (i32.const 96))))
                (global.set $calls (i32.const 1))";
    fails("I3", &judges_messages(counts, "", once), "").await;
    passes("I3", &guests::wat("draws_lots"), "").await;
    passes("I3", guests::counter(), "limit = 5").await;
}

/// A text that is not one short line is cut by the proxy, and its author is told.
#[tokio::test]
async fn a_reason_of_several_lines_is_warned_of() {
    let found = of_guest(&guests::wat("splits_reason"), "").await;
    assert_eq!(finding(&found, "J6"), Finding::Warn, "{found}");
    assert!(found.ok, "{found}");
}

#[tokio::test]
async fn a_filter_that_breaks_the_contract_is_told_where() {
    for (wasm, config, id) in [
        (guests::suffix().to_vec(), "", "S1"),
        (guests::wat("wants_wasi"), "", "S4"),
        // It keeps an answer that has a number in it.
        (guests::remembers().to_vec(), "seconds = 60", "J8"),
        (guests::wat("loops_in_init"), "", "S1"),
        (guests::wat("traps_on_third_call"), "", "J2"),
        (b"text".to_vec(), "", "S2"),
    ] {
        let found = of_guest(&wasm, config).await;
        let expected = if id == "S1" && config.is_empty() && wasm == guests::suffix() {
            // What is wrong is beside the filter.
            Finding::Environment
        } else {
            Finding::Fail
        };
        assert_eq!(finding(&found, id), expected, "{found}");
        let failed = found.checks.iter().find(|check| check.id == id);
        assert!(failed.is_some_and(|check| check.seen.is_some() && check.fix.is_some()));
    }
}
