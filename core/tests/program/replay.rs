//! What can be made of an access log without any traffic.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use super::{portcullis, stderr, stdout};

/// A line of the access log, some seconds after ten o'clock.
fn line(second: usize, host: &str, protocol: &str, verdict: &str) -> String {
    let port = if protocol == "http" { 80 } else { 443 };
    format!(
        "time=2026-11-23T10:00:{second:02}.500000Z kind=access id=4 client=10.0.0.7 method=GET host={host} port={port} \
         protocol={protocol} status=200 verdict={verdict} up=0 down=5 ms=1.000 outcome=complete\n"
    )
}

/// A folder with a log of what three hosts were asked for before there was a list.
fn folder() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut log = "2026-11-23T09:59:59Z  INFO portcullis: starting version=\"0.1.0\"\n".to_owned();
    let refused = "block filter=other reason=\"not here\"";
    for (host, protocol, verdict) in [
        ("www.blocked.portcullis.test", "connect", "next"),
        ("a.example", "connect", "next"),
        ("www.blocked.portcullis.test", "http", "next"),
        ("blocked.portcullis.test", "connect", "next"),
        ("refused.blocked.portcullis.test", "connect", refused),
    ] {
        log += &line(log.lines().count(), host, protocol, verdict);
    }
    fs::write(dir.path().join("access.log"), log).unwrap();
    let config = "feeds.malware.enabled = false";
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    dir
}

fn run(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir.path());
    command.args(arguments).output().unwrap()
}

#[test]
fn a_replay_says_which_requests_would_have_gone_otherwise() {
    let dir = folder();
    let output = run(&dir, &["replay", "access.log", "--plugin", "blocklist"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    let (said, time) = said.split_once("asked ").unwrap();
    assert_eq!(
        said,
        "\
blocklist on access.log: 5 requests to 4 hosts
from 2026-11-23T10:00:01.5Z to 2026-11-23T10:00:05.5Z, 1.3 a second

requests  host                         was   would be
       2  www.blocked.portcullis.test  next  block 403: blocked.portcullis.test is on the list test-names
       1  blocked.portcullis.test      next  block 403: blocked.portcullis.test is on the list test-names

3 requests (60.0 %) would change: 3 from next to block
"
    );
    assert!(time.starts_with("5 times in "), "{time}");
    assert!(
        time.ends_with("note: lines that are not access lines: 1\n"),
        "{time}"
    );
}

#[test]
fn a_filter_that_judges_no_hosts_cannot_be_replayed_and_it_says_what_to_do() {
    let dir = folder();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(
        dir.path().join("plugins/headers.toml"),
        "[config]\nrules = [{ request.remove = ['X-Client-Data'] }]",
    )
    .unwrap();
    let output = run(&dir, &["replay", "access.log", "--plugin", "headers"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("\n\nnothing was asked\nnote: "), "{said}");
    assert!(
        said.contains("(mode = \"shadow\" in headers.toml)"),
        "{said}"
    );
    assert!(!said.contains("would change"), "{said}");
}

#[test]
fn a_log_may_come_by_standard_input() {
    let dir = folder();
    let mut command = portcullis(dir.path());
    command.args(["replay", "-", "--plugin", "blocklist", "--json"]);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = fs::read(dir.path().join("access.log")).unwrap();
    process.stdin.take().unwrap().write_all(&log).unwrap();
    let output = process.wait_with_output().unwrap();
    let replay: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(replay["log"], "standard input");
    let change = serde_json::json!([{"was": "next", "would_be": "block", "requests": 3}]);
    assert_eq!(replay["changes"], change);
}

#[test]
fn what_is_no_access_log_and_what_is_no_filter_end_a_replay_with_2() {
    let dir = folder();
    fs::write(dir.path().join("other.log"), "one\ntwo\n").unwrap();
    for (log, filter, reason) in [
        (
            "other.log",
            "blocklist",
            "other.log has no access lines about hosts, only 2 others; the proxy writes one",
        ),
        ("gone.log", "blocklist", "cannot read gone.log"),
        ("access.log", "gone.wasm", "cannot read gone.wasm"),
    ] {
        let output = run(&dir, &["replay", log, "--plugin", filter]);
        assert_eq!(output.status.code(), Some(2), "{log}");
        let said = stderr(&output);
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn cases_are_recorded_from_a_log_and_show_what_a_change_touches() {
    let dir = folder();
    let record = ["plugin", "test", "blocklist", "--record", "access.log"];
    let output = run(&dir, &record);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let recorded = stdout(&output);
    assert_eq!(recorded.matches("[[case]]").count(), 5, "{recorded}");
    for part in [
        "# What blocklist says to the hosts in access.log, recorded by portcullis ",
        "\nnow = \"2026-11-23T10:00:05Z\"\n",
        "\ntest-names = [\"blocked.portcullis.test\"]\n",
        "\n[[case]]\nhost = \"a.example\"\nexpect = \"next\"\n",
        "\n[[case]]\nhost = \"www.blocked.portcullis.test\"\nprotocol = \"http\"\nexpect = \"block\"\nstatus = 403\n",
    ] {
        assert!(recorded.contains(part), "{part} in {recorded}");
    }
    assert_eq!(stdout(&run(&dir, &record)), recorded);

    let to_file = [&record[..], &["cases.toml"]].concat();
    let output = run(&dir, &to_file);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "cases.toml: 5 cases\n");
    assert_eq!(
        fs::read_to_string(dir.path().join("cases.toml")).unwrap(),
        recorded
    );
    let output = run(&dir, &to_file);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("cases.toml exists already, and is left as it is"),
        "{said}"
    );

    let test = ["plugin", "test", "blocklist", "cases.toml"];
    let output = run(&dir, &test);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    fs::create_dir(dir.path().join("plugins")).unwrap();
    let exact = "[config]\nsubdomains = false";
    fs::write(dir.path().join("plugins/blocklist.toml"), exact).unwrap();
    let output = run(&dir, &test);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    assert!(
        said.ends_with("blocklist: 3 of 5 cases did not go as expected\n"),
        "{said}"
    );
}

#[test]
fn a_recording_says_to_programs_how_much_it_holds() {
    let dir = folder();
    let record = ["plugin", "test", "blocklist", "--record", "access.log"];
    let recorded = stdout(&run(&dir, &record));
    let json = |more: &[&str]| -> serde_json::Value {
        let output = run(&dir, &[&record[..], &["--json"], more].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let mut expected = serde_json::json!({
        "filter": "blocklist", "log": "access.log", "cases": 5, "left_out": 0, "unlike": 0, "text": recorded,
    });
    assert_eq!(json(&[]), expected);
    expected.as_object_mut().unwrap().remove("text");
    expected["file"] = "cases.toml".into();
    assert_eq!(json(&["cases.toml"]), expected);
}

#[test]
fn a_recording_holds_the_configuration_with_which_it_was_made() {
    let dir = folder();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    let own = "[config]\nstatus = 451\nallow = ['www.blocked.portcullis.test']";
    fs::write(dir.path().join("plugins/blocklist.toml"), own).unwrap();
    let recorded = stdout(&run(
        &dir,
        &["plugin", "test", "blocklist", "--record", "access.log"],
    ));
    assert!(recorded.contains("\n[config]\n"), "{recorded}");
    assert!(
        recorded.contains("\nallow = [\"www.blocked.portcullis.test\"]\n"),
        "{recorded}"
    );
    assert!(recorded.contains("\nstatus = 451\nreason = "), "{recorded}");
    fs::write(dir.path().join("cases.toml"), &recorded).unwrap();
    fs::remove_file(dir.path().join("plugins/blocklist.toml")).unwrap();
    let output = run(&dir, &["plugin", "test", "blocklist", "cases.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}
