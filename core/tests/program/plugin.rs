//! The commands that are about one filter. That of the built-in one is at hand.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::{portcullis, stderr, stdout};

const BLOCKLIST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/blocklist.wasm"));

/// Runs `portcullis plugin …` in a folder.
fn plugin(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir.path());
    command.arg("plugin").args(arguments).output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_cases_that_a_filter_has_natively_go_the_same_way_in_the_sandbox() {
    let dir = TempDir::new().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/blocklist/cases.toml");
    let cases = cases.to_str().unwrap();
    let output = plugin(&dir, &["test", "blocklist", cases]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(
        said.contains("  so is every name below it, on any port\n"),
        "{said}"
    );
    assert!(
        said.ends_with("blocklist: all 8 cases went as expected\n"),
        "{said}"
    );

    let output = plugin(&dir, &["test", "blocklist", cases, "--json"]);
    let report = json(&output);
    assert_eq!(
        (&report["passed"], &report["failed"]),
        (&8.into(), &0.into())
    );
    assert_eq!(report["cases"][0]["name"], "a listed name is blocked");
}

#[test]
fn a_case_that_does_not_go_as_expected_ends_with_1_and_says_what_is_different() {
    let dir = TempDir::new().unwrap();
    let cases = "[feeds]\nmalware = ['evil.example']\n
        [[case]]\nhost = 'www.evil.example'\nexpect = 'next'\n
        [[case]]\nhost = 'a.example'\nexpect = 'next'\n";
    fs::write(dir.path().join("cases.toml"), cases).unwrap();
    let output = plugin(&dir, &["test", "blocklist", "cases.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "\
FAIL  cases.toml:4  www.evil.example
        the verdict
          expected  next
          got       block with 403: evil.example is on the list malware
ok    cases.toml:8  a.example
blocklist: 1 of 2 cases did not go as expected
"
    );
    assert!(stderr(&output).contains("not every case went as expected"));
    let report = json(&plugin(
        &dir,
        &["test", "blocklist", "cases.toml", "--json"],
    ));
    assert_eq!(report["cases"][0]["differences"][0]["what"], "the verdict");
}

#[test]
fn cases_that_make_no_sense_and_filters_that_cannot_be_used_end_a_test_with_2() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.wasm"), BLOCKLIST).unwrap();
    let good = "[[case]]\nhost = 'a.example'\nexpect = 'next'\n";
    fs::write(dir.path().join("good.toml"), good).unwrap();
    fs::write(
        dir.path().join("typo.toml"),
        "[[case]]\nhots = 'a.example'\n",
    )
    .unwrap();
    let refusing = format!("[config]\nstatus = 200\n{good}");
    fs::write(dir.path().join("refusing.toml"), refusing).unwrap();
    for (filter, cases, reason) in [
        (
            "blocklist",
            "typo.toml",
            "typo.toml:2:1: unknown key `hots`; did you mean `host`?",
        ),
        ("blocklist", "gone.toml", "cannot read gone.toml: "),
        (
            "blocklist",
            "refusing.toml",
            "the filter refuses its configuration: status: 200",
        ),
        (
            "mine.wasm",
            "good.toml",
            "it wants `portcullis:filter/feeds",
        ),
        ("mine", "good.toml", "this is neither a file NAME.wasm nor"),
    ] {
        let output = plugin(&dir, &["test", filter, cases]);
        assert_eq!(output.status.code(), Some(2), "{filter} {cases}");
        let said = stderr(&output);
        let start = format!("portcullis: cannot test {filter}: {reason}");
        assert!(said.starts_with(&start), "{said}");
    }
    fs::write(dir.path().join("mine.toml"), "[grants]\nfeeds = ['*']").unwrap();
    let output = plugin(&dir, &["test", "mine.wasm", "good.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
