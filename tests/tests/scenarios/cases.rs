//! The same cases natively and in the sandbox: the guests' own tests run these files, too.

use std::fs;
use std::path::Path;

use portcullis::Config;
use portcullis_tests::guests;

/// Runs a guest's cases in the sandbox, with all that it could want granted, and time for it on a
/// machine that is busy.
async fn assert_all_go_well(name: &str, wasm: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join(format!("{name}.wasm"));
    fs::write(&file, wasm).expect("a folder to write to");
    let settings = "[limits]\ncpu = '10s'\nwall = '30s'\n[grants]\nfeeds = ['*']\n\
        state = true\nverdicts = ['allow', 'redirect', 'replace', 'drop', 'ask']";
    fs::write(file.with_extension("toml"), settings).expect("a folder to write to");
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    let cases = guests.join(name).join("cases.toml");
    let report = portcullis::commands::test_plugin(config, &file, Some(&cases)).await;
    let report = report.expect("cases that can be asked");
    assert!(report.is_ok(), "\n{report}");
}

#[tokio::test]
async fn what_goes_one_way_natively_goes_the_same_way_in_the_sandbox() {
    assert_all_go_well("obeys", guests::obeys()).await;
}

#[tokio::test]
async fn state_and_time_are_those_of_the_cases() {
    assert_all_go_well("counter", guests::counter()).await;
}
