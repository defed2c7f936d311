//! The battery of checks that filters are run through: built-in filters and guests pass it, and a
//! filter that breaks the contract is told where.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::Config;
use portcullis::commands::{self, Conformance, Finding};
use portcullis_tests::guests;
use tempfile::TempDir;

/// Room for a machine that is busy.
const ROOMY: &str = "[limits]\ncpu = '10s'\nwall = '20s'\nstart_cpu = '20s'\nstart_wall = '60s'\n";

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
    assert_eq!(finding(&knows, "I4"), Finding::Warn, "{knows}");
    assert_eq!(finding(&knows, "S5"), Finding::Warn, "{knows}");
    assert_eq!(knows.contract.as_deref(), Some("1.0.0"));
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
