//! The program as its users meet it: what it says, what it ends with, and how signals stop it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

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

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::io::{BufRead, BufReader, Lines, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::process::{Child, ChildStderr, Command, Stdio};

    use tempfile::TempDir;

    use super::portcullis;

    /// A proxy on some port, without feeds. Its log is read up to the line that says it listens.
    struct Running {
        process: Child,
        lines: Lines<BufReader<ChildStderr>>,
        address: SocketAddr,
        _dir: TempDir,
    }

    impl Running {
        fn start() -> Self {
            let dir = TempDir::new().unwrap();
            fs::write(dir.path().join("portcullis.toml"), "[feeds]").unwrap();
            let mut process = portcullis(dir.path())
                .args(["--listen", "127.0.0.1:0"])
                .env("PORTCULLIS_LOG_FORMAT", "json")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
            let address = lines
                .find_map(|line| {
                    let json: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                    json["address"].as_str().map(|text| text.parse().unwrap())
                })
                .unwrap();
            Self {
                process,
                lines,
                address,
                _dir: dir,
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
    }

    #[test]
    fn sigterm_and_sigint_end_it_well() {
        for name in ["TERM", "INT"] {
            let mut proxy = Running::start();
            proxy.signal(name);
            proxy.wait_for_line("shutting down");
            assert_eq!(proxy.process.wait().unwrap().code(), Some(0), "{name}");
        }
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of the proxy, which may block"
    )]
    fn a_second_signal_does_not_wait_for_requests() {
        let mut proxy = Running::start();
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(proxy.address).unwrap();
        let host = origin.local_addr().unwrap();
        write!(
            client,
            "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"
        )
        .unwrap();
        let (_never_answered, _) = origin.accept().unwrap();
        proxy.signal("INT");
        proxy.wait_for_line("shutting down");
        proxy.signal("INT");
        assert_eq!(proxy.process.wait().unwrap().code(), Some(130));
    }
}
