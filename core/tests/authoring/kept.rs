//! Filters in JavaScript and Python that are kept as they were written for a released version of
//! the contract. They are built with that version's text and the tools that they pin, and answer as
//! they did. Those in other forms are in the scenarios, which need no tools for them.

use std::fs;
use std::path::Path;

use super::languages::there_is;
use super::{Author, ROOMY, copy_tree, json, later};

#[test]
fn a_filter_in_javascript_for_a_released_version_answers_as_it_did() {
    if there_is("node") && there_is("npm") {
        answers_as_it_did("javascript");
    }
}

#[test]
fn a_filter_in_python_for_a_released_version_answers_as_it_did() {
    if there_is("python3") {
        answers_as_it_did("python");
    }
}

fn answers_as_it_did(language: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for version in fs::read_dir(root.join("tests/kept")).unwrap() {
        let version = version.unwrap();
        let author = Author::new();
        let dir = author.path("kept");
        copy_tree(&version.path().join(language), &dir);
        let contract = root.join("sdk/wit/released").join(version.file_name());
        copy_tree(&contract, &dir.join("wit/deps/portcullis-filter"));
        let verdicts = "['allow', 'redirect', 'replace', 'drop', 'ask']";
        let grants = format!("[grants]\nstate = true\nfeeds = ['*']\nverdicts = {verdicts}\n");
        fs::write(dir.join("kept.toml"), &grants).unwrap();

        let built = author.builds(&dir);
        let hooks = built["hooks"].as_array().unwrap();
        assert_eq!(hooks.len(), 5, "{built}");
        author.keeps_to_the_contract(&built);

        let wasm = fs::read(built["file"].as_str().unwrap()).unwrap();
        let text = fs::read_to_string(contract.join("filter.wit")).unwrap();
        let linked = later::link(&wasm, &text);
        assert!(
            linked.is_ok(),
            "with a proxy that speaks a later version: {:?}",
            linked.err()
        );

        fs::write(dir.join("kept.toml"), grants + ROOMY).unwrap();
        let cases = version.path().join("languages.toml");
        let mut test = author.portcullis(&["plugin", "test", "--json", "kept/kept.wasm"]);
        let tested = json(&test.arg(cases).output().unwrap());
        assert!(tested["cases"].as_array().unwrap().len() > 20, "{tested}");
    }
}
