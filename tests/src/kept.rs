//! Filters that are kept as text, with the answers that they must give beside it: how they are
//! asked. Each was written for a version of the contract.

use std::fs;
use std::path::Path;

use portcullis::Config;
use portcullis::commands::{self, Conformance};

use crate::stage::ROOM;

/// The grants of a filter that calls every function and gives every verdict.
pub const ALL_GRANTS: &str = "[grants]\nstate = true\nfeeds = ['*']\n\
                              verdicts = ['allow', 'redirect', 'replace', 'drop', 'ask']\n";

/// Panics unless the filter made of the text in `file` gives the answers beside it and keeps to the
/// contract, with [`ALL_GRANTS`] and [`ROOM`]. Returns what the checks have found.
pub async fn assert_answers(file: &Path, filter: &[u8]) -> Conformance {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let wasm = dir.path().join("kept.wasm");
    fs::write(&wasm, filter).expect("a folder to write to");
    let settings = format!("{ROOM}{ALL_GRANTS}");
    fs::write(wasm.with_extension("toml"), settings).expect("a folder to write to");
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    let mut cases = file.with_extension("toml");
    if !cases.exists() {
        // It answers as the filters in other languages do, which call all there is.
        cases.set_file_name("languages.toml");
    }
    let report = commands::test_plugin(config.clone(), &wasm, Some(&cases)).await;
    let report = report.expect("cases that can be asked");
    assert!(report.is_ok(), "{}\n{report}", file.display());
    let found = commands::conformance(config, &wasm).await;
    let found = found.expect("there is such a filter");
    assert!(found.ok, "{}\n{found}", file.display());
    found
}
