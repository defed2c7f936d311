//! Where the program listens, and what it wants to know before other machines reach it.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::running::Running;
use super::{portcullis, stderr, stdout};

const FEEDS: &str = "[feeds.malware]\nenabled = false\n";

fn run(dir: &Path, arguments: &[&str]) -> Output {
    portcullis(dir).args(arguments).output().unwrap()
}

#[test]
fn a_start_where_other_machines_reach_it_needs_a_word_about_clients() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), FEEDS).unwrap();
    let refused = run(dir.path(), &["--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("other machines reach 0.0.0.0:0"), "{said}");
    let remedy = said
        .split_once("[clients]\n")
        .expect("it says what to write")
        .1;
    let lines: Vec<&str> = remedy.trim_end().lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[2].contains("[auth] with users = "), "{said}");
    assert!(lines[0].starts_with("allow = [\"127.0.0.0/8\", "), "{said}");

    let check = run(dir.path(), &["check", "--listen", "0.0.0.0:0"]);
    assert_eq!(check.status.code(), Some(2));
    let said = stdout(&check);
    assert!(
        said.contains("not ready: the listener: other machines reach 0.0.0.0:0"),
        "{said}"
    );
    // The lines are those of the start, and can be copied from here as well.
    let told = said
        .split_once("Write into the configuration file:\n  [clients]\n")
        .expect("it says what to write")
        .1;
    let told: Vec<&str> = told.lines().take(lines.len()).collect();
    assert_eq!(told, [0, 1, 2].map(|at| format!("  {}", lines[at])));

    // What it says to write is what it takes.
    let written = format!("{FEEDS}[clients]\n{}\n{}\n", lines[0], lines[1]);
    fs::write(dir.path().join("portcullis.toml"), &written).unwrap();
    let check = run(dir.path(), &["check", "--listen", "0.0.0.0:0"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    let mut proxy = Running::start_at(dir.path(), &written, "json", "0.0.0.0:0");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn an_open_proxy_says_at_the_start_that_it_is_one() {
    let dir = TempDir::new().unwrap();
    let open = format!("{FEEDS}[clients]\nopen = true\n");
    for (listen, level) in [("0.0.0.0:0", "\"WARN\""), ("127.0.0.1:0", "\"INFO\"")] {
        let proxy = Running::start_at(dir.path(), &open, "json", listen);
        assert!(proxy.first.contains(level), "{}", proxy.first);
        let is_told = proxy
            .first
            .contains("every machine that reaches this address");
        assert_eq!(is_told, level == "\"WARN\"", "{}", proxy.first);
    }
}

#[test]
fn clients_are_named_by_a_flag_or_a_variable_too() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), FEEDS).unwrap();
    let check = |arguments: &[&str], variable: &str| {
        let mut command = portcullis(dir.path());
        command
            .args(["check", "--listen", "0.0.0.0:0"])
            .args(arguments);
        let output = command
            .env("PORTCULLIS_CLIENTS_ALLOW", variable)
            .output()
            .unwrap();
        (output.status.code(), stderr(&output))
    };
    assert_eq!(check(&["--clients", "10.0.0.0/8,192.0.2.7"], "").0, Some(0));
    assert_eq!(check(&[], "10.0.0.0/8, 192.0.2.7").0, Some(0));
    for (code, said) in [
        check(&["--clients", "10.0.0.1/8"], ""),
        check(&[], "10.0.0.1/8"),
    ] {
        assert_eq!(code, Some(2));
        assert!(said.contains("the whole network is `10.0.0.0/8`"), "{said}");
    }
}
