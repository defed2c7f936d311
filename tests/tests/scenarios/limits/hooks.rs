//! The limits of calls hold in every hook, and what follows where a filter meets one is the same in
//! each: a refusal, unless the filter may be skipped or is in shadow mode.

use portcullis_tests::{Log, Stage, guests};

use super::{COUNT, count};

/// The hooks that are called for an exchange, their functions, what these take, and the answer to a
/// request on which they fail: one that is over is no longer refused.
const HOOKS: [(&str, &str, &str, u16); 4] = [
    ("judge-host", "judge", "(param i32 i32 i32)", 503),
    ("judge-request", "judge", "(param i32 i32 i32 i32)", 503),
    ("judge-response", "judge", "(param i32)", 503),
    ("exchange-ended", "ended", "", 200),
];

const LOOPS: &str = "(loop $again (br $again))";

/// Settings, what a filter does that meets a limit under them, and what is said of it.
fn limits() -> [(&'static str, String, &'static str); 4] {
    let grows = "(if (i32.eq (memory.grow (i32.const 999)) (i32.const -1)) (then (unreachable)))";
    [
        ("cpu = '20ms'\nwall = '20s'", LOOPS.into(), "([limits] cpu)"),
        // Calls about other hosts are to be within it on a machine that is busy, too.
        (
            "cpu = '20s'\nwall = '300ms'",
            LOOPS.into(),
            "([limits] wall)",
        ),
        (
            "memory = '16MiB'\ncpu = '10s'\nwall = '20s'",
            grows.into(),
            "([limits] memory)",
        ),
        (
            "transfer = '1MiB'\ncpu = '10s'\nwall = '20s'",
            count(2_000_000),
            "([limits] transfer)",
        ),
    ]
}

/// A filter that does `work` in that function for hosts that begin with `x`.
fn guest(hook: &str, function: &str, parameters: &str, work: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {COUNT}
          (import "portcullis:filter/exchange@1.0.0" "host" (func $host (param i32)))
          (memory (export "memory") 40)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/{hook}@1.0.0#{function}") {parameters} (result i32)
            ;; At 512: where the host is, and how long.
            (call $host (i32.const 512))
            (if (i32.eq (i32.load8_u (i32.load (i32.const 512))) (i32.const 0x78)) (then {work}))
            (i32.const 0)))"#
    );
    guests::kept(&text, include_str!("../../../../sdk/wit/filter.wit"))
}

/// Has a filter with these settings fail once, beside its neighbour.
async fn fails(name: &str, wasm: &[u8], settings: &str, status: u16, says: &str) {
    let stage = Stage::beside_neighbour(name, wasm, settings).await;
    let mut log = Log::follow();
    for (host, status) in [
        ("calm.example", 200),
        ("x.example", status),
        ("blocked.example", 403),
    ] {
        let response = stage.get(host).await;
        assert_eq!(response.status, status, "{name}: {host} gets {response:?}");
    }
    log.says(&["could not judge", name, says]).await;
}

#[tokio::test]
async fn a_limit_that_is_met_in_any_hook_refuses_that_request() {
    for (hook, function, parameters, status) in HOOKS {
        for (number, (settings, work, says)) in limits().into_iter().enumerate() {
            let name = format!("{hook}-{number}");
            let wasm = guest(hook, function, parameters, &work);
            let settings = format!("[limits]\n{settings}");
            fails(&name, &wasm, &settings, status, says).await;
        }
    }
}

#[tokio::test]
async fn a_filter_that_may_fail_refuses_nothing_in_any_hook() {
    for (hook, function, parameters, _) in HOOKS {
        let wasm = guest(hook, function, parameters, LOOPS);
        for (what, setting) in [("skip", "on_error = 'skip'"), ("shadow", "mode = 'shadow'")] {
            let name = format!("{hook}-{what}");
            let settings = format!("{setting}\n[limits]\ncpu = '20ms'\nwall = '20s'");
            fails(&name, &wasm, &settings, 200, "([limits] cpu)").await;
        }
    }
}
