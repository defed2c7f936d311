//! A command with a proxy of its own.

#[cfg(target_os = "linux")]
#[path = "exec/enforced.rs"]
mod enforced;
#[path = "exec/packages.rs"]
mod packages;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use super::{portcullis, started_by, stderr, stdout, there_is};

/// A server for every client that comes, until the test ends.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = BufReader::new(client.try_clone().unwrap()).lines();
            while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            client
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nserved\n",
                )
                .unwrap();
        }
    });
    port
}

/// The program with no list of others.
fn exec(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = portcullis(dir);
    command
        .env("PORTCULLIS_FEEDS_MALWARE_ENABLED", "false")
        .arg("exec")
        .args(arguments);
    command
}

fn ran(dir: &Path, arguments: &[&str]) -> Output {
    exec(dir, arguments).output().unwrap()
}

/// What asks for a host as a script would, and tells the status.
fn asks(host: &str, port: u16) -> String {
    format!("curl --silent --max-time 20 --write-out '%{{http_code}}\\n' http://{host}:{port}/; ")
}

#[test]
fn a_command_reaches_the_hosts_that_it_may_and_no_others() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let script = asks("localhost", port)
        + &asks("127.0.0.1", port)
        + &asks("other.example", port)
        + "exit 7";
    let output = ran(
        dir.path(),
        &["--allow", "localhost", "--", "sh", "-c", &script],
    );
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let answers = stdout(&output);
    assert!(answers.starts_with("served\n200\n"), "{answers}");
    assert_eq!(answers.matches("\n403\n").count(), 2, "{answers}");
    assert_eq!(
        stderr(&output),
        "Hosts that the command has reached: 1; that were refused: 2\n  \
         refused  127.0.0.1      1 request: 127.0.0.1 is not among the hosts that this command may reach\n  \
         refused  other.example  1 request: other.example is not among the hosts that this command may reach\n  \
         reached  localhost      1 request\n\
         This was no boundary: the command was told of the proxy and could have gone around it.\n"
    );
}

#[test]
fn a_command_that_may_reach_what_filters_let_pass_reaches_no_private_address() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let script = asks("localhost", port) + &asks("blocked.portcullis.test", port);
    let output = ran(dir.path(), &["sh", "-c", &script]);
    assert_eq!(stdout(&output).matches("\n403\n").count(), 2, "{output:?}");
    let said = stderr(&output);
    assert!(
        said.contains("localhost                1 request: 127.0.0.1 is a loopback address"),
        "{said}"
    );
}

#[test]
fn what_was_learned_lets_the_same_run_through() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let script = asks("localhost", port) + &asks("www.blocked.portcullis.test", port);
    let output = ran(dir.path(), &["--learn", "hosts.toml", "sh", "-c", &script]);
    assert!(stdout(&output).starts_with("served\n200\n"), "{output:?}");
    let learned = fs::read_to_string(dir.path().join("hosts.toml")).unwrap();
    assert!(
        learned.contains("hosts = [\n    \"localhost\",\n]\n"),
        "{learned}"
    );

    let script = asks("localhost", port);
    let output = ran(
        dir.path(),
        &["--allow-from", "hosts.toml", "sh", "-c", &script],
    );
    assert_eq!(stdout(&output), "served\n200\n", "{}", stderr(&output));

    // What is there is not written over, and nothing has run.
    let output = ran(dir.path(), &["--learn", "hosts.toml", "echo", "ran"]);
    assert_eq!((output.status.code(), &*stdout(&output)), (Some(2), ""));
    assert!(
        stderr(&output).contains("hosts.toml is there already"),
        "{output:?}"
    );
}

#[test]
fn what_is_wrong_is_told_before_the_command_runs() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("none.toml"), "[config]\nhosts = []\n").unwrap();
    fs::create_dir(dir.path().join("state")).unwrap();
    fs::write(dir.path().join("state/decisions.json"), "nonsense").unwrap();
    fs::write(dir.path().join("a.toml"), "[state]\ndir = 'state'").unwrap();
    for (arguments, code, problem) in [
        (
            &["--learn", "gone/hosts.toml"][..],
            1,
            "cannot write what is learned",
        ),
        (
            &["--allow-from", "none.toml"],
            2,
            "no hosts can be read from none.toml",
        ),
        (&["--config", "a.toml"], 2, "decisions.json"),
    ] {
        let output = ran(dir.path(), &[arguments, &["--", "echo", "ran"]].concat());
        let said = stderr(&output);
        assert_eq!(
            (output.status.code(), &*stdout(&output)),
            (Some(code), ""),
            "{said}"
        );
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_folder_of_filters_may_be_named_by_a_variable() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("filters")).unwrap();
    fs::write(dir.path().join("filters/broken.wasm"), "text").unwrap();
    let mut command = exec(dir.path(), &["true"]);
    let output = command
        .env("PORTCULLIS_PLUGINS_DIR", dir.path().join("filters"))
        .output()
        .unwrap();
    assert!(stderr(&output).contains("plugin=\"broken\""), "{output:?}");
}

#[test]
fn an_allowlist_is_made_of_an_access_log_too() {
    let dir = TempDir::new().unwrap();
    let line = "time=2026-11-23T10:00:00Z kind=access id=4 client=10.0.0.7 method=GET host=a.example port=80 protocol=http \
                peer=192.0.2.1:80 status=200 verdict=next up=0 down=5 ms=1.000 outcome=complete\n";
    fs::write(dir.path().join("access.log"), line).unwrap();
    let output = portcullis(dir.path())
        .args(["propose", "access.log"])
        .output()
        .unwrap();
    assert_eq!(
        stdout(&output),
        "# Each host stands for the names below it, too.\n[config]\nhosts = [\n    \"a.example\",\n]\n"
    );
    let output = portcullis(dir.path())
        .args(["propose", "gone.log"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("cannot make an allowlist of gone.log"),
        "{output:?}"
    );
}

#[test]
fn the_end_is_a_report_for_programs_too() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let script = asks("localhost", port) + &asks("other.example", port) + "kill -KILL $$";
    let arguments = ["--report", "exec.json", "--allow", "localhost"];
    let output = ran(
        dir.path(),
        &[&arguments[..], &["--", "sh", "-c", &script]].concat(),
    );
    assert_eq!(output.status.code(), Some(137), "{}", stderr(&output));
    let report = fs::read(dir.path().join("exec.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let host = |host, reached, refused, refusal| {
        serde_json::json!({
            "host": host, "reached": reached, "refused": refused, "failed": 0,
            "refusal": refusal, "failure": null,
        })
    };
    let refusal = "other.example is not among the hosts that this command may reach";
    let expected = serde_json::json!({
        "exit_code": 137,
        "hosts": [host("localhost", 1, 0, None), host("other.example", 0, 1, Some(refusal))],
        "has_more": false,
        "learned": null,
        "ways_out": null,
    });
    assert_eq!(report, expected);

    let output = ran(dir.path(), &["--report", "gone/exec.json", "echo", "ran"]);
    assert_eq!((output.status.code(), &*stdout(&output)), (Some(1), ""));
    assert!(
        stderr(&output).contains("cannot write a report"),
        "{output:?}"
    );
}

#[test]
fn what_lies_in_the_working_folder_is_not_read() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), "nonsense = true").unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(dir.path().join("plugins/broken.wasm"), "text").unwrap();
    let output = ran(dir.path(), &["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("broken"), "{}", stderr(&output));
    let output = ran(dir.path(), &["--config", "portcullis.toml", "true"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn the_environment_leads_to_the_proxy_for_every_host() {
    let dir = TempDir::new().unwrap();
    let output = exec(dir.path(), &["env"])
        .env("NO_PROXY", "localhost")
        .env("https_proxy", "http://192.0.2.1:1")
        .env("PIP_PROXY", "http://192.0.2.1:1")
        .output()
        .unwrap();
    let said = stdout(&output);
    let value = |name: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name}: {said}")).to_owned()
    };
    let proxy = value("HTTP_PROXY");
    assert!(proxy.starts_with("http://127.0.0.1:"), "{proxy}");
    for name in [
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "npm_config_proxy",
        "PIP_PROXY",
    ] {
        assert_eq!(value(name), proxy, "{name}");
    }
    assert_eq!(
        (value("NO_PROXY"), value("no_proxy")),
        (String::new(), String::new())
    );
}

#[test]
fn git_goes_through_the_proxy_whatever_its_own_settings_say() {
    if !there_is("git") {
        return;
    }
    let dir = TempDir::new().unwrap();
    let settings = "[http]\nproxy = http://192.0.2.1:1\n";
    fs::write(dir.path().join(".gitconfig"), settings).unwrap();
    let script = "echo $HTTP_PROXY; git config --get http.proxy; git config --get user.name";
    let output = exec(dir.path(), &["sh", "-c", script])
        .env("HOME", dir.path())
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "user.name")
        .env("GIT_CONFIG_VALUE_0", "ann")
        .env("GIT_CONFIG_KEY_1", "http.proxy")
        .env("GIT_CONFIG_VALUE_1", "http://192.0.2.1:2")
        .output()
        .unwrap();
    let said = stdout(&output);
    let [proxy, of_git, name] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{output:?}");
    };
    assert!(proxy.starts_with("http://127.0.0.1:"), "{said}");
    assert_eq!((of_git, name), (proxy, "ann"));
}

#[test]
fn the_command_has_the_limit_of_open_files_that_its_caller_has() {
    let dir = TempDir::new().unwrap();
    let program = exec(dir.path(), &["sh", "-c", "ulimit -Sn; ulimit -Hn"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -Sn 300; ulimit -Hn; exec \"$@\"", "sh"]);
    let output = started_by(limited, &program).output().unwrap();
    let said = stdout(&output);
    let [before, soft, hard] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{output:?}");
    };
    assert_eq!((soft, hard), ("300", before));
}

#[test]
fn the_exit_code_is_the_commands_as_shells_give_it() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("text"), "no program").unwrap();
    for (command, code) in [
        (&["false"][..], 1),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["nothing-of-this-name"], 127),
        (&["./text"], 126),
    ] {
        let output = ran(dir.path(), command);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{command:?}: {}",
            stderr(&output)
        );
    }
    let output = ran(dir.path(), &["nothing-of-this-name"]);
    let said = stderr(&output);
    assert!(
        said.starts_with("portcullis: cannot run nothing-of-this-name: No such file"),
        "{said}"
    );
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_signal_to_end_is_passed_on_to_the_command() {
    let dir = TempDir::new().unwrap();
    // A shell waits for what runs in the background, and hears signals meanwhile.
    let script = "trap 'echo ended; exit 9' TERM; sleep 60 & echo $!; wait";
    let mut running = exec(dir.path(), &["sh", "-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let sleeping = lines.next().unwrap().unwrap();
    let kill = |process: &str| {
        let killed = Command::new("kill").args(["-s", "TERM", process]).status();
        assert!(killed.unwrap().success());
    };
    kill(&running.id().to_string());
    assert_eq!(lines.next().unwrap().unwrap(), "ended");
    kill(&sleeping);
    let mut said = String::new();
    running
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(9), "{said}");
}
