//! The corpora in the repository, one test for each.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Where the targets and their corpora are.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fuzz")
        .join(name)
}

/// The names of what is in a folder, without what stands behind a dot.
fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let stem = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_owned();
    let names = entries.map(|entry| stem(entry.unwrap()).into_string().unwrap());
    names.collect()
}

/// Has `check` look at every file of a corpus.
fn run(corpus: &str, check: fn(&[u8])) {
    let dir = folder("corpus").join(corpus);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files = 0;
    for entry in entries {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).expect("corpora are text");
        let bytes = if file.extension().is_some_and(|extension| extension == "wat") {
            wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        } else {
            text.into_bytes()
        };
        let checked = catch_unwind(|| check(&bytes));
        assert!(checked.is_ok(), "{} breaks a promise", file.display());
        files += 1;
    }
    assert!(files >= 5, "{} has {files} files", dir.display());
}

macro_rules! corpora {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name), super::$name);
            }
        )*

        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

corpora! {
    access_log
    cases
    client_hello
    component
    config
    connection
    feed
    filter_settings
    first_request
    header_edits
    hits
    packed
    proxy_protocol
    request_head
    response_head
    snapshot
    socks
}

#[test]
fn every_target_has_its_corpus_and_its_test() {
    let tested: BTreeSet<String> = ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names(&folder("targets")), tested);
    assert_eq!(names(&folder("corpus")), tested);
}
