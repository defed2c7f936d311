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
            &["no-ads", "--lang", "js", "--sdk", "registry"],
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
fn the_sdk_is_that_of_the_program_unless_another_is_named() {
    let author = Author::new();
    let sdk_of = |dir: PathBuf| {
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        manifest["dependencies"]["portcullis-sdk"].clone()
    };
    let path = |sdk: &toml::Value| sdk["path"].as_str().unwrap().to_owned();
    let first = path(&sdk_of(author.begins(&["first"])));
    // Unpacked once, and for good.
    assert_eq!(first, path(&sdk_of(author.begins(&["second"]))));
    let embedded = fs::read_to_string(Path::new(&first).join("src/lib.rs")).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    assert_eq!(
        embedded,
        fs::read_to_string(source.join("src/lib.rs")).unwrap()
    );

    let named = sdk_of(author.begins(&["third", "--sdk", source.to_str().unwrap()]));
    assert_eq!(Path::new(&path(&named)), source);
    let published = sdk_of(author.begins(&["fourth", "--sdk", "registry"]));
    assert_eq!(published.as_str(), Some(env!("CARGO_PKG_VERSION")));

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
fn an_sdk_that_has_no_place_is_told_how_to_get_one() {
    let author = Author::new();
    let file = author.path("file");
    fs::write(&file, "").unwrap();
    let mut command = author.portcullis(&["plugin", "new", "mine"]);
    let output = command.env("PORTCULLIS_DATA_DIR", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let start = format!("portcullis: cannot unpack the SDK to {}", file.display());
    assert!(said.starts_with(&start), "{said}");
    assert!(said.contains("; PORTCULLIS_DATA_DIR can name "), "{said}");
    assert!(!author.path("mine").exists());
}

#[test]
fn an_sdk_of_which_a_part_was_removed_is_whole_again() {
    let author = Author::new();
    let data = author.path("data");
    let begin = |name: &str| {
        let mut command = author.portcullis(&["plugin", "new", name, "--json"]);
        let output = command.env("PORTCULLIS_DATA_DIR", &data).output().unwrap();
        let created: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        PathBuf::from(created["sdk"].as_str().unwrap())
    };
    let sdk = begin("first");
    let library = fs::read(sdk.join("src/lib.rs")).unwrap();
    fs::remove_dir_all(sdk.join("src")).unwrap();
    assert_eq!(begin("second"), sdk);
    assert_eq!(fs::read(sdk.join("src/lib.rs")).unwrap(), library);
}

#[test]
fn the_guide_shows_the_filter_that_is_begun() {
    let guide = include_str!("../../../sdk/README.md");
    let template = include_str!("../../templates/rust/src/lib.rs");
    let (_, filter) = template.split_once("\n\n").unwrap();
    let (filter, tests) = filter.split_once("#[cfg(test)]").unwrap();
    assert!(guide.contains(filter.trim_end()));
    let (test, _) = tests.split_once("    #[test]\n    fn other_hosts").unwrap();
    assert!(guide.contains(test.trim_end()));
}
