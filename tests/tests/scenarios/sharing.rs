//! Filters in other hands: packages, and how they get into the folder of a proxy.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use portcullis::Config;
use portcullis::commands::{self, Candidate, InstallError, PackageError, Packaged};
use portcullis_tests::{Site, Stage, guests};
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

/// What an operator is shown of a file that lies somewhere.
async fn found(config: &Config, source: &str) -> Result<Candidate, InstallError> {
    commands::find_filter(config.clone(), source, Some("suffix")).await
}

/// The checksum, as its author would publish it.
async fn sha256(config: &Config, bytes: &[u8]) -> String {
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("any.wasm");
    fs::write(&file, bytes).expect("a folder to write to");
    let found = found(config, file.to_str().expect("UTF-8")).await;
    found.expect("a filter").sha256
}

fn url(site: &Site, path: &str, sha256: &str) -> String {
    format!("http://127.0.0.1:{}{path}#sha256={sha256}", site.port())
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the folder is there");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[tokio::test]
async fn a_filter_is_installed_from_a_url_under_traffic() {
    let stage = Stage::start().await;
    let config = stage.proxy.config().clone();
    stage.plug("suffix.toml", "[config]\nblock = ['evil.example']");
    assert_eq!(stage.get("www.evil.example").await.status, 200);
    let (old, new) = (suffix("1.0.0").await, suffix("1.1.0").await);
    for (version, bytes, replaced) in [("1.0.0", &old, None), ("1.1.0", &new, Some("1.0.0"))] {
        let sha256 = sha256(&config, bytes).await;
        stage.site.serves("/suffix.wasm", bytes);
        let found = found(&config, &url(&stage.site, "/suffix.wasm", &sha256)).await;
        let found = found.unwrap();
        assert_eq!(found.version.as_deref(), Some(version));
        let there = found
            .replaces
            .as_ref()
            .map(|old| old.version.as_deref().unwrap());
        assert_eq!(there, replaced);
        let shown = found.to_string();
        assert!(shown.contains(&format!("suffix {version}\n")), "{shown}");
        assert!(shown.contains("hooks     judge-host\n"), "{shown}");
        if let Some(old) = replaced {
            assert!(
                shown.contains(&format!("replaces  {old}, sha256 ")),
                "{shown}"
            );
        }
        // Whoever reads the file now reads it to its end.
        let file = found.file.clone();
        let reading = replaced.map(|_| fs::File::open(&file).unwrap());
        found.install().unwrap();
        assert!(fs::read(&file).unwrap() == *bytes);
        if let Some(mut reading) = reading {
            let mut read = Vec::new();
            reading.read_to_end(&mut read).unwrap();
            assert!(read == old);
        }
        stage.until("www.evil.example", 403).await;
        let beside = entries(stage.proxy.plugins());
        assert_eq!(beside.len(), 2, "{beside:?}");
    }
    let again = url(&stage.site, "/suffix.wasm", &sha256(&config, &new).await);
    let again = found(&config, &again).await.unwrap();
    assert!(again.is_installed());
    assert!(again.summary().contains("nothing was done"));
}

#[tokio::test]
async fn what_a_server_sends_instead_of_the_filter_is_not_installed() {
    let site = Site::start().await;
    let (_dir, config) = project(b"", "", None);
    let good = suffix("1.0.0").await;
    let sum = sha256(&config, &good).await;
    site.serves("/good.wasm", &good);
    site.serves("/other.wasm", suffix("1.0.1").await);
    site.serves("/page.wasm", "<html>log in first</html>");
    let cut = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nhalf",
        good.len()
    );
    site.breaks("/cut.wasm", cut);
    let large = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        u64::MAX / 2
    );
    site.breaks("/large.wasm", large);
    let around = "HTTP/1.1 302 Found\r\nLocation: /around.wasm\r\nContent-Length: 0\r\n\r\n";
    site.breaks("/around.wasm", around);
    let page = "4cbf4e1f15d2dac4a5d8d9b8a1f0fcbeb8c0d2ba6b6c2f0e8a7a43ba0c7e5a3d";
    for (path, sum, reason) in [
        ("/other.wasm", &*sum, "was changed on the way"),
        ("/page.wasm", page, "was changed on the way"),
        ("/good.wasm", &sum[..63], "64 hexadecimal digits"),
        ("/none.wasm", &sum, "the server answered 404"),
        ("/cut.wasm", &sum, "broke off"),
        ("/large.wasm", &sum, "is larger than 256 MiB"),
        ("/around.wasm", &sum, "too many redirects"),
    ] {
        let refusal = found(&config, &url(&site, path, sum)).await.unwrap_err();
        let said = with_causes(&refusal);
        assert!(said.contains(reason), "{path}: {said}");
        assert!(!config.plugins.dir.exists(), "{path}");
    }
    let bare = format!("http://127.0.0.1:{}/good.wasm", site.port());
    let refusal = found(&config, &bare).await.unwrap_err().to_string();
    assert!(refusal.contains("has no checksum behind it"), "{refusal}");
}

/// An error with its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

#[tokio::test]
async fn what_is_no_filter_or_wants_what_there_is_not_is_refused() {
    let (dir, config) = project(b"", "", None);
    for (content, reason) in [
        (
            b"<html>no</html>".to_vec(),
            "it begins with `<html>no</html>`",
        ),
        (Vec::new(), "is no whole WebAssembly"),
        (guests::suffix()[..1000].to_vec(), "is no whole WebAssembly"),
        (
            guests::wat("wants_wasi"),
            "no proxy would use it: it imports `wasi:",
        ),
        (
            guests::wat("speaks_2_0"),
            "no proxy would use it: it needs ",
        ),
    ] {
        let file = dir.path().join("any.wasm");
        fs::write(&file, content).unwrap();
        let refusal = found(&config, file.to_str().unwrap()).await.unwrap_err();
        assert!(refusal.to_string().contains(reason), "{refusal}");
    }
    let file = dir.path().join("good.wasm");
    fs::write(&file, guests::suffix()).unwrap();
    for (name, reason) in [
        ("../evil", "cannot be a filter's name"),
        ("", "cannot be a filter's name"),
        (".hidden", "cannot be a filter's name"),
        ("blocklist", "is a built-in filter"),
    ] {
        let file = file.to_str().unwrap();
        let refusal = commands::find_filter(config.clone(), file, Some(name)).await;
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains(reason), "{refusal}");
    }
    assert!(!config.plugins.dir.exists());
}

#[tokio::test]
async fn an_operator_is_told_which_lines_grant_what_a_filter_asks_for() {
    let (dir, config) = project(b"", "", None);
    let obeys = "[grants]\nfeeds = ['*']\nstate = true\nverdicts = ['allow', 'redirect']\n[config]\ngreeting = ''\n";
    let manifest = r#"{"manifest": 1, "name": "obeys", "verdicts": ["allow", "redirect", "next"]}"#;
    let package = guests::with_manifest(guests::obeys(), manifest.as_bytes());
    let file = dir.path().join("obeys.wasm");
    fs::write(&file, package).unwrap();
    let find = async || {
        let found = commands::find_filter(config.clone(), file.to_str().unwrap(), Some("obeys"));
        found.await.unwrap()
    };
    let shown = find().await.to_string();
    for part in [
        "feeds (not granted)",
        "state (not granted)",
        "allow (withheld), redirect, next\n",
        "\n[grants]\n",
        "\nstate = true\n",
        "\nfeeds = [\"*\"]\n",
        "\nverdicts = [\"allow\", \"redirect\"]\n",
        "its settings do not fit it yet: ",
        "goes on without this file",
        "write mode = \"shadow\" into ",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // What the settings say by then counts.
    fs::create_dir(&config.plugins.dir).unwrap();
    fs::write(
        config.plugins.dir.join("obeys.toml"),
        format!("mode = 'shadow'\n{obeys}"),
    )
    .unwrap();
    let found = find().await;
    assert!(
        found.missing.is_empty() && found.withheld.is_empty(),
        "{found}"
    );
    assert!(
        found.grants.is_empty() && found.settings.is_none(),
        "{found}"
    );
    assert!(
        found
            .to_string()
            .contains("it is asked, and decides nothing")
    );
}

#[tokio::test]
async fn a_file_that_somebody_else_changes_meanwhile_is_left_alone() {
    let (dir, config) = project(b"", "", None);
    let file = dir.path().join("suffix.wasm");
    fs::write(&file, suffix("1.0.0").await).unwrap();
    let found = found(&config, file.to_str().unwrap()).await.unwrap();
    fs::create_dir(&config.plugins.dir).unwrap();
    fs::write(config.plugins.dir.join("suffix.wasm"), "theirs").unwrap();
    let refusal = found.install().unwrap_err().to_string();
    assert!(
        refusal.contains("was changed by somebody else"),
        "{refusal}"
    );
    let theirs = fs::read(config.plugins.dir.join("suffix.wasm")).unwrap();
    assert_eq!(theirs, b"theirs");
}
