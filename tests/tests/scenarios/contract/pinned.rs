//! What is kept with a released version stays as it was written then: the filters below
//! `tests/kept` and what they answer, and the limits that they were promised. The text of the
//! contract itself is pinned one level up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use portcullis_contract::limits;
use sha2::{Digest, Sha256};

/// Every file below `tests/kept` with its SHA-256. A line is added with a file, and none is ever
/// changed or taken out.
const KEPT: &[(&str, &str)] = &[
    (
        "1.0.0/at_limits.toml",
        "7eb3a7b1ea3e862300fea81a88c8aee99e54b7c3a017190d55a58c2238032dcc",
    ),
    (
        "1.0.0/at_limits.wat",
        "2289e028d7047293f9205d5bbd7f3d9fb4770e00a18193ec5899a13e59cf0c90",
    ),
    (
        "1.0.0/every_hook.toml",
        "10c712e728c98b84de5fac78fe95e1575670cadec7299d3d9ede57fd120f452c",
    ),
    (
        "1.0.0/every_hook.wat",
        "786c6bcd8086536fbfc9c3e08584ac24f620f3cd63dcff53cb19bcb5b1fbb6f1",
    ),
    (
        "1.0.0/javascript/build.js",
        "a0315ce1a8ee7bc19c30ad4c840996ca96166aa44d1f174a892ed4c6d1bf2348",
    ),
    (
        "1.0.0/javascript/package-lock.json",
        "829c26293103a1881b3bc89489032352e91c49973d09a0263278cb3baf3bd4d3",
    ),
    (
        "1.0.0/javascript/package.json",
        "66f3d188f704bf570a8018457766f75f90f4dc93f017c3d4ee9a85278c6cf6f8",
    ),
    (
        "1.0.0/javascript/src/filter.js",
        "9fc6821bce16ea1f76ff74592823d69b2e50266cf687bd5d34d6d7defe21f05d",
    ),
    (
        "1.0.0/javascript/wit/world.wit",
        "544f1d94a44fb3f18c6638a3f24b42e318b0e3288e12544182e9e3855857043f",
    ),
    (
        "1.0.0/languages.toml",
        "33bd5a1e8b3394b3199eeb3ec8feb0d0a239b8727f52246099416ebc1bd7bc44",
    ),
    (
        "1.0.0/one_hook.toml",
        "b9faa21fa4036c174eed31737de3e4345995521f834c0b189fcad87fcaeee1a0",
    ),
    (
        "1.0.0/one_hook.wat",
        "13282c5c78695bd57ca3594451fc499bb4b1fd43767cd837a4e855de6108ff19",
    ),
    (
        "1.0.0/python/app.py",
        "d2c675ecb58789d52f762c1b5053850c8fbd89c6b3a3c7fb274223ee2ab6bfe1",
    ),
    (
        "1.0.0/python/pyproject.toml",
        "91b0f3004c2d94ec6c58a455a00e818326237f028c8b1ce3078f532117acacf0",
    ),
    (
        "1.0.0/python/requirements.txt",
        "3736ddfc9b9fac3ad6e933e560a856a90f92cd26b7f1dbfdb82a7043511cfee6",
    ),
    (
        "1.0.0/python/wit/world.wit",
        "544f1d94a44fb3f18c6638a3f24b42e318b0e3288e12544182e9e3855857043f",
    ),
    (
        "1.0.0/rust.wat",
        "8f2acbe81c2c2d151391f0742ba84084c813dec7cf0ad8dbce99d5a31b7555a2",
    ),
    (
        "1.0.0/rust/Cargo.toml",
        "773fe41f6dd185f46412f3c1a486ca28e4442d77e0b8fe5ec233953ebf27f7c8",
    ),
    (
        "1.0.0/rust/src/lib.rs",
        "0a8e841529db503a2d05587c8095434b2b47ce82cb35dc6ee96737ac9ede8191",
    ),
    (
        "1.0.0/rust/wit/world.wit",
        "544f1d94a44fb3f18c6638a3f24b42e318b0e3288e12544182e9e3855857043f",
    ),
    (
        "1.0.0/sdk.toml",
        "5d2052228b70a986dfebc11cf509aca9638f63b3fa8a53177f6c01b4c59d5425",
    ),
    (
        "1.0.0/sdk.wat",
        "048865b5b6a31de0f58d52d4991c1c6799842c7bce8f12f5de72499f178cf234",
    ),
    (
        "1.0.0/sdk/Cargo.toml",
        "6a12849f5f490a3f8c7db7baec1b3bc8007172fa66749bbaa42960024f8fdb1c",
    ),
    (
        "1.0.0/sdk/src/lib.rs",
        "8526c3209aa5004a98cc409a316d0d00fb4e444886343067c2c57f1f6a561675",
    ),
];

/// The files that there are, by their paths below `tests/kept`, with their SHA-256.
fn files() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of what is kept") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).expect("it is below");
            let name = name.to_string_lossy().replace('\\', "/");
            let bytes = fs::read(&path).expect("it can be read");
            files.insert(name, HEXLOWER.encode(&Sha256::digest(bytes)));
        }
    }
    files
}

/// What stands against these files, each with what to do about it.
fn complaints(mut files: BTreeMap<String, String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, hash) in KEPT {
        match files.remove(*name) {
            None => complaints.push(format!(
                "tests/kept/{name} is lost: take it back from the commit before"
            )),
            Some(found) if found != *hash => complaints.push(format!(
                "tests/kept/{name} has changed, and what is kept never does: take the change back, \
                 and put what is new into another file"
            )),
            Some(_) => {}
        }
    }
    for (name, hash) in files {
        complaints.push(format!(
            "tests/kept/{name} is not pinned: if it is kept from now on, add to `KEPT` \
             (\"{name}\", \"{hash}\")"
        ));
    }
    complaints
}

#[test]
fn what_is_kept_is_as_it_was_when_it_was_written() {
    assert_eq!(complaints(files()), [""; 0]);
}

#[test]
fn a_file_that_is_lost_changed_or_new_is_named_with_what_to_do() {
    let mut files = files();
    files.remove("1.0.0/one_hook.wat");
    files.insert("1.0.0/one_hook.toml".into(), "00".into());
    files.insert("1.0.0/more.toml".into(), "11".into());
    let complaints = complaints(files).join("\n");
    for expected in [
        "tests/kept/1.0.0/one_hook.toml has changed",
        "tests/kept/1.0.0/one_hook.wat is lost",
        "add to `KEPT` (\"1.0.0/more.toml\", \"11\")",
    ] {
        assert!(complaints.contains(expected), "{expected} in {complaints}");
    }
    assert_eq!(complaints.lines().count(), 3, "{complaints}");
}

/// The limits that a filter can notice, as they were with 1.0.0. A line is added with a limit. A
/// number here rises when a later version promises more, and never falls.
#[test]
fn no_limit_is_lower_than_it_was_released() {
    for (limit, now, released) in [
        ("HOST_BYTES", limits::HOST_BYTES, 253),
        ("FEED_NAME_BYTES", limits::FEED_NAME_BYTES, 64),
        ("ZONE_BYTES", limits::ZONE_BYTES, 64),
        ("FIELD_NAME_BYTES", limits::FIELD_NAME_BYTES, 256),
        ("ADDED_FIELDS_BYTES", limits::ADDED_FIELDS_BYTES, 65_536),
        ("FIELDS", limits::FIELDS, 1000),
        ("KEY_BYTES", limits::KEY_BYTES, 1024),
        ("STATE_BYTES", limits::STATE_BYTES, 1_048_576),
        ("METRICS", limits::METRICS, 100),
        ("NAME_BYTES", limits::NAME_BYTES, 64),
        ("LABELS", limits::LABELS, 3),
        ("LABEL_BYTES", limits::LABEL_BYTES, 64),
        ("SERIES", limits::SERIES, 1000),
        ("NOTES", limits::NOTES, 16),
        ("NOTE_BYTES", limits::NOTE_BYTES, 1024),
        ("RANDOM_BYTES", limits::RANDOM_BYTES, 4096),
        ("RULE_BYTES", limits::RULE_BYTES, 1024),
        ("QUESTION_BYTES", limits::QUESTION_BYTES, 1024),
        ("REASON_BYTES", limits::REASON_BYTES, 1024),
        ("LOCATION_BYTES", limits::LOCATION_BYTES, 8192),
    ] {
        assert!(
            now >= released,
            "{limit} is {now}, and filters were promised {released}: a limit may rise, and never \
             falls"
        );
    }
    // As many entries as before fit into a state.
    for (key, value, released) in [("10.0.0.7", "9", 228), ("k", "a value that is longer", 223)] {
        let now = limits::entry_bytes(key, value.as_bytes());
        assert!(now <= released, "an entry counts for {now}, not {released}");
    }
    // Work in the background goes on as soon as before.
    for (call, released) in [(0, 100), (11, 100), (12, 108), (1000, 9000)] {
        let now = limits::tick_pause(Duration::ZERO, Duration::from_millis(call));
        let released = Duration::from_millis(released);
        assert!(now <= released, "a pause is {now:?}, not {released:?}");
    }
}
