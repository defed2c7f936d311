//! Logins: how a user is added, what a start says of them, and what fail2ban reads.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::running::Running;
use super::{portcullis, stderr, stdout, there_is};

const AUTH: &str = "[feeds.malware]\nenabled = false\n[auth]\nusers = \"users\"\n";

/// The hash of `secret`.
const ADA: &str = "ada:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw\n";

/// What `portcullis password NAME` does with this on its standard input.
fn password(dir: &Path, name: &str, input: &str) -> Output {
    let mut program = portcullis(dir)
        .args(["password", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
    program.wait_with_output().unwrap()
}

/// The status line of an answer to a GET with that login, `name:password` in base64.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the proxy, which may block"
)]
fn asks(proxy: &Running, login: &str) -> String {
    let mut client = TcpStream::connect(proxy.address).unwrap();
    let head = "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n";
    write!(client, "{head}Proxy-Authorization: Basic {login}\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_line_that_password_prints_is_one_by_which_a_user_logs_in() {
    let dir = TempDir::new().unwrap();
    let printed = password(dir.path(), "ada", "open sesame\r\nmore\n");
    assert_eq!(printed.status.code(), Some(0), "{}", stderr(&printed));
    let line = stdout(&printed);
    assert!(
        line.starts_with("ada:$argon2id$v=19$m=19456,t=2,p=1$"),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);
    fs::write(dir.path().join("users"), line).unwrap();
    let check = portcullis(dir.path()).arg("check").output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));

    let proxy = Running::start(dir.path(), AUTH);
    // Nothing listens there.
    let right = asks(&proxy, "YWRhOm9wZW4gc2VzYW1l");
    assert_eq!(right, "HTTP/1.1 502 Bad Gateway");
    let wrong = asks(&proxy, "YWRhOm9wZW4gc2VzYW1lDQ==");
    assert_eq!(wrong, "HTTP/1.1 407 Proxy Authentication Required");
}

#[test]
fn what_no_client_could_send_is_refused() {
    let dir = TempDir::new().unwrap();
    for (name, input, why) in [
        ("a:b", "secret\n", "has a colon"),
        ("", "secret\n", "the name of a user is empty"),
        ("ada", "", "the password is empty"),
        ("ada", "\n", "the password is empty"),
        ("ada", "a\tb\n", "a control character"),
    ] {
        let refused = password(dir.path(), name, input);
        assert_eq!(refused.status.code(), Some(2), "{name:?} {input:?}");
        assert_eq!(stdout(&refused), "");
        let said = stderr(&refused);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_wrong_file_of_users_is_told_with_its_line_by_check_and_ends_the_start() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), AUTH).unwrap();
    let output = |arguments: &[&str]| portcullis(dir.path()).args(arguments).output().unwrap();
    let expected = "users:2: the hash of `bob`: MD5 as Apache has it is cracked quickly; \
                    `portcullis password NAME` prints a line that is right";
    let wrong = "bob:$apr1$5sElloLN$P63VBQKgSogqhl5dd7dbi1";
    fs::write(dir.path().join("users"), format!("{ADA}{wrong}\n")).unwrap();
    let check = output(&["check"]);
    assert_eq!(check.status.code(), Some(2));
    let said = stdout(&check);
    assert!(said.contains("not ready: the users of [auth]: "), "{said}");
    assert!(said.contains(expected), "{said}");
    let start = output(&["--listen", "127.0.0.1:0"]);
    assert_eq!(start.status.code(), Some(2));
    let said = stderr(&start);
    assert!(
        said.contains("cannot start without the users of [auth]: "),
        "{said}"
    );
    assert!(said.contains(expected), "{said}");

    fs::remove_file(dir.path().join("users")).unwrap();
    let start = output(&["--listen", "127.0.0.1:0"]);
    assert_eq!(start.status.code(), Some(2));
    assert!(
        stderr(&start).contains("cannot read the file of users "),
        "{}",
        stderr(&start)
    );
}

#[test]
fn a_decision_may_be_for_a_user_that_there_is() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("users"), ADA).unwrap();
    fs::write(dir.path().join("portcullis.toml"), AUTH).unwrap();
    let decide = |user: &str| {
        let mut program = portcullis(dir.path());
        program.env("PORTCULLIS_STATE_DIR", dir.path().join("state"));
        let arguments = ["deny", "127.0.0.1", "--user", user];
        program.args(arguments).output().unwrap()
    };
    let made = decide("ada");
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).starts_with("decision 1: deny 127.0.0.1 for user ada\n"));
    let unknown = decide("adda");
    assert_eq!(unknown.status.code(), Some(2));
    let said = stderr(&unknown);
    assert!(
        said.contains("there is no user `adda`; did you mean `ada`?"),
        "{said}"
    );
}

#[test]
fn explain_says_that_clients_have_to_log_in() {
    let dir = TempDir::new().unwrap();
    let note = "note: clients have to log in ([auth])";
    for (settings, expected) in [(AUTH, true), ("[feeds.malware]\nenabled = false\n", false)] {
        fs::write(dir.path().join("portcullis.toml"), settings).unwrap();
        let mut explain = portcullis(dir.path());
        explain.env("PORTCULLIS_STATE_DIR", dir.path().join("state"));
        let said = stdout(&explain.args(["explain", "a.example"]).output().unwrap());
        assert_eq!(said.contains(note), expected, "{said}");
    }
}

#[test]
fn a_listener_beyond_loopback_with_logins_starts_and_says_that_passwords_are_readable() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("users"), ADA).unwrap();
    let mut proxy = Running::start_at(dir.path(), AUTH, "json", "0.0.0.0:0");
    proxy.wait_for_line("passwords are readable on the network");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
    let mut proxy = Running::start(dir.path(), AUTH);
    proxy.signal("TERM");
    let mut said = proxy.lines.by_ref().map(Result::unwrap);
    assert!(!said.any(|line| line.contains("readable")));
}

/// The expression in README.md.
fn failregex() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let mut lines = readme.lines();
    let regex = lines.find_map(|line| line.strip_prefix("failregex = "));
    regex.expect("README.md has it").to_owned()
}

#[test]
fn fail2ban_finds_the_client_in_the_line_of_a_failed_login() {
    if !there_is("fail2ban-regex") {
        return;
    }
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("users"), ADA).unwrap();
    let mut proxy = Running::start_logging(dir.path(), AUTH, "text");
    assert!(asks(&proxy, "YWRhOndyb25n").contains(" 407 "));
    let line = proxy.next_line(&["login failed"]);
    let by_journal = format!("host portcullis[7]: {line}");
    let (time, rest) = line.split_once(" WARN ").unwrap();
    let forged = format!("{time} WARN portcullis::filter: WARN {rest}");
    let regex = failregex();
    for (line, found) in [
        (&line, "127.0.0.1\n"),
        (&by_journal, "127.0.0.1\n"),
        (&forged, ""),
    ] {
        let run = Command::new("fail2ban-regex")
            .args(["--usedns", "no", "--out", "ip", line, &regex])
            .output();
        let run = run.unwrap();
        assert_eq!(stdout(&run), found, "{line}: {}", stderr(&run));
    }
}
