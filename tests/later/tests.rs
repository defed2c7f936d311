//! What a filter can do with a proxy of the later version that is for tests alone. `make later`
//! puts this file among the tests of a tree that speaks it.

use std::fs;
use std::path::Path;

use portcullis::{Config, commands};
use portcullis_tests::guests;

#[tokio::test]
async fn a_filter_for_the_later_version_uses_what_it_adds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("later");
    let text = fs::read_to_string(folder.join("filter.wat")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("later.wasm");
    fs::write(
        &file,
        guests::kept(&text, include_str!("../../sdk/wit/filter.wit")),
    )
    .unwrap();
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");

    let report =
        commands::test_plugin(config.clone(), &file, Some(&folder.join("filter.toml"))).await;
    let report = report.expect("cases that can be asked");
    assert!(report.is_ok(), "{report}");
    let found = commands::conformance(config, &file).await;
    let found = found.expect("there is such a filter");
    assert!(found.ok, "{found}");
    assert_eq!(found.contract.as_deref(), Some("1.1.0"));
}
