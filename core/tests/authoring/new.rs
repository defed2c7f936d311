//! `plugin new`: what it writes, and what it refuses.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Author, stderr};

#[test]
fn what_cannot_be_begun_is_refused_with_what_can_be() {
    let author = Author::new();
    fs::create_dir(author.path("taken")).unwrap();
    fs::write(author.path("taken/mine"), "").unwrap();
    for (arguments, reason) in [
        (&["No Ads"][..], "all in lower case; for example `no-ads`"),
        (&["../no-ads"], "begins with a letter"),
        (
            &["blocklist"],
            "would take its place in the proxy; try `my-blocklist`",
        ),
        (
            &["taken"],
            "is there already, and nothing in it is overwritten",
        ),
        (
            &["no-ads", "--lang", "js", "--sdk", "taken"],
            "--sdk is for filters in Rust",
        ),
        (
            &["no-ads", "--sdk", "taken"],
            "is not the folder of portcullis-sdk",
        ),
        (
            &["no-ads", "--lang", "cobol"],
            "possible values: rust, js, python",
        ),
    ] {
        let mut command = author.portcullis(&["plugin", "new"]);
        let output = command.args(arguments).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{reason} in {said}");
    }
    let left = fs::read_dir(&author.dir).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taken"]);
}

#[test]
fn the_sdk_is_in_the_folder_unless_another_is_named() {
    let author = Author::new();
    let sdk_of = |dir: PathBuf| {
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let sdk = &manifest["dependencies"]["portcullis-sdk"];
        sdk["path"].as_str().unwrap().to_owned()
    };
    let first = author.begins(&["first"]);
    let path = sdk_of(first.clone());
    assert_eq!(path, "vendor/portcullis/sdk");
    let embedded = fs::read_to_string(first.join(path).join("src/lib.rs")).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    assert_eq!(
        embedded,
        fs::read_to_string(source.join("src/lib.rs")).unwrap()
    );

    // Filters in one repository share it, wherever the repository is.
    let named = first.join("vendor/portcullis/sdk");
    let second = author.begins(&["second", "--sdk", named.to_str().unwrap()]);
    assert_eq!(sdk_of(second.clone()), "../first/vendor/portcullis/sdk");
    assert!(!second.join("vendor").exists());

    let output = author
        .portcullis(&["plugin", "build", "."])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("has no filter in it"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_guide_and_the_readme_show_the_filter_that_is_begun() {
    let guide = include_str!("../../../sdk/README.md");
    let readme = include_str!("../../../README.md");
    let template = include_str!("../../templates/rust/src/lib.rs");
    let (_, filter) = template.split_once("\n\n").unwrap();
    let (filter, tests) = filter.split_once("#[cfg(test)]").unwrap();
    assert!(guide.contains(filter.trim_end()));
    let (_, hooks) = filter.split_once("\n}\n\n/// The proxy calls").unwrap();
    let heart = format!("```rust\n/// The proxy calls{}\n```\n", hooks.trim_end());
    assert!(readme.contains(&heart), "{heart}");
    let (test, _) = tests.split_once("    #[test]\n    fn other_hosts").unwrap();
    assert!(guide.contains(test.trim_end()));
}
