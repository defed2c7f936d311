//! The access log as the operator gets it from the program: its forms, its places, and what happens
//! when no program reads it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::conformance::ROOMY;
use super::running::{Running, refused};
use super::{portcullis, stderr, stdout};

/// Everything that is still to be read from standard error, after the proxy was told to end.
fn rest_of_log(mut proxy: Running) -> Vec<String> {
    proxy.signal("TERM");
    let lines = proxy.lines.by_ref().map(Result::unwrap).collect();
    assert_eq!(proxy.ends(), Some(0));
    lines
}

fn is_access(line: &str) -> bool {
    line.starts_with("time=") && line.contains(" kind=access ")
}

#[test]
fn json_lines_are_as_the_schema_says() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(
        dir.path(),
        "[feeds.malware]\nenabled = false\n[log.access]\nformat = 'json'",
    );
    refused(&proxy, "GET http://www.blocked.portcullis.test/ HTTP/1.1");
    refused(&proxy, "CONNECT blocked.portcullis.test:443 HTTP/1.1");
    let schema = include_str!("../../schema/access-log.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let lines = rest_of_log(proxy);
    let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    let access: Vec<Value> = lines
        .filter(|line: &Value| line["kind"] == "access")
        .collect();
    assert_eq!(access.len(), 2, "{access:?}");
    for line in access {
        let errors = schema.iter_errors(&line).map(|error| error.to_string());
        assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{line}");
        assert_eq!(line["verdict"], "block");
        assert_eq!(line["client"], "127.0.0.1");
    }
}

#[test]
fn nothing_is_written_when_it_is_off() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(
        dir.path(),
        "[feeds.malware]\nenabled = false\n[log.access]\nto = 'off'",
    );
    refused(&proxy, "GET http://www.blocked.portcullis.test/ HTTP/1.1");
    let lines = rest_of_log(proxy).join("\n");
    assert!(
        !lines.contains("access") && !lines.contains("www.blocked"),
        "{lines}"
    );
}

#[test]
fn it_may_go_to_standard_output_while_the_program_speaks_on_standard_error() {
    let dir = TempDir::new().unwrap();
    let mut proxy = Running::start(
        dir.path(),
        "[feeds.malware]\nenabled = false\n[log.access]\nto = 'stdout'",
    );
    refused(&proxy, "GET http://www.blocked.portcullis.test/ HTTP/1.1");
    let mut output = proxy.process.stdout.take().unwrap();
    assert!(!rest_of_log(proxy).iter().any(|line| is_access(line)));
    let mut access = String::new();
    output.read_to_string(&mut access).unwrap();
    assert!(
        is_access(&access) && access.lines().count() == 1,
        "{access}"
    );
}

fn logs_to(dir: &Path, to: &str) {
    let config = format!("[feeds.malware]\nenabled = false\n[log.access]\nto = '{to}'");
    fs::write(dir.join("portcullis.toml"), config).unwrap();
}

#[test]
fn a_file_that_cannot_be_opened_is_told_by_check_and_ends_the_start_with_1() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("logs")).unwrap();
    for to in ["gone/access.log", "logs", "portcullis.toml/access.log"] {
        logs_to(dir.path(), to);
        let mut check = portcullis(dir.path());
        let check = check.arg("check").output().unwrap();
        assert_eq!(check.status.code(), Some(2), "{to}");
        let said = stdout(&check);
        let told = said.split_once("not ready: the access log: ");
        let fault = told.and_then(|(_, told)| told.lines().next());
        let fault = fault.expect(&said);

        let mut start = portcullis(dir.path());
        let start = start.args(["--listen", "127.0.0.1:0"]).output().unwrap();
        assert_eq!(start.status.code(), Some(1), "{to}");
        let said = stderr(&start);
        assert!(said.contains(&format!("portcullis: {fault}\n")), "{said}");
        for part in ["cannot open the access log", to, "[log.access] to"] {
            assert!(fault.contains(part), "{part} in {fault}");
        }
    }
}

#[test]
fn a_check_neither_makes_the_file_nor_changes_it_nor_opens_a_pipe() {
    let dir = TempDir::new().unwrap();
    let [new, old, pipe] = ["new.log", "old.log", "pipe"].map(|name| dir.path().join(name));
    fs::write(&old, "a line\n").unwrap();
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for to in ["new.log", "old.log", "pipe"] {
        logs_to(dir.path(), to);
        let mut check = portcullis(dir.path());
        // Opened, the pipe would have it wait for a reader.
        let check = check.arg("check").output().unwrap();
        assert_eq!(check.status.code(), Some(0), "{to}: {}", stdout(&check));
    }
    assert!(!new.exists());
    assert_eq!(fs::read_to_string(old).unwrap(), "a line\n");
}

#[test]
fn no_line_is_torn_by_another_under_load() {
    const CLIENTS: usize = 4;
    const REQUESTS: usize = 50;
    let dir = TempDir::new().unwrap();
    let config = "[feeds.malware]\nenabled = false\n[proxy]\nworkers = 2\n[log]\nfilter = 'trace'";
    let mut proxy = Running::start_logging(dir.path(), config, "text");
    let lines = thread::scope(|scope| {
        // The reader must not fall behind, or lines are lost.
        let proxy = &mut proxy;
        let lines = &mut proxy.lines;
        let address = proxy.address;
        let reader = scope.spawn(move || {
            let mut read = Vec::new();
            let mut exchanges = 0;
            while exchanges < CLIENTS * REQUESTS {
                let line = lines.next().unwrap().unwrap();
                exchanges += usize::from(is_access(&line));
                read.push(line);
            }
            read
        });
        for _ in 0..CLIENTS {
            scope.spawn(move || pipeline(address, REQUESTS, "www.blocked.portcullis.test"));
        }
        reader.join().unwrap()
    });
    let [access, program] = [true, false].map(|wanted| {
        lines
            .iter()
            .filter(|line| is_access(line) == wanted)
            .count()
    });
    assert_eq!(access, CLIENTS * REQUESTS);
    assert!(program > 0, "there is something to be torn by");
    for line in &lines {
        let is_whole = if is_access(line) {
            line.ends_with(" outcome=complete") && line.matches("kind=access").count() == 1
        } else {
            line.starts_with("20") && !line.contains("kind=access")
        };
        assert!(is_whole, "{line}");
    }
}

/// Sends refused requests, one after the other without waiting, and reads all answers.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the proxy, which may block"
)]
fn pipeline(address: std::net::SocketAddr, requests: usize, host: &str) {
    let mut client = TcpStream::connect(address).unwrap();
    let mut sending = client.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let request = format!("GET http://{host}/ HTTP/1.1\r\nHost: x\r\n\r\n");
            for _ in 1..requests {
                sending.write_all(request.as_bytes()).unwrap();
            }
            let last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
            sending.write_all(last.as_bytes()).unwrap();
        });
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 403 ").count(), requests);
    });
}

/// How many lines were lost since the start.
#[derive(serde::Deserialize)]
struct Report {
    lost_access_lines: usize,
}

impl Report {
    fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[test]
fn lines_that_a_stalled_reader_does_not_take_are_counted_and_told() {
    const REQUESTS: usize = 8000;
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    // Lines of this length fill what may wait, 4 MiB, and the pipe.
    let settings = format!("{ROOMY}[config]\nreason = '{}'", "x".repeat(1000));
    fs::write(dir.path().join("plugins/blocklist.toml"), settings).unwrap();
    let config = "[feeds.malware]\nenabled = false\n[proxy]\nworkers = 1\n[log]\nfilter = 'trace'";
    let mut proxy = Running::start_logging(dir.path(), config, "json");
    pipeline(proxy.address, REQUESTS, "www.blocked.portcullis.test");

    let (mut written, mut lost) = (0, 0);
    while written + lost < REQUESTS {
        let line = proxy.lines.next().expect("the log goes on").unwrap();
        written += usize::from(is_access(&line));
        if let Some(line) = Report::read(&line) {
            lost = line.lost_access_lines;
        }
    }
    assert_eq!(written + lost, REQUESTS);
    assert!(lost > 0, "all had room");
    proxy.signal("TERM");
    proxy.wait_for_line("stopping");
}

#[test]
fn what_a_filter_says_forges_no_line() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    let forged = "time=2026-11-23T13:42:32.829285Z kind=access id=9 client=10.0.0.7 host=evil.example port=80 \
                  protocol=http verdict=next outcome=complete";
    let settings = format!("[config]\nreason = '{forged}\" host=evil.example {forged}'");
    fs::write(dir.path().join("plugins/blocklist.toml"), settings).unwrap();
    for format in ["logfmt", "json"] {
        let config = format!("[feeds.malware]\nenabled = false\n[log.access]\nformat = '{format}'");
        let proxy = Running::start_logging(dir.path(), &config, "text");
        refused(&proxy, "GET http://www.blocked.portcullis.test/ HTTP/1.1");
        let log = rest_of_log(proxy).join("\n");
        assert!(log.contains("evil.example"), "{log}");
        fs::write(dir.path().join("access.log"), log).unwrap();
        let replay = replay(dir.path());
        assert_eq!(
            (&replay["requests"], &replay["hosts"]),
            (&1.into(), &1.into())
        );
    }
}

fn replay(dir: &Path) -> Value {
    let mut command = portcullis(dir);
    command.args(["replay", "access.log", "--plugin", "blocklist", "--json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}
