//! `plugin install`: what an operator is shown, what is refused, and what is left behind.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use portcullis::Config;
use portcullis::commands::{self, Candidate, InstallError};
use portcullis_tests::{Site, Stage, guests};
use tempfile::TempDir;

use super::{project, suffix};

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
        // A reader that has the file open now reads it to its end.
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
        ("/around.wasm", &sum, "redirects more than five times"),
    ] {
        let refusal = found(&config, &url(&site, path, sum)).await.unwrap_err();
        let said = with_causes(&refusal);
        assert!(said.contains(reason), "{path}: {said}");
        assert!(!config.plugins.dir.exists(), "{path}");
    }
}

#[tokio::test]
async fn a_url_without_a_checksum_is_refused_with_the_url_to_write() {
    let site = Site::start().await;
    let (_dir, config) = project(b"", "", None);
    let good = suffix("1.0.0").await;
    let sum = sha256(&config, &good).await;
    site.serves("/good.wasm", &good);
    let bare = format!("http://127.0.0.1:{}/good.wasm", site.port());
    let refusal = found(&config, &bare).await.unwrap_err().to_string();
    assert!(refusal.contains("has no checksum behind it"), "{refusal}");
    // What stands there works.
    let (_, right) = refusal.split_once(" and write  ").unwrap();
    let right = right.replace('…', &sum);
    assert_eq!(right, format!("{bare}#sha256={sum}"));
    found(&config, &right).await.unwrap();

    // A query may be a key. It is not shown, and what is shown is no URL to copy.
    site.serves("/good.wasm?key=1&b=2", &good);
    let keyed = format!("{bare}?key=1&b=2");
    let refusal = found(&config, &keyed).await.unwrap_err().to_string();
    assert!(!refusal.contains("key=1"), "{refusal}");
    assert!(
        refusal.contains("#sha256=… at the end of that URL"),
        "{refusal}"
    );
    assert!(!refusal.contains("good.wasm#sha256"), "{refusal}");
    found(&config, &format!("{keyed}#sha256={sum}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_that_no_proxy_takes_is_not_blamed_on_its_settings() {
    let (dir, config) = project(b"", "", None);
    let asks =
        r#"{"manifest": 1, "name": "suffix", "config": {"type": "object", "required": ["block"]}}"#;
    fs::create_dir(&config.plugins.dir).unwrap();
    let file = dir.path().join("any.wasm");
    fs::write(
        &file,
        guests::with_manifest(&guests::wat("wants_wasi"), asks.as_bytes()),
    )
    .unwrap();
    for settings in ["", "enabled = false", "[config]\nblock = 1", "not TOML"] {
        fs::write(config.plugins.dir.join("suffix.toml"), settings).unwrap();
        let refusal = found(&config, file.to_str().unwrap()).await.unwrap_err();
        let refusal = refusal.to_string();
        let reason = "no proxy would use it: it imports `wasi:";
        assert!(refusal.contains(reason), "{settings}: {refusal}");
    }
}

#[tokio::test]
async fn a_filter_that_its_settings_disable_is_not_said_to_decide() {
    let (dir, config) = project(b"", "", None);
    fs::create_dir(&config.plugins.dir).unwrap();
    let settings = config.plugins.dir.join("suffix.toml");
    fs::write(&settings, "enabled = false\n[config]\nblock = []").unwrap();
    let file = dir.path().join("any.wasm");
    fs::write(&file, suffix("1.0.0").await).unwrap();
    let candidate = found(&config, file.to_str().unwrap()).await.unwrap();
    assert!(!candidate.enabled && !candidate.decides);
    let shown = candidate.to_string();
    assert!(
        shown.contains("mode      disabled: it is not asked"),
        "{shown}"
    );
    assert!(!shown.contains("enforce"), "{shown}");
    let summary = candidate.install().unwrap().summary();
    assert!(
        summary.ends_with("and its settings disable it"),
        "{summary}"
    );
}

#[tokio::test]
async fn a_look_at_a_filter_leaves_nothing_behind() {
    let (dir, config) = project(b"", "", None);
    let file = dir.path().join("any.wasm");
    fs::write(&file, suffix("1.0.0").await).unwrap();
    // Packaging it has compiled it elsewhere.
    found(&config, file.to_str().unwrap()).await.unwrap();
    assert!(!config.compiler.cache_dir.exists());
    assert!(!config.plugins.dir.exists());
}

#[tokio::test]
async fn a_name_that_differs_by_case_only_is_refused_while_the_other_is_there() {
    let (dir, config) = project(b"", "", None);
    fs::create_dir(&config.plugins.dir).unwrap();
    let file = dir.path().join("any.wasm");
    fs::write(&file, suffix("1.0.0").await).unwrap();
    for there in ["Suffix.wasm", "sUffix.toml"] {
        let there = config.plugins.dir.join(there);
        fs::write(&there, "").unwrap();
        let refusal = found(&config, file.to_str().unwrap()).await.unwrap_err();
        let refusal = refusal.to_string();
        let stem = there.file_stem().unwrap().to_str().unwrap();
        let reason = format!("`suffix` differs from `{stem}` by case only");
        assert!(refusal.contains(&reason), "{refusal}");
        assert!(refusal.contains("with --name"), "{refusal}");
        fs::remove_file(there).unwrap();
    }
    found(&config, file.to_str().unwrap()).await.unwrap();
}

/// Where it was tried is gone by the time that the operator reads this.
#[tokio::test]
async fn what_is_wrong_with_settings_is_said_of_the_file_that_the_operator_has() {
    let (dir, config) = project(b"", "", None);
    let file = dir.path().join("any.wasm");
    fs::write(&file, guests::suffix()).unwrap();
    let settings = config.plugins.dir.join("suffix.toml");
    let place = settings.display();
    let problem = async || {
        let found = found(&config, file.to_str().unwrap()).await.unwrap();
        found.settings.expect("it needs settings")
    };
    let absent = format!(
        "it has to be configured, and there is no {place}; write there:  config = {{ block = [] }}"
    );
    assert_eq!(problem().await, absent);
    assert!(!config.plugins.dir.exists());
    fs::create_dir(&config.plugins.dir).unwrap();
    for (text, said) in [
        (
            "[config]\nblok = []",
            "2:1: unknown key `blok` in [config]; did you mean `block`?",
        ),
        (
            "\nmod = 1",
            "2:1: unknown key `mod` at the top of the file; did you mean `mode`?",
        ),
        (
            "[config]\nblock = 7",
            "2:9: config.block: invalid type: integer `7`, expected a list",
        ),
    ] {
        fs::write(&settings, text).unwrap();
        assert_eq!(problem().await, format!("{place}:{said}"));
    }
    // The filter is not to blame for that.
    fs::write(&settings, [0xff]).unwrap();
    let said = problem().await;
    assert!(said.starts_with("cannot read suffix.toml: "), "{said}");
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
        (Vec::new(), "is not a whole WebAssembly file"),
        (
            guests::suffix()[..1000].to_vec(),
            "is not a whole WebAssembly file",
        ),
        (
            guests::wat("wants_wasi"),
            "no proxy would use it: it imports `wasi:",
        ),
        (
            guests::wat("speaks_2_0"),
            "no proxy would use it: it needs ",
        ),
        (
            guests::with_manifest(guests::suffix(), b"{"),
            "no proxy would use it: its manifest cannot be used",
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
async fn cases_that_expect_no_verdict_are_told_of_as_such() {
    let (dir, config) = project(b"", "", None);
    let manifest = br#"{"manifest": 1, "name": "suffix", "verdicts": []}"#;
    let file = dir.path().join("silent.wasm");
    fs::write(&file, guests::with_manifest(guests::suffix(), manifest)).unwrap();
    let found = found(&config, file.to_str().unwrap()).await.unwrap();
    let shown = found.to_string();
    let none = "\n  verdicts  its author's cases expect none\n";
    assert!(shown.contains(none), "{shown}");
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
        "allow (withheld), redirect, next: what its author's cases expect\n",
        "may give  next, block, redirect, replace, drop, ask; [grants] verdicts in ",
        "\n[grants]\n",
        "\nstate = true\n",
        "\nfeeds = ['*']\n",
        "\nverdicts = ['allow', 'redirect', 'replace', 'drop', 'ask']\n",
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
    assert_eq!(found.may_give, ["next", "allow", "block", "redirect"]);
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
async fn a_file_that_was_changed_meanwhile_is_left_alone() {
    let (dir, config) = project(b"", "", None);
    let file = dir.path().join("suffix.wasm");
    fs::write(&file, suffix("1.0.0").await).unwrap();
    let found = found(&config, file.to_str().unwrap()).await.unwrap();
    fs::create_dir(&config.plugins.dir).unwrap();
    fs::write(config.plugins.dir.join("suffix.wasm"), "theirs").unwrap();
    let refusal = found.install().unwrap_err().to_string();
    assert!(
        refusal.contains("has changed since it was looked at"),
        "{refusal}"
    );
    let theirs = fs::read(config.plugins.dir.join("suffix.wasm")).unwrap();
    assert_eq!(theirs, b"theirs");
}
