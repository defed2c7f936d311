//! Real peers that a machine may not have.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::wire::within;

/// What a peer knows of the environment: where programs are, and on Windows the system. Settings
/// about proxies would be among the rest.
const ENVIRONMENT: [&str; 2] = ["PATH", "SystemRoot"];

/// A program that is about to be a peer. It ends with the scenario.
pub fn peer(program: impl AsRef<Path>) -> Command {
    let known = ENVIRONMENT
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut peer = Command::new(program.as_ref());
    peer.env_clear()
        .envs(known)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    peer
}

/// Curl, which does not wait for ever.
pub fn curl() -> Command {
    let mut curl = peer("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20"])
        .args(["--noproxy", ""]);
    curl
}

/// Python with the packages that `make peers` has installed, about to run a script of
/// `tests/peers`.
pub fn python(name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin");
    let mut python = peer(folder.join("python"));
    python.arg(script(name));
    python
}

/// A script of `tests/peers`.
pub fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    folder.join(name)
}

/// What a peer has written when it has ended. None if it is not installed.
pub async fn output(peer: &mut Command) -> Option<Output> {
    match within("the peer ends", peer.output()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        output => Some(output.expect("the peer runs")),
    }
}

/// Skips the scenario, unless that is forbidden.
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
pub fn skip_without(peer: &str) {
    let is_forbidden = std::env::var_os("CI").is_some();
    assert!(!is_forbidden, "there is no {peer}: install it");
    eprintln!("skipped: there is no {peer}");
}
