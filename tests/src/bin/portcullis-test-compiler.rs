//! What the proxies under test compile filters with. A test runner cannot be started for that: its
//! `main` is not ours.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::run_compiler_child().unwrap_or(ExitCode::FAILURE)
}
