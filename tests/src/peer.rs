//! Real peers that a machine may not have.

/// Skips the scenario, unless that is forbidden.
#[expect(clippy::print_stderr, reason = "the reader of the output should know")]
pub fn skip_without(peer: &str) {
    let is_forbidden = std::env::var_os("CI").is_some();
    assert!(!is_forbidden, "there is no {peer}: install it");
    eprintln!("skipped: there is no {peer}");
}
