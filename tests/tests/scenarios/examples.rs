//! The examples for authors, built and with the settings beside them: each does in the sandbox what
//! its cases say, keeps to the contract, and is as short as promised.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::config::{Feed, FeedFormat};
use portcullis::{Config, commands};
use portcullis_tests::guests;
use tempfile::TempDir;

/// Time for it on a machine that is busy.
const ROOMY: &str = "[limits]\ncpu = '10s'\nwall = '30s'\nstart_cpu = '20s'\nstart_wall = '60s'\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/examples")
}

/// Puts the filter into a folder with the settings of the example.
fn plug(dir: &TempDir, name: &str, wasm: &[u8]) -> (Config, PathBuf) {
    let settings = fs::read_to_string(folder().join(name).join(format!("{name}.toml")));
    let settings = settings.expect("its settings");
    let settings = match settings.split_once("[limits]\n") {
        Some((before, limits)) => format!("{before}{ROOMY}{limits}"),
        None => format!("{settings}\n{ROOMY}"),
    };
    let file = dir.path().join(format!("{name}.wasm"));
    fs::write(&file, wasm).expect("a folder to write to");
    fs::write(file.with_extension("toml"), settings).expect("a folder to write to");
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    // The lists that the settings of an example grant. None of them has arrived.
    for feed in ["home", "se"] {
        let url = "file:///nonexistent".parse().expect("a URL");
        let feed = (feed.to_owned(), Feed::new(url, FeedFormat::Domains));
        config.feeds.extend([feed]);
    }
    (config, file)
}

#[tokio::test]
async fn an_example_does_in_the_sandbox_what_its_cases_say() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, wasm) in guests::EXAMPLES {
        let (config, file) = plug(&dir, name, wasm);
        let cases = folder().join(name).join("cases.toml");
        let report = commands::test_plugin(config, &file, Some(&cases)).await;
        let report = report.expect("cases that can be asked");
        assert!(report.is_ok(), "{name}\n{report}");
    }
}

#[tokio::test]
async fn an_example_keeps_to_the_contract() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, wasm) in guests::EXAMPLES {
        let (config, file) = plug(&dir, name, wasm);
        let found = commands::conformance(config, &file).await;
        let found = found.expect("there is such a filter");
        let checks = || found.checks.iter();
        let starts =
            checks().any(|check| check.id == "S1" && check.finding == commands::Finding::Pass);
        assert!(found.ok && starts, "{name}\n{found}");
    }
}

#[test]
fn an_example_is_short_and_in_the_table() {
    let table = fs::read_to_string(folder().join("README.md")).expect("the table");
    assert_eq!(guests::EXAMPLES.len(), 7);
    for (name, _) in guests::EXAMPLES {
        assert!(
            table.contains(&format!("| [{name}]({name}/src/lib.rs) |")),
            "{name}"
        );
        let source = fs::read_to_string(folder().join(name).join("src/lib.rs"));
        let source = source.expect("its source");
        let (filter, _) = source.split_once("#[test]").expect("its test");
        let lines = filter.lines().map(str::trim_start);
        let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        assert!(code.count() < 40, "{name}");
    }
}
