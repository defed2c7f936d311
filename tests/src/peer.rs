//! Real peers that a machine may not have.

use std::process::Stdio;

use tokio::process::Command;

/// Curl, which looks at no setting of its environment about proxies, and does not wait for ever.
pub fn curl() -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20"])
        .args(["--noproxy", ""])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    curl
}

/// Skips the scenario, unless that is forbidden.
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
pub fn skip_without(peer: &str) {
    let is_forbidden = std::env::var_os("CI").is_some();
    assert!(!is_forbidden, "there is no {peer}: install it");
    eprintln!("skipped: there is no {peer}");
}
