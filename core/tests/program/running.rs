//! The proxy as a process that runs: what its log says, what another process learns of it, and how
//! signals stop it.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use super::{portcullis, started_by, stderr, stdout, there_is};

/// A proxy on some port. Its log is read up to the line that says it listens.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) lines: Lines<BufReader<ChildStderr>>,
    /// The line that says where it listens.
    pub(crate) first: String,
    pub(crate) address: SocketAddr,
}

impl Running {
    pub(crate) fn start(dir: &Path, config: &str) -> Self {
        Self::start_logging(dir, config, "json")
    }

    pub(crate) fn start_logging(dir: &Path, config: &str, format: &str) -> Self {
        Self::start_at(dir, config, format, "127.0.0.1:0")
    }

    pub(crate) fn start_at(dir: &Path, config: &str, format: &str, listen: &str) -> Self {
        fs::write(dir.join("portcullis.toml"), config).unwrap();
        let mut program = portcullis(dir);
        program
            .args(["--listen", listen])
            .env("PORTCULLIS_LOG_FORMAT", format);
        Self::of(&mut program)
    }

    /// The same for a program that is about to start.
    pub(crate) fn of(program: &mut Command) -> Self {
        let program = program.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = program.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines_about = lines.by_ref().map(Result::unwrap);
        let first = lines_about.find(|line| address(line).is_some());
        let first = first.expect("it says where it listens");
        Self {
            process,
            address: address(&first).unwrap(),
            lines,
            first,
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &process]).status();
        assert!(kill.unwrap().success());
    }

    pub(crate) fn wait_for_line(&mut self, text: &str) {
        self.next_line(&[text]);
    }

    /// The next line of the log that has one of these texts.
    pub(crate) fn next_line(&mut self, texts: &[&str]) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let line = lines.find(|line| texts.iter().any(|text| line.contains(text)));
        line.unwrap_or_else(|| panic!("the log ends without any of {texts:?}"))
    }

    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

/// Where it listens, if the line of its log says so.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line
        .split_once("\"address\":\"")
        .or_else(|| line.split_once("listening address="))?;
    // The one of the command line comes first.
    Some(address.split(['"', ',']).next()?.parse().unwrap())
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        let _ = self.process.kill();
    }
}

/// A request that has reached its origin: the client's and the origin's end.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the proxy, which may block"
)]
pub(crate) fn request_in_flight(proxy: &Running) -> (TcpStream, TcpStream) {
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = origin.local_addr().unwrap();
    let mut client = TcpStream::connect(proxy.address).unwrap();
    let request = format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let (mut served, _) = origin.accept().unwrap();
    // An accepted connection alone has carried no request yet.
    let head = BufReader::new(&mut served).lines();
    assert!(head.map(Result::unwrap).any(|line| line.is_empty()));
    (client, served)
}

/// Sends a request that is refused, and reads the answer to its end.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the proxy, which may block"
)]
pub(crate) fn refused(proxy: &Running, head: &str) {
    let mut client = TcpStream::connect(proxy.address).unwrap();
    write!(client, "{head}\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn what_a_proxy_has_logged_is_replayed_for_another_version_of_a_filter() {
    for (program, access) in [("text", "logfmt"), ("json", "json"), ("json", "logfmt")] {
        let format = format!("{program} beside {access}");
        let dir = TempDir::new().unwrap();
        let config = format!("[feeds.malware]\nenabled = false\n[log.access]\nformat = '{access}'");
        let mut proxy = Running::start_logging(dir.path(), &config, program);
        for _ in 0..2 {
            refused(&proxy, "GET http://www.blocked.portcullis.test/ HTTP/1.1");
        }
        refused(&proxy, "CONNECT www.blocked.portcullis.test:443 HTTP/1.1");
        refused(&proxy, "CONNECT blocked.portcullis.test:443 HTTP/1.1");
        proxy.signal("TERM");
        let log: Vec<String> = proxy.lines.by_ref().map(Result::unwrap).collect();
        fs::write(dir.path().join("access.log"), log.join("\n")).unwrap();
        assert_eq!(proxy.ends(), Some(0));

        let replay = || {
            let mut command = portcullis(dir.path());
            command.args(["replay", "access.log", "--plugin", "blocklist", "--json"]);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        let same = replay();
        assert_eq!(
            (&same["requests"], &same["hosts"]),
            (&4.into(), &2.into()),
            "{format}"
        );
        assert_eq!((&same["changed"], &same["asked"]), (&0.into(), &3.into()));

        fs::create_dir_all(dir.path().join("plugins")).unwrap();
        let allow = "[config]\nallow = ['www.blocked.portcullis.test']";
        fs::write(dir.path().join("plugins/blocklist.toml"), allow).unwrap();
        let other = replay();
        let difference = serde_json::json!([{
            "host": "www.blocked.portcullis.test", "requests": 3,
            "was": "block", "by": "blocklist", "would_be": "next", "detail": null,
        }]);
        assert_eq!(other["differences"], difference, "{format}");
    }
}

#[test]
fn sigterm_and_sigint_end_it_well() {
    for name in ["TERM", "INT"] {
        let dir = TempDir::new().unwrap();
        let mut proxy = Running::start(dir.path(), "[feeds.malware]\nenabled = false");
        proxy.signal(name);
        proxy.wait_for_line("shutting down");
        assert_eq!(proxy.ends(), Some(0), "{name}");
    }
}

#[test]
fn sighup_opens_a_log_that_was_moved_away_and_ends_nothing() {
    let dir = TempDir::new().unwrap();
    let (log, moved) = (dir.path().join("access.log"), dir.path().join("moved.log"));
    let config = format!(
        "[feeds.malware]\nenabled = false\n[log.access]\nto = {:?}",
        log.display()
    );
    let mut proxy = Running::start(dir.path(), &config);
    let (mut client, mut origin) = request_in_flight(&proxy);
    fs::rename(&log, &moved).unwrap();
    proxy.signal("HUP");
    proxy.wait_for_line("looking again at the configuration file");
    while !log.exists() {
        thread::yield_now();
    }
    origin
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsame")
        .unwrap();
    let mut response = [0; 1024];
    let read = client.read(&mut response).unwrap();
    assert!(response[..read].starts_with(b"HTTP/1.1 200 "));
    proxy.signal("TERM");
    proxy.signal("HUP");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the proxy, which may block"
)]
fn sighup_has_the_feeds_of_the_file_hold_below_those_of_the_environment() {
    let dir = TempDir::new().unwrap();
    let config = "[feeds.malware]\nenabled = false\n";
    let mut proxy = Running::start(dir.path(), config);
    proxy.wait_for_line("filters in use");
    let own = format!("{config}[feeds.own]\nentries = [\"own.example\"]\n");
    fs::write(dir.path().join("portcullis.toml"), &own).unwrap();
    proxy.signal("HUP");
    proxy.wait_for_line("\"added\":\"own\"");
    let mut client = TcpStream::connect(proxy.address).unwrap();
    let request = "GET http://own.example/ HTTP/1.1\r\nHost: own.example\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let mut status = [0; 12];
    client.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 403");
    // A variable of the start keeps its word: the format of the log is still JSON.
    fs::write(
        dir.path().join("portcullis.toml"),
        format!("{own}[log]\nformat = \"text\"\n"),
    )
    .unwrap();
    proxy.signal("HUP");
    proxy.wait_for_line("nothing has changed");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn sighup_names_the_tables_that_need_a_restart() {
    let dir = TempDir::new().unwrap();
    let config = "[feeds.malware]\nenabled = false\n";
    let mut proxy = Running::start(dir.path(), config);
    proxy.wait_for_line("filters in use");
    let changed = format!("{config}[limits]\nidle = \"7s\"\n[tunnel]\nsni = \"log\"\n");
    fs::write(dir.path().join("portcullis.toml"), changed).unwrap();
    proxy.signal("HUP");
    proxy.wait_for_line("a change of [limits] needs a restart");
    proxy.wait_for_line("a change of [tunnel] needs a restart");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn a_request_in_flight_is_finished_after_a_signal() {
    let dir = TempDir::new().unwrap();
    let mut proxy = Running::start(dir.path(), "[feeds.malware]\nenabled = false");
    let (mut client, mut origin) = request_in_flight(&proxy);
    proxy.signal("TERM");
    proxy.wait_for_line("shutting down");
    origin
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        .unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("\r\n\r\nlate"), "{response}");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn a_second_signal_does_not_wait_for_requests() {
    let dir = TempDir::new().unwrap();
    let mut proxy = Running::start(dir.path(), "[feeds.malware]\nenabled = false");
    let _never_answered = request_in_flight(&proxy);
    proxy.signal("INT");
    proxy.wait_for_line("shutting down");
    proxy.signal("INT");
    assert_eq!(proxy.ends(), Some(130));
}

#[test]
fn a_listed_subdomain_is_explained_with_filter_feed_and_rule() {
    let dir = TempDir::new().unwrap();
    let list = dir.path().join("list.txt");
    fs::write(&list, "evil.example\n").unwrap();
    let url = format!("file://{}", list.display());
    let config = format!(
        "[feeds.malware]\nenabled = false\n[feeds.mine]\nurl = {url:?}\nformat = \"domains\"\n"
    );
    // Explanations fetch nothing: they look at what a proxy has left behind.
    let mut proxy = Running::start(dir.path(), &config);
    proxy.wait_for_line("feed updated");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));

    let explain = |arguments: &[&str]| {
        let output = portcullis(dir.path())
            .arg("explain")
            .args(arguments)
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0));
        stdout(&output)
    };
    let text = explain(&["www.evil.example"]);
    let verdict = "block by blocklist with 403: evil.example is on the list mine";
    for part in [
        "www.evil.example port 443",
        "feed mine, rule evil.example",
        verdict,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    let text = explain(&["--json", "http://www.evil.example:8080/path"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["host"], "www.evil.example");
    assert_eq!(json["port"], 8080);
    for line in [&json["filters"][0], &json["final"]] {
        assert_eq!(line["filter"], "blocklist");
        assert_eq!(line["verdict"], "block");
        assert_eq!(line["feed"], "mine");
        assert_eq!(line["rule"], "evil.example");
    }
    assert!(json["filters"][0]["microseconds"].as_f64().unwrap() > 0.0);

    let text = explain(&["notevil.example"]);
    assert!(text.contains("passes: no filter objects"), "{text}");
}

/// Runs curl through the proxy.
fn curl(proxy: &Running, arguments: &[&str]) -> String {
    let curl = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "20", "--noproxy", ""])
        .arg("--proxy")
        .arg(format!("http://{}", proxy.address))
        .args(arguments)
        .output();
    stdout(&curl.unwrap())
}

/// Answers one request on each of two connections.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().take(2) {
            let mut client = BufReader::new(client.unwrap());
            while client.by_ref().lines().next().unwrap().unwrap() != "" {}
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            client.get_mut().write_all(answer).unwrap();
        }
    });
    address
}

#[test]
fn curl_gets_what_it_asks_for_and_is_told_what_it_may_not() {
    if !there_is("curl") {
        return;
    }
    let dir = TempDir::new().unwrap();
    let mut proxy = Running::start(dir.path(), "[feeds.malware]\nenabled = false");
    let url = format!("http://{}/", origin());
    let answer = curl(&proxy, &[&url]);
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    let answer = curl(&proxy, &["--proxytunnel", &url]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");

    let refused = "www.blocked.portcullis.test/";
    let answer = curl(&proxy, &[&format!("http://{refused}")]);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("Filter: blocklist"), "{answer}");
    let answer = curl(&proxy, &[&format!("https://{refused}")]);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn settings_from_a_pipe_hold_until_a_restart() {
    let dir = TempDir::new().unwrap();
    let (settings, mut writer) = std::io::pipe().unwrap();
    let own = b"[feeds.own]\nentries = [\"own.example\"]\n";
    writer.write_all(own).unwrap();
    drop(writer);
    let mut program = portcullis(dir.path());
    program
        .args(["--config", "/dev/stdin", "--listen", "127.0.0.1:0"])
        .arg("--plugins")
        .arg(dir.path())
        .env("PORTCULLIS_FEEDS_MALWARE_ENABLED", "false")
        .env("PORTCULLIS_LOG_FORMAT", "json")
        .stdin(settings);
    let mut proxy = Running::of(&mut program);
    for reason in ["is read once and not followed", "is not read again"] {
        // Taken up once more, the pipe would say nothing, and the feed would go.
        let line = proxy.next_line(&["a pipe or a device", "feeds changed"]);
        assert!(line.contains(reason), "{line}");
        assert!(line.contains("a change needs a restart"), "{line}");
        refused(&proxy, "GET http://own.example/ HTTP/1.1");
        proxy.signal("HUP");
    }
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
}

#[test]
fn a_low_limit_of_open_files_is_raised_and_bounds_the_connections() {
    let dir = TempDir::new().unwrap();
    let config = "[proxy]\nworkers = 2\n[feeds.malware]\nenabled = false\n";
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    let start = |limits: &str| {
        let mut program = portcullis(dir.path());
        program.args(["--listen", "127.0.0.1:0"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("{limits}; exec \"$@\""), "sh"]);
        let mut limited = started_by(limited, &program);
        limited.stderr(Stdio::piped()).spawn().unwrap()
    };
    let lines_until_it_listens = |mut process: Child| {
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines {
            said.push(line.unwrap());
            if said
                .last()
                .is_some_and(|line| line.contains("filters in use"))
            {
                break;
            }
        }
        process.kill().unwrap();
        process.wait().unwrap();
        said.join("\n")
    };
    // The hard limit is what counts.
    let low = lines_until_it_listens(start("ulimit -n 1000; ulimit -Sn 500"));
    let expected = "connections=323 wanted=10000";
    assert!(low.contains(expected), "{low}");
}
