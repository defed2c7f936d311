//! What filters say of themselves: their settings are checked against it, and nothing in it does
//! harm.

use portcullis::commands::Lists;
use portcullis_tests::{Log, Stage, guests, plug};

const GOOD: &str = "[config]\nblock = [\"blocked.example\"]";

/// Where `suffix` serves by good settings.
async fn stage() -> Stage {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "suffix.wasm", guests::suffix());
        plug(&config.plugins.dir, "suffix.toml", GOOD);
    })
    .await;
    stage.answers(&[("blocked.example", 403)]).await;
    stage
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named_with_their_place_while_the_old_ones_hold() {
    let stage = stage().await;
    let mut log = Log::follow();
    for (settings, reason) in [
        (
            "on_error = \"skip\"\n[config]\nblok = [\"other.example\"]",
            "suffix.toml:3:1: unknown key `blok` in [config]; did you mean `block`?",
        ),
        (
            "[config]\nblock = [\n  \"other.example\",\n  3,\n]",
            "suffix.toml:4:3: config.block[1]: invalid type: integer `3`, expected a string",
        ),
        (
            "mode = \"enforce\"",
            "suffix.toml:1:1: [config] lacks `block`; add there:  block = []",
        ),
    ] {
        stage.plug("suffix.toml", settings);
        log.says(&["ERROR", "refused", "suffix", reason]).await;
        stage
            .answers(&[("blocked.example", 403), ("other.example", 200)])
            .await;
    }
    stage.plug("suffix.toml", "[config]\nblock = [\"other.example\"]");
    stage.until("other.example", 403).await;
}

#[tokio::test]
async fn a_filter_that_takes_no_configuration_says_so() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("calm.toml", "[config]\nhosts = []");
    stage.plug("calm.wasm", guests::panics());
    let reason = "calm.toml:2:1: unknown key `hosts` in [config]; there are none";
    log.says(&["ERROR", "refused", "calm", reason]).await;
}

/// Its settings could not be checked, nor hosts there be spelled as they are judged.
#[tokio::test]
async fn a_filter_whose_manifest_cannot_be_used_is_refused_whatever_its_settings_say() {
    let stage = Stage::with_neighbour().await;
    let mut log = Log::follow();
    let schema = |schema: &str| format!("{{\"manifest\": 1, \"config\": {schema}}}").into_bytes();
    let deep = format!("{}{}", "{\"not\": ".repeat(5000), "}".repeat(5000));
    for (name, manifest, reason) in [
        ("garbage", b"\xff\0{".to_vec(), "not the JSON"),
        ("huge", vec![b' '; 10 << 20], "larger than"),
        ("foreign", b"{\"manifest\": 2}".to_vec(), "form 2"),
        ("deep", schema(&deep), "not the JSON"),
        (
            "mistaken",
            schema("{\"type\": \"text\"}"),
            "not a JSON Schema",
        ),
        ("endless", schema("{\"$ref\": \"#\"}"), "$ref"),
        (
            "remote",
            schema("{\"$ref\": \"http://127.0.0.1:9/schema\"}"),
            "$ref",
        ),
        (
            "slow",
            schema("{\"propertyNames\": {\"pattern\": \"((a{999}){999}){999}\"}}"),
            "not a JSON Schema",
        ),
    ] {
        let file = format!("{name}.wasm");
        stage.plug(&file, guests::with_manifest(guests::bare(), &manifest));
        let said = ["ERROR", "refused", name, "its manifest cannot be used"];
        log.says(&[&said[..], &[reason]].concat()).await;
        stage
            .answers(&[("calm.example", 200), ("blocked.example", 403)])
            .await;
        stage.unplug(&file);
    }
}

/// A filter that compares texts, as those in other languages do.
#[tokio::test]
async fn a_new_version_with_a_damaged_manifest_does_not_switch_a_rule_off() {
    let stage = stage().await;
    let mut log = Log::follow();
    let manifest =
        r#"{"manifest": 1, "config": {"properties": {"block": {"items": {"format": "host"}}}}}"#;
    let with = |manifest: &str| guests::with_manifest(guests::suffix(), manifest.as_bytes());
    stage.plug("suffix.wasm", with(manifest));
    stage.plug("suffix.toml", "[config]\nblock = [\"bücher.example\"]");
    stage.until("xn--bcher-kva.example", 403).await;
    stage.plug("suffix.wasm", with(&manifest[1..]));
    log.says(&["ERROR", "refused", "suffix", "its manifest cannot be used"])
        .await;
    stage
        .answers(&[("xn--bcher-kva.example", 403), ("blocked.example", 200)])
        .await;
}

/// What a later SDK says beside what is known here.
#[tokio::test]
async fn a_manifest_that_says_more_than_is_known_is_read() {
    let stage = Stage::start_with(|config| {
        let manifest = r#"{"manifest": 1, "license": "MIT", "hosts": [{"a": 1}],
            "config": {"properties": {"block": {"items": {"format": "host", "x-later": 1}}}}}"#;
        let suffix = guests::with_manifest(guests::suffix(), manifest.as_bytes());
        plug(&config.plugins.dir, "suffix.wasm", suffix);
        let settings = "[config]\nblock = [\"bücher.example\"]";
        plug(&config.plugins.dir, "suffix.toml", settings);
    })
    .await;
    stage.answers(&[("xn--bcher-kva.example", 403)]).await;
}

#[tokio::test]
async fn check_tells_what_a_filter_says_of_itself() {
    let stage = Stage::start_with(|config| {
        let manifest = br#"{"manifest": 1, "version": "1.2.3", "description": "a\u001b[2Jb"}"#;
        let told = guests::with_manifest(guests::bare(), manifest);
        plug(&config.plugins.dir, "told.wasm", told);
        plug(&config.plugins.dir, "bare.wasm", guests::bare());
    })
    .await;
    let report = portcullis::commands::check(stage.proxy.config().clone(), Lists::OnDisk).await;
    let report = serde_json::to_value(report.expect("an engine")).expect("JSON");
    let plugins = report["plugins"].as_array().expect("plugins");
    let plugin = |name: &str| plugins.iter().find(|plugin| plugin["name"] == name);
    let (told, bare) = (plugin("told").expect("told"), plugin("bare").expect("bare"));
    assert_eq!(told["version"], "1.2.3");
    assert_eq!(told["description"], "a [2Jb");
    assert!(bare.get("version").is_none(), "{bare}");
}
