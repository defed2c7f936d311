//! The many ways in which files get into a folder, are replaced there and go.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use portcullis_tests::{Log, Settings, Stage, guests, plug};

fn block(suffix: &str) -> String {
    format!("[config]\nblock = [\"{suffix}\"]\n")
}

/// Waits until the proxy has looked at the folder as it is now: a filter is in use that was put
/// there after all else.
async fn until_looked_at(stage: &Stage, marker: &str) {
    let mut log = Log::follow();
    stage.plug(&format!("{marker}.wasm"), guests::bare());
    log.says(&["filters in use", marker]).await;
}

#[tokio::test]
async fn a_file_may_be_a_hard_link() {
    let stage = Stage::start().await;
    let elsewhere = tempfile::tempdir_in(stage.proxy.plugins().parent().unwrap()).unwrap();
    plug(elsewhere.path(), "original", guests::bare());
    let link = stage.proxy.plugins().join("linked.wasm");
    fs::hard_link(elsewhere.path().join("original"), link).unwrap();
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn what_a_symbolic_link_leads_to_may_be_rewritten() {
    let stage = Stage::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    plug(elsewhere.path(), "settings", block("one.example"));
    plug(elsewhere.path(), "filter", guests::suffix());
    let folder = stage.proxy.plugins();
    symlink(elsewhere.path().join("settings"), folder.join("far.toml")).unwrap();
    symlink(elsewhere.path().join("filter"), folder.join("far.wasm")).unwrap();
    stage.until("one.example", 403).await;

    plug(elsewhere.path(), "settings", block("two.example"));
    stage.until("two.example", 403).await;
    plug(elsewhere.path(), "filter", guests::bare());
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn a_file_that_arrives_slowly_is_used_when_it_is_complete() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    let content = guests::bare();
    let path = stage.proxy.plugins().join("slow.wasm");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for (part, marker) in content
        .chunks(content.len() / 3 + 1)
        .zip(["m1", "m2", "m3"])
    {
        file.write_all(part).unwrap();
        until_looked_at(&stage, marker).await;
        stage.unplug(&format!("{marker}.wasm"));
    }
    log.says(&["loaded", "plugin=\"slow\""]).await;
}

/// As Kubernetes mounts a ConfigMap: files are links through a link that is replaced.
#[tokio::test]
async fn files_that_change_at_once_are_used_at_once() {
    let stage = Stage::start().await;
    let folder = stage.proxy.plugins();
    let version = |version: &str, suffix: &str| {
        let dir = folder.join(format!("..{version}"));
        fs::create_dir(&dir).unwrap();
        for name in ["map-a", "map-b"] {
            plug(&dir, &format!("{name}.toml"), block(suffix));
            plug(&dir, &format!("{name}.wasm"), guests::suffix());
        }
        symlink(format!("..{version}"), folder.join("..new")).unwrap();
        fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
    };
    let log = Log::follow();
    version("v1", "one.example");
    for file in ["map-a.toml", "map-a.wasm", "map-b.toml", "map-b.wasm"] {
        symlink(Path::new("..data").join(file), folder.join(file)).unwrap();
    }
    stage.until("one.example", 403).await;
    let generations = || log.count(&["filters in use", "map-a", "map-b"]);
    until_looked_at(&stage, "before-swap").await;
    let before = generations();

    version("v2", "two.example");
    stage.until("two.example", 403).await;
    assert_eq!(stage.get("one.example").await.status, 200);
    assert_eq!(generations(), before + 1);
    assert_eq!(log.count(&["replaced", "map-"]), 2);
}

#[tokio::test]
async fn the_same_content_again_is_no_change() {
    let stage = Stage::start().await;
    let (mut log, whole) = (Log::follow(), Log::follow());
    stage.plug("steady.wasm", guests::bare());
    stage.plug("wrong.wasm", "no filter");
    until_looked_at(&stage, "first-look").await;
    log.says(&["refused", "plugin=\"wrong\""]).await;

    stage.plug("steady.wasm", guests::bare());
    stage.plug("wrong.wasm", "no filter");
    until_looked_at(&stage, "second-look").await;
    assert_eq!(whole.count(&["loaded", "plugin=\"steady\""]), 1);
    assert_eq!(whole.count(&["replaced", "plugin=\"steady\""]), 0);
    assert_eq!(whole.count(&["refused", "plugin=\"wrong\""]), 1);
}

#[tokio::test]
async fn a_file_that_is_deleted_and_comes_back_has_served_all_the_time() {
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        plug(&config.plugins.dir, "absent.toml", block("kept.example"));
        plug(&config.plugins.dir, "absent.wasm", guests::suffix());
    })
    .await;
    let (mut log, whole) = (Log::follow(), Log::follow());
    stage.answers(&[("kept.example", 403)]).await;
    stage.unplug("absent.wasm");
    until_looked_at(&stage, "look-1").await;
    stage.answers(&[("kept.example", 403)]).await;
    stage.plug("absent.toml", "on_error = \"skip\"");
    stage.plug("absent.wasm", guests::bare());
    log.says(&["replaced", "plugin=\"absent\""]).await;
    assert_eq!(whole.count(&["removed", "plugin=\"absent\""]), 0);
}

#[tokio::test]
async fn settings_that_are_deleted_and_come_back_have_held_all_the_time() {
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        // Without its settings it would be of use, too.
        plug(&config.plugins.dir, "set-up.toml", "mode = \"shadow\"");
        plug(&config.plugins.dir, "set-up.wasm", guests::bare());
    })
    .await;
    let (mut log, whole) = (Log::follow(), Log::follow());
    stage.answers(&[("blocked.example", 200)]).await;
    stage.unplug("set-up.toml");
    until_looked_at(&stage, "look-1").await;
    until_looked_at(&stage, "look-2").await;
    assert_eq!(whole.count(&["replaced", "plugin=\"set-up\""]), 0);
    stage.plug("set-up.toml", "on_error = \"skip\"");
    log.says(&["replaced", "plugin=\"set-up\"", "mode=\"enforce\""])
        .await;
}

#[tokio::test]
async fn settings_that_are_emptied_change_nothing_until_they_are_written() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "set-up.toml", "mode = \"shadow\"");
        plug(&config.plugins.dir, "set-up.wasm", guests::bare());
    })
    .await;
    let (mut log, whole) = (Log::follow(), Log::follow());
    // As an editor does before it writes the file.
    stage.plug("set-up.toml", "");
    let said = log
        .says(&["ERROR", "refused", "set-up.toml is empty"])
        .await;
    for part in ["goes on serving", "a comment if the defaults are meant"] {
        assert!(said.contains(part), "{said}");
    }
    stage.answers(&[("blocked.example", 200)]).await;
    // It is the same with another version of the filter.
    stage.plug("set-up.wasm", guests::suffix());
    log.says(&["refused", "set-up.toml is empty"]).await;
    assert_eq!(whole.count(&["replaced", "plugin=\"set-up\""]), 0);
    stage.plug("set-up.wasm", guests::bare());
    stage.plug("set-up.toml", "# the defaults\n");
    stage.until("blocked.example", 403).await;
    // They keep no filter whose file is gone.
    stage.plug("set-up.toml", "");
    stage.unplug("set-up.wasm");
    stage.until("blocked.example", 200).await;
}

#[tokio::test]
async fn a_file_that_is_still_written_at_the_start_and_deleted_holds_its_place() {
    let (is_written, until) = mpsc::channel::<()>();
    let mut writer = None;
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        let folder = config.plugins.dir.clone();
        plug(&folder, "guard.wasm", "");
        // It is another one at each look, and leaves the processors to the proxy.
        let pause = Duration::from_millis(10);
        writer = Some(thread::spawn(move || {
            while until.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                plug(&folder, "guard.wasm", "a part of it");
            }
        }));
    })
    .await;
    stage.answers(&[("a.example", 503)]).await;

    drop(is_written);
    writer.expect("it was started").join().unwrap();
    stage.unplug("guard.wasm");
    until_looked_at(&stage, "look-for-guard").await;
    stage.answers(&[("a.example", 503)]).await;
    stage.plug("guard.wasm", guests::bare());
    stage.until("a.example", 200).await;
    let refusal = stage.get("blocked.example").await;
    assert!(refusal.body.contains("Filter: guard\n"), "{refusal:?}");
}

#[tokio::test]
async fn a_file_that_had_lost_its_name_to_a_rival_holds_its_place_when_it_is_deleted() {
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        plug(&config.plugins.dir, "Twin.wasm", guests::bare());
        plug(&config.plugins.dir, "twin.wasm", guests::bare());
    })
    .await;
    stage.answers(&[("a.example", 503)]).await;
    stage.unplug("twin.wasm");
    until_looked_at(&stage, "look-for-twin").await;
    stage.answers(&[("a.example", 503)]).await;
}

#[tokio::test]
async fn the_order_in_the_configuration_file_is_followed() {
    let settings = Settings::new("[plugins]\norder = []\n");
    let stage = Stage::start_with(|config| {
        settings.apply(config);
        for name in ["a.wasm", "b.wasm"] {
            plug(&config.plugins.dir, name, guests::bare());
        }
    })
    .await;
    let decided_by = async |name: &str| {
        let line = format!("Filter: {name}\n");
        let right = |response: &portcullis_tests::Response| response.body.contains(&line);
        stage.until_response("blocked.example", right).await;
    };
    decided_by("a").await;
    settings.say("[plugins]\norder = [\"b\"]\n");
    decided_by("b").await;

    let mut log = Log::follow();
    settings.say("[plugins]\norder = [\"a\"\n");
    log.says(&["ERROR", "configuration file", "the settings before stay"])
        .await;
    decided_by("b").await;
    let list = portcullis::commands::list_plugins;
    let is_listed = async || {
        let list = list(stage.proxy.config().clone()).await.unwrap();
        list.to_string().contains("the configuration file")
    };
    stage
        .until_true("it is listed as not ready", is_listed)
        .await;
}

#[tokio::test]
async fn a_configuration_file_that_cannot_be_read_is_no_changed_one() {
    let settings = Settings::new("[plugins]\norder = []\n");
    let _stage = Stage::start_with(|config| settings.apply(config)).await;
    let mut log = Log::follow();
    let written = settings.file().with_extension("written");
    fs::rename(settings.file(), &written).unwrap();
    // A regular file whose first byte cannot be read, not even by root.
    symlink("/proc/self/mem", settings.file()).unwrap();
    log.says(&["ERROR", "cannot be read", "read again every second"])
        .await;
    fs::rename(&written, settings.file()).unwrap();
    settings.say("[plugins]\norder = [\"absent\"]\n");
    log.says(&["refused", "absent"]).await;
    assert_eq!(log.count(&["has changed and cannot be used"]), 0);
}

#[tokio::test]
async fn a_reload_has_the_folder_looked_at() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.proxy.reload();
    log.says(&["looking at the plugin folder again"]).await;
}

#[tokio::test]
async fn a_request_ends_with_the_filters_that_it_began_with() {
    let stage = Stage::start_with(|config| {
        let settings = "[limits]\ncpu = \"1h\"\nwall = \"3s\"";
        plug(&config.plugins.dir, "generation.toml", settings);
        let guest = guests::wat("says_and_loops");
        plug(&config.plugins.dir, "generation.wasm", guest);
    })
    .await;
    let mut log = Log::follow();
    let mut early = stage.proxy.client().await;
    early.send(stage.request("x.example", "")).await;
    log.says(&["generation", "here we go"]).await;
    stage.plug("generation.toml", block("x.example"));
    stage.plug("generation.wasm", guests::suffix());
    let refusal = stage.until("x.example", 403).await;
    assert!(refusal.body.contains("Filter: generation"), "{refusal:?}");
    assert_eq!(
        early.response().await.status,
        503,
        "from the version before"
    );
}

#[tokio::test]
async fn one_of_two_names_that_differ_by_case_may_have_it_when_the_other_is_gone() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("Pair.wasm", guests::bare());
    log.says(&["loaded", "plugin=\"Pair\""]).await;
    stage.plug("pair.toml", block("two.example"));
    stage.plug("pair.wasm", guests::suffix());
    log.says(&[
        "refused",
        "plugin=\"pair\"",
        "differs from Pair by case only",
    ])
    .await;
    stage.plug("Blocklist.wasm", guests::bare());
    log.says(&["refused", "plugin=\"Blocklist\"", "differs from blocklist"])
        .await;
    assert_eq!(stage.get("two.example").await.status, 200);
    stage.unplug("Pair.wasm");
    stage.until("two.example", 403).await;
}

#[tokio::test]
async fn a_filter_that_is_disabled_keeps_its_name_from_no_other() {
    let disabled = "enabled = false";
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "Switched.toml", disabled);
        plug(&config.plugins.dir, "Switched.wasm", guests::wat("loops"));
        plug(&config.plugins.dir, "switched.wasm", guests::bare());
    })
    .await;
    stage.answers(&[("blocked.example", 403)]).await;

    // It is in the way from when it is enabled, and the one in use was there first.
    let mut log = Log::follow();
    stage.plug("Switched.toml", "");
    log.says(&["refused", "plugin=\"Switched\"", "differs from switched"])
        .await;
    stage.plug("switched.toml", disabled);
    log.says(&["loaded", "plugin=\"Switched\""]).await;
    stage.until("blocked.example", 200).await;
}

#[tokio::test]
async fn a_filter_that_is_gone_for_a_moment_keeps_its_name_from_its_rival() {
    let stage = Stage::start_with(|config| {
        config.plugins.deletion_grace = Duration::from_secs(3600);
        plug(&config.plugins.dir, "elder.wasm", guests::bare());
    })
    .await;
    stage.answers(&[("blocked.example", 403)]).await;
    let (mut log, whole) = (Log::follow(), Log::follow());
    stage.plug("Elder.toml", block("two.example"));
    stage.plug("Elder.wasm", guests::suffix());
    log.says(&["refused", "plugin=\"Elder\"", "differs from elder"])
        .await;
    stage.unplug("elder.wasm");
    until_looked_at(&stage, "look-for-elder").await;
    assert_eq!(stage.get("two.example").await.status, 200);
    stage.plug("elder.wasm", guests::bare_module());
    log.says(&["replaced", "plugin=\"elder\""]).await;
    assert_eq!(whole.count(&["loaded", "plugin=\"Elder\""]), 0);
    assert_eq!(whole.count(&["refused", "plugin=\"elder\""]), 0);
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let mut log = Log::follow();
    let set =
        |dir: &Path, mode| fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
    let warning = ["WARN", "others than its owner may write", "chmod go-w"];
    let stage = Stage::start_with(|config| set(&config.plugins.dir, 0o755)).await;
    assert_eq!(log.count(&warning), 0);
    // It is warned of once, whenever that comes.
    set(stage.proxy.plugins(), 0o775);
    log.says(&warning).await;
    until_looked_at(&stage, "look-at-folder").await;
    assert_eq!(log.count(&warning), 0);
    Stage::start_with(|config| set(&config.plugins.dir, 0o775)).await;
    log.says(&warning).await;
}
