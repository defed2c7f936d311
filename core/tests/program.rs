//! The program as its users meet it: what it says and what it ends with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

// A file of its own beside this one would be another program to link.
#[cfg(unix)]
#[path = "program/access_log.rs"]
mod access_log;
#[cfg(unix)]
#[path = "program/auth.rs"]
mod auth;
#[cfg(target_os = "linux")]
#[path = "program/compiling.rs"]
mod compiling;
#[path = "program/conformance.rs"]
mod conformance;
#[cfg(target_os = "linux")]
#[path = "program/descriptors.rs"]
mod descriptors;
#[cfg(unix)]
#[path = "program/exec.rs"]
mod exec;
#[path = "program/explain.rs"]
mod explain;
#[path = "program/feed.rs"]
mod feed;
#[cfg(unix)]
#[path = "program/listen.rs"]
mod listen;
#[cfg(target_os = "linux")]
#[path = "program/network.rs"]
mod network;
#[cfg(target_os = "linux")]
#[path = "program/own.rs"]
mod own;
#[path = "program/plugin.rs"]
mod plugin;
#[path = "program/replay.rs"]
mod replay;
#[cfg(unix)]
#[path = "program/running.rs"]
mod running;
#[cfg(unix)]
#[path = "program/selftest.rs"]
mod selftest;
#[path = "program/share.rs"]
mod share;

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

/// Whether there is a peer, without which a test is skipped, except in CI.
#[cfg(unix)]
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
fn there_is(peer: &str) -> bool {
    let is_there = Command::new(peer).arg("--version").output().is_ok();
    if !is_there {
        let is_forbidden = std::env::var_os("CI").is_some();
        assert!(!is_forbidden, "there is no {peer}: install it");
        eprintln!("skipped: there is no {peer}");
    }
    is_there
}

/// The same program as another one starts it, as the last of its arguments.
#[cfg(unix)]
fn started_by(mut other: Command, program: &Command) -> Command {
    other
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(program.get_current_dir().unwrap());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
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
        said.contains("plugin broken (file): refused: not a WebAssembly binary\n"),
        "{said}"
    );
    let said = stderr(&output);
    assert!(
        said.contains("would not judge all that it should"),
        "{said}"
    );
}

/// Has `other` become the program, where it has seen to it that no filter can run.
#[cfg(target_os = "linux")]
fn started_where_no_filter_runs(dir: &Path, command: &str, other: Command) -> Output {
    let mut program = portcullis(dir);
    program.args([command, "--listen", "127.0.0.1:0"]);
    program.env("PORTCULLIS_FEEDS_MALWARE_ENABLED", "false");
    started_by(other, &program).output().unwrap()
}

#[cfg(target_os = "linux")]
fn assert_it_says_that_no_filter_runs(output: &Output) {
    assert_eq!(output.status.code(), Some(2), "{}", stderr(output));
    let said = stderr(output);
    assert!(said.contains("this system lets no filter run"), "{said}");
    assert!(said.contains("MemoryDenyWriteExecute"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_system_that_lets_no_filter_run_ends_the_start_with_2() {
    let dir = TempDir::new().unwrap();
    for command in ["run", "check"] {
        // A filter's memory reserves more address space than that.
        let script = "ulimit -v 2097152; exec \"$@\"";
        let mut limited = Command::new("sh");
        limited.args(["-c", script, "sh"]);
        let output = started_where_no_filter_runs(dir.path(), command, limited);
        assert_it_says_that_no_filter_runs(&output);
    }
}

/// The exit code of [`DENY_WRITE_EXECUTE`] where the kernel does not know the call.
#[cfg(target_os = "linux")]
const UNKNOWN: i32 = 77;

/// Has the kernel make no memory executable, as systemd does for `MemoryDenyWriteExecute=yes`, and
/// becomes the program in its arguments. 65 is `PR_SET_MDWE`, 1 is `PR_MDWE_REFUSE_EXEC_GAIN`.
#[cfg(target_os = "linux")]
const DENY_WRITE_EXECUTE: &str = "\
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77 if ctypes.get_errno() == errno.EINVAL else 1)
os.execv(sys.argv[1], sys.argv[1:])
";

#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
#[test]
fn a_kernel_that_makes_no_memory_executable_ends_the_start_with_2() {
    if !there_is("python3") {
        return;
    }
    let dir = TempDir::new().unwrap();
    for command in ["run", "check"] {
        let mut denied = Command::new("python3");
        denied.args(["-c", DENY_WRITE_EXECUTE]);
        let output = started_where_no_filter_runs(dir.path(), command, denied);
        if output.status.code() == Some(UNKNOWN) {
            eprintln!("skipped: this kernel is older than Linux 6.3 and has no PR_SET_MDWE");
            return;
        }
        assert_it_says_that_no_filter_runs(&output);
    }
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
        "shadow": {"passed": 0, "allowed": 0, "blocked": 0, "redirected": 0, "replaced": 0, "dropped": 0, "edited": 0,
                   "failed": 0, "unasked": 0},
    });
    assert_eq!(report["plugins"][0], blocklist);

    fs::write(dir.path().join("plugins/broken.wasm"), "text").unwrap();
    let (code, report) = check();
    assert_eq!(code, Some(2));
    assert_eq!(report["ok"], false);
    assert_eq!(report["plugins"][1]["refused"], "not a WebAssembly binary");
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
    for part in [
        "compiled in",
        "judge-host",
        "next",
        "112 calls",
        "by client 127.0.0.1, on one instance",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }

    let output = bench(&[
        "blocklist",
        "--json",
        "--host",
        "malware.wicar.org",
        "--client",
        "10.0.0.7",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["compile_ms"], serde_json::Value::Null, "{json}");
    assert_eq!(json["hooks"][0]["verdict"], "block", "{json}");
    assert_eq!(json["client"], "10.0.0.7");
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
        ("text.wasm", "not a WebAssembly binary"),
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
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("neither a host nor a URL"), "{said}");
}

#[test]
fn the_help_of_allow_tells_the_order_of_decisions() {
    let output = portcullis(Path::new("."))
        .args(["allow", "--help"])
        .output();
    let text = stdout(&output.unwrap());
    let text: Vec<_> = text.split_whitespace().collect();
    let text = text.join(" ");
    let order = "the one for the client counts, then the one for the user, then the one for a group, \
                 then that of the longer name, then the one that denies";
    assert!(text.contains(order), "{text}");
}
