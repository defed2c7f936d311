//! The program as its users meet it: what it says, what it ends with, and how signals stop it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

// A file of its own beside this one would be another program to link.
#[path = "program/plugin.rs"]
mod plugin;
#[path = "program/replay.rs"]
mod replay;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program in an empty folder, with no settings but those that a test makes.
fn portcullis(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PORTCULLIS_") {
            command.env_remove(name);
        }
    }
    command.env("PORTCULLIS_CACHE_DIR", dir.join("cache"));
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_good_configuration_is_ok() {
    let dir = TempDir::new().unwrap();
    let output = portcullis(dir.path()).arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    std::fs::write(dir.path().join("portcullis.toml"), "[proxy]\nworkers = 1").unwrap();
    let output = portcullis(dir.path()).arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("portcullis.toml: ok"), "{said}");
}

#[test]
fn a_bad_configuration_ends_with_2_and_says_where() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("portcullis.toml"), "[proxy]\nlisen = 1").unwrap();
    for arguments in [&["check"][..], &["run"], &[], &["explain", "a.example"]] {
        let output = portcullis(dir.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(
            stderr(&output),
            "portcullis: portcullis.toml:2:1: unknown key `lisen` in [proxy]; did you mean `listen`?\n"
        );
    }
    let output = portcullis(dir.path())
        .args(["check", "--config", "other.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("other.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_port_in_use_ends_with_1_and_a_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let output = portcullis(dir.path())
        .args(["--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
}

#[test]
fn a_plugin_that_cannot_be_used_ends_a_check_with_2() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::write(plugins.join("broken.wasm"), "text").unwrap();
    let output = portcullis(dir.path()).arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stdout(&output);
    assert!(said.contains("plugin blocklist (built in): ok\n"), "{said}");
    assert!(
        said.contains("plugin broken (file): refused: this is no WebAssembly binary\n"),
        "{said}"
    );
    let said = stderr(&output);
    assert!(said.contains("not every plugin can be used"), "{said}");
}

#[test]
fn a_check_speaks_json_to_programs() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(
        dir.path().join("plugins/blocklist.toml"),
        "mode = \"shadow\"",
    )
    .unwrap();
    let check = || {
        let output = portcullis(dir.path()).args(["check", "--json"]).output();
        let output = output.unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    let (code, report) = check();
    assert_eq!(code, Some(0));
    assert_eq!(report["ok"], true);
    let blocklist = serde_json::json!({
        "name": "blocklist", "version": env!("CARGO_PKG_VERSION"),
        "description": "The malicious-domain blocklist, a built-in Portcullis filter",
        "builtin": true, "disabled": false, "mode": "shadow",
        "hooks": ["judge-host"],
        "shadow": {"passed": 0, "allowed": 0, "blocked": 0, "redirected": 0, "replaced": 0, "edited": 0,
                   "failed": 0, "unasked": 0},
    });
    assert_eq!(report["plugins"][0], blocklist);

    fs::write(dir.path().join("plugins/broken.wasm"), "text").unwrap();
    let (code, report) = check();
    assert_eq!(code, Some(2));
    assert_eq!(report["ok"], false);
    assert_eq!(
        report["plugins"][1]["refused"],
        "this is no WebAssembly binary"
    );
}

#[test]
fn a_filter_is_measured_where_it_lies_with_the_settings_beside_it() {
    let dir = TempDir::new().unwrap();
    let bench = |arguments: &[&str]| {
        let mut command = portcullis(dir.path());
        command.args(["plugin", "bench", "--calls", "100"]);
        command.args(arguments).output().unwrap()
    };
    let output = bench(&["blocklist"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    for part in ["compiled in", "judge-host", "next", "112 calls"] {
        assert!(said.contains(part), "{part} in {said}");
    }

    let output = bench(&["blocklist", "--json", "--host", "malware.wicar.org"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["compile_ms"], serde_json::Value::Null, "{json}");
    assert_eq!(json["hooks"][0]["verdict"], "block", "{json}");
    assert!(json["memory_bytes"].as_u64().unwrap() >= 1 << 16, "{json}");

    // The file of any filter will do; that of the built-in one is at hand.
    let file = dir.path().join("mine.wasm");
    let filter = include_bytes!(concat!(env!("OUT_DIR"), "/blocklist.wasm"));
    fs::write(&file, filter).unwrap();
    let output = bench(&["mine.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.starts_with("portcullis: cannot measure mine.wasm: it wants `portcullis:filter/feeds"),
        "{said}"
    );
    fs::write(dir.path().join("mine.toml"), "[grants]\nfeeds = [\"*\"]").unwrap();
    let output = bench(&["mine.wasm"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn what_is_no_filter_is_not_measured_and_the_reason_is_that_of_the_log() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("text.wasm"), "text").unwrap();
    for (file, reason) in [
        ("text.wasm", "this is no WebAssembly binary"),
        ("gone.wasm", "cannot read gone.wasm"),
        ("gone", "this is neither a file NAME.wasm nor"),
    ] {
        let output = portcullis(dir.path())
            .args(["plugin", "bench", file])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{file}");
        let said = stderr(&output);
        assert!(
            said.starts_with(&format!("portcullis: cannot measure {file}: {reason}")),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_host_cannot_be_explained() {
    let dir = TempDir::new().unwrap();
    let output = portcullis(dir.path())
        .args(["explain", "a b"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("neither a host nor a URL"), "{said}");
}

#[cfg(unix)]
mod running {
    use std::fs;
    use std::io::{BufRead, BufReader, ErrorKind, Lines, Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::path::Path;
    use std::process::{Child, ChildStderr, Command, Stdio};
    use std::thread;

    use tempfile::TempDir;

    use super::{portcullis, stderr, stdout};

    /// A proxy on some port. Its log is read up to the line that says it listens.
    struct Running {
        process: Child,
        lines: Lines<BufReader<ChildStderr>>,
        address: SocketAddr,
    }

    impl Running {
        fn start(dir: &Path, config: &str) -> Self {
            Self::start_logging(dir, config, "json")
        }

        fn start_logging(dir: &Path, config: &str, format: &str) -> Self {
            fs::write(dir.join("portcullis.toml"), config).unwrap();
            let mut process = portcullis(dir)
                .args(["--listen", "127.0.0.1:0"])
                .env("PORTCULLIS_LOG_FORMAT", format)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
            let address = lines.find_map(|line| address(&line.unwrap())).unwrap();
            Self {
                process,
                lines,
                address,
            }
        }

        fn signal(&self, name: &str) {
            let process = self.process.id().to_string();
            let kill = Command::new("kill").args(["-s", name, &process]).status();
            assert!(kill.unwrap().success());
        }

        fn wait_for_line(&mut self, text: &str) {
            assert!(
                self.lines.any(|line| line.unwrap().contains(text)),
                "{text}"
            );
        }

        fn ends(&mut self) -> Option<i32> {
            self.process.wait().unwrap().code()
        }
    }

    /// Where it listens, if the line of its log says so.
    fn address(line: &str) -> Option<SocketAddr> {
        let (_, address) = line
            .split_once("\"address\":\"")
            .or_else(|| line.split_once("listening address="))?;
        Some(address.split('"').next()?.parse().unwrap())
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
    fn request_in_flight(proxy: &Running) -> (TcpStream, TcpStream) {
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
    fn refused(proxy: &Running, head: &str) {
        let mut client = TcpStream::connect(proxy.address).unwrap();
        write!(client, "{head}\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }

    #[test]
    fn what_a_proxy_has_logged_is_replayed_for_another_version_of_a_filter() {
        for format in ["text", "json"] {
            let dir = TempDir::new().unwrap();
            let mut proxy = Running::start_logging(dir.path(), "[feeds]", format);
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
            let mut proxy = Running::start(dir.path(), "[feeds]");
            proxy.signal(name);
            proxy.wait_for_line("shutting down");
            assert_eq!(proxy.ends(), Some(0), "{name}");
        }
    }

    #[test]
    fn a_request_in_flight_is_finished_after_a_signal() {
        let dir = TempDir::new().unwrap();
        let mut proxy = Running::start(dir.path(), "[feeds]");
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
        let mut proxy = Running::start(dir.path(), "[feeds]");
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
        let config = format!("[feeds.mine]\nurl = {url:?}\nformat = \"domains\"\n");
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

    /// Runs curl through the proxy; none where it is not installed.
    fn curl(proxy: &Running, arguments: &[&str]) -> Option<String> {
        let curl = Command::new("curl")
            .args(["--silent", "--include", "--max-time", "20", "--noproxy", ""])
            .arg("--proxy")
            .arg(format!("http://{}", proxy.address))
            .args(arguments)
            .output();
        match curl {
            Ok(output) => Some(stdout(&output)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
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
    #[expect(
        clippy::print_stderr,
        reason = "whoever reads the test's output should know"
    )]
    fn curl_gets_what_it_asks_for_and_is_told_what_it_may_not() {
        let dir = TempDir::new().unwrap();
        let mut proxy = Running::start(dir.path(), "[feeds]");
        let url = format!("http://{}/", origin());
        let Some(answer) = curl(&proxy, &[&url]) else {
            return eprintln!("skipped: there is no curl");
        };
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
        let answer = curl(&proxy, &["--proxytunnel", &url]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");

        let refused = "www.blocked.portcullis.test/";
        let answer = curl(&proxy, &[&format!("http://{refused}")]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("Filter: blocklist"), "{answer}");
        let answer = curl(&proxy, &[&format!("https://{refused}")]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        proxy.signal("TERM");
        assert_eq!(proxy.ends(), Some(0));
    }
}
