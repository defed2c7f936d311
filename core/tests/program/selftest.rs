//! A proxy that is asked for what its settings should refuse, in the set-ups of SETUPS.md and in
//! others.

#[cfg(target_os = "linux")]
#[path = "selftest/setups.rs"]
mod setups;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::running::Running;
use super::{portcullis, stderr, stdout};

const NO_LIST: &str = "[feeds.malware]\nenabled = false\n";

/// Everything that is not public is refused.
const GUARDED: &str = "[egress]\nprivate = \"deny\"\n";

/// The hash of `secret`.
const ADA: &str = "ada:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw\n";

/// A self-test by these settings, of the proxy that listens there.
fn selftest(dir: &Path, listen: &str, arguments: &[&str]) -> Command {
    let mut command = portcullis(dir);
    command
        .env("PORTCULLIS_STATE_DIR", dir.join("state"))
        .args(["selftest", "--listen", listen])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn tested(proxy: &Running, dir: &Path, arguments: &[&str]) -> Output {
    let listen = proxy.address.to_string();
    selftest(dir, &listen, arguments).output().unwrap()
}

/// The same, with a password on standard input.
fn tested_with(proxy: &Running, dir: &Path, arguments: &[&str], password: &str) -> Output {
    let listen = proxy.address.to_string();
    let mut command = selftest(dir, &listen, arguments);
    command.stdin(Stdio::piped());
    let mut asking = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(asking.stdin.take().unwrap(), "{password}").unwrap();
    asking.wait_with_output().unwrap()
}

/// The rows about what is asked for so, each with its way and result.
fn results(report: &Value, asked: &str) -> Vec<(String, String)> {
    let listeners = report["listeners"].as_array().unwrap().iter();
    let rows = listeners.flat_map(|it| it["rows"].as_array().unwrap());
    let about = rows.filter(|row| row["asked"].as_str().unwrap().contains(asked));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: Vec<_> = about
        .map(|row| (text(&row["by"]), text(&row["result"])))
        .collect();
    assert!(!found.is_empty(), "{asked} in {report}");
    found
}

/// Whether all of these rows say that.
fn all_are(report: &Value, asked: &str, result: &str) {
    let found = results(report, asked);
    let differs = found.iter().find(|(_, it)| it != result);
    assert_eq!(differs, None, "{asked} in {report:#}");
}

/// Whether the proxy keeps to its settings in all of this.
fn all_hold(report: &Value, asked: &[&str]) {
    for asked in asked {
        all_are(report, asked, "held");
    }
}

fn json(output: &Output) -> Value {
    let report = serde_json::from_slice(&output.stdout);
    report.unwrap_or_else(|_| panic!("{} {}", stdout(output), stderr(output)))
}

#[test]
fn a_guarded_proxy_holds_by_every_way_and_in_every_spelling() {
    let dir = TempDir::new().unwrap();
    let settings = format!("{NO_LIST}{GUARDED}deny = [\"*.denied.test\"]\nconnect_ports = [443]\n");
    let proxy = Running::start(dir.path(), &settings);
    let output = tested(&proxy, dir.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = json(&output);
    all_hold(
        &report,
        &[
            "a name that a decision",
            "the operator denies",
            "a port for no tunnel",
            "a listener of the proxy",
            "an address of this machine",
            "another address that is not public",
            "cloud metadata",
        ],
    );
    // A name that does not exist is let pass; version 4 of SOCKS says the same of both.
    let allowed = results(&report, "everything below lets pass");
    let words: Vec<_> = allowed.iter().map(|(_, result)| result.as_str()).collect();
    assert_eq!(words, ["held", "held", "held", "untried"]);
    all_are(&report, "a tunnel, and in its", "untried");
    all_are(&report, "login", "untried");
}

#[test]
fn a_proxy_that_lets_pass_what_it_should_not_is_found_out() {
    let dir = TempDir::new().unwrap();
    // All addresses but those of one name are refused, so that nothing is sent there.
    let here = format!("{NO_LIST}{GUARDED}allow = [\"localhost\"]\n");
    let proxy = Running::start(dir.path(), &here);
    // The settings have changed, and the proxy was not started anew.
    fs::write(
        dir.path().join("portcullis.toml"),
        format!("{NO_LIST}{GUARDED}"),
    )
    .unwrap();
    let refused = ": reached, and should be refused (403 destination_ip_prohibited) by [egress]";
    is_found_out(&proxy, dir.path(), refused);
    // The other way round.
    fs::write(
        dir.path().join("portcullis.toml"),
        format!("{here}[tunnel]\nsni = \"off\"\n"),
    )
    .unwrap();
    let closed = "TLS for www.blocked.portcullis.test: closed with an alert, and should be reached";
    is_found_out(&proxy, dir.path(), closed);
}

/// Tests a proxy that does not keep to its settings in this way.
fn is_found_out(proxy: &Running, dir: &Path, says: &str) {
    let output = tested(proxy, dir, &[]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(says), "{said}");
}

#[test]
fn what_cannot_be_run_ends_with_2_and_says_why() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), NO_LIST).unwrap();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stranger.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in stranger.incoming() {
            let _ = client.unwrap().write_all(b"220 mail.example\r\n\r\n");
        }
    });
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nothing = free.local_addr().unwrap().to_string();
    drop(free);
    for (listen, why) in [
        (&*nothing, "no proxy can be reached at"),
        (&address, "does not answer as Portcullis does"),
        ("127.0.0.1:0", "name it with --listen"),
    ] {
        let output = selftest(dir.path(), listen, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
    fs::write(dir.path().join("portcullis.toml"), "[proxi]").unwrap();
    let output = selftest(dir.path(), &nothing, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_login_is_wrong_once_and_never_again() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("users"), ADA).unwrap();
    let settings = format!("{NO_LIST}{GUARDED}[auth]\nusers = \"users\"\n");
    let mut proxy = Running::start_logging(dir.path(), &settings, "text");
    let output = tested_with(&proxy, dir.path(), &["--json", "--user", "ada"], "secret");
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = json(&output);
    all_are(&report, "without a login", "held");
    all_are(&report, "with a wrong login", "held");
    let blocked = results(&report, "a name that a decision");
    let words: Vec<_> = blocked.iter().map(|(_, result)| result.as_str()).collect();
    assert_eq!(words, ["held", "held", "held", "untried"]);

    // One that is told a wrong password asks no more.
    let output = tested_with(&proxy, dir.path(), &["--user", "ada"], "guess");
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("does not take the login"),
        "{}",
        stderr(&output)
    );
    // Without a user, it is seen that one is needed, and not more.
    let output = tested(&proxy, dir.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = json(&output);
    all_are(&report, "anything, without a login", "held");
    all_are(&report, "a name that a decision", "untried");
    proxy.signal("TERM");
    let lines = proxy.lines.by_ref().map(Result::unwrap);
    let failures = lines.filter(|line| line.contains("login failed"));
    assert_eq!(failures.count(), 3);
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn every_listener_is_asked_as_its_settings_want_it() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("proxy.sock");
    let port = || {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (balanced, elsewhere) = (port(), port());
    let settings = format!(
        "{NO_LIST}[listeners.balanced]\naddress = \"127.0.0.1:{balanced}\"\n\
         proxy_protocol = [\"127.0.0.1\"]\nallow = [\"192.168.0.0/16\"]\n\
         [listeners.elsewhere]\naddress = \"127.0.0.1:{elsewhere}\"\n\
         proxy_protocol = [\"192.0.2.1\"]\nallow = [\"192.168.0.0/16\"]\n\
         [listeners.socket]\naddress = \"unix:{}\"\n",
        socket.display()
    );
    let proxy = Running::start(dir.path(), &settings);
    let output = tested(&proxy, dir.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = json(&output);
    let listener = |name: &str| {
        let mut all = report["listeners"].as_array().unwrap().iter();
        let is_it = |it: &&Value| it["listener"].as_str().unwrap().contains(name);
        all.find(is_it).unwrap().clone()
    };
    assert_eq!(listener("balanced")["client"], "192.168.0.1");
    assert_eq!(listener("unix:")["client"], Value::Null);
    for name in ["balanced", "unix:"] {
        let alone = serde_json::json!({ "listeners": [listener(name)] });
        all_are(&alone, "cloud metadata", "held");
        all_are(&alone, "a name that a decision", "held");
    }
    let alone = serde_json::json!({ "listeners": [listener("balanced")] });
    all_are(&alone, "may not come in", "held");
    let untried = listener("elsewhere")["rows"][0].clone();
    assert_eq!(untried["result"], "untried");
    let why = untried["left_out"][0].as_str().unwrap();
    assert!(why.contains("believes its load balancers alone"), "{why}");
}
