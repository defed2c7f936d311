//! Filters in other hands: packages, and how they get into the folder of a proxy.

mod install;

use std::fs;

use portcullis::Config;
use portcullis::commands::{self, PackageError, Packaged};
use portcullis_tests::guests;
use serde_json::{Deserializer, Value, json};
use tempfile::TempDir;

/// Room for a machine that is busy.
const ROOMY: &str = "[limits]\ncpu = '10s'\nwall = '20s'\nstart_cpu = '20s'\nstart_wall = '60s'\n";

/// A folder with the filter `guest` in it, its settings and, if there are any, its cases.
fn project(wasm: &[u8], settings: &str, cases: Option<&str>) -> (TempDir, Config) {
    let dir = TempDir::new().expect("a folder");
    let write = |file: &str, content: &[u8]| {
        fs::write(dir.path().join(file), content).expect("a folder to write to");
    };
    write("guest.wasm", wasm);
    write("guest.toml", format!("{ROOMY}{settings}").as_bytes());
    if let Some(cases) = cases {
        write("cases.toml", cases.as_bytes());
    }
    let mut config = Config::default();
    config.plugins.dir = dir.path().join("plugins");
    config.compiler.cache_dir = dir.path().join("compiled");
    (dir, config)
}

async fn packaged(
    wasm: &[u8],
    settings: &str,
    cases: Option<&str>,
) -> Result<(Packaged, Vec<u8>), PackageError> {
    let (dir, config) = project(wasm, settings, cases);
    let output = dir.path().join("package.wasm");
    let file = dir.path().join("guest.wasm");
    let packaged = commands::package(config, &file, Some(&output)).await;
    if packaged.is_err() {
        assert!(!output.exists());
    }
    let packaged = packaged?;
    Ok((packaged, fs::read(output).expect("the package is there")))
}

/// The settings of `counter`, and cases that expect more than one verdict.
const COUNTER: &str = "[grants]\nstate = true\n[config]\nlimit = 1\n";
const COUNTER_CASES: &str = "[[case]]\nhost = 'a.example'\nclient = '10.0.0.1'\nexpect = 'next'\n
    [[case]]\nhost = 'a.example'\nclient = '10.0.0.1'\nexpect = 'block'\n";

#[tokio::test]
async fn a_package_says_what_its_filter_asks_for_and_is_the_same_each_time() {
    let (first, bytes) = packaged(guests::counter(), COUNTER, Some(COUNTER_CASES))
        .await
        .unwrap();
    assert_eq!((&*first.name, &*first.version), ("guest", "0.1.0"));
    assert_eq!(first.contract, "1.0.0");
    assert_eq!(first.hooks, ["judge-host"]);
    assert!(first.imports.contains(&"state".to_owned()), "{first}");
    assert!(!first.imports.contains(&"types".to_owned()), "{first}");
    assert_eq!(
        first.verdicts.as_deref(),
        Some(&["next", "block"].map(str::to_owned)[..])
    );

    let (second, again) = packaged(guests::counter(), COUNTER, Some(COUNTER_CASES))
        .await
        .unwrap();
    assert_eq!(first.sha256, second.sha256);
    assert!(bytes == again);
    // What is a package already is the same package.
    let (third, _) = packaged(&bytes, COUNTER, Some(COUNTER_CASES))
        .await
        .unwrap();
    assert_eq!(first.sha256, third.sha256);
    // Without cases it is not known.
    let (unknown, _) = packaged(guests::counter(), COUNTER, None).await.unwrap();
    assert_eq!(unknown.verdicts, None);
    assert!(unknown.to_string().contains("not known"), "{unknown}");
}

/// What a file says of itself, in each of its sections for that.
fn manifests(wasm: &[u8]) -> Vec<Value> {
    let section = b"portcullis-manifest";
    let places = wasm.windows(section.len()).enumerate();
    let places = places.filter(|(_, bytes)| *bytes == &section[..]);
    let manifests = places.map(|(place, _)| {
        let content = &wasm[place + section.len()..];
        let mut values = Deserializer::from_slice(content).into_iter();
        let manifest = values.next().expect("there is something");
        manifest.expect("it begins with JSON")
    });
    manifests.collect()
}

#[tokio::test]
async fn what_its_settings_may_be_stands_in_the_package_that_was_written() {
    let written = packaged(guests::counter(), COUNTER, Some(COUNTER_CASES)).await;
    let (_, bytes) = written.unwrap();
    let manifests = manifests(&bytes);
    let [of_sdk, of_package] = &manifests[..] else {
        panic!("there are two: {manifests:?}");
    };
    let config = &of_package["config"];
    assert_eq!(config["required"], json!(["limit"]));
    assert_eq!(config["properties"]["limit"]["type"], "integer");
    let window = config["properties"]["window_ms"]["description"].as_str();
    assert!(window.is_some_and(|text| text.starts_with("Milliseconds ")));
    // It is the one that the SDK has made of the filter's type.
    assert_eq!(config, &of_sdk["config"]);
    for (key, value) in [
        ("manifest", json!(1)),
        ("name", json!("guest")),
        ("version", json!("0.1.0")),
        ("api", json!("1.0.0")),
        ("hooks", json!(["judge-host"])),
        ("verdicts", json!(["next", "block"])),
    ] {
        assert_eq!(of_package[key], value, "{of_package}");
    }
    assert_eq!(of_sdk["name"], "counter");
}

#[tokio::test]
async fn a_filter_that_is_not_right_is_not_packaged_and_its_author_told_why() {
    let traps = guests::wat("traps_on_third_call");
    let wrong = COUNTER_CASES.replace("'block'", "'allow'");
    for (wasm, settings, cases, parts) in [
        (
            &*traps,
            "",
            None,
            &["J2  fail  ", "\n    to do: ", "package it again"][..],
        ),
        (b"text", "", None, &["S2  fail  ", "to do: build it again"]),
        (
            guests::counter(),
            COUNTER,
            Some(&*wrong),
            &["expected  allow", "1 of 2 cases", "so there is no package"],
        ),
        // It does not start with such settings, so nothing was checked.
        (
            guests::counter(),
            "",
            None,
            &["could not be checked", "S1  environment", "guest.toml"],
        ),
        (
            guests::bare(),
            "",
            None,
            &["does not say its version", "Cargo.toml"],
        ),
    ] {
        let said = packaged(wasm, settings, cases)
            .await
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[tokio::test]
async fn a_package_of_an_earlier_build_is_not_taken_for_the_one_that_failed() {
    let wrong = COUNTER_CASES.replace("'block'", "'allow'");
    let (dir, config) = project(guests::counter(), COUNTER, Some(&wrong));
    let file = dir.path().join("guest.wasm");
    let output = dir.path().join("package.wasm");
    fs::write(&output, b"earlier").unwrap();
    let refusal = commands::package(config, &file, Some(&output)).await;
    let said = refusal.unwrap_err().to_string();
    assert!(said.contains("so there is no package"), "{said}");
    let earlier = "package.wasm is there from an earlier packaging: it is not what was checked now";
    assert!(said.ends_with(earlier), "{said}");
    assert_eq!(fs::read(&output).unwrap(), b"earlier");
}

#[tokio::test]
async fn a_filter_that_could_not_be_installed_is_not_packaged() {
    let (dir, config) = project(b"", "", None);
    let output = dir.path().join("package.wasm");
    for (name, reason) in [
        ("no ads", "`no ads` cannot be a filter's name"),
        (".hidden", "`.hidden` cannot be a filter's name"),
        ("blocklist", "`blocklist` is a built-in filter"),
        (
            "Blocklist",
            "`Blocklist` differs from `blocklist` by case only",
        ),
    ] {
        let file = dir.path().join(format!("{name}.wasm"));
        fs::write(&file, suffix("1.0.0").await).unwrap();
        let refusal = commands::package(config.clone(), &file, Some(&output)).await;
        let packaging = refusal.unwrap_err().to_string();
        assert!(packaging.contains(reason), "{packaging}");
        assert!(packaging.contains("rename its file"), "{packaging}");
        assert!(!output.exists(), "{name}");
        // The same words where it would be installed.
        let file = file.to_str().unwrap();
        let refusal = commands::find_filter(config.clone(), file, Some(name)).await;
        let installing = refusal.unwrap_err().to_string();
        let (why, _) = installing.split_once("; give it another name").unwrap();
        assert!(packaging.starts_with(why), "{packaging} {installing}");
    }
}

#[tokio::test]
async fn a_package_is_not_left_where_a_proxy_would_take_it_for_a_filter() {
    let (dir, mut config) = project(guests::counter(), COUNTER, None);
    config.plugins.dir = dir.path().into();
    let file = dir.path().join("guest.wasm");
    let output = dir.path().join("guest-0.1.0.wasm");
    let refusal = commands::package(config, &file, Some(&output))
        .await
        .unwrap_err();
    assert!(
        refusal.to_string().contains("is the plugin folder"),
        "{refusal}"
    );
    assert!(!output.exists());
}

/// A filter that blocks what its settings say, as a package with that version.
async fn suffix(version: &str) -> Vec<u8> {
    let manifest = format!(r#"{{"manifest": 1, "name": "suffix", "version": "{version}"}}"#);
    let wasm = guests::with_manifest(guests::suffix(), manifest.as_bytes());
    let packaged = packaged(&wasm, "[config]\nblock = []\n", None).await;
    let (_, bytes) = packaged.expect("it keeps to the contract");
    bytes
}
