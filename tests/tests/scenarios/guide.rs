//! What README.md and the guide for authors show of the program is what the program says. Numbers
//! and the name of the filter are those of an example.

use std::fs;

use portcullis::Config;
use portcullis::commands;
use portcullis_tests::{Stage, guests};

const README: &str = include_str!("../../../README.md");
const GUIDE: &str = include_str!("../../../sdk/README.md");

const BLOCKED: &str = "[config]\nblock = ['blocked.example']\n";

/// The text with a `#` for each number.
fn numberless(text: &str) -> String {
    let mut numberless = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        numberless.push_str(&rest[..start]);
        numberless.push('#');
        let number = rest[start..].trim_start_matches(|c: char| c.is_ascii_digit());
        // A fraction belongs to it.
        rest = match number.strip_prefix('.') {
            Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
                fraction.trim_start_matches(|c: char| c.is_ascii_digit())
            }
            _ => number,
        };
    }
    numberless + rest
}

fn assert_shows(text: &str, said: &str) {
    assert!(numberless(text).contains(&numberless(said)), "{said}");
}

#[tokio::test]
async fn the_refusal_and_the_list_are_as_they_are_shown() {
    let stage = Stage::start().await;
    let listed = stage.get("malware.wicar.org").await.body;
    assert!(README.contains(&listed), "{listed}");
    stage.plug("vendors.toml", format!("mode = 'shadow'\n{BLOCKED}"));
    stage.plug("vendors.wasm", guests::suffix());
    let list = async || {
        let list = commands::list_plugins(stage.proxy.config().clone()).await;
        list.expect("the engine starts").to_string()
    };
    stage
        .until_true("the filter is asked and it is counted", async || {
            drop(stage.get("www.blocked.example").await);
            !list().await.contains(" 0 would be blocked")
                && list().await.contains("would be blocked")
        })
        .await;
    let list = list().await;
    let (_, shown) = list.split_once(" 2 vendors").expect("it is listed");
    let (shown, _) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let shown = format!(" 2 vendors{shown}\n");
    assert_shows(GUIDE, &shown);

    stage.plug("vendors.toml", BLOCKED);
    let refused = stage.until("www.blocked.example", 403).await.body;
    assert!(GUIDE.contains(&refused), "{refused}");
    let refused = refused.replace("vendors", "no-ads");
    assert!(README.contains(&refused), "{refused}");
}

#[tokio::test]
async fn what_a_replay_finds_is_as_it_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let hosts = [
        "www.blocked.example",
        "a.example",
        "www.blocked.example",
        "b.example",
    ];
    let line = |(second, host): (usize, &str)| {
        format!(
            "time=2026-11-23T10:00:0{second}.5Z kind=access id=4 client=10.0.0.1 host={host} port=80 protocol=http \
             verdict=next outcome=complete\n"
        )
    };
    let log: String = hosts.into_iter().enumerate().map(line).collect();
    fs::write(dir.path().join("proxy.log"), log).unwrap();
    fs::write(dir.path().join("vendors.wasm"), guests::suffix()).unwrap();
    fs::write(dir.path().join("vendors.toml"), BLOCKED).unwrap();
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    let (log, filter) = (
        dir.path().join("proxy.log"),
        dir.path().join("vendors.wasm"),
    );
    let replay = commands::replay(config, &log, &filter).await.unwrap();
    let said = replay.to_string();
    assert_shows(
        GUIDE,
        &said.replace(&format!("{}/", dir.path().display()), ""),
    );
}

#[tokio::test]
async fn what_a_package_says_is_as_it_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let manifest = br#"{"manifest": 1, "name": "vendors", "version": "0.1.0", "config": {}}"#;
    let filter = guests::with_manifest(guests::suffix(), manifest);
    fs::write(file("vendors.wasm"), filter).unwrap();
    let roomy = "[limits]\ncpu = '10s'\nwall = '20s'\nstart_cpu = '20s'\nstart_wall = '60s'\n";
    fs::write(file("vendors.toml"), format!("{roomy}{BLOCKED}")).unwrap();
    let cases = "[[case]]\nhost = 'a.example'\nexpect = 'next'\n\
                 [[case]]\nhost = 'blocked.example'\nexpect = 'block'\n";
    fs::write(file("cases.toml"), cases).unwrap();
    let mut config = Config::default();
    config.compiler.cache_dir = file("compiled");
    let package = file("vendors-0.1.0.wasm");
    let packaged = commands::package(config, &file("vendors.wasm"), Some(&package)).await;
    let said = packaged.unwrap().to_string();
    let said = said.replace(&format!("{}/", dir.path().display()), "");
    // The filter of the example writes to the log.
    let said = said.replace("imports: nothing", "imports: log");
    assert_shows(GUIDE, &said);
    assert_shows(README, &said.replace("vendors", "no-ads"));
}
