//! The process that compiles a filter, as the proxy starts it: what it may still reach once it
//! reads what may be hostile.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use tempfile::TempDir;

use super::portcullis;

/// In bytes. A pipe holds 64 KiB, so only a process that reads takes all of it.
const MORE_THAN_A_PIPE: usize = 1 << 20;

/// What it says of an input that is not WebAssembly.
const REFUSED: i32 = 3;

/// What it says where it could not begin.
const UNREADY: i32 = 4;

#[test]
fn a_compiling_process_is_confined_before_it_has_read_what_it_compiles() {
    let dir = TempDir::new().unwrap();
    // Its memory in bytes, its computing time in seconds, and who started it.
    let request = format!("{} 60 {}", 1 << 30, std::process::id());
    let mut compiler = portcullis(dir.path())
        .env("PORTCULLIS_COMPILE", request)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = compiler.stdin.take().unwrap();
    stdin.write_all(&vec![0; MORE_THAN_A_PIPE]).unwrap();

    // It waits for the end of its input.
    let told = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", compiler.id())).unwrap();
    let limits = told("limits");
    let of_files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let of_files: Vec<&str> = of_files.unwrap_or_default().split_whitespace().collect();
    assert_eq!(of_files, ["0", "0", "files"], "{limits}");
    let status = told("status");
    let gains_nothing = status.lines().any(|line| line == "NoNewPrivs:\t1");
    assert!(gains_nothing, "{status}");

    drop(stdin);
    let ended = compiler.wait_with_output().unwrap().status;
    assert_eq!(ended.code(), Some(REFUSED));
}

#[test]
fn a_compiling_process_that_cannot_begin_does_not_blame_what_it_was_to_compile() {
    let dir = TempDir::new().unwrap();
    // The process that is said to wait for it is another one.
    let request = format!("{} 60 {}", 1 << 30, std::process::id() + 1);
    let mut compiler = portcullis(dir.path());
    let ended = compiler.env("PORTCULLIS_COMPILE", request).output();
    let ended = ended.unwrap();
    assert_eq!(ended.status.code(), Some(UNREADY));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("the process that asked for this is gone"),
        "{said}"
    );
}
